"""What came back is read, and leads to its delivery."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import DailyMailRequested, InvitationRequested, Recipients
from local.mailbox.reports import REPORTS, Mail, compose
from services.notification.bounces import Reading, confined, read
from services.notification.bounces.confined import (
    Cause,
    ConfinedReader,
    ReaderNotStarted,
    ReadingFailed,
)
from services.notification.daily_mails import store as daily_mail_store
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import Accepted, Reply
from services.notification.erasure import store as erasure_store
from services.notification.receipts import store as receipt_store
from services.notification.receipts.reader import LEASE, MAX_READINGS, ReceiptReader
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.store import Queue, ReturnedMail
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptState
from tests.database.notification.support import (
    apply,
    claimed,
    delivery_of,
    handle,
    now,
    reading,
)
from tests.support import PATIENCE, eventually
from tests.support.misled_reader import mislead

RETURN_PATH = ReturnPath("rueck@praxis.example", {1: bytes(32)})
ENVELOPE_IDS = Tags({1: bytes(32)}, purpose=ENVELOPE_ID)
TEXT = Recipients(sms="+4917139200")
NOTE = b"From: a@example.org\r\nSubject: Hallo\r\n\r\nBis morgen.\r\n"


async def handed_over(db: Database, sealer: Sealer) -> tuple[InvitationRequested, Delivery]:
    """A text message that its gateway has taken."""
    request, _ = await claimed(db, sealer, channels=TEXT)
    delivery = await delivery_of(db, request)
    await apply(db, delivery.id, Accepted(Reply(), gateway="webhook", gateway_id=str(delivery.id)))
    return request, delivery


async def store_receipt(db: Database, gateway_id: str, **changes: Any) -> None:
    """What a gateway has said of a message, as the route for it stores it."""
    receipt = GatewayReceipt(
        **{
            "gateway": "webhook",
            "reference": None,
            "gateway_id": gateway_id,
            "state": ReceiptState.DELIVERED,
            "at": now(),
        }
        | changes
    )
    async with db.system() as tx:
        await receipt_store.store_gateway_receipts(tx, [receipt], now())


async def store_mail(
    db: Database, sealer: Sealer, reference: UUID | None = None, content: bytes = NOTE
) -> None:
    """A mail that has come back, as an intake stores it."""
    async with db.system() as tx:
        await receipt_store.store_mail(tx, sealer, [ReturnedMail(content, reference)], now())


async def rows(db: Database) -> list[Any]:
    async with db.system() as tx:
        return list(await tx.fetch("SELECT * FROM receipts ORDER BY received_at"))


async def read_here(content: bytes) -> Reading:
    """Read it without a process of its own."""
    return read(content)


async def failing(content: bytes) -> Reading:
    """Fail on mail that begins with „broken"."""
    if content.startswith(b"broken"):
        raise ReadingFailed(Cause.ERROR, "ValueError mime.py:120")
    return read(content)


def reader_of(
    db: Database,
    sealer: Sealer,
    *,
    read_mail: Callable[[bytes], Awaitable[Reading]] = read_here,
    wake_relay: Callable[[], None] = lambda: None,
    clock: Callable[[], datetime] = now,
) -> ReceiptReader:
    return ReceiptReader(
        db,
        sealer=sealer,
        envelope_ids=ENVELOPE_IDS,
        organizers=RETURN_PATH.organizer,
        read_mail=read_mail,
        poll=0.05,
        wake_relay=wake_relay,
        now=clock,
    )


async def read_until(
    db: Database,
    sealer: Sealer,
    condition: Callable[[list[Any]], bool],
    clock: Callable[[], datetime] = now,
    read_mail: Callable[[bytes], Awaitable[Reading]] = read_here,
    wake_relay: Callable[[], None] = lambda: None,
) -> None:
    """Let a reader turn until the receipts are so."""
    reader = reader_of(db, sealer, read_mail=read_mail, wake_relay=wake_relay, clock=clock)

    async def holds() -> bool:
        return condition(await rows(db))

    async with reading(reader):
        await eventually(holds, "the receipts are read")


def all_settled(receipts: list[Any]) -> bool:
    return all(each["due_at"] is None for each in receipts)


