"""Claim, lease, send, record and receipt on the real store, beside a plain account of the world.

Two replicas share the rows. Each step of theirs is one of its own, so that anything may come
between any two: a crash, the end of a lease, the other replica, a receipt for what nobody has
recorded yet, a move, a deletion, a newer attempt. The account knows what the servers took and what
came back, and what may therefore be shown. Two dozen histories belong to every run, the same in
each; `make histories` takes a fortieth of the number that it is told.
"""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received, decode
from contracts.events import (
    AppointmentDeleted,
    AppointmentRescheduled,
    DeliveryOutcome,
    Event,
    FailureCategory,
    InvitationDelivered,
    InvitationFailed,
    InvitationRequested,
    InvitationUnconfirmed,
    Recipients,
)
from contracts.tariffs import Tariff
from local.servers import DatabaseServer
from services.notification.bounces import EvidenceKind, Reading
from services.notification.deliveries import store
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import DeliveryEvent, Released, Reply
from services.notification.deliveries.retries import RetryPolicy
from services.notification.receipts import store as receipt_store
from services.notification.receipts.reader import LEASE as READING
from services.notification.receipts.reader import ReceiptReader
from services.notification.receipts.return_path import ORGANIZER, SignedAddress
from services.notification.receipts.store import Queue, ReturnedMail
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.requests import Events
from services.notification.sending import claims as claims_module
from services.notification.sending.claims import Claim, Claims
from services.notification.sending.endings import ending
from services.notification.sending.recorder import Recorder, Result
from services.notification.sending.sender import LeaseLost, SendResult, Verdict
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptState
from tests.database.conftest import OwnerOf
from tests.support.deliveries import ACTIVE

