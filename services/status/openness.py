"""What needs a person, and for how long. Pure; the reasons are told in docs/adr/0027.

Of an appointment that is not deleted:

1. `invitation_failed`: overall the newest attempt shows the red mark.
2. `call`: overall it shows amber; or a move may have arrived, and nobody says that it did.
3. `moved_failed`: the newest notice of a move reached the patient over no channel and failed over
   one at least. Its end is a newer notice of a move, or a newer attempt, which says the new time:
   from then on that attempt's own state says what the patient knows.
4. `reminder_failed`: the newest reminder reached the patient over no channel and failed over one at
   least; unless it was about another start, or there was an attempt since.
5. `declined`: the patient's newest answer, if it holds. It does not once the appointment has
   another start (RFC 5546, section 2.1.4: a revised event is to be answered anew), or once somebody
   has sent a newer attempt, which may be to another address: who answered before may be a stranger.

Of a deleted appointment:

6. `cancelled_failed`: the notice of it did what 3 says; or `call` as in 2 and 7. Nothing else
   counts.

And for all of them:

7. What is on its way is not open as long as an outcome can be waited for; from then on it is
   `call` (`awaited`): an invitation, or a notice of a move that has told nobody yet. No event says
   that none will come, so only time decides that, and it is asked for when it is read. What was
   withdrawn (`cancelled`: nobody was to be told any more) is neither told nor open.
8. It ends with the appointment's end; of a deleted one with its start. Only time decides that, so
   it is asked for when it is read. While no time is known it does not end.

Somebody may say that they have dealt with what they saw:

9. What stands behind a reason has names: one for each channel that failed, or for the answer. A
   reason is open as long as one of them is in no follow-up; so what comes later is, and nothing is
   ticked off that nobody had seen. No clock decides.
10. The start is part of each name: who was called was told of that one. With another start it is
   open anew; there and back is the same.

The order in which things come changes nothing: these are functions of the set of known facts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

from contracts.channels import Channel
from contracts.events import Answer, FailureCategory, NoticeKind
from services.status.facts import Answered, FollowedUp, Issued, Notice, Outcome, Scheduled, State
from services.status.notices import Fate

# Nothing is open for longer than this after its start: the longest appointment of the contract.
LONGEST = timedelta(minutes=480)

# When an outcome is due: notification tries no longer, and tells of a missing receipt no later.
TRIED_FOR = timedelta(hours=72)  # from when it was to go
TOLD_AHEAD = timedelta(hours=2)  # of the start, so that there is time to call the patient
TIME_TO_TELL = timedelta(minutes=15)  # however soon the start is, no outcome comes at once

_NAMES = UUID("8c0e3c5e-6f0b-4f0e-9a43-52a1f0b7d6c9")  # of causes; another one opens all anew


class Reason(StrEnum):
    """Why an appointment needs a person, the gravest first."""

    CANCELLED_FAILED = "cancelled_failed"
    MOVED_FAILED = "moved_failed"
    INVITATION_FAILED = "invitation_failed"
    DECLINED = "declined"
    CALL = "call"
    REMINDER_FAILED = "reminder_failed"


_UNDELIVERED = {State.FAILED: Reason.INVITATION_FAILED, State.UNCONFIRMED: Reason.CALL}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing behind a reason. Its name is made of its content: it stays the same anywhere."""

    reason: Reason
    name: UUID


@dataclass(frozen=True, slots=True)
class Awaited:
    """Something on its way, by a name as a cause has, and from when on it needs a person."""

    name: UUID
    since: datetime


def causes(
    overall: State,
    outcomes: Collection[Outcome],
    notices: Mapping[NoticeKind, Fate],
    answer: Answered | None,
    issued: Issued | None,
    schedule: Sequence[Scheduled],
) -> list[Cause]:
    """Why an appointment that is not deleted would be open, if nobody had dealt with anything.

    `issued` is its newest attempt, `outcomes` what was told last of each of that one's channels,
    `answer` the newest one if it holds.
    """
    start = _start(schedule)
    found = list(_of_invitation(overall, outcomes, start))
    moved = notices.get(NoticeKind.MOVED)
    if moved and not (issued and issued.version >= moved.version):
        found.extend(_of_notice(moved, Reason.MOVED_FAILED, start))
    reminder = notices.get(NoticeKind.REMINDER)
    if (
        reminder
        and reminder.untold is State.FAILED
        and same_start(schedule, reminder.version)
        and not (issued and issued.at > reminder.at)
    ):
        found.extend(_of_notice(reminder, Reason.REMINDER_FAILED, start))
    if answer and answer.answer is Answer.DECLINED:
        name = _name(
            "answer", answer.version, answer.answer, answer.at.astimezone(UTC).isoformat(), start
        )
        found.append(Cause(Reason.DECLINED, name))
    return found


def awaited(
    pending: Collection[Channel],
    outcomes: Mapping[Channel, Outcome],
    notices: Mapping[NoticeKind, Fate],
    issued: Issued | None,
    schedule: Sequence[Scheduled],
) -> list[Awaited]:
    """What is on its way of an appointment that is not deleted, the first to be overdue first.

    `pending` are the channels of the newest attempt for which it shows the clock; the rest is as
    for `causes`. The name leaves out how often it was tried.
    """
    start = _start(schedule)
    found: list[Awaited] = []
    for channel in pending:
        told = outcomes.get(channel)
        known = issued or told
        if known:
            name = _name("awaited", known.attempt, channel, start)
            found.append(Awaited(name, _overdue_since(known.at, told, schedule)))
    moved = notices.get(NoticeKind.MOVED)
    if moved and not (issued and issued.version >= moved.version):
        found.extend(_awaited_of_notice(moved, schedule))
    return sorted(found, key=_when)


