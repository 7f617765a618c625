"""Whole histories of appointments as the status service hears of them.

Two replicas hear the same from Kafka, each in batches of its own: with repeats, in disorder, late,
and with what others have made up. What a plain reading of the genuine events says is what both
show, whatever came between. A thousand histories belong to every run, `make histories` takes as
many as it is told; that they get everywhere is checked as well.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import (
    Answer,
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    AppointmentScheduled,
    ErasureReason,
    Event,
    Evidence,
    FailureCategory,
    FailureEvidence,
    InvitationAnswered,
    InvitationDelivered,
    InvitationFailed,
    InvitationIssued,
    InvitationPending,
    InvitationUnconfirmed,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticeOutcome,
    NoticePending,
    NoticeUnconfirmed,
    Outcome,
    PendingState,
    VisitJoined,
    VisitRole,
    Withheld,
)
from services.status.condensing import condensed
from services.status.events import fact_of
from services.status.facts import Deleted, Erased, Fact, State
from services.status.indicators import Indicator, fold
from services.status.openness import Reason
from tests.support.wire import OnTheWire, forgeries, genuine

HISTORIES = int(os.environ.get("HISTORIES", "1000"))
STEPS = 24
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
WHERE = {"appointment_id": UUID(int=1), "practice_id": UUID(int=2)}
STARTS = {1: 1000, 2: 3000, 3: 1000}  # minutes after noon, by version: there and back
SHOWN: dict[type[Outcome], State] = {
    InvitationPending: State.PENDING,
    InvitationDelivered: State.DELIVERED,
    InvitationFailed: State.FAILED,
    InvitationUnconfirmed: State.UNCONFIRMED,
}
CAUTIOUS_FIRST = [State.FAILED, State.PENDING, State.UNCONFIRMED, State.DELIVERED]


def at(minutes: int) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def life() -> Iterator[tuple[Event, int]]:
    """What scheduling may tell of the appointment, and when."""
    for version, start in STARTS.items():
        kind = AppointmentScheduled if version == 1 else AppointmentRescheduled
        time = {"start": at(start), "duration_minutes": 20, "time_zone": "Europe/Berlin"}
        yield kind.model_validate(WHERE | time | {"version": version}), version * 100
    for attempt, channels in ((1, [*Channel]), (2, [Channel.EMAIL]), (2, [Channel.SMS])):
        yield (
            InvitationIssued(
                **WHERE,
                version=attempt,
                invitation_id=UUID(int=3),
                attempt=attempt,
                channels=channels,
            ),
            attempt * 100,
        )
    for version, attempt, unsent in ((2, 1, [Channel.EMAIL]), (3, 1, []), (3, 2, [Channel.SMS])):
        known = {"version": version, "attempt": attempt, "occurred_at": at(210)}
        yield AppointmentCorrected.model_validate(WHERE | known | {"unsent": unsent}), 210
    for role, minutes in product(VisitRole, (40, 980, 985, 990, 2980)):
        yield VisitJoined(**WHERE, role=role, occurred_at=at(minutes)), minutes


def ends() -> Iterator[tuple[Event, int]]:
    """What nothing comes back from."""
    yield AppointmentDeleted(**WHERE, version=4), 500
    yield AppointmentErased(**WHERE, version=5, reason=ErasureReason.REQUEST), 600


def said() -> list[tuple[type[Outcome], dict[str, object]]]:
    """What may become of a delivery, as outcomes of an invitation's."""
    failed = {"category": FailureCategory.PERMANENT}
    withheld = {"category": FailureCategory.CANCELLED}
    doubted = {"category": FailureCategory.TEMPORARY, "evidence": FailureEvidence.UNSIGNED}
    return [
        (InvitationPending, {"state": PendingState.QUEUED, "sequence": 1}),
        (InvitationDelivered, {"evidence": Evidence.ACCEPTED, "sequence": 2}),
        (InvitationFailed, failed | {"sequence": 2}),
        (InvitationFailed, withheld | {"sequence": 2}),
        (InvitationFailed, failed | {"sequence": 3, "late": True}),
        (InvitationFailed, doubted | {"sequence": 3, "late": True}),
        (InvitationDelivered, {"evidence": Evidence.CONFIRMED, "sequence": 4}),
        (InvitationUnconfirmed, {"sequence": 2}),
    ]


