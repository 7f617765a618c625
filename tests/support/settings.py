"""Settings of the services with which each starts in production."""

import json

from chassis.event_keys import signing

KEY = "A" * 43
PUBLIC_KEY = json.loads(signing({1: bytes(32)}))["1"]
SERVICE = {
    "environment": "production",
    "database_url": "postgresql://service:geheim@db/service?sslmode=verify-full",
    "kafka_bootstrap": "kafka:9093",
    "kafka_username": "service",
    "kafka_password": "geheim",
    "event_public_keys": {"scheduling": {"1": PUBLIC_KEY}, "notification": {"1": PUBLIC_KEY}},
    "auth_jwks": "/etc/einladung/jwks.json",
    "auth_issuer": "https://login.example.org",
}
OAUTH = {
    "kafka_mechanism": "OAUTHBEARER",
    "kafka_token_url": "https://login.example.org/token",
    "kafka_client_id": "service",
    "kafka_client_secret": "geheim",
}
SCHEDULING = SERVICE | {
    "link_base_url": "https://example.org/besuch",
    "dashboard_url": "https://termine.example.org",
    "status_url": "https://status.example.org",
    "link_keys": {"1": KEY},
    "contact_keys": {"1": KEY},
    "token_keys": {"1": KEY},
    "audit_keys": {"1": KEY},
    "request_public_keys": {"1": KEY},
    "event_keys": {"1": KEY},
}
NOTIFICATION = SERVICE | {
    "mail_from": "praxis@praxis.de",
    "smtp_host": "smtp.praxis.de",
    "bounce_address": "rueck@praxis.de",
    "event_keys": {"1": KEY},
    "return_path_keys": {"1": KEY},
    "request_keys": {"1": KEY},
    "contact_keys": {"1": KEY},
    "intake_protocol": "lmtp",
    "intake_allow_from": ["192.0.2.25"],
}
SMS = NOTIFICATION | {
    "sms_gateways": ["seven"],
    "sms_receipts_url": "https://praxis.de",
    "sms_seven_api_key": "geheim",
    "sms_seven_signing_key": "geheim",
}
WEBHOOKS = SERVICE | {
    "api_keys_jwks": "https://scheduling.example.org/v1/jwks",
    "secret_keys": {"1": KEY},
}
FHIR = {
    "environment": "production",
    "public_url": "https://fhir.example.org",
    "scheduling_url": "https://scheduling.example.org",
    "status_url": "https://status.example.org",
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
