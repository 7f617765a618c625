"""Settings of the services with which each starts in production."""

KEY = "A" * 43
SERVICE = {
    "environment": "production",
    "database_url": "postgresql://service:geheim@db/service?sslmode=verify-full",
    "kafka_bootstrap": "kafka:9092",
    "auth_jwks": "/etc/einladung/jwks.json",
    "auth_issuer": "https://login.example.org",
}
SCHEDULING = SERVICE | {
    "link_base_url": "https://example.org/besuch",
    "link_keys": {"1": KEY},
    "contact_keys": {"1": KEY},
    "token_keys": {"1": KEY},
}
NOTIFICATION = SERVICE | {
    "mail_from": "praxis@praxis.de",
    "smtp_host": "smtp.praxis.de",
    "bounce_address": "rueck@praxis.de",
    "return_path_keys": {"1": KEY},
    "contact_keys": {"1": KEY},
    "intake_protocol": "lmtp",
}
SMS = NOTIFICATION | {
    "sms_gateways": ["seven"],
    "sms_receipts_url": "https://praxis.de",
    "sms_seven_api_key": "geheim",
    "sms_seven_signing_key": "geheim",
}
DASHBOARD = {
    "environment": "production",
    "public_url": "https://termine.example.org",
    "scheduling_url": "https://scheduling.example.org",
    "notification_url": "https://notification.example.org",
    "status_url": "https://status.example.org",
    "database_url": "postgresql://dashboard:geheim@db/dashboard?sslmode=verify-full",
    "auth_issuer": "https://login.example.org",
    "oidc_client_id": "dashboard",
    "oidc_client_secret": "geheim",
}
