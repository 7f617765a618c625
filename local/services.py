"""The environment that the services and the dashboard are started with on one machine."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local import event_keys, rooms, secret_files
from local.identity import CLIENT_ID, Identity
from local.modules import MODULES, PROGRAMS, SERVICES
from local.ports import Ports
from local.servers import Broker, DatabaseServer
from local.sms_gateway.signing import new_secret

PREFIXES = tuple(f"{name.upper()}_" for name in PROGRAMS)
MAIL_FROM = "einladung@praxis.example"
BOUNCES = "rueck@praxis.example"
GATEWAY_FILE = "sms-gateway.key"
AUDIT_KEYS_FILE = "audit-keys.json"


@dataclass
class Environments:
    """Environment variables by service; `extra` wins over what is derived."""

    folder: Path
    ports: Ports
    identity: Identity
    kafka: Broker
    postgres: DatabaseServer
    extra: dict[str, dict[str, str]] = field(default_factory=dict)

    def of(self, name: str, *, port: int, operations_port: int) -> dict[str, str]:
        """All variables for one process; the user's own of our names are left out."""
        values: dict[str, object] = {
            "ENVIRONMENT": "local",
            "HOST": "127.0.0.1",
            "PORT": port,
            "OPERATIONS_PORT": operations_port,
        }
        if name in MODULES:
            values["DATABASE_URL"] = self.postgres.dsn(name)
            values["AUTH_ISSUER"] = self.identity.issuer
        if name in SERVICES:
            kafka = self.kafka.login(name)
            values |= {"KAFKA_BOOTSTRAP": kafka.bootstrap, "KAFKA_SECURITY": kafka.security}
            values |= {"KAFKA_USERNAME": kafka.username, "KAFKA_PASSWORD": kafka.password}
            values["EVENT_PUBLIC_KEYS"] = event_keys.event_public_keys(self._event_keys)
            if name in event_keys.PRODUCERS:
                values["EVENT_KEYS"] = self._event_keys[name]
            values["AUTH_JWKS"] = f"{self.identity.issuer}/jwks"
        values |= self._own(name, port)
        inherited = {key: value for key, value in os.environ.items() if not _is_ours(key)}
        prefixed = {f"{name.upper()}_{key}": str(value) for key, value in values.items()}
        return {**inherited, **prefixed, **self.extra.get(name, {})}

    @property
    def _event_keys(self) -> dict[str, str]:
        return event_keys.signing(self.folder)

    def _own(self, name: str, port: int) -> Mapping[str, object]:
        """What this program alone is told."""
        own: Mapping[str, Callable[[int], Mapping[str, object]]] = {
            "scheduling": self._of_scheduling,
            "notification": self._of_notification,
            "status": self._of_status,
            "webhooks": self._of_webhooks,
            "fhir": self._of_fhir,
            "dashboard": self._of_dashboard,
        }
        return own[name](port)

    @property
    def _scheduling_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.scheduling}"

    def _of_scheduling(self, _port: int) -> Mapping[str, object]:
        return {
            "LINK_KEYS": secret_files.keep(self.folder / "link-keys.json", secret_files.one_key),
            "CONTACT_KEYS": secret_files.keep(
                self.folder / "scheduling-contact-keys.json", secret_files.one_key
            ),
            "AUDIT_KEYS": secret_files.keep(self.folder / AUDIT_KEYS_FILE, secret_files.one_key),
            "TOKEN_KEYS": secret_files.keep(self.folder / "token-keys.json", secret_files.one_key),
            "REQUEST_PUBLIC_KEYS": event_keys.request_public_keys(event_keys.sealing(self.folder)),
            "LINK_BASE_URL": f"{self._scheduling_url}/besuch",
            "DASHBOARD_URL": f"http://127.0.0.1:{self.ports.dashboard}",
            "STATUS_URL": f"http://127.0.0.1:{self.ports.status}",
            "CHANNELS": '["email", "sms"]',
            # the simulated recipients are few, and each is for many a try
            "DAILY_MESSAGES_PER_ADDRESS": 1000,
            "ROOMS": "jitsi",
            "ROOM_KEY": secret_files.keep(self.folder / "room.key", secret_files.key),
            "ROOM_URL": f"http://127.0.0.1:{self.ports.rooms}",
            "JITSI_KEY": secret_files.keep(self.folder / rooms.KEY_FILE, rooms.new_secret),
            "JITSI_ISSUER": rooms.ISSUER,
            "JITSI_AUDIENCE": rooms.AUDIENCE,
            "JITSI_SUBJECT": rooms.SUBJECT,
        }

    def _of_notification(self, port: int) -> Mapping[str, object]:
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": self.ports.smtp,
            "SMTP_TLS": "none",
            "MAIL_FROM": MAIL_FROM,
            "BOUNCE_ADDRESS": BOUNCES,
            "RETURN_PATH_KEYS": secret_files.keep(
                self.folder / "return-path-keys.json", secret_files.one_key
            ),
            "CONTACT_KEYS": secret_files.keep(
                self.folder / "notification-contact-keys.json", secret_files.one_key
            ),
            "REQUEST_KEYS": event_keys.sealing(self.folder),
            # One port, so one listener: further replicas only read what it has kept.
            "INTAKE_PROTOCOL": "smtp" if port == self.ports.notification else "none",
            "INTAKE_PORT": self.ports.bounces,
            "SMS_GATEWAYS": '["webhook"]',
            "SMS_WEBHOOK_URL": f"http://127.0.0.1:{self.ports.phones}/v1",
            "SMS_WEBHOOK_SECRET": secret_files.keep(self.folder / GATEWAY_FILE, new_secret).strip(),
            "SMS_RECEIPTS_URL": f"http://127.0.0.1:{self.ports.notification}",
        }

    def _of_status(self, _port: int) -> Mapping[str, object]:
        return {"API_KEYS_JWKS": f"{self._scheduling_url}/v1/jwks"}

    def _of_webhooks(self, _port: int) -> Mapping[str, object]:
        return {
            "API_KEYS_JWKS": f"{self._scheduling_url}/v1/jwks",
            "SECRET_KEYS": secret_files.keep(
                self.folder / "webhook-secret-keys.json", secret_files.one_key
            ),
            # receivers of who tries it are programs on this machine
            "RECEIVER_HTTP": "true",
            "RECEIVER_PORTS": "[]",
            "RECEIVER_NETWORKS": '["127.0.0.0/8", "::1/128"]',
        }

    def _of_fhir(self, port: int) -> Mapping[str, object]:
        return {
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "SCHEDULING_URL": self._scheduling_url,
            "STATUS_URL": f"http://127.0.0.1:{self.ports.status}",
        }

    def _of_dashboard(self, _port: int) -> Mapping[str, object]:
        return {
            "PUBLIC_URL": f"http://127.0.0.1:{self.ports.dashboard}",
            "SCHEDULING_URL": self._scheduling_url,
            "NOTIFICATION_URL": f"http://127.0.0.1:{self.ports.notification}",
            "STATUS_URL": f"http://127.0.0.1:{self.ports.status}",
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": self.identity.client_secret,
            "DEMO_LINKS": json.dumps(
                {
                    "Postfach": f"http://127.0.0.1:{self.ports.mailbox}",
                    "Telefone": f"http://127.0.0.1:{self.ports.phones}",
                }
            ),
        }


def _is_ours(variable: str) -> bool:
    return variable.startswith(PREFIXES)
