"""Settings every service has, read from the environment under the service's own prefix."""

import os
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from chassis.kafka_settings import UNENCRYPTED, KafkaSettings
from chassis.peers import faults_of_proxies, too_wide, verified_database, verified_place
from chassis.secret_keys import check_seeds, decode_keys, decode_public_keys
from chassis.tls import TlsFiles
from contracts.rights import TOKEN_AUDIENCE
from contracts.signatures import EventSigner, EventVerifier
from contracts.topics import TOPICS

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
SECRETS = Path("/run/secrets")  # where container engines put files with secrets


class ProcessSettings(BaseSettings):
    """Settings of any process. Production is the default, so that nothing local slips into it."""

    # hide_input_in_errors: a refusal to start must not print a password or a token.
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["local", "container", "production"] = Field(
        default="production",
        description="local: a demo on this machine. container: the same in containers, whose "
        "ports are published on a loopback address only. Both take what production refuses.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(ge=1, le=65535)
    operations_host: str = Field(
        default="127.0.0.1",
        description="Address to listen on for health, metrics and operators.",
    )
    operations_port: int = Field(ge=1, le=65535)
    network: Literal["untrusted", "trusted"] = Field(
        default="untrusted",
        description="trusted: nobody else is in the network between this process, its database and "
        "the services it calls, so that production may reach them without verified TLS. Each start "
        "logs that it is used, and for what.",
    )
    tls_certificate_file: str | None = Field(
        default=None,
        description="PEM with its chain, shown to callers and to the services that are called. "
        "Without it HTTP is plain here.",
    )
    tls_key_file: str | None = Field(
        default=None, description="The certificate's key, if not in the same file."
    )
    tls_client_ca_file: str | None = Field(
        default=None,
        description="Callers need a certificate of these authorities (mutual TLS); at the port for "
        "operations they do not.",
    )
    tls_ca_file: str | None = Field(
        default=None,
        description="Further authorities for the certificates of services that are called and "
        "of where keys are read.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="The least that is logged; DEBUG of our own code alone. In a running process "
        "SIGUSR1 sets DEBUG, SIGUSR2 this again.",
    )
    max_body_bytes: int = Field(
        default=64 * 1024, ge=1024, description="Larger request bodies are refused with 413."
    )
    max_connections: int = Field(
        default=2000, ge=10, description="Open at once, streams included; further ones get 503."
    )
    max_connections_per_address: int = Field(
        default=400,
        ge=10,
        description="Of these, from one address (IPv6: from a /64) that FORWARDED_ALLOW_IPS does "
        "not name as a proxy. More than a dashboard opens, which are its streams and 100.",
    )
    traces_from: list[IPvAnyNetwork] = Field(
        default=[],
        description="Networks of callers whose trace goes on here, as a JSON list: of the "
        "dashboard. Other callers' is linked to one that begins here, so that nobody else chooses "
        "the ids in the audit log. A proxy there has to be named in FORWARDED_ALLOW_IPS.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables first, then files under SECRETS that are named as the variables are."""
        sources = (init_settings, env_settings)
        if SECRETS.is_dir():
            return (*sources, SecretsSettingsSource(settings_cls, secrets_dir=SECRETS))
        return sources

    @property
    def tls(self) -> TlsFiles:
        """What TLS is spoken with."""
        return TlsFiles(
            certificate=self.tls_certificate_file,
            key=self.tls_key_file,
            callers_ca=self.tls_client_ca_file,
            peers_ca=self.tls_ca_file,
        )

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger (chassis/peers.py)."""
        return []

    @model_validator(mode="after")
    def _local_stays_local(self) -> Self:
        if self.environment == "local" and not {self.host, self.operations_host} <= LOOPBACK:
            raise ValueError("environment=local listens on a loopback address only")
        return self

    @model_validator(mode="after")
    def _operations_are_apart(self) -> Self:
        if self.port == self.operations_port:
            raise ValueError("operations_port has to be another one than port")
        return self

    @model_validator(mode="after")
    def _callers_cannot_choose_their_address(self) -> Self:
        # uvicorn believes what a proxy writes, and of `*` what the caller wrote first.
        if self.environment == "production":
            faults = faults_of_proxies(os.environ.get("FORWARDED_ALLOW_IPS", ""))
            if faults:
                raise ValueError(
                    f"production: FORWARDED_ALLOW_IPS has to name the proxies: {'; '.join(faults)}"
                )
        return self

    @model_validator(mode="after")
    def _strangers_choose_no_trace(self) -> Self:
        wide = too_wide(self.traces_from)
        if self.environment == "production" and wide:
            raise ValueError(f"production: traces_from has to name callers: {'; '.join(wide)}")
        return self

    @model_validator(mode="after")
    def _peers_are_verified(self) -> Self:
        if self.environment == "production" and self.network == "untrusted" and self.unverified():
            raise ValueError(
                f"production needs verified TLS for {', '.join(self.unverified())}: https or a "
                "file; of a database sslmode=verify-full or a socket's folder as host; or "
                "network=trusted, where nobody else is in the network"
            )
        return self

    @model_validator(mode="after")
    def _tls_can_be_spoken(self) -> Self:
        if self.tls_certificate_file is None and (self.tls_key_file or self.tls_client_ca_file):
            raise ValueError("tls_key_file and tls_client_ca_file need tls_certificate_file")
        try:
            self.tls.for_callers(known_only=True)
            if self.tls_ca_file is not None:
                self.tls.for_peers()
        except OSError as error:  # names no content of a key
            raise ValueError(
                f"a file named by tls_… can't be used: {type(error).__qualname__}"
            ) from None
        return self


class AuthSettings(ProcessSettings):
    """Whose tokens are trusted, and how they name practice and roles."""

    auth_issuer: str = Field(min_length=1, description="The identity provider's issuer URL.")
    auth_audience: str = Field(
        default=TOKEN_AUDIENCE, min_length=1, description="Tokens for anybody else are refused."
    )
    auth_practice_claim: str = Field(
        default="practice_id",
        min_length=1,
        description="Claim with the practice's UUID; dots lead into objects.",
    )
    auth_roles_claim: str = Field(
        default="roles",
        min_length=1,
        description="Claim with a list of roles, as realm_access.roles.",
    )

    @model_validator(mode="after")
    def _issuer_is_safe(self) -> Self:
        if self.environment == "production" and not self.auth_issuer.startswith("https://"):
            raise ValueError("production needs an auth_issuer that begins with https://")
        # Its identity provider asks no password: nobody but this machine may be sent to it.
        if self.environment == "container" and urlsplit(self.auth_issuer).hostname not in LOOPBACK:
            raise ValueError(
                "environment=container takes an auth_issuer on a loopback address only"
            )
        return self


class ServiceSettings(AuthSettings, KafkaSettings):
    """Settings of a service: its database, its broker, the keys of its callers' tokens."""

    service: ClassVar[str]

    database_url: SecretStr = Field(
        description="postgresql:// URL of the service's own database, as a role that owns nothing."
    )
    database_connections: int = Field(
        default=10, ge=2, le=200, description="Of each process, at most."
    )
    auth_jwks: str = Field(
        min_length=1, description="URL or file of the identity provider's public keys (RFC 7517)."
    )

    event_public_keys: dict[str, dict[int, str]] = Field(
        description="Public keys of the services whose events are read, by service and number: "
        '{"scheduling": {"1": "…"}} (python -m chassis.event_keys).',
    )

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [
            *super().unverified(),
            *unverified_places(self, "auth_jwks"),
            *unverified_database(self.database_url),
        ]

    @property
    def event_verifier(self) -> EventVerifier:
        """Checks whose events they are."""
        return EventVerifier(
            {
                producer: decode_public_keys(keys)
                for producer, keys in self.event_public_keys.items()
            }
        )

    @model_validator(mode="after")
    def _producers_are_known(self) -> Self:
        for topic in TOPICS:
            if self.service in topic.readers and not self.event_public_keys.get(topic.producer):
                raise ValueError(f"event_public_keys needs those of {topic.producer}")
        try:
            self.event_verifier  # noqa: B018 - ValueError for keys that are none
        except ValueError:
            raise ValueError("event_public_keys: a key is base64url of 32 bytes") from None
        return self

    @model_validator(mode="after")
    def _production_is_set_up(self) -> Self:
        if self.environment == "production":
            require_password(self.database_url)
            if self.kafka_security in UNENCRYPTED:
                raise ValueError(f"production refuses kafka_security={self.kafka_security}")
            if self.kafka_token_url and not self.kafka_token_url.startswith("https://"):
                raise ValueError("production needs https in kafka_token_url")
        return self


class ProducerSettings(ServiceSettings):
    """Settings of a service that publishes events."""

    event_keys: Annotated[dict[int, SecretStr], AfterValidator(check_seeds)] = Field(
        min_length=1,
        description="Seeds (Ed25519) of the keys that sign its events, by number, base64url of 32 "
        "bytes each. The highest number signs: its readers have to know it before.",
    )

    @property
    def event_signer(self) -> EventSigner:
        """Signs as this service."""
        return EventSigner(decode_keys(self.event_keys))


def require_password(database_url: SecretStr) -> None:
    """Raise ValueError for a database that anybody could log in to."""
    if not urlsplit(database_url.get_secret_value()).password:
        raise ValueError("production needs a database_url with a password")


def unverified_places(settings: BaseSettings, *names: str) -> list[str]:
    """Which of these settings are URLs or files that could be a stranger's."""
    return [name for name in names if not verified_place(getattr(settings, name))]


def unverified_database(url: SecretStr) -> list[str]:
    """The setting `database_url`, if it could lead to a stranger."""
    return [] if verified_database(url.get_secret_value()) else ["database_url"]
