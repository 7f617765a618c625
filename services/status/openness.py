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

6. `cancelled_failed`: the notice of it did what 3 says; or `call` as in 2. Nothing else counts.

And for all of them:

7. What is on its way is not open, and what was withdrawn (`cancelled`: nobody was to be told any
   more) is neither told nor open.
8. It ends with the appointment's end; of a deleted one with its start. Only time decides that, so
   it is asked for when it is read. While no time is known it does not end.

The order in which things come changes nothing: these are functions of the set of known facts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from contracts.events import Answer, NoticeKind
from services.status.facts import Answered, Issued, Scheduled, State
from services.status.notices import Fate

# Nothing is open for longer than this after its start: the longest appointment of the contract.
LONGEST = timedelta(minutes=480)


class Reason(StrEnum):
    """Why an appointment needs a person, the gravest first."""

    CANCELLED_FAILED = "cancelled_failed"
    MOVED_FAILED = "moved_failed"
    INVITATION_FAILED = "invitation_failed"
    DECLINED = "declined"
    CALL = "call"
    REMINDER_FAILED = "reminder_failed"


def reasons(
    overall: State,
    notices: Mapping[NoticeKind, Fate],
    answer: Answered | None,
    issued: Issued | None,
    schedule: Sequence[Scheduled],
) -> list[Reason]:
    """Why an appointment that is not deleted is open.

    `issued` is its newest attempt, `answer` the newest one if it holds.
    """
    found = set(_of_invitation(overall))
    moved = notices.get(NoticeKind.MOVED)
    if moved and not (issued and issued.version >= moved.version):
        found.update(_of_notice(moved, Reason.MOVED_FAILED))
    reminder = notices.get(NoticeKind.REMINDER)
    if (
        reminder
        and reminder.untold is State.FAILED
        and same_start(schedule, reminder.version)
        and not (issued and issued.at > reminder.at)
    ):
        found.add(Reason.REMINDER_FAILED)
    if answer and answer.answer is Answer.DECLINED:
        found.add(Reason.DECLINED)
    return [reason for reason in Reason if reason in found]


def reasons_of_cancelled(notices: Mapping[NoticeKind, Fate]) -> list[Reason]:
    """Why a deleted appointment is open: the patient does not know that it is."""
    cancelled = notices.get(NoticeKind.CANCELLED)
    return list(_of_notice(cancelled, Reason.CANCELLED_FAILED)) if cancelled else []


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


def _of_invitation(overall: State) -> Iterator[Reason]:
    if overall is State.FAILED:
        yield Reason.INVITATION_FAILED
    if overall is State.UNCONFIRMED:
        yield Reason.CALL


def _of_notice(fate: Fate, failed: Reason) -> Iterator[Reason]:
    match fate.untold:
        case State.FAILED:
            yield failed
        case State.UNCONFIRMED:
            yield Reason.CALL


def _age(scheduled: Scheduled) -> tuple[int, datetime, int, datetime]:
    """Total over the content; of two that wrongly claim one version the later counts."""
    return scheduled.version, scheduled.start, scheduled.duration_minutes, scheduled.at