@pytest.mark.parametrize(
    ("said", "after"),
    [
        (ReceiptState.DELIVERED, State.DELIVERED),
        (ReceiptState.REJECTED, State.FAILED),
        (ReceiptState.BUFFERED, State.ACCEPTED),
    ],
)
async def test_a_stored_receipt_of_a_gateway_settles_its_delivery(
    notification_db: Database, sealer: Sealer, said: ReceiptState, after: State
) -> None:
    request, delivery = await handed_over(notification_db, sealer)
    await store_receipt(notification_db, str(delivery.id), state=said)
    await read_until(notification_db, sealer, all_settled)
    assert (await delivery_of(notification_db, request)).state is after
    (row,) = await rows(notification_db)
    assert row["delivery_id"] == delivery.id
    assert row["practice_id"] == request.practice_id
    assert row["matched_by"] == "gateway_id"


async def test_a_receipt_that_comes_before_its_delivery_is_known_waits_for_it(
    notification_db: Database, sealer: Sealer
) -> None:
    await store_receipt(notification_db, "not-yet-known")
    await read_until(notification_db, sealer, lambda found: found[0]["tries"] > 0)
    (row,) = await rows(notification_db)
    assert row["due_at"] is not None
    assert row["delivery_id"] is None
    request, _ = await claimed(notification_db, sealer, channels=TEXT)
    delivery = await delivery_of(notification_db, request)
    taken = Accepted(Reply(), gateway="webhook", gateway_id="not-yet-known")
    await apply(notification_db, delivery.id, taken)
    later = row["due_at"] + timedelta(seconds=1)
    woken: list[None] = []

    def settled_and_told(found: list[Any]) -> bool:
        return all_settled(found) and bool(woken)  # which follows the commit

    await read_until(
        *(notification_db, sealer, settled_and_told, lambda: later),
        wake_relay=lambda: woken.append(None),
    )
    assert (await delivery_of(notification_db, request)).state is State.DELIVERED
    assert woken == [None]


