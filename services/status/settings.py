"""Settings of the status service (environment prefix STATUS_)."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from chassis.settings import ServiceSettings, unverified_places


class Settings(ServiceSettings):
    """What the status service needs beyond the common settings."""

    model_config = SettingsConfigDict(env_prefix="STATUS_")
    service = "status"

    port: int = Field(default=8403, ge=1, le=65535, description="Of the HTTP API.")
    operations_port: int = Field(default=8413, ge=1, le=65535, description="Of health, metrics.")
    api_keys_jwks: str = Field(
        default="",
        description="URL or file of the keys that scheduling signs tokens for API keys with "
        "({scheduling}/v1/jwks); without it such tokens are refused.",
    )
    streams: int = Field(default=1000, ge=1, description="Open streams of this process.")
    streams_per_practice: int = Field(default=50, ge=1, description="So that one can't take all.")
    heartbeat_seconds: float = Field(
        default=5,
        gt=0,
        le=15,
        description="After which a silent stream tells that it is alive; after two and a half of "
        "these in silence the dashboard says that the connection is lost.",
    )
    poll_seconds: float = Field(default=5, gt=0, description="Safety net for a lost notification.")
    send_timeout_seconds: float = Field(
        default=30, gt=0, description="For a client that stops reading."
    )

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [*super().unverified(), *unverified_places(self, "api_keys_jwks")]
