"""Settings of the dashboard, from environment variables DASHBOARD_*."""

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.settings import LOOPBACK


class Settings(BaseSettings):
    """What ops can set. Production is the default, so that nothing local slips into it."""

    # hide_input_in_errors: a refusal to start must not print the token.
    model_config = SettingsConfigDict(
        env_prefix="DASHBOARD_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["local", "production"] = "production"
    host: str = "127.0.0.1"
    port: int = Field(default=8400, ge=1, le=65535)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    scheduling_url: str = Field(default="http://127.0.0.1:8401", pattern=r"^https?://[^/?#]+/?$")
    status_url: str = Field(default="http://127.0.0.1:8403", pattern=r"^https?://[^/?#]+/?$")
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Local only: the bearer token of every request to the services.",
    )
    max_body_bytes: int = Field(default=64 * 1024, ge=1024)
    streams: int = Field(default=200, ge=1, description="Live streams open at once, at most.")

    @field_validator("scheduling_url", "status_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @model_validator(mode="after")
    def _local_only(self) -> "Settings":
        if self.environment == "production":
            raise ValueError(
                "the dashboard has no login yet (it comes with OIDC) and refuses to run with "
                "environment=production: whoever reached it would act as the practice"
            )
        if self.host not in LOOPBACK:
            raise ValueError("environment=local listens on a loopback address only")
        if not self.token.get_secret_value():
            raise ValueError("environment=local needs a token")
        return self
