"""A mail server that answers late, oddly or not at all: how many copies, and what is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import InvitationRequested, NoticeKind
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import Accepted, Bounced, Confirmed, Reply
from services.notification.deliveries.retries import RetryPolicy
from services.notification.sending.email.sender import EmailSender
from services.notification.sending.email.smtp_pool import SmtpPool, SmtpServer
from services.notification.sending.worker import Worker, WorkerPolicy
from tests.database.notification.support import (
    apply,
    claimed,
    deliveries_of,
    delivery_of,
    handle,
    invitation,
    notice,
    now,
    running,
    turn_of,
)
from tests.servers.after_dot import AfterDot
from tests.support import eventually

SOON = timedelta(milliseconds=20)
CLEAN: list[bytes | float] = [b"250 ok\r\n"]
CUT: list[bytes | float] = [b""]
GARBAGE: list[bytes | float] = [b"\x00what?\r\n"]
LATER: list[bytes | float] = [b"451 4.3.0 later\r\n"]


@asynccontextmanager
async def working(
    db: Database, sealer: Sealer, server: SmtpServer, *, lease: float = 60.0, drain: float = 0.0
) -> AsyncIterator[None]:
    """A worker of the mail channel that tries again soon."""
    sender = EmailSender(
        SmtpPool(server),
        sender_address="einladung@praxis.example",
        envelope_sender=lambda _: "rueck@praxis.example",
        envelope_id=lambda _: "tag",
        now=now,
    )
    policy = WorkerPolicy(
        poll=0.02, lease=lease, drain=drain, retry=RetryPolicy(first=SOON, longest=SOON)
    )
    async with running(Worker(db, Channel.EMAIL, sender, sealer=sealer, policy=policy).run()):
        yield
    await sender.close()


async def until(db: Database, request: InvitationRequested, state: State) -> Delivery:
    async def reached() -> Delivery | None:
        delivery = await delivery_of(db, request)
        return delivery if delivery.state is state else None

    return await eventually(reached, f"the delivery is {state}")


@pytest.mark.parametrize(
    ("answers", "copies", "state"),
    [
        ([CLEAN], 1, State.ACCEPTED),
        ([[b"\r\n250 ok\r\n"]], 1, State.ACCEPTED),
        ([LATER, LATER, CLEAN], 3, State.ACCEPTED),  # refused twice: one copy arrives
        ([CUT], 2, State.UNKNOWN),
        ([GARBAGE], 2, State.UNKNOWN),
        ([CUT, GARBAGE], 2, State.UNKNOWN),
        ([CUT, CLEAN], 2, State.ACCEPTED),
        ([CUT, LATER, LATER, CLEAN], 4, State.ACCEPTED),
        ([LATER, CUT, LATER, CUT], 4, State.UNKNOWN),
        ([CUT, [b"550 5.1.1 unknown\r\n"]], 2, State.FAILED),
    ],
)
async def test_copies_and_the_end(
    notification_db: Database,
    sealer: Sealer,
    answers: list[list[bytes | float]],
    copies: int,
    state: State,
) -> None:
    request, mail = invitation(), AfterDot(answers)
    await handle(notification_db, sealer, request)
    async with mail.listening() as server, working(notification_db, sealer, server):
        delivery = await until(notification_db, request, state)
        await asyncio.sleep(0.2)  # nothing more goes out
    assert mail.message_ids == [delivery.message_id] * copies


async def test_a_late_answer_is_waited_for_under_a_lease_that_is_renewed(
    notification_db: Database, sealer: Sealer
) -> None:
    """Of another process as well: both look for what is due all the time."""
    answered = asyncio.Event()
    request, mail = invitation(), AfterDot([[answered, b"250 ok\r\n"]])
    await handle(notification_db, sealer, request)

    async def leased_until() -> datetime | None:
        async with notification_db.system() as tx:
            found: datetime | None = await tx.fetchval(
                "SELECT due_at FROM deliveries WHERE state = 'sending'"
            )
        return found

    async def over() -> bool:  # for so long that the other one would have taken it
        return now() > first + timedelta(seconds=1)

    async with (
        mail.listening() as server,
        working(notification_db, sealer, server, lease=3.0),
        working(notification_db, sealer, server, lease=3.0),
    ):
        first = await eventually(leased_until, "it is claimed")
        await eventually(over, "the lease would be over")
        answered.set()
        delivery = await until(notification_db, request, State.ACCEPTED)
    assert (len(mail.message_ids), delivery.tries, delivery.unanswered) == (1, 1, 0)


async def test_silence_ends_as_unknown_after_two_copies(
    notification_db: Database, sealer: Sealer
) -> None:
    request, mail = invitation(), AfterDot([[60.0]])
    await handle(notification_db, sealer, request)
    async with (
        mail.listening() as server,
        working(notification_db, sealer, replace(server, message_timeout=0.1)),
    ):
        await until(notification_db, request, State.UNKNOWN)
    assert len(mail.message_ids) == 2


async def test_what_a_killed_worker_had_in_hand_is_a_copy_that_may_have_gone_out(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await claimed(notification_db, sealer)
    delivery, mail = await delivery_of(notification_db, request), AfterDot([CUT])
    async with notification_db.system() as tx:
        await tx.execute("UPDATE deliveries SET due_at = now()")  # its lease runs out
    async with mail.listening() as server, working(notification_db, sealer, server):
        unknown = await until(notification_db, request, State.UNKNOWN)
    assert mail.message_ids == [delivery.message_id]
    assert unknown.unanswered == 2


async def test_killed_twice_nothing_more_is_sent(notification_db: Database, sealer: Sealer) -> None:
    request, _ = await claimed(notification_db, sealer)
    delivery, mail = await delivery_of(notification_db, request), AfterDot([CLEAN])
    async with notification_db.system() as tx:
        await tx.execute("UPDATE deliveries SET due_at = now(), unanswered = 1")
    async with mail.listening() as server, working(notification_db, sealer, server):
        await until(notification_db, request, State.UNKNOWN)
    assert mail.message_ids == []
    # What comes back decides.
    await apply(notification_db, delivery.id, Confirmed(uuid7(), Reply(None, "2.0.0")))
    assert (await delivery_of(notification_db, request)).state is State.DELIVERED


@pytest.mark.parametrize("answer", [CUT, CLEAN])
async def test_a_worker_that_is_told_to_stop_while_it_waits_leaves_a_copy_unanswered(
    notification_db: Database, sealer: Sealer, answer: list[bytes | float]
) -> None:
    request, mail = invitation(), AfterDot([[60.0], answer])
    await handle(notification_db, sealer, request)

    async def waiting() -> bool:
        return bool(mail.message_ids)

    async with mail.listening() as server:
        async with working(notification_db, sealer, server):
            await eventually(waiting, "the dot is there")
        stopped = await delivery_of(notification_db, request)
        assert (stopped.state, stopped.unanswered) == (State.RETRYING, 1)
        async with working(notification_db, sealer, server):
            await until(
                notification_db, request, State.UNKNOWN if answer is CUT else State.ACCEPTED
            )
    assert len(mail.message_ids) == 2


async def test_stopped_before_the_dot_nothing_has_gone_out(
    notification_db: Database, sealer: Sealer
) -> None:
    request, mail = invitation(), AfterDot([CLEAN], rcpt=b"")
    await handle(notification_db, sealer, request)

    async def asked() -> bool:
        return bool(mail.recipients)

    async with mail.listening() as server, working(notification_db, sealer, server):
        await eventually(asked, "the recipient is named")
    stopped = await delivery_of(notification_db, request)
    assert (stopped.state, stopped.unanswered, stopped.tries) == (State.QUEUED, 0, 0)


async def test_whoever_lost_the_lease_hands_nothing_over(
    notification_db: Database, sealer: Sealer
) -> None:
    """A process that was stopped for so long that another one took the delivery."""
    answered = asyncio.Event()
    request, mail = invitation(), AfterDot([CLEAN], rcpt_after=answered)
    await handle(notification_db, sealer, request)

    async def asked() -> bool:
        return bool(mail.recipients)

    async def given_up() -> bool:
        return mail.connections == 0

    async with (
        mail.listening() as server,
        working(notification_db, sealer, server, lease=3.0, drain=5.0),
    ):
        await eventually(asked, "the recipient is named")
        async with notification_db.system() as tx:
            await tx.execute(
                "UPDATE deliveries SET lease = $1, due_at = $2",
                uuid7(),
                now() + timedelta(days=1),
            )
        await turn_of("worker-email-leases", 2)  # the first may have begun before
        answered.set()
        await eventually(given_up, "the connection is given up")
    assert mail.message_ids == []


async def test_notices_too(notification_db: Database, sealer: Sealer) -> None:
    (request, _), mail = await claimed(notification_db, sealer), AfterDot([CUT])
    told = await delivery_of(notification_db, request)
    await apply(notification_db, told.id, Accepted(Reply(250)))
    await handle(notification_db, sealer, notice(request, NoticeKind.REMINDER))

    async def unknown() -> bool:
        _, reminder = await deliveries_of(notification_db, request)
        return reminder.state is State.UNKNOWN

    async with mail.listening() as server, working(notification_db, sealer, server):
        await eventually(unknown, "the end is unknown")
    assert len(mail.message_ids) == 2


async def test_a_late_bounce_decides(notification_db: Database, sealer: Sealer) -> None:
    request, mail = invitation(), AfterDot([CUT])
    await handle(notification_db, sealer, request)
    async with mail.listening() as server, working(notification_db, sealer, server):
        delivery = await until(notification_db, request, State.UNKNOWN)
    await apply(
        notification_db, delivery.id, Bounced(uuid7(), Reply(None, "5.1.1"), permanent=True)
    )
    assert (await delivery_of(notification_db, request)).state is State.FAILED
