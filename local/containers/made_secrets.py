"""Secrets of the containers: made once, in a volume for each reader, named as the settings are.

A service finds its own under /run/secrets (chassis.settings) and never sees another's. Whoever
has secrets of their own sets the variables instead, which win over the files.
"""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from local import databases, secret_files
from local.modules import MODULES
from local.sms_gateway.signing import new_secret

POSTGRES = "postgres:5432"
SUPERUSER = "postgres"
JOBS, POSTGRES_READER, IDENTITY, PHONES = "jobs", "postgres", "identity-provider", "phones"
PASSWORD_FILE, CLIENT_SECRET_FILE, GATEWAY_FILE = "password", "client-secret", "gateway-secret"

# Settings that are keys, by service. Another one is added here.
KEYS: Mapping[str, tuple[str, ...]] = {
    "scheduling": ("link_keys", "token_keys"),
    "notification": ("return_path_keys",),
}
# Settings that somebody else knows too.
SHARED: Mapping[str, tuple[str, ...]] = {
    "notification": ("sms_webhook_secret",),
    "dashboard": ("oidc_client_secret",),
}


def settings_of(service: str) -> set[str]:
    """The settings, in lower case and without prefix, that a service has as files."""
    return {"database_url", *KEYS.get(service, ()), *SHARED.get(service, ())}


def database_url(role: str, database: str, password: str) -> str:
    """How the containers reach PostgreSQL, over their own network."""
    return f"postgresql://{role}:{password}@{POSTGRES}/{database}?sslmode=disable"


class Keeper:
    """Keeps secrets in a folder for each reader; what is there stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, reader: str, name: str, make: Callable[[], str] = secrets.token_urlsafe) -> str:
        """The secret; made the first time."""
        return secret_files.keep(self._folder / reader / name, make)

    def share(self, reader: str, name: str, secret: str) -> None:
        """Give somebody else's secret to this reader."""
        secret_files.keep(self._folder / reader / name, lambda: secret)


def make(folder: Path) -> None:
    """Have every secret."""
    kept = Keeper(folder)
    password = kept.make(POSTGRES_READER, PASSWORD_FILE, secrets.token_hex)
    # PostgreSQL's container reads it as a user of its own, and nobody else has this folder.
    (folder / POSTGRES_READER / PASSWORD_FILE).chmod(0o444)
    kept.share(JOBS, SUPERUSER, database_url(SUPERUSER, SUPERUSER, password))
    for service in MODULES:
        serving, owner = databases.roles(service)
        for role in (serving, owner):
            password = kept.make(JOBS, f"{role}.password", secrets.token_hex)
            kept.share(JOBS, role, database_url(role, service, password))
            if role == serving:
                url = database_url(role, service, password)
                kept.share(service, f"{service}_database_url", url)
        for setting in KEYS.get(service, ()):
            kept.make(service, f"{service}_{setting}", secret_files.one_key)
    gateway = kept.make(PHONES, GATEWAY_FILE, new_secret)
    kept.share("notification", "notification_sms_webhook_secret", gateway)
    client = kept.make(IDENTITY, CLIENT_SECRET_FILE)
    kept.share("dashboard", "dashboard_oidc_client_secret", client)
