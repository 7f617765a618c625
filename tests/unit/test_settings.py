"""What is for one machine stays there: production refuses it, and no refusal prints a secret."""

from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from dashboard.settings import Settings as Dashboard
from services.notification.settings import Settings as Notification
from services.scheduling.settings import Settings as Scheduling
from services.status.settings import Settings as Status
from tests.support.settings import (
    DASHBOARD,
    KEY,
    NOTIFICATION,
    OAUTH,
    PUBLIC_KEY,
    SCHEDULING,
    SERVICE,
    SMS,
)


@pytest.mark.parametrize(
    ("kind", "good"),
    [
        (Scheduling, SCHEDULING),
        (Notification, NOTIFICATION),
        (Notification, SMS),
        (Status, SERVICE),
        (Status, SERVICE | OAUTH),
        (Dashboard, DASHBOARD),
        (Dashboard, DASHBOARD | {"oidc_client_secret": ""}),
    ],
)
def test_production_starts_when_it_is_set_up(
    kind: type[BaseSettings], good: dict[str, Any]
) -> None:
    kind(**good)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (Status, SERVICE | {"auth_issuer": "http://login.example.org"}),
        (Status, SERVICE | {"auth_jwks": "http://login.example.org/jwks"}),
        (Status, SERVICE | {"database_url": "postgresql://service@db/service"}),
        (Status, SERVICE | {"environment": "local", "host": "0.0.0.0"}),
        (Status, SERVICE | {"kafka_security": "plaintext"}),
        (Status, SERVICE | {"event_public_keys": {"scheduling": {"1": PUBLIC_KEY}}}),
        (Status, SERVICE | {"event_public_keys": {"scheduling": {"1": "A"}, "notification": {}}}),
        (Scheduling, SCHEDULING | {"event_keys": {"1": KEY + KEY}}),
        (Notification, NOTIFICATION | {"event_keys": {}}),
        (Scheduling, SCHEDULING | {"request_public_keys": {"1": "short"}}),
        (Notification, NOTIFICATION | {"request_keys": {"1": "short"}}),
        (Notification, NOTIFICATION | {"request_keys": {}}),
        (Status, SERVICE | {"kafka_security": "sasl_plaintext"}),
        (Status, SERVICE | {"kafka_password": ""}),
        (Status, SERVICE | {"kafka_security": "ssl"}),
        (Status, SERVICE | {"kafka_cert_file": "/nowhere/cert.pem"}),
        (Status, SERVICE | {"kafka_ca_file": "/nowhere/ca.pem"}),
        (Status, SERVICE | {"kafka_mechanism": "OAUTHBEARER"}),
        (Status, SERVICE | OAUTH | {"kafka_token_url": "http://login.example.org/token"}),
        (Notification, NOTIFICATION | {"kafka_security": "plaintext"}),
        (Scheduling, SCHEDULING | {"kafka_security": "plaintext"}),
        (Status, SERVICE | {"environment": "container"}),
        (Dashboard, DASHBOARD | {"environment": "container"}),
        (Scheduling, SCHEDULING | {"link_base_url": "http://praxis.de/besuch"}),
        (Scheduling, SCHEDULING | {"link_base_url": "https://127.0.0.1:8401/besuch"}),
        (Scheduling, SCHEDULING | {"link_base_url": "https://prüfung.de/besuch"}),
        (Scheduling, SCHEDULING | {"link_base_url": "https://praxis.de/be such"}),
        (Scheduling, SCHEDULING | {"link_base_url": "https://praxis.de/besuch?token="}),
        (Scheduling, SCHEDULING | {"link_keys": {}}),
        (Scheduling, SCHEDULING | {"link_keys": {"1": "short"}}),
        (Scheduling, SCHEDULING | {"link_keys": {"256": KEY}}),
        (Scheduling, SCHEDULING | {"contact_keys": {}}),
        (Scheduling, SCHEDULING | {"contact_keys": {"1": "short"}}),
        (Notification, NOTIFICATION | {"contact_keys": {}}),
        (Notification, NOTIFICATION | {"smtp_tls": "none"}),
        (Notification, NOTIFICATION | {"mail_from": "einladung@praxis.example"}),
        (Notification, NOTIFICATION | {"lease_seconds": 9}),
        (Notification, NOTIFICATION | {"intake_protocol": "none"}),
        (Notification, NOTIFICATION | {"imap_host": "imap.praxis.de", "imap_tls": "none"}),
        (
            Notification,
            NOTIFICATION | {"bounce_address": "an-address-too-long-for-a-tag@praxis.de"},
        ),
        (Notification, NOTIFICATION | {"return_path_keys": {"1": "short"}}),
        (Notification, NOTIFICATION | {"sms_gateways": ["webhook"]}),
        (Notification, SMS | {"sms_seven_url": "http://gateway.seven.io/api"}),
        (Notification, SMS | {"sms_receipts_url": "http://praxis.de"}),
        (Scheduling, SCHEDULING | {"token_keys": {"1": KEY + KEY}}),
        (Dashboard, DASHBOARD | {"public_url": "http://termine.example.org"}),
        (Dashboard, DASHBOARD | {"auth_issuer": "http://login.example.org"}),
        (Dashboard, DASHBOARD | {"database_url": "postgresql://dashboard@db/dashboard"}),
        (Dashboard, DASHBOARD | {"oidc_client_id": "einladung"}),
        (Dashboard, DASHBOARD | {"oidc_scope": "profile"}),
    ],
)
def test_what_is_unsafe_is_refused_without_telling_a_secret(
    kind: type[BaseSettings], settings: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as refused:
        kind(**settings)
    assert "geheim" not in str(refused.value)


def test_production_believes_no_address_that_the_caller_made_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good: dict[str, Any] = SCHEDULING
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "10.0.0.0/8")
    Scheduling(**good)
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with pytest.raises(ValidationError, match="FORWARDED_ALLOW_IPS"):
        Scheduling(**good)