HISTORIES = max(1, int(os.environ.get("HISTORIES", "1000")) // 40)
STEPS = 40
BEGIN = datetime(2026, 11, 24, 9, tzinfo=UTC)
LEASE = 120.0  # seconds
PRACTICE = UUID(int=2)
SEALER = Sealer({1: bytes(32)})
TAGS = Tags({1: bytes(32)}, purpose=ENVELOPE_ID)
MADE_UP = Tags({1: b"x" * 32}, purpose=ENVELOPE_ID)
ORGANIZERS = SignedAddress("rueck@praxis.example", {1: bytes(32)}, purpose=ORGANIZER)
RETRY = RetryPolicy()
MOST_COPIES = {Channel.EMAIL: 2, Channel.SMS: 1}  # as the design promises
REPLIES = {
    Verdict.ACCEPTED: Reply(250, "2.0.0"),
    Verdict.TEMPORARY: Reply(450, "4.2.0"),
    Verdict.PERMANENT: Reply(550, "5.1.1"),
    Verdict.TECHNICAL: Reply(535, "5.7.8"),
    Verdict.REPLY_LOST: Reply(),
}
SAID_BY_MAIL = {
    "hard": (EvidenceKind.FAILED, True),
    "soft": (EvidenceKind.FAILED, False),
    "confirmed": (EvidenceKind.DELIVERED, None),
    "disputed": (EvidenceKind.FAILED, True),
    "delayed": (EvidenceKind.DELAYED, None),
    "made up": (EvidenceKind.DELIVERED, None),
}
SAID_BY_GATEWAY = {
    "hard": ReceiptState.REJECTED,
    "soft": ReceiptState.EXPIRED,
    "confirmed": ReceiptState.DELIVERED,
    "delayed": ReceiptState.BUFFERED,
}
SHOWN: dict[State, type[DeliveryOutcome]] = {
    State.ACCEPTED: InvitationDelivered,
    State.DELIVERED: InvitationDelivered,
    State.FAILED: InvitationFailed,
    State.CANCELLED: InvitationFailed,
    State.UNCONFIRMED: InvitationUnconfirmed,
}


@dataclass
class Clock:
    """The one of the whole world."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Message:
    """What the world knows of a delivery."""

    number: int
    request: InvitationRequested
    channel: Channel
    id: UUID
    message_id: str
    taken: int = 0  # copies that the server has
    answered: Counter[Verdict] = field(default_factory=Counter)  # by the server
    recorded: Counter[Verdict] = field(default_factory=Counter)  # of these, by a replica
    came_back: Counter[str] = field(default_factory=Counter)
    state: State = State.QUEUED


@dataclass
class Try:
    """What a replica knows of one of its tries."""

    claim: Claim
    message: Message
    until: float  # when its lease runs out, in seconds
    taken: bool = False


@dataclass
class Replica:
    """A process: what it holds is gone when it dies."""

    claims: dict[Channel, Claims]
    recorder: Recorder
    tries: list[Try] = field(default_factory=list)
    ended: list[tuple[Try, Verdict | None]] = field(default_factory=list)  # not recorded yet

    @property
    def handed_over(self) -> list[Try]:
        return [each for each in self.tries if each.claim.handed_over]

    @property
    def in_hand(self) -> list[Try]:
        return [each for each in self.tries if not each.claim.handed_over]


MOST = 3  # messages in a history
SOME = st.integers(0, MOST - 1)
# One rule with weights: of several Hypothesis leaves out half in each history.
WHAT = [
    *["work"] * 14,
    *["claim", "hand_over", "answer", "record", "no_connection", "crash", "crash", "renew"],
    *["comes_back"] * 4,
    *["read", "read", "reader_dies", "pass_time", "pass_time", "request", "change"],
]


class World(RuleBasedStateMachine):
    """Everything that happens."""

    def __init__(
        self,
        db: Database,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        clock: Clock,
        reached: Counter[object],
    ) -> None:
        super().__init__()
        self.db = db
        self.run = run
        self.reached = reached
        self.clock = clock
        clock.seconds = 0
        self.messages: dict[UUID, Message] = {}
        self.deleted: set[UUID] = set()
        self.readings: dict[bytes, Reading] = {}
        self.dead_readers = 0
        self.at_last = Verdict.ACCEPTED
        self.events = Events(
            channels=tuple(Channel),
            message_id_domain="praxis.example",
            sealer=SEALER,
            now=self.clock.now,
        )
        self.reader = ReceiptReader(
            db,
            sealer=SEALER,
            envelope_ids=TAGS,
            organizers=ORGANIZERS,
            read_mail=self.read_mail,
            poll=1,
            wake_relay=lambda: None,
            now=self.clock.now,
        )
        self.replicas = [self.new_replica(), self.new_replica()]

    def new_replica(self) -> Replica:
        return Replica(
            {
                channel: Claims(
                    self.db,
                    channel,
                    lease=LEASE,
                    share=9,
                    now=self.clock.now,
                    wake_relay=lambda: None,
                )
                for channel in Channel
            },
            self.new_recorder(),
        )

    def new_recorder(self) -> Recorder:
        return Recorder(
            self.db,
            batch=100,
            now=self.clock.now,
            committed=lambda _: None,
            wake_relay=lambda: None,
        )

    async def read_mail(self, content: bytes) -> Reading:
        return self.readings[content]

    # --- what is asked for ------------------------------------------------------------------------

    @initialize(channel=st.sampled_from(Channel), at_last=st.sampled_from(Verdict))
    def begin(self, channel: Channel, at_last: Verdict) -> None:
        """There is one, and what the servers say once nothing else happens any more."""
        self.at_last = at_last
        self.invite(channel, timedelta(days=2))

    def request(self, where: int, which: int, how: int) -> None:
        """Another invitation."""
        if len(self.messages) < MOST:
            self.invite([*Channel][where], timedelta(hours=1 if how % 3 == 0 else 48))

    def invite(self, channel: Channel, ahead: timedelta) -> None:
        start = self.clock.now() + ahead
        by_mail, by_text = Recipients(email="erika@example.org"), Recipients(sms="+4917139200")
        self.ask(
            InvitationRequested(
                appointment_id=uuid7(),
                practice_id=PRACTICE,
                appointment_version=1,
                invitation_id=uuid7(),
                attempt=1,
                sender_name="Praxis",
                start=start,
                duration_minutes=20,
                time_zone="Europe/Berlin",
                locale="de",
                patient_name="Erika Mustermann",
                channels=by_mail if channel is Channel.EMAIL else by_text,
                link="https://einladung.example/besuch/abc",
                not_after=start,
                tariff=Tariff.STANDARD,
            )
        )

    def change(self, where: int, which: int, how: int) -> None:
        """„Erneut senden", a deletion, a move to later or earlier."""
        request = self.some(which).request
        about = {"appointment_id": request.appointment_id, "practice_id": PRACTICE}
        match how % 4:
            case 0 if len(self.messages) < MOST and request.appointment_id not in self.deleted:
                newest = max(
                    each.request.attempt
                    for each in self.messages.values()
                    if each.request.appointment_id == request.appointment_id
                )
                self.ask(request.model_copy(update={"attempt": newest + 1}))
            case 1:
                self.deleted.add(request.appointment_id)
                self.tell(AppointmentDeleted.model_validate(about | {"version": 10**7}))
            case 2 | 3:
                start = self.clock.now() + timedelta(hours=25 if how % 4 == 2 else 50)
                time = {"start": start, "duration_minutes": 20, "time_zone": "Europe/Berlin"}
                version = {"version": 2 + int(self.clock.seconds)}
                self.tell(AppointmentRescheduled.model_validate(about | time | version))

    def ask(self, request: InvitationRequested) -> None:
        self.tell(request)
        (row,) = [
            each
            for each in self.run(self.deliveries())
            if each.appointment_id == request.appointment_id and each.attempt == request.attempt
        ]
        self.messages[row.id] = Message(
            len(self.messages), request, row.channel, row.id, row.message_id
        )

    def tell(self, event: Event) -> None:
        async def handle() -> None:
            async with self.db.system() as tx:
                await self.events.handle(tx, [Received(uuid7(), self.clock.now(), event, None)])

        self.run(handle())

    def some(self, which: int) -> Message:
        return [*self.messages.values()][which % len(self.messages)]

    # --- what workers do --------------------------------------------------------------------------

    def work(self, where: int, which: int, how: int) -> None:
        """The next step of a replica."""
        replica = self.replicas[where]
        if replica.ended:
            self.record(where, which, how)
        elif replica.handed_over:
            self.answer(where, which, how)
        elif replica.in_hand:
            self.hand_over(where, which, how)
        else:
            self.claim(where)

    def claim(self, where: int, which: int = 0, how: int = 0) -> None:
        """What is due, and nothing that somebody else may still hand over."""
        replica = self.replicas[where]
        taken = [self.run(claims.take(9))[0] for claims in replica.claims.values()]
        claims = [each for of_channel in taken for each in of_channel]
        for claim in sorted(claims, key=lambda each: self.messages[each.delivery.id].number):
            for other in self.replicas:
                for each in other.in_hand:
                    assert each.message.id != claim.delivery.id or each.until <= self.clock.seconds
            message = self.messages[claim.delivery.id]
            assert claim.delivery.message_id == message.message_id
            assert not message.recorded[Verdict.ACCEPTED]
            replica.tries.append(Try(claim, message, self.clock.seconds + LEASE))

    def hand_over(self, where: int, which: int, how: int) -> None:
        """From here on the server may have it."""
        replica = self.replicas[where if self.replicas[where].in_hand else 1 - where]
        if replica.in_hand:
            one = replica.in_hand[which % len(replica.in_hand)]
            self.hand_over_one(replica, one, takes=how % 4 > 0)

    def hand_over_one(self, replica: Replica, one: Try, *, takes: bool) -> None:
        try:
            one.claim.hand_over()
        except LeaseLost:
            self.reached["lease lost"] += 1
            self.ends(replica, one, Released(one.claim.lease), None)
            return
        assert self.clock.seconds < one.until
        if takes:
            one.taken = True
            one.message.taken += 1
            self.reached["copies", one.message.channel, one.message.taken] += 1
            assert one.message.taken <= MOST_COPIES[one.message.channel]

    def answer(self, where: int, which: int, how: int) -> None:
        """The server answers, or the connection is lost."""
        replica = self.replicas[where if self.replicas[where].handed_over else 1 - where]
        if not replica.handed_over:
            return
        one = replica.handed_over[which % len(replica.handed_over)]
        refusals = [Verdict.TEMPORARY, Verdict.PERMANENT, Verdict.TECHNICAL]
        verdict = Verdict.ACCEPTED if one.taken else refusals[how % 3]
        if how % 4 == 3:
            verdict = Verdict.REPLY_LOST
        self.end_with(replica, one, verdict)

    def no_connection(self, where: int, which: int, how: int) -> None:
        """Nothing was handed over."""
        replica = self.replicas[where]
        if replica.in_hand:
            one = replica.in_hand[which % len(replica.in_hand)]
            self.end_with(replica, one, Verdict.TEMPORARY)

    def record(self, where: int, which: int = 0, how: int = 0) -> None:
        """What has ended, maybe without hearing that it is recorded."""
        replica = self.replicas[where if self.replicas[where].ended else 1 - where]
        for _ in range(1 + how % 2):
            self.run(replica.recorder.finish())
        for one, verdict in replica.ended:
            replica.claims[one.message.channel].settled([one.message.id])
            if verdict:
                one.message.recorded[verdict] += 1
        replica.ended, replica.recorder = [], self.new_recorder()

    def renew(self, where: int, which: int, how: int) -> None:
        """The leases of one, as far as they are still its own."""
        replica = self.replicas[where]
        for claims in replica.claims.values():
            self.run(claims.renew())
        leases = {row.id: row.lease for row in self.run(self.deliveries())}
        for one in replica.tries:
            ours = leases[one.message.id] == one.claim.lease
            one.until = self.clock.seconds + LEASE if ours else 0.0

    def crash(self, where: int, which: int, how: int) -> None:
        """One of them, at any point."""
        busy = self.replicas[where].tries or self.replicas[where].ended
        where = where if busy else 1 - where
        replica = self.replicas[where]
        self.reached["died with a claim"] += bool(replica.in_hand)
        self.reached["died before the answer"] += bool(replica.handed_over)
        self.reached["died before recording"] += bool(replica.ended)
        self.replicas[where] = self.new_replica()

    def end_with(self, replica: Replica, one: Try, verdict: Verdict) -> None:
        by_gateway = one.message.channel is Channel.SMS
        result = SendResult(
            verdict,
            REPLIES[verdict],
            gateway="seven" if by_gateway else None,
            gateway_id=f"g{one.message.id}" if by_gateway and one.taken else None,
        )
        one.message.answered[verdict] += 1
        event = ending(
            result,
            one.claim.delivery,
            one.claim.lease,
            retry=RETRY,
            now=self.clock.now(),
            jitter=0.5,
        )
        self.ends(replica, one, event, verdict)

    def ends(
        self, replica: Replica, one: Try, event: DeliveryEvent, verdict: Verdict | None
    ) -> None:
        replica.tries.remove(one)
        replica.claims[one.message.channel].tried(one.claim)
        replica.recorder.add(Result(one.message.id, event))
        replica.ended.append((one, verdict))

    # --- what comes back --------------------------------------------------------------------------

    def comes_back(self, where: int, which: int, how: int) -> None:
        """Something about a copy that a server has, whether or not anybody has recorded that."""
        known = [each for each in self.messages.values() if each.taken]
        if not known:
            return
        message = known[which % len(known)]
        by_gateway = message.channel is Channel.SMS
        may_be = [*SAID_BY_GATEWAY] if by_gateway else [*SAID_BY_MAIL]
        said = may_be[how % len(may_be)]
        if by_gateway:
            self.run(self.store_text(message, SAID_BY_GATEWAY[said]))
        else:
            self.run(self.store_mail(message, said))
        message.came_back[said] += 1
        self.reached["early", said] += message.state in ACTIVE

    async def store_text(self, message: Message, said: ReceiptState) -> None:
        receipt = GatewayReceipt(
            gateway="seven",
            reference=message.id,
            gateway_id=None,
            state=said,
            at=self.clock.now(),
        )
        async with self.db.system() as tx:
            await receipt_store.store_gateway_receipts(tx, [receipt], self.clock.now())

    async def store_mail(self, message: Message, said: str) -> None:
        kind, permanent = SAID_BY_MAIL[said]
        content = f"{message.id} {said}".encode()
        tags = {"confirmed": TAGS, "made up": MADE_UP}.get(said)
        self.readings[content] = Reading(
            kind,
            permanent=permanent,
            original_message_id=message.message_id if said in {"disputed", "made up"} else None,
            envelope_id=tags.of(message.id) if tags else None,
        )
        reference = message.id if said in {"hard", "soft", "delayed"} else None
        async with self.db.system() as tx:
            mail = ReturnedMail(content, reference)
            await receipt_store.store_mail(tx, SEALER, [mail], self.clock.now())

    def read(self, where: int = 0, which: int = 0, how: int = 0) -> None:
        """What came back, whichever is looked at first, and what did not come in time."""
        first = how % len(Queue)
        for queue in [*Queue][first:] + [*Queue][:first]:
            self.run(self.reader._turn(queue))

    def reader_dies(self, where: int, which: int, how: int) -> None:
        """While it reads: the rest waits until its claim has run out."""

        async def claim() -> None:
            async with self.db.system() as tx:
                now = self.clock.now()
                for queue in Queue:
                    await receipt_store.claim_due(tx, SEALER, queue, now, now + READING, 10)

        if self.dead_readers < 2:  # with more the mail is given up as unreadable
            self.dead_readers += 1
            self.run(claim())

    def pass_time(self, where: int, which: int, how: int) -> None:
        """Nothing happens for a while."""
        self.clock.seconds += 60 * [1, 1, 1, 3, 3, 3, 3, 30, 30, 180, 180, 1500][how]

    @rule(what=st.sampled_from(WHAT), where=st.integers(0, 1), which=SOME, how=st.integers(0, 11))
    def happens(self, what: str, where: int, which: int, how: int) -> None:
        """One thing; what leads on is more likely than its share."""
        getattr(self, what)(where, which, how)

    # --- what is promised -------------------------------------------------------------------------

    async def deliveries(self) -> list[Delivery]:
        async with self.db.system() as tx:
            rows = await tx.fetch("SELECT * FROM deliveries")
        return [store.delivery_of(row) for row in rows]

    @invariant()
    def shown_is_true(self) -> None:
        """At any time."""
        for row in self.run(self.deliveries()):
            message = self.messages[row.id]
            assert row.message_id == message.message_id
            assert (row.due_at is not None) == (row.state in ACTIVE)
            assert (row.lease is not None) == (row.state is State.SENDING)
            assert message.state in ACTIVE or row.state not in ACTIVE
            assert row.unanswered <= MOST_COPIES[row.channel]
            green = row.state is State.DELIVERED or (
                row.state is State.ACCEPTED and row.channel is Channel.EMAIL
            )
            if green:
                proof = message.answered[Verdict.ACCEPTED] or message.came_back["confirmed"]
                assert message.taken
                assert proof
            if row.state is State.DELIVERED:
                assert message.came_back["confirmed"]
            if row.state is not message.state:
                self.reached[message.state, row.state] += 1
            message.state = row.state

    def teardown(self) -> None:
        """All die. What is left comes to its one end as time passes, and that is the right one."""
        try:
            if self.messages:
                self.come_to_an_end()
                self.check_ends()
        finally:
            self.run(self.forget())

    def come_to_an_end(self) -> None:
        for _ in range(40):
            self.clock.seconds += 6 * 3600
            self.replicas = [self.new_replica(), self.new_replica()]
            self.claim(0)
            for one in [*self.replicas[0].tries]:
                takes = self.at_last in {Verdict.ACCEPTED, Verdict.REPLY_LOST}
                self.hand_over_one(self.replicas[0], one, takes=takes)
                if self.at_last is not Verdict.REPLY_LOST:  # then this one dies as well
                    self.end_with(self.replicas[0], one, self.at_last)
            if self.replicas[0].ended:
                self.record(0)
            self.read()
            self.shown_is_true()
            if not self.run(self.unsettled()):
                return
        raise AssertionError("something is stuck")

    async def unsettled(self) -> int:
        async with self.db.system() as tx:
            left: int = await tx.fetchval(
                """
                SELECT (SELECT count(*) FROM deliveries
                        WHERE due_at IS NOT NULL OR receipt_due_at IS NOT NULL)
                     + (SELECT count(*) FROM receipts
                        WHERE due_at IS NOT NULL AND (kind IS NULL OR matched_by IS NOT NULL))
                """
            )
        return left

    def check_ends(self) -> None:
        rows = self.run(self.deliveries())
        assert sorted(each.id for each in rows) == sorted(self.messages)
        told = self.run(self.published())
        for row in rows:
            message, outcomes = self.messages[row.id], told[row.id]
            assert [each.sequence for each in outcomes] == [*range(1, 1 + len(outcomes))]
            assert row.state in {*SHOWN, State.SUPERSEDED}
            if row.state is not State.SUPERSEDED:
                assert type(outcomes[-1]) is SHOWN[row.state]
            self.reached["end", row.channel, row.state] += 1
            self.check_end(row, message)

    def check_end(self, row: Delivery, message: Message) -> None:
        """By what the world knows, and the design says of it."""
        deleted = message.request.appointment_id in self.deleted
        newer = any(
            each.request.appointment_id == message.request.appointment_id
            and each.request.attempt > message.request.attempt
            for each in self.messages.values()
        )
        came, refused = message.came_back, message.answered[Verdict.PERMANENT]
        if row.state is State.SUPERSEDED:
            assert newer
        elif row.state is State.CANCELLED:
            assert deleted or not message.taken
        elif came["hard"]:
            assert (row.state, row.category) == (State.FAILED, FailureCategory.PERMANENT)
        elif row.category is FailureCategory.PERMANENT:
            assert refused
        elif came["confirmed"]:
            assert row.state is State.DELIVERED
        elif came["soft"] or came["disputed"]:
            assert row.state in {State.FAILED, State.ACCEPTED, State.UNCONFIRMED}
            assert row.state is not State.FAILED or row.late
        elif message.recorded[Verdict.ACCEPTED] and row.channel is Channel.EMAIL:
            assert row.state in {State.ACCEPTED, State.UNCONFIRMED}
        elif message.taken:  # what may have arrived is not called undelivered
            assert row.state is State.UNCONFIRMED
        else:
            assert row.state in {State.FAILED, State.UNCONFIRMED}

    async def published(self) -> dict[UUID, list[DeliveryOutcome]]:
        """The outcomes by delivery, in the order in which they go out."""
        by_attempt = {
            (each.request.appointment_id, each.request.attempt): key
            for key, each in self.messages.items()
        }
        async with self.db.system() as tx:
            rows = await tx.fetch("SELECT headers, value FROM outbox ORDER BY id")
        told: dict[UUID, list[DeliveryOutcome]] = defaultdict(list)
        for row in rows:
            headers = [(name, text.encode()) for name, text in row["headers"].items()]
            event: Any = decode(headers, row["value"]).event
            told[by_attempt[event.appointment_id, event.attempt]].append(event)
        return told

    async def forget(self) -> None:
        """The next history begins with nothing."""
        async with self.db.system() as tx:
            for table in ("receipts", "delivery_history", "deliveries", "appointments", "outbox"):
                await tx.execute(f"DELETE FROM {table}")


EVERYWHERE: Sequence[object] = [
    *(("copies", channel, most) for channel, most in MOST_COPIES.items()),
    *("lease lost", "died with a claim", "died before the answer", "died before recording"),
    *(("early", said) for said in ("hard", "confirmed")),
    *(("end", Channel.EMAIL, state) for state in (*SHOWN, State.SUPERSEDED)),
    *(("end", Channel.SMS, state) for state in (State.DELIVERED, State.FAILED, State.UNCONFIRMED)),
    (State.SENDING, State.RETRYING),
    (State.ACCEPTED, State.FAILED),
    (State.UNKNOWN, State.DELIVERED),
]


OFTEN = [
    ("copies", Channel.SMS, 1),
    *(("end", channel, State.UNCONFIRMED) for channel in Channel),
    ("end", Channel.SMS, State.FAILED),
    (State.SENDING, State.RETRYING),
]


def test_histories(
    postgres: DatabaseServer, owner_of: OwnerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(claims_module, "time", clock)
    reached: Counter[object] = Counter()

    async def begin() -> Database:
        async with owner_of("notification") as owner:
            await owner.execute(
                "TRUNCATE receipts, delivery_history, deliveries, appointments, outbox"
            )
        return await Database.connect(postgres.dsn("notification"))

    with closing(asyncio.new_event_loop()) as loop:
        run = loop.run_until_complete
        db = run(begin())

        class Here(World):
            def __init__(self) -> None:
                super().__init__(db, run, clock, reached)

        try:
            run_state_machine_as_test(
                Here,
                settings=settings(
                    max_examples=HISTORIES,
                    stateful_step_count=STEPS,
                    derandomize=HISTORIES < 500,
                ),
            )
        finally:
            run(db.close())
    everywhere = EVERYWHERE if HISTORIES >= 500 else OFTEN
    missing = {each for each in everywhere if not reached[each]}
    assert missing == set()
