"""What sends over one channel. It says how a try ended, never more than codes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import NO_REPLY, Reply
from services.notification.letters.letter import Letter


class Verdict(StrEnum):
    """How a try ended."""

    ACCEPTED = "accepted"
    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    TECHNICAL = "technical"
    REPLY_LOST = "reply_lost"  # handed over, and no answer came


class Contact(StrEnum):
    """What a try showed of the server itself, whatever became of the message."""

    NONE = "none"  # it was not asked, or is nobody's to judge here
    GOOD = "good"
    SILENT = "silent"  # nothing, or nothing clean, came from it; or it takes nothing from us now
    REFUSES_US = "refuses_us"  # as it would refuse every message; operations has to act


@dataclass(frozen=True, slots=True)
class SendResult:
    """The verdict with its evidence; `not_before` is when the server wants the next try.

    A gateway names itself and its id of the message, to be asked and recognised by. `contact`
    is about the server, so it takes no part in comparisons of how tries ended.
    """

    verdict: Verdict
    reply: Reply = NO_REPLY
    not_before: datetime | None = None
    gateway: str | None = None
    gateway_id: str | None = None
    contact: Contact = field(default=Contact.NONE, compare=False, kw_only=True)


class LeaseLost(Exception):
    """The delivery is another worker's by now, or nobody's: nothing may be handed over."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed delivery with its letter.

    `hand_over` is to be called right before the server or gateway can have the message. It raises
    LeaseLost where it must not get it any more.
    """

    delivery: Delivery
    letter: Letter
    hand_over: Callable[[], None] = lambda: None


class Sender(Protocol):
    """Sends one message and says how it ended. Any exception means a fault on our side."""

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, whatever the other side does."""
        ...

    async def send(self, outgoing: Outgoing) -> SendResult:
        """Try once."""
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...


class NoSender:
    """In place of one that is not set up: what was queued for it while it was ends all the same."""

    longest_send = 1.0

    async def send(self, outgoing: Outgoing) -> SendResult:
        """Nothing can be sent."""
        return SendResult(Verdict.TECHNICAL)

    async def close(self) -> None:
        """Nothing is open."""
