"""What patients' calendars answer, told to the other services once and only while it counts.

It counts for the appointment that is in the file and was sent under this organizer: as long as the
link that came with it is good, so that a stranger's answer ends with the stranger's link, and where
it was asked for. Repeats, and what an earlier stamp shows to be older, change nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from chassis.database import Connection
from contracts.events import Answer, InvitationAnswered
from services.notification.bounces.result import CalendarAnswer
from services.notification.deliveries import metrics
from services.notification.receipts.matching import Settled

TICK = timedelta(microseconds=1)


class Fate(StrEnum):
    """What became of an answer; each is in the metrics."""

    TOLD = "told"
    REPEATED = "repeated"
    NOT_ASKED = "not_asked"
    VOID = "void"  # of a link that is void, or of an appointment that is deleted
    OTHER = "other"  # to what was never sent under this organizer


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a calendar entry that was sent."""

    appointment_id: UUID
    version: int  # of the appointment, as far as is known
    asks: bool
    holds: bool  # its link is good
    since: datetime  # when it was first to be sent


@dataclass(frozen=True, slots=True)
class Known:
    """What was answered to one version of an appointment."""

    organizer: UUID
    answer: Answer
    at: datetime


def judge(entry: Entry, answer: CalendarAnswer) -> Fate | None:
    """Why an answer does not count; None if it does."""
    if answer.uid.lower() != str(entry.appointment_id) or answer.sequence > entry.version:
        return Fate.OTHER
    if not entry.holds:
        return Fate.VOID
    return None if entry.asks else Fate.NOT_ASKED


def version_of(answer: CalendarAnswer) -> int:
    """The version that it answers to; of a file that names none (RFC 5546: 0) the first."""
    return max(1, answer.sequence)


def given_at(answer: CalendarAnswer, entry: Entry, received_at: datetime) -> datetime:
    """When it was given, by the patient's clock where that can be."""
    stamp = answer.stamp
    return stamp if stamp is not None and entry.since <= stamp <= received_at else received_at


def follow(known: Known | None, new: Known) -> Known | None:
    """What is known after `new`; None where that is older than what was known.

    Stamps are in seconds: of two different answers in one the later that comes counts, and is told
    as the later.
    """
    if known is None or known.organizer != new.organizer or new.at > known.at:
        return new
    if new.at == known.at and new.answer is not known.answer:
        return Known(new.organizer, new.answer, new.at + TICK)
    return None


async def take(tx: Connection, settled: Sequence[Settled]) -> list[InvitationAnswered]:
    """Take in the answers among these; the events are for the outbox."""
    told: list[InvitationAnswered] = []
    for one in settled:
        answer = one.finding.answer
        if answer is None or one.delivery is None or one.delivery.organizer is None:
            continue
        organizer = one.delivery.organizer
        entry = await _entry(tx, one.delivery.appointment_id, organizer)
        fate = judge(entry, answer)
        if fate is None:
            at = given_at(answer, entry, one.receipt.received_at)
            new = Known(organizer, answer.answer, at)
            event = InvitationAnswered(
                appointment_id=entry.appointment_id,
                practice_id=one.delivery.practice_id,
                invitation_id=one.delivery.invitation_id,
                appointment_version=version_of(answer),
                answer=answer.answer,
                occurred_at=at,
            )
            fate = await _note(tx, event, new, told)
        metrics.answers.labels(answer.answer.value, fate.value).inc()
    return told


async def _note(
    tx: Connection, event: InvitationAnswered, new: Known, told: list[InvitationAnswered]
) -> Fate:
    row = await tx.fetchrow(
        """
        SELECT organizer, answer, answered_at FROM answers
        WHERE appointment_id = $1 AND version = $2 FOR UPDATE
        """,
        event.appointment_id,
        event.appointment_version,
    )
    known = None
    if row is not None:
        known = Known(row["organizer"], Answer(row["answer"]), row["answered_at"])
    after = follow(known, new)
    if after is None:
        return Fate.REPEATED
    await tx.execute(
        """
        INSERT INTO answers (appointment_id, version, practice_id, organizer, answer, answered_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (appointment_id, version) DO UPDATE
            SET organizer = $4, answer = $5, answered_at = $6
        """,
        event.appointment_id,
        event.appointment_version,
        event.practice_id,
        after.organizer,
        after.answer,
        after.at,
    )
    if known is not None and (known.organizer, known.answer) == (after.organizer, after.answer):
        return Fate.REPEATED
    told.append(event.model_copy(update={"occurred_at": after.at}))
    return Fate.TOLD


async def _entry(tx: Connection, appointment_id: UUID, organizer: UUID) -> Entry:
    """Of a delivery that is there and locked."""
    row = await tx.fetchrow(
        """
        SELECT a.appointment_id, a.version,
            (SELECT asks_for_answer FROM deliveries
             WHERE organizer = $2 ORDER BY requested_at DESC, id DESC LIMIT 1) AS asks,
            NOT a.deleted
                AND (SELECT max(link_version) FROM deliveries
                     WHERE organizer = $2 AND kind = 'invitation')
                  = (SELECT max(link_version) FROM deliveries
                     WHERE appointment_id = $1 AND kind = 'invitation') AS holds,
            (SELECT min(requested_at) FROM deliveries WHERE organizer = $2) AS since
        FROM appointments a WHERE appointment_id = $1
        """,
        appointment_id,
        organizer,
    )
    if row is None:
        raise AssertionError("a delivery has its appointment")
    return Entry(**row)