def causes_of_cancelled(
    notices: Mapping[NoticeKind, Fate], schedule: Sequence[Scheduled]
) -> list[Cause]:
    """The same of a deleted appointment: the patient does not know that it is."""
    cancelled = notices.get(NoticeKind.CANCELLED)
    if cancelled is None:
        return []
    return list(_of_notice(cancelled, Reason.CANCELLED_FAILED, _start(schedule)))


def awaited_of_cancelled(
    notices: Mapping[NoticeKind, Fate], schedule: Sequence[Scheduled]
) -> list[Awaited]:
    """The same of a deleted appointment: the patient may not hear in time that it is."""
    cancelled = notices.get(NoticeKind.CANCELLED)
    return sorted(_awaited_of_notice(cancelled, schedule), key=_when) if cancelled else []


def dealt_with(follow_ups: Iterable[FollowedUp]) -> dict[UUID, datetime]:
    """The names of all that somebody has dealt with, and since when."""
    done: dict[UUID, datetime] = {}
    for follow_up in follow_ups:
        for name in follow_up.causes:
            done[name] = min(follow_up.at, done.get(name, follow_up.at))
    return done


def reasons(found: Iterable[Cause]) -> tuple[Reason, ...]:
    """The reasons that these stand behind."""
    there = {cause.reason for cause in found}
    return tuple(reason for reason in Reason if reason in there)


def holds(answer: Answered, issued: Issued | None, schedule: Sequence[Scheduled]) -> bool:
    """Whether an answer still says something; `issued` is the newest attempt."""
    return same_start(schedule, answer.version) and not (issued and issued.at > answer.at)


def current(schedule: Iterable[Scheduled]) -> Scheduled | None:
    """Start and length as they are now: those of the highest version."""
    return max(schedule, key=_age, default=None)


def same_start(schedule: Sequence[Scheduled], version: int) -> bool:
    """Whether the start was as of `version` what it is now; also where that is not known."""
    then = current(each for each in schedule if each.version <= version)
    now = current(schedule)
    return then is None or now is None or then.start == now.start


def overdue(body: Mapping[str, Any] | None, now: datetime) -> list[str]:
    """The names of what is on its way, of an indicator as JSON, and needs a person by now."""
    found = (body or {}).get("awaited", ())
    return [each["name"] for each in found if datetime.fromisoformat(each["since"]) <= now]


def open_until(
    starts_at: datetime | None, ends_at: datetime | None, *, cancelled: bool
) -> datetime | None:
    """When time alone ends what is open; None while that is not known."""
    return starts_at if cancelled else ends_at


def over(
    starts_at: datetime | None, ends_at: datetime | None, now: datetime, *, cancelled: bool
) -> bool:
    """Whether it is too late for anybody to do something."""
    until = open_until(starts_at, ends_at, cancelled=cancelled)
    return until is not None and until <= now


def _overdue_since(
    asked: datetime, told: Outcome | Notice | None, schedule: Sequence[Scheduled]
) -> datetime:
    """When no outcome can be waited for any more of what was asked for then."""
    waited = told.waits_until if told else None
    due = max(asked, waited or asked)
    last = due + TRIED_FOR
    time = current(schedule)
    if time:
        last = min(last, time.start - TOLD_AHEAD)
    return max(last, due + TIME_TO_TELL)


def _of_invitation(overall: State, outcomes: Iterable[Outcome], start: str) -> Iterator[Cause]:
    reason = _UNDELIVERED.get(overall)
    for told in outcomes:
        if reason and told.state is overall:
            yield Cause(reason, _named("invitation", told.attempt, told, start))


def _of_notice(fate: Fate, failed: Reason, start: str) -> Iterator[Cause]:
    reason = {State.FAILED: failed, State.UNCONFIRMED: Reason.CALL}.get(
        fate.untold or State.PENDING
    )
    for told in fate.channels.values():
        if reason and told.state is fate.untold and told.category is not FailureCategory.CANCELLED:
            yield Cause(reason, _named(fate.kind, fate.notice_id, told, start))


def _awaited_of_notice(fate: Fate, schedule: Sequence[Scheduled]) -> Iterator[Awaited]:
    for channel, told in fate.channels.items():
        if fate.awaited and told.state is State.PENDING:
            name = _name("awaited", fate.notice_id, channel, _start(schedule))
            yield Awaited(name, _overdue_since(fate.at, told, schedule))


def _when(awaited: Awaited) -> tuple[datetime, UUID]:
    return awaited.since, awaited.name


def _named(about: str, which: object, told: Outcome | Notice, start: str) -> UUID:
    return _name(about, which, told.channel, told.sequence, told.state, start)


def _name(*parts: object) -> UUID:
    return uuid5(_NAMES, " ".join(map(str, parts)))


def _start(schedule: Iterable[Scheduled]) -> str:
    time = current(schedule)
    return time.start.astimezone(UTC).isoformat() if time else ""


def _age(scheduled: Scheduled) -> tuple[int, datetime, int, datetime]:
    """Total over the content; of two that wrongly claim one version the later counts."""
    return scheduled.version, scheduled.start, scheduled.duration_minutes, scheduled.at
