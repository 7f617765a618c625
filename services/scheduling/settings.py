"""Settings of the scheduling service, from environment variables SCHEDULING_*."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.secret_keys import KEYS_HELP, SEALING_HELP, check_keys, decode_key
from chassis.settings import LOOPBACK
from contracts.channels import Channel
from services.scheduling.visits.settings import RoomSettings


class Settings(RoomSettings):
    """What ops can set."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULING_")

    port: int = Field(default=8401, ge=1, le=65535, description="Of the HTTP API.")
    operations_port: int = Field(
        default=8411, ge=1, le=65535, description="Of health, metrics and the operators' API."
    )
    channels: list[Channel] = Field(
        default=[Channel.EMAIL], description="Channels this installation can send over."
    )
    link_base_url: str = Field(
        # RFC 3986 without query and fragment; what else is in it, no mail would be sent with
        pattern=r"^https?://[!$-;=@-Z\[\]_a-z~]+$",
        description="Where the patients' links begin; the token follows.",
    )
    link_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1, description=f"Keys of the patients' links. {KEYS_HELP}"
    )
    contact_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1, description=f"Keys that patients' data is stored under. {SEALING_HELP}"
    )
    page_requests_per_minute: int = Field(
        default=120, ge=1, description="To the patient's page, from one address (IPv6: from a /64)."
    )
    page_requests_per_minute_in_all: int = Field(
        default=6000, ge=1, description="To the patient's page, from everywhere, of this process."
    )
    notice_poll_seconds: float = Field(
        default=10, gt=0, le=60, description="Between two looks for notices that are due."
    )
    notice_settle_seconds: float = Field(
        default=60,
        ge=0,
        le=3600,
        description="After a move until the patient is told; moves within it are told as one.",
    )
    erasure_poll_seconds: float = Field(
        default=3600, gt=0, le=6 * 3600, description="Between two looks for what is to be erased."
    )
    token_keys: dict[int, SecretStr] = Field(
        min_length=1,
        description="Seeds (Ed25519) of the keys that sign tokens for API keys, by number, "
        "base64url of 32 bytes each. The highest number signs; tokens of the others still hold.",
    )
    writes_per_minute: int = Field(
        default=300, ge=1, description="Of one person or API key, in this process."
    )
    tokens_per_minute: int = Field(
        default=60,
        ge=1,
        description="Exchanges of API keys and requests of operators, from one address, in this "
        "process.",
    )
    audit_days: int = Field(
        default=1461, ge=365, le=3653, description="How long audit entries are kept."
    )

    @field_validator("token_keys")
    @classmethod
    def _seeds(cls, keys: dict[int, SecretStr]) -> dict[int, SecretStr]:
        if any(len(decode_key(key)) != 32 for key in keys.values()):
            raise ValueError("a token key needs 32 bytes")
        return keys

    @model_validator(mode="after")
    def _links_reach_patients(self) -> Self:
        if self.environment == "production":
            link = urlsplit(self.link_base_url)
            if link.scheme != "https" or link.hostname in LOOPBACK:
                raise ValueError("production needs link_base_url with https and a host of its own")
        return self
