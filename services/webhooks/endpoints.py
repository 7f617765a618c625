"""An endpoint: where a practice's events are sent, and by which secrets they are signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from chassis import standard_webhooks
from chassis.resealing import Place
from chassis.sealing import AssociatedData, Sealer


class DisabledReason(StrEnum):
    """Why an endpoint gets nothing more."""

    GONE = "gone"  # it has answered 410
    FAILING = "failing"  # for days nothing but failures
    PRACTICE = "practice"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """As it is stored. Secrets are sealed."""

    id: UUID
    practice_id: UUID
    url: str
    description: str
    event_types: Sequence[str]  # none: every one
    secret: bytes
    old_secret: bytes | None
    old_secret_until: datetime | None
    created_at: datetime
    enabled: bool
    disabled_at: datetime | None
    disabled_reason: DisabledReason | None
    failing_since: datetime | None

    def wants(self, event_type: str) -> bool:
        """Whether events of this type are sent to it."""
        return self.enabled and (not self.event_types or event_type in self.event_types)


def associated_data(practice_id: UUID, endpoint_id: UUID) -> AssociatedData:
    """What a secret is bound to."""
    return ("endpoints.secret", practice_id, endpoint_id)


def signing_keys(
    sealer: Sealer,
    bound_to: AssociatedData,
    secret: bytes,
    old_secret: bytes | None,
    old_secret_until: datetime | None,
    now: datetime,
) -> list[bytes]:
    """The keys that sign now, the newest first. Raises NotOpened."""
    sealed = [secret]
    if old_secret is not None and old_secret_until is not None and old_secret_until > now:
        sealed.append(old_secret)
    return [standard_webhooks.read_secret(sealer.open(each, bound_to).decode()) for each in sealed]


SECRETS = Place(
    table="endpoints",
    column="secret",
    where="true",
    bound_to=lambda row: associated_data(row["practice_id"], row["id"]),
)
OLD_SECRETS = Place(
    table="endpoints",
    column="old_secret",
    where="old_secret IS NOT NULL",
    bound_to=lambda row: associated_data(row["practice_id"], row["id"]),
)