async def test_a_receipt_waits_for_the_end_of_the_try(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await claimed(notification_db, sealer, channels=TEXT)
    delivery = await delivery_of(notification_db, request)
    await store_receipt(notification_db, "its-id", reference=delivery.id)
    await read_until(notification_db, sealer, lambda found: found[0]["tries"] > 0)
    (row,) = await rows(notification_db)
    assert row["due_at"] is not None
    assert (await delivery_of(notification_db, request)).state is State.SENDING


async def test_one_that_can_not_be_read_holds_up_no_other(
    notification_db: Database, sealer: Sealer
) -> None:
    await store_mail(notification_db, Sealer({2: bytes(32)}))  # under a key that is missing here
    request, delivery = await handed_over(notification_db, sealer)
    await store_receipt(notification_db, str(delivery.id))
    await read_until(notification_db, sealer, lambda found: found[1]["due_at"] is None)
    assert (await delivery_of(notification_db, request)).state is State.DELIVERED
    poisoned, _ = await rows(notification_db)
    assert poisoned["due_at"] > now() + timedelta(minutes=30)
    assert poisoned["tries"] == 1
    assert poisoned["content"] is not None


async def test_a_receipt_that_does_not_come_in_time_is_missed(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await handed_over(notification_db, sealer)
    late = now() + timedelta(days=2)

    async def unconfirmed() -> bool:
        return (await delivery_of(notification_db, request)).state is State.UNCONFIRMED

    reader = reader_of(notification_db, sealer, clock=lambda: late)
    async with reading(reader):
        await eventually(unconfirmed, "the missing receipt is noticed")


async def test_mail_that_is_no_bounce_is_erased_only_by_its_term(
    notification_db: Database, sealer: Sealer
) -> None:
    await store_mail(notification_db, sealer)
    await read_until(notification_db, sealer, all_settled)
    (row,) = await rows(notification_db)
    assert row["kind"] == "not_a_bounce"
    assert row["content"] is not None


@pytest.mark.parametrize("named", [True, False], ids=["named by its return path", "unnamed"])
async def test_a_mail_that_the_reader_fails_on_is_heard_of_and_stays(
    notification_db: Database, sealer: Sealer, named: bool
) -> None:
    request, delivery = await handed_over(notification_db, sealer)
    mailed = await delivery_of(notification_db, (await claimed(notification_db, sealer))[0])
    await store_mail(notification_db, sealer, mailed.id if named else None, b"broken" + NOTE)
    await store_mail(notification_db, sealer, content=NOTE)
    await store_receipt(notification_db, str(delivery.id))
    failed = metric("bounce_reader_failures_total", {"cause": "error"})
    counted = {"kind": "unreadable", "matched_by": "return_path" if named else "nothing"}
    unreadable = metric("receipts_total", counted)
    with capture_logs() as logged:
        await read_until(notification_db, sealer, all_settled, read_mail=failing)
    broken, note, receipt = await rows(notification_db)
    assert (broken["kind"], note["kind"], receipt["kind"]) == (
        "unreadable",
        "not_a_bounce",
        "delivered",
    )
    assert broken["delivery_id"] == (mailed.id if named else None)
    assert sealer.open(broken["content"], ("receipts.content", broken["id"])) == b"broken" + NOTE
    assert (await delivery_of(notification_db, request)).state is State.DELIVERED
    assert metric("bounce_reader_failures_total", {"cause": "error"}) == failed + 1
    assert metric("receipts_total", counted) == unreadable + 1
    (entry,) = [one for one in logged if one["log_level"] == "error"]
    assert entry["event"] == "returned mail can't be read"
    assert entry["receipt_id"] == str(broken["id"])
    assert (entry["cause"], entry["where"]) == ("error", "ValueError mime.py:120")


async def test_a_mail_that_the_reader_fails_on_is_read_once_while_its_message_is_sent(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await claimed(notification_db, sealer)
    delivery = await delivery_of(notification_db, request)
    await store_mail(notification_db, sealer, delivery.id, b"broken" + NOTE)
    await read_until(notification_db, sealer, all_settled, read_mail=failing)
    (row,) = await rows(notification_db)
    assert (row["kind"], row["tries"]) == ("unreadable", 1)
    assert (await delivery_of(notification_db, request)).state is State.SENDING


async def test_a_receipt_of_another_gateway_is_dropped_and_counted(
    notification_db: Database, sealer: Sealer
) -> None:
    request, delivery = await handed_over(notification_db, sealer)
    counted = {"kind": "failed", "matched_by": "elsewhere"}
    before = metric("receipts_total", counted)
    foreign = {"gateway": "seven", "reference": delivery.id, "state": ReceiptState.REJECTED}
    with capture_logs() as logged:
        await store_receipt(notification_db, "its-own-id", **foreign)
        await read_until(notification_db, sealer, all_settled)
    assert (await delivery_of(notification_db, request)).state is State.ACCEPTED
    assert metric("receipts_total", counted) == before + 1
    assert [one["event"] for one in logged] == ["receipt of another channel or gateway"]


async def test_a_bounce_that_names_an_erased_mail_by_its_message_id_is_thrown_away(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await claimed(notification_db, sealer)
    delivery = await delivery_of(notification_db, request)
    returned = Mail(
        sender="rueck@praxis.example",
        recipient="erika@example.org",
        content=f"Message-ID: {delivery.message_id}\r\n\r\n".encode(),
    )
    content = compose(returned, REPORTS["spaeter-unbekannt"])
    assert content is not None
    async with notification_db.system() as tx:
        await erasure_store.erase(tx, [request.appointment_id], now())
    await store_mail(notification_db, sealer, content=content)
    await read_until(notification_db, sealer, lambda found: not found)


async def test_what_comes_back_of_a_daily_mail_is_counted_and_thrown_away(
    notification_db: Database, sealer: Sealer
) -> None:
    asked = DailyMailRequested(
        practice_id=uuid7(),
        day=now().date(),
        recipient="leitung@praxis.example",
        practice_name="Praxis",
        open_count=1,
        link="https://termine.example/#/offen",
        not_after=now() + timedelta(hours=1),
    )
    await handle(notification_db, sealer, asked)
    async with notification_db.system() as tx:
        mail = await daily_mail_store.claim(tx, now(), now())
    assert mail is not None
    back = Mail(
        sender="rueck@praxis.example",
        recipient="leitung@praxis.example",
        content=f"Message-ID: {mail.message_id}\r\n\r\n".encode(),
    )
    failed = compose(back, REPORTS["spaeter-unbekannt"])
    assert failed is not None
    before = metric("daily_mails_total", {"result": "returned"})
    await store_mail(notification_db, sealer, mail.id, content=NOTE)  # an automatic answer, say
    await store_mail(notification_db, sealer, content=failed)
    await read_until(notification_db, sealer, lambda found: not found)
    assert metric("daily_mails_total", {"result": "returned"}) == before + 1


async def test_a_try_is_counted_before_it_is_made(
    notification_db: Database, sealer: Sealer
) -> None:
    """A mail that ended each process which read it is not read by the next one."""
    await store_mail(notification_db, sealer)
    for _ in range(MAX_READINGS):
        async with notification_db.system() as tx:
            (receipt,) = await receipt_store.claim_due(tx, sealer, Queue.OTHER, now(), now(), 10)
    assert receipt.readings == MAX_READINGS
    failed = metric("bounce_reader_failures_total", {"cause": "tries"})

    async def never(content: bytes) -> Reading:
        raise AssertionError(content)

    await read_until(notification_db, sealer, all_settled, read_mail=never)
    (row,) = await rows(notification_db)
    assert row["kind"] == "unreadable"
    assert row["content"] is not None
    assert metric("bounce_reader_failures_total", {"cause": "tries"}) == failed + 1


async def test_a_reading_that_may_yet_succeed_is_tried_again_later(
    notification_db: Database, sealer: Sealer
) -> None:
    await store_mail(notification_db, sealer)
    await store_mail(notification_db, sealer, content=b"X-Next: yes\r\n" + NOTE)
    tried: list[None] = []

    async def slow(content: bytes) -> Reading:
        if not tried:
            tried.append(None)
            raise ReadingFailed(Cause.TIME)
        return read(content)

    await read_until(
        notification_db, sealer, lambda found: found[1]["due_at"] is None, read_mail=slow
    )
    row, _ = await rows(notification_db)
    assert (row["kind"], row["readings"]) == (None, 1)
    assert row["due_at"] > now()
    later = now() + LEASE
    await read_until(notification_db, sealer, all_settled, lambda: later, read_mail=slow)
    row, _ = await rows(notification_db)
    assert (row["kind"], row["readings"]) == ("not_a_bounce", 0)


async def test_a_reader_that_is_stopped_leaves_its_mail_to_the_next(
    notification_db: Database, sealer: Sealer
) -> None:
    await store_mail(notification_db, sealer)
    begun = asyncio.Event()

    async def endless(content: bytes) -> Reading:
        begun.set()
        await asyncio.Event().wait()
        return read(content)

    await read_until(notification_db, sealer, lambda _: begun.is_set(), read_mail=endless)
    (row,) = await rows(notification_db)
    assert row["readings"] == 0
    assert row["due_at"] <= now()


async def test_what_gateways_report_does_not_wait_for_mail(
    notification_db: Database, sealer: Sealer
) -> None:
    """However long a mail takes that came before."""
    begun, release = asyncio.Event(), asyncio.Event()

    async def hanging(content: bytes) -> Reading:
        begun.set()
        await release.wait()
        return read(content)

    _, delivery = await handed_over(notification_db, sealer)
    await store_mail(notification_db, sealer)

    async def told() -> bool:
        async with notification_db.system() as tx:
            row = await tx.fetchrow("SELECT due_at FROM receipts WHERE channel = 'sms'")
        return row is not None and row["due_at"] is None

    async with reading(reader_of(notification_db, sealer, read_mail=hanging)):
        await begun.wait()
        await store_receipt(notification_db, str(delivery.id))
        await eventually(told, "the receipt is settled")
        assert not release.is_set()
        release.set()


async def test_what_is_surely_returned_waits_for_one_other_mail_at_a_time(
    notification_db: Database, sealer: Sealer
) -> None:
    """And that for one of the returned: neither starves."""
    turn = asyncio.Lock()  # as the process that reads has it
    waiting: set[bytes] = set()
    order: list[bytes] = []

    async def one_at_a_time(content: bytes) -> Reading:
        waiting.add(content[:5])
        async with turn:
            order.append(content[:5])
            await asyncio.sleep(0)
            return read(content)

    for at in range(12):
        await store_mail(notification_db, sealer, content=b"other %d\r\n" % at + NOTE)
    for at in range(4):
        await store_mail(notification_db, sealer, uuid7(), b"named %d\r\n" % at + NOTE)
    reader = reader_of(notification_db, sealer, read_mail=one_at_a_time)

    async def both_wait() -> bool:
        return len(waiting) == 2

    async def all_read() -> bool:
        return len(order) == 16

    await turn.acquire()
    async with reading(reader):
        await eventually(both_wait, "a mail of each waits to be read")
        turn.release()
        await eventually(all_read, "all is read")
    assert sorted(order[:8]) == [b"named"] * 4 + [b"other"] * 4


async def test_that_no_mail_can_be_read_ends_the_loop(
    notification_db: Database, sealer: Sealer
) -> None:
    """So that liveness fails."""

    async def none(content: bytes) -> Reading:
        raise ReaderNotStarted

    await store_mail(notification_db, sealer)
    reader = reader_of(notification_db, sealer, read_mail=none)
    with pytest.raises(ReaderNotStarted):
        await next(loop for loop in reader.loops if loop.name == Queue.OTHER).run()


async def test_of_mail_that_nobody_knows_the_beginning_is_kept(
    notification_db: Database, sealer: Sealer
) -> None:
    content = NOTE + b"x" * 500_000
    await store_mail(notification_db, sealer, content=content)
    await read_until(notification_db, sealer, all_settled)
    (row,) = await rows(notification_db)
    opened = sealer.open(row["content"], ("receipts.content", row["id"]))
    assert opened == content[: receipt_store.MAX_KEPT_BYTES]


async def test_the_oldest_of_what_is_kept_goes_first(
    notification_db: Database, sealer: Sealer
) -> None:
    for at in range(4):
        await store_mail(notification_db, sealer, content=NOTE + bytes(10_000) + b"%d" % at)
    await read_until(notification_db, sealer, all_settled)
    await store_mail(notification_db, sealer, content=NOTE + bytes(20_000))  # and is not read yet
    dropped = metric("kept_mail_dropped_total")
    async with notification_db.system() as tx:
        await receipt_store.bound_kept(tx, 25_000)
    kept = [each["content"] is not None for each in await rows(notification_db)]
    assert kept == [False, False, True, True, True]
    assert metric("kept_mail_dropped_total") == dropped + 2
    assert 20_000 < metric("kept_mail_bytes") < 25_000


@pytest.mark.parametrize(
    ("body", "cause"), [("while True: pass", "cpu"), ("bytearray(1 << 30)", "memory")]
)
async def test_a_mail_that_passes_the_limits_is_kept_and_the_next_is_read(
    notification_db: Database,
    sealer: Sealer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    cause: str,
) -> None:
    lines = ("if content.startswith(b'broken'):", f"    {body}", "return real(content)")
    mislead(tmp_path, monkeypatch, *lines)
    monkeypatch.setattr(confined, "WALL_SECONDS", PATIENCE)
    await store_mail(notification_db, sealer, content=b"broken" + NOTE)
    await store_mail(notification_db, sealer, content=NOTE)
    failed = metric("bounce_reader_failures_total", {"cause": cause})
    reader = ConfinedReader()
    try:
        await read_until(notification_db, sealer, all_settled, read_mail=reader.read)
    finally:
        await reader.close()
    broken, note = await rows(notification_db)
    assert (broken["kind"], note["kind"]) == ("unreadable", "not_a_bounce")
    assert broken["content"] is not None
    assert metric("bounce_reader_failures_total", {"cause": cause}) == failed + 1


def metric(name: str, labels: dict[str, str] | None = None) -> float:
    """A counter's value, 0 before it was first counted."""
    return REGISTRY.get_sample_value(name, labels) or 0
