"""What housekeeping does without being asked."""

from contextlib import AsyncExitStack

from chassis.database import Database
from chassis.sealing import Sealer
from services.notification import wiring
from services.notification.receipts import store as receipt_store
from services.notification.receipts.store import Queue, ReturnedMail
from services.notification.settings import Settings
from tests.database.notification.support import handle, invitation, now, running
from tests.support import eventually
from tests.support.settings import NOTIFICATION

SETTINGS = Settings.model_validate(NOTIFICATION)
OLD, NEW = b"o" * 32, b"n" * 32


async def test_letters_and_mails_are_sealed_under_the_newest_key(
    notification_db: Database,
) -> None:
    before, after = Sealer({1: OLD}), Sealer({1: OLD, 2: NEW})
    await handle(notification_db, before, invitation())
    async with notification_db.system() as tx:
        await receipt_store.store_mail(tx, before, [ReturnedMail(b"Subject: x\r\n", None)], now())

    async def numbers() -> list[int]:
        async with notification_db.system() as tx:
            rows = await tx.fetch(
                """
                SELECT get_byte(letter, 0) AS number FROM deliveries
                UNION ALL SELECT get_byte(content, 0) FROM receipts
                """
            )
        return [row["number"] for row in rows]

    async def resealed() -> bool:
        return await numbers() == [2, 2]

    assert await numbers() == [1, 1]
    async with AsyncExitStack() as stack:
        for loop in wiring.housekeepers(SETTINGS, notification_db, after, now):
            await stack.enter_async_context(running(loop.run()))
        await eventually(resealed, "the letter and the mail are sealed under the new key")
    async with notification_db.system() as tx:
        (receipt,) = await receipt_store.claim_due(
            tx, Sealer({2: NEW}), Queue.OTHER, now(), now(), 10
        )
    assert receipt.content == b"Subject: x\r\n"
