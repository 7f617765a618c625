"""For how long the patient of a deleted appointment stays known, who is told of that. Pure.

Somebody may have to call: name and addresses stay until the patient knows, at the latest until the
appointment would have begun. A confirmation is the end of it. What a mail server merely took may
come back, mostly within hours; so a mail that was taken is waited for a day longer.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from contracts.channels import Channel
from contracts.events import (
    Evidence,
    NoticeDelivered,
    NoticeFailed,
    NoticeOutcome,
    Withheld,
)

BOUNCES_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One that is under way, or has failed. `awaited`: over which channels it may yet arrive."""

    starts_at: datetime
    awaited: frozenset[Channel]
    contact_until: datetime | None  # None: nobody has to be called

    @classmethod
    def begun(cls, starts_at: datetime, channels: Collection[Channel]) -> "Cancellation":
        """As it is requested."""
        return cls(starts_at, frozenset(channels), starts_at)


def after(cancellation: Cancellation, outcome: NoticeOutcome) -> Cancellation:
    """What an outcome changes; once the patient is forgotten nothing does."""
    if cancellation.contact_until is None:
        return cancellation
    match outcome:
        case NoticeDelivered(evidence=Evidence.CONFIRMED):
            return replace(cancellation, contact_until=None)
        case NoticeDelivered():
            until = min(cancellation.starts_at, outcome.occurred_at + BOUNCES_WITHIN)
            return replace(cancellation, contact_until=until)
        case NoticeFailed(withheld=None, late=True, channel=Channel.EMAIL):  # taken, and came back
            return replace(cancellation, contact_until=cancellation.starts_at)
        case NoticeFailed(withheld=Withheld()):
            # Over this channel the patient was never told of the appointment.
            awaited = cancellation.awaited - {outcome.channel}
            contact_until = cancellation.contact_until if awaited else None
            return replace(cancellation, awaited=awaited, contact_until=contact_until)
        case _:
            return cancellation
