"""What goes in and out of the webhooks API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.openapi import without_defaults
from contracts.events import UtcDatetime
from services.webhooks.addresses import MAX_URL
from services.webhooks.endpoints import DisabledReason, Endpoint
from services.webhooks.schedule import CallResult
from services.webhooks.store import Attempt

MOST_TYPES = 50
MOST_IDS = 500
MOST_OVERLAP_HOURS = 7 * 24

Url = Annotated[
    str,
    Field(
        max_length=MAX_URL,
        description="https, with a public address behind it. The name is looked up at each call.",
    ),
]
Description = Annotated[str, Field(max_length=200, description="For whoever reads the list.")]
EventTypes = Annotated[
    list[Annotated[str, Field(max_length=100)]],
    Field(
        max_length=MOST_TYPES,
        description="`type` of the events that are sent, as einladung.v1.InvitationFailed; of an "
        "empty list every public one, those that are added later included.",
    ),
]


class WebhookInput(BaseModel):
    """An input: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=without_defaults)


class NewWebhook(WebhookInput):
    """Where a practice's events are to be sent."""

    url: Url
    description: Description = ""
    event_types: EventTypes = []


class WebhookChange(WebhookInput):
    """What is to be other than it is; what is left out stays."""

    url: Url | None = None
    description: Description | None = None
    event_types: EventTypes | None = None
    enabled: bool | None = Field(
        default=None,
        description="While it is false nothing is sent, and what was queued is dropped: replay it.",
    )


class Rotation(WebhookInput):
    """How long the secret before signs beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=MOST_OVERLAP_HOURS)] = 24


class Replay(WebhookInput):
    """Which events are sent again: those of a range of time, or by id; of the types it gets."""

    since: UtcDatetime | None = Field(
        default=None, description="`time` of the events, from then on."
    )
    until: UtcDatetime | None = Field(default=None, description="Before then.")
    event_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IDS)] | None = None
    cursor: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        default=None, description="`next` of the answer before."
    )


class WebhookView(BaseModel):
    """A webhook."""

    id: UUID
    url: str
    description: str
    event_types: list[str]
    created_at: datetime
    enabled: bool
    disabled_at: datetime | None = Field(description="What came since is to be replayed.")
    disabled_reason: DisabledReason | None = Field(
        description="gone: it answered 410. failing: nothing but failures for days. practice: by "
        "this API. operator: by whoever runs the installation."
    )
    failing_since: datetime | None = Field(description="Every call since then has failed.")
    old_secret_until: datetime | None = Field(
        description="Until then there is a second signature, by the secret before."
    )
    waiting: int = Field(description="Events that are still to be sent or to be tried again.")

    @classmethod
    def of(cls, endpoint: Endpoint, waiting: int) -> "WebhookView":
        """As it is shown."""
        return cls(
            id=endpoint.id,
            url=endpoint.url,
            description=endpoint.description,
            event_types=list(endpoint.event_types),
            created_at=endpoint.created_at,
            enabled=endpoint.enabled,
            disabled_at=endpoint.disabled_at,
            disabled_reason=endpoint.disabled_reason,
            failing_since=endpoint.failing_since,
            old_secret_until=endpoint.old_secret_until,
            waiting=waiting,
        )


class WebhooksView(BaseModel):
    """All webhooks of a practice, the oldest first."""

    webhooks: list[WebhookView]


class NewWebhookView(WebhookView):
    """A new webhook, with its secret."""

    secret: str = Field(description="whsec_…; shown this once.")


class SecretView(BaseModel):
    """A new secret."""

    secret: str = Field(description="whsec_…; shown this once.")
    old_secret_until: datetime


class SentTestView(BaseModel):
    """A test that is under way; the log says what became of it."""

    event_id: UUID


class ReplayView(BaseModel):
    """What was queued."""

    queued: int
    next: int | None = Field(description="There is more: the cursor to go on with.")


class AttemptView(BaseModel):
    """A call, and what it came to."""

    id: UUID
    event_id: UUID = Field(description="As in webhook-id.")
    event_type: str
    subject: UUID = Field(description="The appointment; of a test the webhook.")
    number: int = Field(description="Of the tries of this delivery.")
    at: datetime
    milliseconds: int
    result: CallResult = Field(
        description="delivered; status: another one than 2xx; timeout; connection: refused, broken "
        "off, or no TLS that is believed; name: it leads nowhere; address: it leads to what is "
        "not called; response: no HTTP."
    )
    status: int | None
    next_try_at: datetime | None

    @classmethod
    def of(cls, attempt: Attempt) -> "AttemptView":
        """As it is shown."""
        return cls.model_validate(attempt, from_attributes=True)


class AttemptsView(BaseModel):
    """The log of a webhook, the newest first."""

    attempts: list[AttemptView]
    next: UUID | None