def outcomes() -> Iterator[tuple[Event, int]]:
    """What notification may tell of the invitation, and of what follows it."""
    for attempt, channel, (kind, rest) in product((1, 2), Channel, said()):
        minutes = attempt * 100 + int(str(rest["sequence"]))
        known = WHERE | rest | {"channel": channel, "occurred_at": at(minutes)}
        about = {"invitation_id": UUID(int=3), "attempt": attempt}
        yield kind.model_validate(known | about), minutes


def beside() -> Iterator[tuple[Event, int]]:
    """The same of notices, and answers."""
    of_notice: dict[type[Outcome], type[NoticeOutcome]] = {
        InvitationPending: NoticePending,
        InvitationDelivered: NoticeDelivered,
        InvitationFailed: NoticeFailed,
        InvitationUnconfirmed: NoticeUnconfirmed,
    }
    for notice, channel, (kind, rest) in product(NoticeKind, Channel, said()):
        version = {NoticeKind.REMINDER: 1, NoticeKind.MOVED: 2, NoticeKind.CANCELLED: 4}[notice]
        minutes = 250 + int(str(rest["sequence"]))
        known = WHERE | rest | {"channel": channel, "occurred_at": at(minutes)}
        if rest.get("category") is FailureCategory.CANCELLED:
            known |= {"withheld": Withheld.NOT_INVITED}
        about = {
            "notice_id": UUID(int=10 + version),
            "kind": notice,
            "appointment_version": version,
        }
        yield of_notice[kind].model_validate(known | about), minutes
    for version, answer, minutes in product((1, 2), Answer, (150, 350)):
        yield (
            InvitationAnswered(
                **WHERE,
                invitation_id=UUID(int=3),
                appointment_version=version,
                answer=answer,
                occurred_at=at(minutes),
            ),
            minutes,
        )


class Pool:
    """Events of one kind with their forgeries: made and read once, told often."""

    numbers = iter(range(100, 10**9, 2))

    def __init__(self, told: Iterable[tuple[Event, int]]) -> None:
        self.genuine: list[OnTheWire] = []
        self.forged: list[OnTheWire] = []
        for event, minutes in told:
            number = next(self.numbers)
            self.genuine.append(genuine(event, number, at(minutes)))
            self.forged.extend(forgeries(event, number, at(minutes)))


LIFE, ENDS, OUTCOMES, BESIDE = map(Pool, (life(), ends(), outcomes(), beside()))
POOLS = [*[OUTCOMES] * 6, *[LIFE] * 4, *[BESIDE] * 5]


class Replica:
    """One that has read some of it."""

    def __init__(self) -> None:
        self.inbox: set[UUID] = set()
        self.facts: frozenset[Fact] = frozenset()
        self.events: list[Event] = []

    def read(self, batch: Iterable[OnTheWire]) -> None:
        """As the consumer and the store do: parked, deduplicated, condensed with what is kept."""
        facts: list[Fact] = []
        for message in batch:
            received = message.received
            if received is None or received.id in self.inbox:
                continue
            self.inbox.add(received.id)
            self.events.append(received.event)
            fact = fact_of(received)
            assert fact is not None
            facts.append(fact)
        self.facts = condensed([*self.facts, *facts])

    @property
    def shown(self) -> Indicator | Deleted | None:
        """What the practice sees."""
        return fold(self.facts)


