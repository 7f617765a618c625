"""Settings of the scheduling service, from environment variables SCHEDULING_*."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveInt, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.secret_keys import (
    KEYS_HELP,
    SEALING_HELP,
    check_keys,
    check_public_keys,
    check_seeds,
    decode_public_keys,
)
from chassis.settings import LOOPBACK, ProducerSettings, unverified_places
from contracts.channels import Channel
from contracts.sealed_bodies import BodySealer
from contracts.tariffs import Tariff
from services.scheduling.bounds import COUNTRIES, PER_TARIFF, Bounds
from services.scheduling.opened_names import SECONDS
from services.scheduling.practice import checked_countries
from services.scheduling.visits.settings import RoomSettings

ORIGIN = r"^https?://[^/?#]+/?$"


class Settings(RoomSettings, ProducerSettings):
    """What ops can set."""

    model_config = SettingsConfigDict(env_prefix="SCHEDULING_")
    service = "scheduling"

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
    request_public_keys: Annotated[dict[int, str], AfterValidator(check_public_keys)] = Field(
        min_length=1,
        description="Public keys (X25519) of notification, by number, base64url of 32 bytes each: "
        "what it is asked to send is sealed for it. The highest number is taken: notification has "
        "to have it before (python -m chassis.event_keys).",
    )
    page_requests_per_minute: int = Field(
        default=120,
        ge=1,
        description="To the patient's page, from one address (IPv6: from a /64), with a link of "
        "ours; as often without one, then from a /56 four and from a /48 sixteen times as often.",
    )
    page_requests_per_minute_in_all: int = Field(
        default=6000,
        ge=1,
        description="To the patient's page, from everywhere, of this process: without a link of "
        "ours alone.",
    )
    dashboard_url: str = Field(
        default="http://127.0.0.1:8400",
        pattern=ORIGIN,
        description="Where browsers reach the dashboard, for the link in practices' daily mails.",
    )
    status_url: str = Field(
        default="http://127.0.0.1:8403",
        pattern=ORIGIN,
        description="Where this process reaches the status service, to learn for daily mails how "
        "much is open. STATUS_API_KEYS_JWKS has to be set there.",
    )
    daily_mail_poll_seconds: float = Field(
        default=30, gt=0, le=600, description="Between two looks for daily mails that are due."
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
    token_keys: Annotated[dict[int, SecretStr], AfterValidator(check_seeds)] = Field(
        min_length=1,
        description="Seeds (Ed25519) of the keys that sign tokens for API keys, by number, "
        "base64url of 32 bytes each. The highest number signs, unless its key begins with next:, "
        "as until every process knows it; tokens of the others hold, too.",
    )
    writes_per_minute: int = Field(
        default=300, ge=1, description="Of one person or API key, in this process."
    )
    address_lookups_per_minute: int = Field(
        default=60,
        ge=1,
        description="Of known addresses, by one person or API key, in this process.",
    )
    searches_per_minute: int = Field(
        default=60,
        ge=1,
        description="For patients by name, of one practice, in this process: each opens up to "
        "20,000 names.",
    )
    names_kept_seconds: float = Field(
        default=SECONDS,
        ge=0,
        le=3600,
        description="So long after a practice's last search the names that it opened stay in this "
        "process's memory; 0: not at all.",
    )
    tokens_per_minute: int = Field(
        default=60,
        ge=1,
        description="Exchanges of API keys and requests of operators, from one address, in this "
        "process.",
    )
    audit_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1,
        description="Keys of the proofs that this service's processes have entered what is in the "
        f"audit log. {KEYS_HELP} No role of the database may come by them. A number that is taken "
        "away is never used again: its entries can't be checked any more.",
    )
    audit_days: int = Field(
        default=1461, ge=365, le=3653, description="How long audit entries are kept."
    )

    daily_messages_per_appointment: int = Field(
        default=10,
        ge=1,
        description="Invitations, notices of moves and cancellations of one appointment over one "
        "channel in 24 hours; further invitations and moves are refused. All these are counted in "
        "the database.",
    )
    daily_messages_per_address: int = Field(
        default=20, ge=1, description="To one address or number, of one practice, in 24 hours."
    )
    daily_messages: dict[Tariff, PositiveInt] = Field(
        default=PER_TARIFF,
        description="Of one practice in 24 hours, by tariff; practices can have a number of their "
        "own.",
    )
    daily_sms_per_country: int = Field(
        default=1000, ge=1, description="Of one practice to one country in 24 hours; as above."
    )
    sms_countries: Annotated[list[str], AfterValidator(lambda v: list(checked_countries(v)))] = (
        Field(
            default=list(COUNTRIES),
            min_length=1,
            description="Whose numbers SMS may go to (ISO 3166-1); practices can have others.",
        )
    )

    @property
    def open_list_url(self) -> str:
        """Where the dashboard shows what is open."""
        return f"{self.dashboard_url.rstrip('/')}/#/offen"

    def unverified(self) -> list[str]:
        """Settings by which something is reached that could be a stranger."""
        return [*super().unverified(), *unverified_places(self, "status_url")]

    @property
    def body_sealer(self) -> BodySealer:
        """Seals requests for notification."""
        return BodySealer(decode_public_keys(self.request_public_keys))

    @field_validator("daily_messages")
    @classmethod
    def _every_tariff(cls, most: dict[Tariff, int]) -> dict[Tariff, int]:
        if missing := set(Tariff) - most.keys():
            raise ValueError(f"these tariffs are missing: {', '.join(sorted(missing))}")
        return most

    @property
    def bounds(self) -> Bounds:
        """How much may be written to patients."""
        return Bounds(
            per_appointment=self.daily_messages_per_appointment,
            per_address=self.daily_messages_per_address,
            per_tariff=self.daily_messages,
            sms_per_country=self.daily_sms_per_country,
            sms_countries=self.sms_countries,
        )

    @model_validator(mode="after")
    def _links_reach_people(self) -> Self:
        if self.environment == "production":
            for name in ("link_base_url", "dashboard_url"):
                link = urlsplit(getattr(self, name))
                if link.scheme != "https" or link.hostname in LOOPBACK:
                    raise ValueError(f"production needs {name} with https and a host of its own")
        return self
