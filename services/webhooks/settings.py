"""Settings of the webhooks service (environment prefix WEBHOOKS_)."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.peers import too_wide
from chassis.secret_keys import SEALING_HELP, check_keys
from chassis.settings import ServiceSettings, unverified_places
from services.webhooks.addresses import Reach


class Settings(ServiceSettings):
    """What the webhooks service needs beyond the common settings."""

    model_config = SettingsConfigDict(env_prefix="WEBHOOKS_")
    service = "webhooks"

    port: int = Field(default=8404, ge=1, le=65535, description="Of the HTTP API.")
    operations_port: int = Field(default=8414, ge=1, le=65535, description="Of health, metrics.")
    api_keys_jwks: str = Field(
        min_length=1,
        description="URL or file of the keys that scheduling signs tokens for API keys with "
        "({scheduling}/v1/jwks).",
    )
    secret_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1, description=f"Seal receivers' secrets at rest. {SEALING_HELP}"
    )
    receiver_ports: list[int] = Field(
        default=[443, 8443],
        description="Ports of receivers that are called, as a JSON list. An empty one means "
        "every port, which production refuses.",
    )
    receiver_networks: list[IPvAnyNetwork] = Field(
        default=[],
        description="Networks that are called beside public addresses, as a JSON list: of "
        "receivers inside a hospital. Everything in them can be called by every practice.",
    )
    receiver_http: bool = Field(
        default=False, description="Receivers without TLS are called too; refused as production."
    )
    receiver_ca_file: str | None = Field(
        default=None, description="Further authorities for the certificates of receivers."
    )
    concurrency: int = Field(
        default=50, ge=1, le=500, description="Calls under way at once, of each process."
    )
    concurrency_per_endpoint: int = Field(
        default=4,
        ge=1,
        description="Of these, to one endpoint; to one whose last call failed, one at a time.",
    )
    call_timeout_seconds: float = Field(
        default=15, gt=0, le=60, description="For a whole call, however it is spread."
    )
    poll_seconds: float = Field(default=1, gt=0, description="Between two looks for what is due.")
    drain_seconds: float = Field(default=10, ge=0, description="For what is under way at the end.")
    disable_after_hours: float = Field(
        default=72,
        gt=0,
        description="An endpoint to which every call has failed for so long gets no more.",
    )
    retention_days: int = Field(
        default=30,
        ge=1,
        le=90,
        description="How long events are kept for replays, with the log of their calls.",
    )
    endpoints_per_practice: int = Field(default=10, ge=1, le=100, description="At most.")
    writes_per_minute: int = Field(
        default=60, ge=1, description="Changes, tests and replays by one API key."
    )

    @property
    def reach(self) -> Reach:
        """Where receivers may be."""
        return Reach(
            ports=frozenset(self.receiver_ports),
            networks=tuple(self.receiver_networks),
            plain_http=self.receiver_http,
        )

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [*super().unverified(), *unverified_places(self, "api_keys_jwks")]

    @model_validator(mode="after")
    def _strangers_reach_nothing_inside(self) -> Self:
        if self.environment != "production":
            return self
        if self.receiver_http:
            raise ValueError("production refuses receiver_http")
        if not self.receiver_ports:
            raise ValueError("production needs receiver_ports")
        if faults := too_wide(self.receiver_networks):
            raise ValueError(f"production refuses receiver_networks: {', '.join(faults)}")
        if any(each.is_loopback or each.is_link_local for each in self.receiver_networks):
            raise ValueError("production refuses receiver_networks on this machine or its link")
        return self
