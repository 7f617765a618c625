"""How far a mailbox has been read never goes back, unless its UIDs were given anew."""

import pytest

from chassis.database import Database
from services.notification.receipts import mailbox_positions
from services.notification.receipts.mailbox_positions import MailboxPosition


@pytest.mark.parametrize(
    ("before", "after", "stored"),
    [
        (MailboxPosition(1, 5), MailboxPosition(1, 9), MailboxPosition(1, 9)),
        (MailboxPosition(1, 9), MailboxPosition(1, 5), MailboxPosition(1, 9)),
        (MailboxPosition(1, 9), MailboxPosition(2, 3), MailboxPosition(2, 3)),
    ],
)
async def test_a_position_advances(
    notification_db: Database,
    before: MailboxPosition,
    after: MailboxPosition,
    stored: MailboxPosition,
) -> None:
    async with notification_db.system() as tx:
        assert await mailbox_positions.find(tx, "bounces") is None
        await mailbox_positions.advance(tx, "bounces", before)
        await mailbox_positions.advance(tx, "bounces", after)
        assert await mailbox_positions.find(tx, "bounces") == stored
        assert await mailbox_positions.find(tx, "another") is None
