"""How tries ended is recorded together, and one by one where one can't be."""

import asyncio
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from services.notification.deliveries import store
from services.notification.deliveries.delivery import State
from services.notification.deliveries.events import (
    Accepted,
    DeliveryEvent,
    FailedForNow,
    Misconfigured,
    Reply,
)
from services.notification.refusals.refusal import Stage
from services.notification.sending.email.smtp_replies import read_reply
from services.notification.sending.recorder import Recorder, Result
from tests.database.notification.support import claimed, delivery_of, now, running
from tests.support import eventually

TAKEN = Accepted(Reply(250, "2.0.0"))
POISON = Accepted(Reply(2**40, "2.0.0"))  # no integer of PostgreSQL


class Sent:
    """A recorder of deliveries that are being sent, and whom it has woken."""

    def __init__(self, db: Database) -> None:
        self.settled: list[int] = []
        self.woken = 0
        self.recorder = Recorder(
            db,
            batch=100,
            now=now,
            committed=lambda results: self.settled.append(len(results)),
            wake_relay=self._wake_relay,
        )

    def _wake_relay(self) -> None:
        self.woken += 1

    async def record(self, *results: tuple[UUID, DeliveryEvent]) -> None:
        async def all_settled() -> bool:
            return sum(self.settled) >= len(results)

        for delivery_id, event in results:
            self.recorder.add(Result(delivery_id, event))
        async with running(self.recorder.run()):
            await eventually(all_settled, "all results are settled")


async def sending(db: Database, sealer: Sealer) -> UUID:
    """A delivery that is being sent."""
    request, _ = await claimed(db, sealer)
    return (await delivery_of(db, request)).id


async def states(db: Database, *delivery_ids: UUID) -> list[State]:
    async with db.system() as tx:
        found = await store.lock_deliveries(tx, delivery_ids)
    return [found[each].state for each in delivery_ids]


async def outcomes(db: Database) -> list[str]:
    """The types of the outcomes to be published, but for those of the way there."""
    async with db.system() as tx:
        rows = await tx.fetch("SELECT headers FROM outbox ORDER BY id")
    types = [row["headers"]["ce_type"].removeprefix("einladung.v1.") for row in rows]
    return [each for each in types if each != "InvitationPending"]


async def test_results_are_recorded_in_one_transaction(
    notification_db: Database, sealer: Sealer
) -> None:
    first, second = [await sending(notification_db, sealer) for _ in range(2)]
    sent = Sent(notification_db)
    await sent.record((first, TAKEN), (second, TAKEN))
    assert await states(notification_db, first, second) == [State.ACCEPTED, State.ACCEPTED]
    assert await outcomes(notification_db) == ["InvitationDelivered"] * 2
    assert (sent.settled, sent.woken) == ([2], 1)


async def test_a_result_waits_for_those_of_the_other_tries(
    notification_db: Database, sealer: Sealer
) -> None:
    first, second = [await sending(notification_db, sealer) for _ in range(2)]
    sent = Sent(notification_db)

    async def both_settled() -> bool:
        return sum(sent.settled) == 2

    async with running(sent.recorder.run()):
        await asyncio.sleep(0)  # it has begun, and found nothing
        sent.recorder.add(Result(first, TAKEN), others=True)
        await asyncio.sleep(0)
        sent.recorder.add(Result(second, TAKEN))
        await eventually(both_settled, "both results are settled")
    assert sent.settled == [2]


async def test_one_that_can_not_be_recorded_holds_up_no_other(
    notification_db: Database, sealer: Sealer
) -> None:
    first, poisoned, last = [await sending(notification_db, sealer) for _ in range(3)]
    sent = Sent(notification_db)
    await sent.record((first, TAKEN), (poisoned, POISON), (last, TAKEN))
    # Its lease runs out, then it is tried again.
    assert await states(notification_db, first, poisoned, last) == [
        State.ACCEPTED,
        State.SENDING,
        State.ACCEPTED,
    ]
    assert await outcomes(notification_db) == ["InvitationDelivered"] * 2
    assert sum(sent.settled) == 3


async def test_a_result_of_an_erased_delivery_is_passed_over(
    notification_db: Database, sealer: Sealer
) -> None:
    known = await sending(notification_db, sealer)
    sent = Sent(notification_db)
    await sent.record((uuid7(), TAKEN), (known, TAKEN))
    assert await states(notification_db, known) == [State.ACCEPTED]


async def test_what_came_last_is_recorded_at_the_end(
    notification_db: Database, sealer: Sealer
) -> None:
    delivery_id = await sending(notification_db, sealer)
    recorder = Sent(notification_db).recorder
    recorder.add(Result(delivery_id, TAKEN))
    await recorder.finish()
    assert await states(notification_db, delivery_id) == [State.ACCEPTED]


RELAYING = read_reply(Stage.RCPT, 550, "5.7.1 Relaying denied")
BUSY = read_reply(Stage.CONNECT, 421, "4.3.2 too busy")
SPAM = read_reply(Stage.MESSAGE, 554, "5.7.1 message looks like spam")


@pytest.mark.parametrize(
    ("event", "alerts"),
    [
        (Misconfigured(uuid7(), RELAYING), ["policy"]),
        (Misconfigured(uuid7(), SPAM), ["blocked"]),
        (FailedForNow(uuid7(), BUSY, None), []),
        (TAKEN, []),
    ],
)
async def test_a_server_that_refuses_us_is_told_to_operations(
    notification_db: Database,
    sealer: Sealer,
    event: DeliveryEvent,
    alerts: list[str],
) -> None:
    delivery_id = await sending(notification_db, sealer)
    with capture_logs() as logged:
        await Sent(notification_db).record((delivery_id, event))
    told = [each for each in logged if each["event"] == "server refuses us"]
    assert [each["reason"] for each in told] == alerts
