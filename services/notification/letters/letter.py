"""What a letter is: what the patient gets to read, as a mail or as an SMS."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from contracts.events import Answer


class UnusableLetter(ValueError):
    """The request can't become a letter. Names the field, never its value."""


class LetterKind(StrEnum):
    """What the patient is told."""

    INVITATION = "invitation"
    REMINDER = "reminder"
    MOVED = "moved"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the patient gets to read. Patient data: stored only while something is to be sent."""

    recipient: str
    patient_name: str
    sender_name: str
    link: str
    locale: str
    appointment_version: int
    start: datetime
    duration_minutes: int
    time_zone: str
    kind: LetterKind = LetterKind.INVITATION
    previous_start: datetime | None = None  # before a move
    # How the practice is reached (`reach`); what is None it has not.
    phone: str | None = None  # E.164
    reply_to: str | None = None
    postal_address: str | None = None  # lines
    asks_for_answer: bool = False  # whether the patient's calendar is asked to answer
    answered: Answer | None = None  # what it has answered to this version

    def __repr__(self) -> str:
        """Nothing: a letter must not show in a log or traceback."""
        return "Letter(…)"
