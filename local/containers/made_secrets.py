"""Secrets of the containers: made once, in a volume for each reader, named as the settings are.

A service finds its own under /run/secrets (chassis.settings) and never sees another's. Whoever
has secrets of their own sets the variables instead, which win over the files.
"""

import secrets
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import Path

from chassis.kafka import Cluster
from local import databases, event_keys, kafka_setup, rooms, secret_files
from local.kafka_setup import Listener
from local.modules import MODULES, SERVICES
from local.sms_gateway.signing import new_secret

POSTGRES = "postgres:5432"
KAFKA = "kafka:9092"
KAFKA_OUTSIDE = "127.0.0.1:8492"
KAFKA_FOLDER = "/run/secrets"  # of its container
SUPERUSER = "postgres"
JOBS, POSTGRES_READER, KAFKA_READER = "jobs", "postgres", "kafka"
IDENTITY, PHONES, ROOMS = "identity-provider", "phones", "rooms"
PASSWORD_FILE, CLIENT_SECRET_FILE = "password", "client-secret"
GATEWAY_FILE, JITSI_FILE = "gateway-secret", "jitsi-secret"

# Settings that are keys, by service. Another one is added here.
KEYS: Mapping[str, tuple[str, ...]] = {
    "scheduling": ("link_keys", "contact_keys", "token_keys", "audit_keys", "event_keys"),
    "notification": ("return_path_keys", "contact_keys", "event_keys", "request_keys"),
    "webhooks": ("secret_keys",),
}
# Settings that are keys which do not rotate.
SINGLE_KEYS: Mapping[str, tuple[str, ...]] = {"scheduling": ("room_key",)}
# Settings that somebody else knows too.
SHARED: Mapping[str, tuple[str, ...]] = {
    "scheduling": ("jitsi_key", "request_public_keys"),
    "notification": ("sms_webhook_secret",),
    "dashboard": ("oidc_client_secret",),
}


def settings_of(service: str) -> set[str]:
    """The settings, in lower case and without prefix, that a service has as files."""
    events = ("kafka_password", "event_public_keys") if service in SERVICES else ()
    more = (events, KEYS.get(service, ()), SINGLE_KEYS.get(service, ()), SHARED.get(service, ()))
    database = ("database_url",) if service in MODULES else ()
    return {*database, *chain(*more)}


def database_url(role: str, database: str, password: str) -> str:
    """How the containers reach PostgreSQL, over their own network."""
    return f"postgresql://{role}:{password}@{POSTGRES}/{database}?sslmode=disable"


def kafka_password_file(account: str) -> str:
    """Where the jobs have the password of an account of Kafka's."""
    return f"kafka-{account}.password"


def kafka(folder: Path, account: str) -> Cluster:
    """Kafka as one of its accounts, from within the containers' network."""
    password = (folder / JOBS / kafka_password_file(account)).read_text()
    return kafka_setup.login(KAFKA, account, password)


class Keeper:
    """Keeps secrets in a folder for each reader; what is there stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, reader: str, name: str, make: Callable[[], str] = secrets.token_urlsafe) -> str:
        """The secret; made the first time."""
        return secret_files.keep(self._of(reader) / name, make)

    def share(self, reader: str, name: str, secret: str) -> None:
        """Give somebody else's secret to this reader."""
        secret_files.keep(self._of(reader) / name, lambda: secret)

    def derive(self, reader: str, name: str, text: str) -> None:
        """Write what holds others' secrets, for a reader with a user and a folder of its own."""
        path = self._of(reader) / name
        secret_files.replace(path, text)
        path.chmod(0o444)

    def _of(self, reader: str) -> Path:
        folder = self._folder / reader
        folder.mkdir(exist_ok=True)
        return folder


def make(folder: Path) -> None:
    """Have every secret."""
    store = Keeper(folder)
    password = store.make(POSTGRES_READER, PASSWORD_FILE, secrets.token_hex)
    # PostgreSQL's container reads it as a user of its own, and nobody else has this folder.
    (folder / POSTGRES_READER / PASSWORD_FILE).chmod(0o444)
    store.share(JOBS, SUPERUSER, database_url(SUPERUSER, SUPERUSER, password))
    for service in MODULES:
        serving, owner = databases.roles(service)
        for role in (serving, owner):
            password = store.make(JOBS, f"{role}.password", secrets.token_hex)
            store.share(JOBS, role, database_url(role, service, password))
            if role == serving:
                url = database_url(role, service, password)
                store.share(service, f"{service}_database_url", url)
        for setting in KEYS.get(service, ()):
            keys = store.make(service, f"{service}_{setting}", secret_files.one_key)
            if setting == "audit_keys":  # the operator's command line checks by them
                store.share(JOBS, f"{service}_{setting}", keys)
        for setting in SINGLE_KEYS.get(service, ()):
            store.make(service, f"{service}_{setting}", secret_files.key)
    signing = {
        name: store.make(name, f"{name}_event_keys", secret_files.one_key)
        for name in event_keys.PRODUCERS
    }
    for service in SERVICES:
        store.share(service, f"{service}_event_public_keys", event_keys.event_public_keys(signing))
    sealing = store.make("notification", "notification_request_keys", secret_files.one_key)
    public = event_keys.request_public_keys(sealing)
    store.share("scheduling", "scheduling_request_public_keys", public)
    _make_kafka(store)
    gateway = store.make(PHONES, GATEWAY_FILE, new_secret)
    store.share("notification", "notification_sms_webhook_secret", gateway)
    jitsi = store.make(ROOMS, JITSI_FILE, rooms.new_secret)
    store.share("scheduling", "scheduling_jitsi_key", jitsi)
    client = store.make(IDENTITY, CLIENT_SECRET_FILE)
    store.share("dashboard", "dashboard_oidc_client_secret", client)


def _make_kafka(store: Keeper) -> None:
    """What its container starts with, and each service's password."""
    passwords = {
        account: store.make(JOBS, kafka_password_file(account), secret_files.key)
        for account in (*kafka_setup.LOGINS, kafka_setup.CONTROLLER)
    }
    for service in SERVICES:
        store.share(service, f"{service}_kafka_password", passwords[service])
    settings = kafka_setup.properties(
        [Listener("INSIDE", ":9092", KAFKA), Listener("OUTSIDE", ":8492", KAFKA_OUTSIDE)],
        controller_port=9093,
        data="/var/lib/kafka/data",
        passwords=passwords,
    )
    store.derive(KAFKA_READER, kafka_setup.PROPERTIES_FILE, settings)
    store.derive(KAFKA_READER, kafka_setup.USERS_FILE, kafka_setup.users(passwords))
    store.derive(KAFKA_READER, kafka_setup.START_FILE, kafka_setup.start_script(KAFKA_FOLDER))
