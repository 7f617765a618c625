"""Whole histories of appointments as the notification service hears of them.

Two topics that are not ordered with each other, read in batches, with repeats, in disorder, late,
and with what others have made up; between the batches a worker sends. What is still to be sent is
right for what was heard, and where nothing was sent yet the order leaves no trace. A thousand
histories belong to every run, `make histories` takes as many as it is told; that they get
everywhere is checked as well.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentDeleted,
    AppointmentErased,
    AppointmentEvent,
    AppointmentRescheduled,
    AppointmentScheduled,
    DeliveryOutcome,
    ErasureReason,
    Event,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    Recipients,
    SendNowRequested,
)
from contracts.tariffs import Tariff
from services.notification.deliveries import store
from services.notification.deliveries.appointments import KnownAppointment, merge
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    Claimed,
    DeliveryEvent,
    FailedForNow,
    Released,
)
from services.notification.deliveries.told import may_have_told
from services.notification.deliveries.transitions import transition
from services.notification.erasure import store as erasure_store
from services.notification.letters.letter import LetterKind
from services.notification.letters.store import SealedLetter
from services.notification.requests import Events
from tests.support.deliveries import ACTIVE, GREYLISTED, NOW, OK, UNKNOWN_USER, minutes
from tests.support.wire import OnTheWire, forgeries, genuine

HISTORIES = int(os.environ.get("HISTORIES", "1000"))
STEPS = 18
PRACTICE, ONE, OTHER = UUID(int=2), UUID(int=11), UUID(int=12)
STARTS = {1: 2000, 2: 3000, 3: 2000, 4: 2500}  # minutes from now, by version: there and back
TO_BOTH = Recipients(email="erika@example.org", sms="+4917139200")
LETTER = {
    "sender_name": "Praxis",
    "duration_minutes": 20,
    "time_zone": "Europe/Berlin",
    "locale": "de",
    "patient_name": "Erika Mustermann",
    "link": "https://einladung.example/besuch/abc",
}


def told_of(appointment_id: UUID) -> Iterator[Event]:
    """What scheduling may tell of an appointment that concerns what is sent."""
    where = {"appointment_id": appointment_id, "practice_id": PRACTICE}
    starts = {version: NOW + minutes(start) for version, start in STARTS.items()}
    for version, start in starts.items():
        kind = AppointmentScheduled if version == 1 else AppointmentRescheduled
        time = {"start": start, "duration_minutes": 20, "time_zone": "Europe/Berlin"}
        yield kind.model_validate(where | time | {"version": version})
    for attempt, version in ((1, 1), (2, 2), (3, 4)):
        yield InvitationRequested.model_validate(
            where
            | LETTER
            | {
                "appointment_version": version,
                "invitation_id": UUID(int=appointment_id.int + 10),
                "attempt": attempt,
                "start": starts[version],
                "not_after": starts[version],
                "channels": Recipients(email="e@example.org") if attempt == 2 else TO_BOTH,
                "tariff": Tariff.STANDARD,
            }
        )
    for number, (kind_of_notice, version) in enumerate(
        [
            *product([NoticeKind.REMINDER], (1, 2, 4)),
            *product([NoticeKind.MOVED], (2, 3, 4)),
            (NoticeKind.CANCELLED, 5),
        ]
    ):
        start = starts[min(version, 4)]
        yield NoticeRequested.model_validate(
            where
            | LETTER
            | {
                "appointment_version": version,
                "notice_id": UUID(int=appointment_id.int + 100 + number),
                "kind": kind_of_notice,
                "start": start,
                "not_after": start,
                "channels": TO_BOTH,
            }
        )
    for version in (3, 4):  # of which the move may be read later
        yield SendNowRequested.model_validate(
            where | {"appointment_version": version, "occurred_at": NOW}
        )
    yield AppointmentDeleted.model_validate(where | {"version": 5})
    yield AppointmentErased.model_validate(where | {"version": 6, "reason": ErasureReason.REQUEST})


GENUINE: list[OnTheWire] = []
FORGED: list[OnTheWire] = []
for _number, _event in enumerate([*told_of(ONE), *told_of(OTHER)]):
    GENUINE.append(genuine(_event, 100 + 2 * _number, NOW))
    FORGED.extend(forgeries(_event, 100 + 2 * _number, NOW))
LIFE = len(GENUINE) // 2 - 2  # of the first appointment, without its ends
REQUESTS = range(len(STARTS), len(STARTS) + 3)


class Memory:
    """What the service has stored, without a database."""

    def __init__(self) -> None:
        self.inbox: set[UUID] = set()
        self.appointments: dict[UUID, KnownAppointment] = {}
        self.deliveries: dict[UUID, Delivery] = {}
        self.events: list[AppointmentEvent] = []

    def of(self, appointment_id: UUID) -> list[Delivery]:
        """The deliveries of one appointment."""
        return [each for each in self.deliveries.values() if each.appointment_id == appointment_id]


# The store's functions, as they are known to `requests`.


async def merge_appointments(
    tx: Memory, news: Sequence[KnownAppointment]
) -> dict[UUID, KnownAppointment]:
    for each in news:
        tx.appointments[each.appointment_id] = merge(
            tx.appointments.get(each.appointment_id, each), each
        )
    return {each.appointment_id: tx.appointments[each.appointment_id] for each in news}


async def erase(tx: Memory, appointment_ids: Sequence[UUID], now: datetime) -> None:
    for each in appointment_ids:
        for delivery in tx.of(each):
            del tx.deliveries[delivery.id]


async def lock_deliveries_of(tx: Memory, appointment_ids: Sequence[UUID]) -> list[Delivery]:
    return [delivery for each in appointment_ids for delivery in tx.of(each)]


async def save(
    tx: Memory, steps: Sequence[Transition], letters: Mapping[UUID, SealedLetter]
) -> list[DeliveryOutcome]:
    outcomes: list[DeliveryOutcome] = []
    for step in steps:
        before = tx.deliveries.get(step.delivery.id)
        assert (before is None) <= (step.delivery.id in letters)
        assert before is None or before.state in ACTIVE or step.delivery.state not in ACTIVE
        for outcome in step.outcomes:
            assert outcome.sequence == (before.sequence if before else 0) + 1
        tx.deliveries[step.delivery.id] = step.delivery
        outcomes += step.outcomes
    return outcomes


class History:
    """What is told, and what became of it on the way."""

    def __init__(
        self, events: Events, runner: asyncio.Runner, reached: Counter[object], *, sends: bool
    ) -> None:
        self.handle = events.handle
        self.run = runner.run
        self.reached = reached
        self.sends = sends
        self.memory = Memory()
        self.batch: list[OnTheWire] = []
        self.arrived: list[OnTheWire] = []
        self.under_way: list[OnTheWire] = []

    def step(self, way: int, which: int) -> None:
        """Something is told; it comes, is held up, comes again, or somebody makes it up."""
        match way % 16:
            case 0:
                self.forge(FORGED[(which + 256 * way) % len(FORGED)])
                return
            case 1 if self.arrived:
                self.batch.append(self.arrived[which % len(self.arrived)])
                self.reached["again"] += 1
            case 2 | 3 if self.under_way:
                self.batch.append(self.under_way.pop(which % len(self.under_way)))
                self.reached["late"] += 1
            case 4 | 5 | 6 if self.sends:
                self.commit()
                self.send(which)
            case _:
                message = self.some(which)
                (self.under_way if way % 16 in {7, 8} else self.batch).append(message)
        if way >= 96:
            self.commit()

    def some(self, which: int) -> OnTheWire:
        """Most often of the first appointment, and seldom its end."""
        if which % 8 == 0:
            return GENUINE[which // 8 % len(GENUINE)]
        if which % 8 == 1:
            return GENUINE[REQUESTS[which // 8 % len(REQUESTS)]]
        return GENUINE[which % LIFE]

    def forge(self, message: OnTheWire) -> None:
        """It takes no effect, and does not keep the genuine one of that id from taking it."""
        self.commit()
        before = (dict(self.memory.appointments), dict(self.memory.deliveries))
        self.read(self.memory, [message])
        assert (self.memory.appointments, self.memory.deliveries) == before
        self.reached["forged"] += 1

    def read(self, memory: Memory, batch: Iterable[OnTheWire]) -> None:
        """As the consumer does: parked, deduplicated, handled."""
        fresh = []
        for message in batch:
            received = message.received
            if received is not None and received.id not in memory.inbox:
                memory.inbox.add(received.id)
                assert isinstance(received.event, AppointmentEvent)
                memory.events.append(received.event)
                fresh.append(received)
        if fresh:
            tx: Any = memory
            self.run(self.handle(tx, fresh))

    def send(self, how: int) -> None:
        """A worker takes what is to be sent, or ends what it has taken; or something comes back."""
        lease = UUID(int=how % 2)
        for key, due in self.memory.deliveries.items():
            delivery = due
            ends: list[DeliveryEvent] = [
                *[Accepted(OK)] * 4,
                FailedForNow(lease, GREYLISTED, NOW),
                Released(lease),
                Bounced(UUID(int=how), UNKNOWN_USER, permanent=True),
            ]
            is_invitation = delivery.kind is LetterKind.INVITATION
            named = delivery.starts_at if is_invitation else delivery.named_start
            claim = Claimed(lease, NOW, named)
            events: list[DeliveryEvent] = [claim, ends[how // 2 % len(ends)]]
            for event in events[how % 11 == 0 :]:
                delivery = transition(delivery, event, NOW).delivery
            self.memory.deliveries[key] = delivery

    def commit(self) -> None:
        """One batch takes effect, and what is still to be sent is right for what was heard."""
        before = dict(self.memory.deliveries)
        self.read(self.memory, self.batch)
        self.arrived += self.batch
        self.batch = []
        for appointment_id in (ONE, OTHER):
            self.check(appointment_id, before)

    def check(self, appointment_id: UUID, before: Mapping[UUID, Delivery]) -> None:
        """Compare with a plain reading of the events."""
        heard = [each for each in self.memory.events if each.appointment_id == appointment_id]
        deliveries = self.memory.of(appointment_id)
        self.reached.update((each.kind, each.state) for each in deliveries)
        if any(isinstance(each, AppointmentErased) for each in heard):
            assert not deliveries
            self.reached["erased"] += 1
            return
        requested = [key for each in heard for key in keys_of(each)]
        assert sorted(map(key_of, deliveries)) == sorted(requested)
        deleted = any(map(ends_it, heard))
        newest = max((attempt for _, attempt, _ in requested), default=0)
        times = {version_of(each): start_of(each) for each in heard if start_of(each)}
        for each in deliveries:
            if each.state not in ACTIVE or (each.state is State.SENDING and each.withdrawn):
                self.reached["withdrawn"] += each.withdrawn
                continue
            assert deleted == (each.kind is LetterKind.CANCELLED)
            if not deleted:
                assert each.starts_at == times[max(times)]
                self.reached["moved"] += each.requested_version < max(times)
            if each.kind is LetterKind.INVITATION:
                assert each.attempt == newest
            else:
                assert each.id in before or any(
                    may_have_told(other) or other.state is State.SENDING
                    for other in deliveries
                    if other.kind is LetterKind.INVITATION and other.channel is each.channel
                )

    def end(self, order: int) -> None:
        """What was held up comes at last. Where nothing was sent, the order leaves no trace."""
        self.batch += self.under_way
        self.commit()
        if self.sends:
            return
        self.reached["other order"] += 1
        other = Memory()
        again = self.arrived[::-1]
        cut = order % (1 + len(again))
        for batch in (again[cut:], again[:cut]):
            self.read(other, batch)
        assert standing(other) == standing(self.memory)


def standing(memory: Memory) -> tuple[object, ...]:
    """What is left of a history, whatever its order."""
    times: dict[UUID, object] = {
        key: (each.version, each.deleted, each.erased, None if each.deleted else each.starts_at)
        for key, each in memory.appointments.items()
    }
    return times, {
        key_of(each): (each.state, each.state in ACTIVE and each.starts_at)
        for each in memory.deliveries.values()
    }


def keys_of(event: Event) -> list[tuple[UUID, int, Channel]]:
    """The deliveries that are requested."""
    match event:
        case InvitationRequested():
            return [(event.invitation_id, event.attempt, each) for each in event.channels.channels]
        case NoticeRequested():
            return [(event.notice_id, 1, each) for each in event.channels.channels]
    return []


def key_of(delivery: Delivery) -> tuple[UUID, int, Channel]:
    return delivery.invitation_id, delivery.attempt, delivery.channel


def ends_it(event: Event) -> bool:
    if isinstance(event, NoticeRequested):
        return event.kind is NoticeKind.CANCELLED
    return isinstance(event, AppointmentDeleted | AppointmentErased)


def version_of(event: Event) -> int:
    version = getattr(event, "version", None) or getattr(event, "appointment_version", None)
    assert isinstance(version, int)
    return version


def start_of(event: Event) -> datetime | None:
    """When the appointment is, by an event that counts for that."""
    match event:
        case AppointmentRescheduled():
            return event.start
        case InvitationRequested() | NoticeRequested():
            return event.not_after
    return None


EVERYWHERE: list[object] = [
    *product(
        [LetterKind.INVITATION],
        [*ACTIVE, State.ACCEPTED, State.CANCELLED, State.SUPERSEDED, State.FAILED],
    ),
    *product(
        [LetterKind(each) for each in NoticeKind], [State.QUEUED, State.ACCEPTED, State.CANCELLED]
    ),
    *("erased", "withdrawn", "moved", "again", "late", "forged", "other order"),
]
# Of each step one byte each: what becomes of it, and what it is about.
CODES = st.binary(min_size=1 + 2 * STEPS, max_size=1 + 2 * STEPS)


def test_histories(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (merge_appointments, lock_deliveries_of, save):
        monkeypatch.setattr(store, function.__name__, function)
    monkeypatch.setattr(erasure_store, "erase", erase)
    reached: Counter[object] = Counter()
    events = Events(
        channels=tuple(Channel),
        message_id_domain="praxis.example",
        sealer=Sealer({1: bytes(32)}),
        now=lambda: NOW,
    )

    @settings(max_examples=HISTORIES, derandomize=HISTORIES <= 1000)  # few: always the same
    @given(CODES)
    def live(code: bytes) -> None:
        history = History(events, runner, reached, sends=code[0] % 4 > 0)
        for place in range(1, len(code), 2):
            history.step(*code[place : place + 2])
        history.end(code[0])

    with asyncio.Runner() as runner:
        live()
    assert {each for each in EVERYWHERE if not reached[each]} == set()


def test_what_others_made_up_is_parked_whatever_it_is() -> None:
    assert all(each.received for each in GENUINE)
    assert not any(each.received for each in FORGED)
