"""Settings of the FHIR service (environment prefix FHIR_)."""

from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import ProcessSettings, unverified_places

ORIGIN = r"^https?://[^/?#]+/?$"


class Settings(ProcessSettings):
    """What ops can set. It has no database, no Kafka, and no secret."""

    model_config = SettingsConfigDict(env_prefix="FHIR_")

    port: int = Field(default=8405, ge=1, le=65535, description="Of the FHIR API.")
    operations_port: int = Field(default=8415, ge=1, le=65535, description="Of health, metrics.")
    public_url: str = Field(
        pattern=ORIGIN,
        description="Where callers reach it; links and full URLs begin with it, and /fhir.",
    )
    scheduling_url: str = Field(
        default="http://127.0.0.1:8401",
        pattern=ORIGIN,
        description="Where this process reaches the scheduling service.",
    )
    status_url: str = Field(
        default="http://127.0.0.1:8403",
        pattern=ORIGIN,
        description="Where this process reaches the status service.",
    )

    @field_validator("public_url", "scheduling_url", "status_url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [
            *super().unverified(),
            *unverified_places(self, "scheduling_url", "status_url"),
        ]

    @model_validator(mode="after")
    def _is_reached_by_https(self) -> Self:
        if self.environment == "production" and not self.public_url.startswith("https://"):
            raise ValueError("production needs a public_url that begins with https://")
        return self
