"""Settings every service has, read from the environment under the service's own prefix."""

from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


class ProcessSettings(BaseSettings):
    """Settings of any process. Production is the default, so that nothing local slips into it."""

    # hide_input_in_errors: a refusal to start must not print a password or a token.
    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    environment: Literal["local", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    max_body_bytes: int = Field(default=64 * 1024, ge=1024)

    @model_validator(mode="after")
    def _local_stays_local(self) -> Self:
        if self.environment == "local" and self.host not in LOOPBACK:
            raise ValueError("environment=local listens on a loopback address only")
        return self


class ServiceSettings(ProcessSettings):
    """Settings of a service: its database, its broker, whose tokens it trusts."""

    database_url: SecretStr
    database_connections: int = Field(default=10, ge=2, le=200)
    kafka_bootstrap: str
    auth_jwks: Path = Field(description="File with the public keys (RFC 7517) of the issuer.")
    auth_issuer: str = "einladung-local"

    @model_validator(mode="after")
    def _production_is_set_up(self) -> Self:
        if self.environment == "production":
            if self.auth_issuer == "einladung-local":
                raise ValueError("production needs auth_issuer: the local issuer is refused")
            if not urlsplit(self.database_url.get_secret_value()).password:
                raise ValueError("production needs a database_url with a password")
        return self
