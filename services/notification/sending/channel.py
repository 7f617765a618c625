"""Ways to reach the patient. Each says how a try ended, never more than codes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.notification.deliveries.delivery import Delivery, Kind
from services.notification.deliveries.events import NO_REPLY, Reply


class Verdict(StrEnum):
    """How a try ended."""

    ACCEPTED = "accepted"
    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    TECHNICAL = "technical"
    REPLY_LOST = "reply_lost"  # handed over, and no answer came


@dataclass(frozen=True, slots=True)
class SendResult:
    """The verdict with its evidence; `not_before` is when the server wants the next try.

    A gateway names itself and its id of the message, to be asked and recognised by.
    """

    verdict: Verdict
    reply: Reply = NO_REPLY
    not_before: datetime | None = None
    gateway: str | None = None
    gateway_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the patient gets to read. Patient data: kept only while something is to be sent."""

    recipient: str
    patient_name: str
    sender_name: str
    link: str
    locale: str
    appointment_version: int
    start: datetime
    duration_minutes: int
    time_zone: str
    kind: Kind = Kind.INVITATION
    previous_start: datetime | None = None  # before a move

    def __repr__(self) -> str:
        """Nothing: a letter must not show in a log or traceback."""
        return "Letter(…)"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed delivery with its letter."""

    delivery: Delivery
    letter: Letter


class Channel(Protocol):
    """Sends one message and says how it ended. Any exception means a fault on our side."""

    async def send(self, outgoing: Outgoing) -> SendResult:
        """Try once."""
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...
