"""A short campaign of `make faults`, on the tests' own stack: every promise held."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

from uuid_utils.compat import uuid7

from local.practice import DEMO_PRACTICE
from reliability.faults.doing import Doing
from reliability.faults.evidence import drain, gather
from reliability.faults.inviting import Inviting
from reliability.faults.plan import Fault, Kind
from reliability.faults.promises import check
from tests.conftest import Stack

INVITATIONS, PER_SECOND = 30, 10.0
REPLICA = "notification-2"
PLAN = (
    Fault(1, 0.3, Kind.KILL, "mailbox", 0.2),
    Fault(2, 0.6, Kind.KILL, "phones", 0.2),
    Fault(3, 0.9, Kind.KILL, REPLICA, 0.2),
    Fault(4, 1.2, Kind.PAUSE, "phones", 1.0),
    Fault(5, 1.5, Kind.DISK, "mailbox", 0.7),
)


async def test_invitations_keep_every_promise_while_parts_fail(stack: Stack) -> None:
    practice = replace(DEMO_PRACTICE, id=uuid7())
    await stack.add_practice(practice)
    with stack.configured("notification", NOTIFICATION_LEASE_SECONDS="10"):
        await stack.start_service("notification", replica=2)
    since = datetime.now(UTC)
    desk = Inviting(stack, practice.id, ["scheduling"], random.Random(16))
    try:
        doing = Doing(stack, replicas=[REPLICA])
        await asyncio.gather(doing.run(PLAN, print), desk.run(INVITATIONS, PER_SECOND))
        await drain(stack, [practice.id])
        seen = await gather(stack, [practice.id], [desk.account], since=since)
    finally:
        await desk.close()
        await stack.service(REPLICA).stop()
    assert check(seen) == []
    assert len(seen.invitations) >= INVITATIONS * 0.9  # one too soon sent again may be refused
    assert any(line.event == "sent back" for line in seen.mails)
    assert any(line.event == "receipt" for line in seen.texts)
