"""Settings of the dashboard, from environment variables DASHBOARD_*."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings


class Settings(ProcessSettings):
    """What ops can set."""

    model_config = SettingsConfigDict(env_prefix="DASHBOARD_")

    port: int = Field(default=8400, ge=1, le=65535)
    scheduling_url: str = Field(default="http://127.0.0.1:8401", pattern=r"^https?://[^/?#]+/?$")
    status_url: str = Field(default="http://127.0.0.1:8403", pattern=r"^https?://[^/?#]+/?$")
    token: SecretStr = Field(
        default=SecretStr(""),
        description="Local only: the bearer token of every request to the services.",
    )
    streams: int = Field(default=200, ge=1, description="Live streams open at once, at most.")

    @field_validator("scheduling_url", "status_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @model_validator(mode="after")
    def _no_login_yet(self) -> Self:
        if self.environment == "production":
            raise ValueError(
                "the dashboard has no login yet (it comes with OIDC) and refuses to run with "
                "environment=production: whoever reached it would act as the practice"
            )
        if not self.token.get_secret_value():
            raise ValueError("environment=local needs a token")
        return self