class History:
    """What is told, and what became of it on the way."""

    def __init__(self, reached: Counter[object]) -> None:
        self.reached = reached
        self.told: list[OnTheWire] = []
        self.under_way: list[OnTheWire] = []
        self.batch: list[OnTheWire] = []
        self.arrived: list[OnTheWire] = []
        self.replica = Replica()
        self.follow_ups = 0

    def step(self, way: int, which: int, detail: int) -> None:
        """Something is told; it comes, is held up, comes again, or somebody makes it up."""
        pool = ENDS if way % 29 == 0 else POOLS[way % len(POOLS)]
        message = pool.genuine[which % len(pool.genuine)]
        match detail % 16:
            case 0:
                self.forge(pool.forged[which % len(pool.forged)])
                return
            case 1 if self.told:
                self.batch.append(self.told[which % len(self.told)])
                self.reached["again"] += 1
                return
            case 2 | 3 if self.under_way:
                self.batch.append(self.under_way.pop(which % len(self.under_way)))
                self.reached["late"] += 1
                return
            case 4:
                self.follow_up()
                return
        self.told.append(message)
        (self.under_way if detail % 16 in {5, 6} else self.batch).append(message)
        if detail >= 128:
            self.commit()

    def forge(self, message: OnTheWire) -> None:
        """It takes no effect, and does not keep the genuine one of that id from taking it."""
        self.commit()
        before = (self.replica.facts, set(self.replica.inbox))
        self.replica.read([message])
        assert (self.replica.facts, self.replica.inbox) == before
        self.reached["forged"] += 1

    def follow_up(self) -> None:
        """Somebody deals with what they see, late enough for what is overdue by then."""
        self.commit()
        shown = self.replica.shown
        seen = isinstance(shown, Indicator) and [
            *shown.causes,
            *(each.name for each in shown.awaited),
        ]
        if seen:
            self.follow_ups += 1
            causes = seen[: 1 + self.follow_ups % 4]
            event = AppointmentFollowedUp(**WHERE, causes=causes, occurred_at=at(800))
            self.told.append(genuine(event, self.follow_ups, at(800)))
            self.batch.append(self.told[-1])

    def commit(self) -> None:
        """One batch takes effect, and what is shown is what a plain reading says."""
        self.replica.read(self.batch)
        self.arrived += self.batch
        self.batch = []
        check(self.replica, self.reached)

    def end(self, order: int) -> None:
        """Others hear the same in orders of their own, before and after what was held up comes."""
        for held_up in ([], self.under_way):
            self.batch += held_up
            self.commit()
            for again in (self.arrived[::-1], sorted(self.arrived, key=lambda each: each.value)):
                other = Replica()
                cut = order % (1 + len(again))
                for batch in (again[cut:], again[:cut]):
                    other.read(batch)
                    check(other, self.reached)
                assert other.facts == self.replica.facts
                assert other.shown == self.replica.shown


def check(replica: Replica, reached: Counter[object]) -> None:
    """What is shown, beside what the events say."""
    shown = replica.shown
    erased = any(isinstance(each, AppointmentErased) for each in replica.events)
    deleted = any(isinstance(each, AppointmentDeleted) for each in replica.events)
    attempts = [each for each in replica.events if isinstance(each, InvitationIssued | Outcome)]
    if not isinstance(shown, Indicator):
        assert isinstance(shown, Deleted) == (erased or deleted)
        assert isinstance(shown, Erased) == erased
        assert erased or deleted or not attempts
        reached[type(shown)] += 1
        return
    assert not erased
    assert shown.cancelled == deleted
    newest = max(each.attempt for each in attempts)
    marks: dict[Channel, tuple[int, int]] = {}
    for each in attempts:
        if each.attempt != newest:
            continue
        if isinstance(each, InvitationIssued):
            for channel in each.channels:
                marks.setdefault(channel, (0, -CAUTIOUS_FIRST.index(State.PENDING)))
        else:
            mark = (each.sequence, -CAUTIOUS_FIRST.index(SHOWN[type(each)]))
            marks[each.channel] = max(mark, marks.get(each.channel, mark))
    states = {channel: CAUTIOUS_FIRST[-caution] for channel, (_, caution) in marks.items()}
    unsent = unsent_of(replica, newest)
    for channel in unsent:
        if states.get(channel) is not State.FAILED or was_withdrawn(
            replica, newest, channel, marks[channel][0]
        ):
            states[channel] = State.UNCONFIRMED
    changed = {name for name, channel in shown.channels.items() if channel.address_changed}
    assert changed == unsent
    assert {name: channel.state for name, channel in shown.channels.items()} == states
    assert shown.overall is min(states.values(), key=CAUTIOUS_FIRST.index)
    assert shown.attempt == newest
    for mark_of in shown.channels.values():
        assert mark_of.state is not State.DELIVERED or mark_of.evidence in [*Evidence]
    times = [each for each in replica.events if isinstance(each, AppointmentScheduled)]
    start = max(times, key=lambda each: each.version).start if times else None
    assert shown.starts_at == start
    seen = {cause for each in replica.events for cause in causes_of(each)}
    assert not seen & set(shown.causes)
    assert bool(shown.causes) == bool(shown.open)
    if shown.cancelled:
        assert set(shown.open) <= {Reason.CANCELLED_FAILED, Reason.CALL}
    elif shown.overall is State.FAILED and not seen:
        assert Reason.INVITATION_FAILED in shown.open
    pending = [each for each in states.values() if each is shown.overall is State.PENDING]
    check_awaited(shown, len(pending), seen)
    answers = [each for each in replica.events if isinstance(each, InvitationAnswered)]
    if shown.answer is not None:
        assert shown.answer.answer in {each.answer for each in answers}
    reached.update(
        [
            shown.overall,
            *shown.open,
            *(("channel", each.state, each.evidence) for each in shown.channels.values()),
            *((each.kind, mark.state) for each in shown.notices for mark in each.channels.values()),
            ("answer", shown.answer and shown.answer.answer),
            ("answers", bool(answers) and shown.answer is None),
            ("waiting", shown.waiting_since is not None),
            ("followed up", shown.followed_up_at is not None),
            ("on its way", bool(shown.awaited)),
            *(("corrected", shown.channels[channel].state) for channel in unsent),
            ("cancelled", shown.cancelled),
            ("start", start),
        ]
    )


