"""Gateways are asked for what did not come, each question again later."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from structlog.testing import capture_logs

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import Recipients
from services.notification.deliveries.events import Accepted, Reply
from services.notification.deliveries.receipt_deadline import ASK_AFTER
from services.notification.receipts.asker import ReceiptAsker
from services.notification.sending.sms.failover import Failover, Line
from services.notification.sending.sms.gateway import GatewayResult, TextMessage
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptRequest, ReceiptState
from services.notification.sending.sms.sender import SmsSender
from tests.database.notification.support import (
    apply,
    claimed,
    delivery_of,
    now,
    running,
    turn_of,
)
from tests.support import eventually


class Knowing:
    """A gateway that can only be asked; of `broken` it fails to tell."""

    name = "webhook"
    longest_send = 1.0

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.broken = ""

    async def send(self, text: TextMessage) -> GatewayResult:
        raise NotImplementedError

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        self.asked.append(gateway_id)
        if gateway_id == self.broken:
            raise ValueError("+4917139200")
        return GatewayReceipt(
            gateway=self.name,
            reference=reference,
            gateway_id=gateway_id,
            state=ReceiptState.DELIVERED,
            at=now(),
        )

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        raise NotImplementedError

    async def close(self) -> None:
        pass


async def sent(db: Database, sealer: Sealer) -> UUID:
    """A text message that its gateway has taken; it calls it by the delivery's id."""
    request, _ = await claimed(db, sealer, channels=Recipients(sms="+4917139200"))
    delivery = await delivery_of(db, request)
    taken = Accepted(Reply(), gateway=Knowing.name, gateway_id=str(delivery.id))
    await apply(db, delivery.id, taken)
    return delivery.id


def asker(db: Database, gateway: Knowing, at: datetime, woken: list[None]) -> ReceiptAsker:
    sender = SmsSender(Failover([Line(gateway, 100)]), sender="Praxis")
    return ReceiptAsker(
        db, sender, poll=0.05, now=lambda: at, wake_reader=lambda: woken.append(None)
    )


async def test_what_a_gateway_knows_is_stored_and_one_that_fails_holds_up_no_other(
    notification_db: Database, sealer: Sealer
) -> None:
    gateway = Knowing()
    fine, failing = await sent(notification_db, sealer), await sent(notification_db, sealer)
    gateway.broken = str(failing)
    woken: list[None] = []
    later = now() + ASK_AFTER + timedelta(seconds=1)

    async def stored() -> list[UUID]:
        async with notification_db.system() as tx:
            return [row["reference"] for row in await tx.fetch("SELECT reference FROM receipts")]

    with capture_logs() as logged:
        async with running(asker(notification_db, gateway, later, woken).run()):
            await eventually(stored, "the receipt is stored")
            await turn_of("asker")
    assert await stored() == [fine]
    assert woken == [None]
    assert sorted(gateway.asked, key=str) == sorted([str(fine), str(failing)])
    assert [(one["event"], one["delivery_id"]) for one in logged] == [
        ("gateway can't be asked", str(failing))
    ]
    async with notification_db.system() as tx:
        due = await tx.fetch("SELECT ask_at, asked FROM deliveries")
    assert {row["asked"] for row in due} == {1}
    assert {row["ask_at"] for row in due} == {later + ASK_AFTER}


async def test_nobody_is_asked_too_early(notification_db: Database, sealer: Sealer) -> None:
    gateway, woken = Knowing(), list[None]()
    await sent(notification_db, sealer)
    turning = asker(notification_db, gateway, now(), woken)
    async with running(turning.run()):
        await turn_of("asker")
    assert gateway.asked == []
