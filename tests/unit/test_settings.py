"""What is for one machine stays there: production refuses it, and no refusal prints a secret."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from chassis.settings import ProcessSettings
from dashboard.settings import Settings as Dashboard
from services.fhir.settings import Settings as Fhir
from services.notification.settings import Settings as Notification
from services.scheduling.settings import Settings as Scheduling
from services.status.settings import Settings as Status
from services.webhooks.settings import Settings as Webhooks
from tests.support import certificates
from tests.support.settings import (
    DASHBOARD,
    FHIR,
    KEY,
    NOTIFICATION,
    OAUTH,
    PUBLIC_KEY,
    SCHEDULING,
    SERVICE,
    SMS,
    WEBHOOKS,
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
        (Fhir, FHIR),
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
        (Scheduling, SCHEDULING | {"dashboard_url": "http://termine.example.org"}),
        (Scheduling, SCHEDULING | {"dashboard_url": "https://localhost"}),
        (Scheduling, SCHEDULING | {"status_url": "http://status.example.org"}),
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
        (
            Notification,
            {k: v for k, v in NOTIFICATION.items() if k != "intake_allow_from"},
        ),
        (Notification, NOTIFICATION | {"intake_allow_from": ["0.0.0.0/0"]}),
        (Notification, NOTIFICATION | {"intake_allow_from": ["2000::/3"]}),
        (Notification, NOTIFICATION | {"intake_allow_from": ["10.0.0.0/8", "11.0.0.0/8"]}),
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
        (Webhooks, WEBHOOKS | {"receiver_http": True}),
        (Webhooks, WEBHOOKS | {"receiver_ports": []}),
        (Webhooks, WEBHOOKS | {"receiver_networks": ["127.0.0.0/8"]}),
        (Webhooks, WEBHOOKS | {"receiver_networks": ["169.254.169.254"]}),
        (Webhooks, WEBHOOKS | {"receiver_networks": ["0.0.0.0/0"]}),
        (Webhooks, WEBHOOKS | {"secret_keys": {"1": "short"}}),
        (Dashboard, DASHBOARD | {"demo_links": {"Postfach": "http://127.0.0.1:8426"}}),
        (Dashboard, DASHBOARD | {"public_url": "http://termine.example.org"}),
        (Dashboard, DASHBOARD | {"auth_issuer": "http://login.example.org"}),
        (Dashboard, DASHBOARD | {"database_url": "postgresql://dashboard@db/dashboard"}),
        (Dashboard, DASHBOARD | {"oidc_client_id": "einladung"}),
        (Dashboard, DASHBOARD | {"oidc_scope": "profile"}),
        (Fhir, FHIR | {"public_url": "http://fhir.example.org"}),
        (Fhir, FHIR | {"public_url": "https://fhir.example.org/fhir"}),
    ],
)
def test_what_is_unsafe_is_refused_without_telling_a_secret(
    kind: type[BaseSettings], settings: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError) as refused:
        kind(**settings)
    assert "geheim" not in str(refused.value)


def made(kind: type[ProcessSettings], settings: dict[str, Any]) -> ProcessSettings:
    return kind(**settings)


WITHOUT_TLS: list[tuple[type[ProcessSettings], dict[str, Any], dict[str, Any]]] = [
    (Status, SERVICE, {"auth_jwks": "http://login.example.org/jwks"}),
    (Status, SERVICE, {"api_keys_jwks": "http://scheduling:8401/v1/jwks"}),
    (Webhooks, WEBHOOKS, {"api_keys_jwks": "http://scheduling:8401/v1/jwks"}),
    (Scheduling, SCHEDULING, {"auth_jwks": "http://login.example.org/jwks"}),
    (Notification, NOTIFICATION, {"auth_jwks": "http://login.example.org/jwks"}),
    (Scheduling, SCHEDULING, {"database_url": "postgresql://s:geheim@db/s?sslmode=require"}),
    (Notification, NOTIFICATION, {"database_url": "postgresql://s:geheim@db/s"}),
    (Dashboard, DASHBOARD, {"database_url": "postgresql://s:geheim@db/s?sslmode=disable"}),
    (Dashboard, DASHBOARD, {"scheduling_url": "http://scheduling:8401"}),
    (Dashboard, DASHBOARD, {"notification_url": "http://127.0.0.1:8402"}),
    (Dashboard, DASHBOARD, {"status_url": "http://status:8403"}),
    (Fhir, FHIR, {"scheduling_url": "http://scheduling:8401"}),
    (Fhir, FHIR, {"status_url": "http://status:8403"}),
    (Dashboard, DASHBOARD, {"oidc_internal_url": "http://login:8428"}),
]


@pytest.mark.parametrize(("kind", "good", "change"), WITHOUT_TLS)
def test_production_reaches_others_by_verified_tls_or_says_that_the_network_is_trusted(
    kind: type[ProcessSettings], good: dict[str, Any], change: dict[str, Any]
) -> None:
    (name,) = change
    with pytest.raises(ValidationError, match=f"verified TLS for {name}:"):
        kind(**good | change)
    assert kind(**good | change | {"network": "trusted"}).unverified() == [name]
    assert kind(**good | {"network": "trusted"}).unverified() == []


def test_a_trusted_network_makes_neither_the_issuer_nor_a_missing_password_right() -> None:
    for change in (
        {"auth_issuer": "http://login.example.org"},
        {"database_url": "postgresql://service@db/service"},
    ):
        with pytest.raises(ValidationError):
            made(Status, SERVICE | {"network": "trusted"} | change)


@pytest.mark.parametrize("proxies", ["", "10.0.0.0/8", "127.0.0.1, fd00::/32", "192.0.2.7"])
def test_production_takes_proxies_that_are_named(
    monkeypatch: pytest.MonkeyPatch, proxies: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    made(Scheduling, SCHEDULING)


@pytest.mark.parametrize(
    "proxies",
    ["*", "0.0.0.0/0,::/0", "10.0.0.0/7", "fd00::/31", "proxy.example.org", "127.0.0.1,::/0"],
)
def test_production_believes_no_address_that_the_caller_made_up(
    monkeypatch: pytest.MonkeyPatch, proxies: str
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", proxies)
    with pytest.raises(ValidationError, match="FORWARDED_ALLOW_IPS"):
        made(Scheduling, SCHEDULING)


def test_what_operations_ask_for_has_a_port_of_its_own() -> None:
    with pytest.raises(ValidationError, match="operations_port"):
        made(Status, SERVICE | {"operations_port": 8403})
    with pytest.raises(ValidationError, match="loopback"):
        made(Status, SERVICE | {"environment": "local", "operations_host": "0.0.0.0"})


def test_files_for_tls_are_read_before_the_start(tmp_path: Path) -> None:
    certificate = str(certificates.self_signed(tmp_path / "it.pem"))
    made(Status, SERVICE | {"tls_certificate_file": certificate, "tls_client_ca_file": certificate})
    for change in (
        {"tls_certificate_file": str(tmp_path / "none.pem")},
        {"tls_certificate_file": certificate, "tls_client_ca_file": str(tmp_path / "none.pem")},
        {"tls_client_ca_file": certificate},
        {"tls_ca_file": str(tmp_path)},
    ):
        with pytest.raises(ValidationError, match="tls_"):
            made(Status, SERVICE | change)