def check_awaited(shown: Indicator, pending: int, seen: set[UUID]) -> None:
    """What is on its way: each channel behind the clock, and as many of a move at most."""
    on_its_way = {each.name for each in shown.awaited}
    assert not seen & on_its_way
    if not shown.cancelled and not seen:
        assert pending <= len(on_its_way) <= pending + len(Channel)


def unsent_of(replica: Replica, attempt: int) -> set[Channel]:
    """Whose address is another one than the attempt went to, as far as was told."""
    corrections = [
        each
        for each in replica.events
        if isinstance(each, AppointmentCorrected) and each.attempt == attempt
    ]
    return set(max(corrections, key=lambda each: each.version).unsent) if corrections else set()


def was_withdrawn(replica: Replica, attempt: int, channel: Channel, sequence: int) -> bool:
    """Whether the last that was told of it is that it did not go out, and nothing else."""
    last = [
        each
        for each in replica.events
        if isinstance(each, InvitationFailed)
        and (each.attempt, each.channel, each.sequence) == (attempt, channel, sequence)
    ]
    return all(each.category is FailureCategory.CANCELLED for each in last)


def causes_of(event: Event) -> list[UUID]:
    """What somebody has dealt with."""
    return event.causes if isinstance(event, AppointmentFollowedUp) else []


EVERYWHERE: list[object] = [
    *State,
    *Reason,
    *product(NoticeKind, State),
    *(("answer", each) for each in (*Answer, None)),
    *(("channel", State.DELIVERED, each) for each in Evidence),
    ("channel", State.FAILED, FailureEvidence.UNSIGNED),
    *product(["corrected"], (State.FAILED, State.UNCONFIRMED)),
    *product(("answers", "waiting", "followed up", "on its way", "cancelled"), (True, False)),
    *(("start", start and at(start)) for start in (None, 1000, 3000)),
    *(Deleted, Erased, type(None)),
    *("forged", "again", "late"),
]
# Of each step one byte each: what it is about, which of these it is, what becomes of it.
CODES = st.binary(min_size=1 + 3 * STEPS, max_size=1 + 3 * STEPS)


def test_histories() -> None:
    reached: Counter[object] = Counter()

    @settings(max_examples=HISTORIES, derandomize=HISTORIES <= 1000)  # few: always the same
    @given(CODES)
    def live(code: bytes) -> None:
        history = History(reached)
        for place in range(1, len(code), 3):
            history.step(*code[place : place + 3])
        history.end(code[0])

    live()
    assert {each for each in EVERYWHERE if not reached[each]} == set()


def test_what_others_made_up_is_parked_whatever_it_is() -> None:
    for pool in (LIFE, ENDS, OUTCOMES, BESIDE):
        assert all(each.received for each in pool.genuine)
        assert not any(each.received for each in pool.forged)
