"""Deliveries are claimed, tried, and end as the try has ended."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.clock import Clock
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import FailureCategory, FailureReason, InvitationRequested, Recipients
from services.notification.deliveries.delivery import State
from services.notification.deliveries.events import Reply
from services.notification.refusals.refusal import About
from services.notification.sending.sender import Contact, Outgoing, SendResult, Verdict
from services.notification.sending.worker import Worker, WorkerPolicy
from tests.database.notification.support import (
    delivery_of,
    handle,
    invitation,
    now,
    running,
)
from tests.support import PATIENCE, eventually
from tests.support.watch import Watch

OLD, NEW = b"o" * 32, b"n" * 32


TAKEN = SendResult(Verdict.ACCEPTED, contact=Contact.GOOD)
SILENT = SendResult(Verdict.TEMPORARY, contact=Contact.SILENT)
LOGIN_REFUSED = SendResult(
    Verdict.TECHNICAL,
    Reply(535, "5.7.8", FailureReason.POLICY, About.ALL_MAIL),
    contact=Contact.REFUSES_US,
)


@dataclass
class Scripted:
    """A server that takes a while for each message, and ends it as told."""

    takes: float = 0.0  # seconds
    result: SendResult = TAKEN
    recipients: list[str] = field(default_factory=list)
    at_once: int = 0
    longest_send: float = PATIENCE

    async def send(self, outgoing: Outgoing) -> SendResult:
        self.recipients.append(outgoing.letter.recipient)
        self.at_once += 1
        try:
            await asyncio.sleep(self.takes)
        finally:
            self.at_once -= 1
        return self.result

    async def close(self) -> None:
        return None


def worker(
    db: Database,
    sealer: Sealer,
    sender: Scripted,
    channel: Channel = Channel.EMAIL,
    *,
    clock: Callable[[], float] = time.monotonic,
    now: Clock = now,
    **policy: Any,
) -> Worker:
    quick = WorkerPolicy(**{"poll": 0.05, "drain": 0.0} | policy)
    return Worker(db, channel, sender, sealer=sealer, policy=quick, clock=clock, now=now)


async def test_what_is_due_is_sent_once(notification_db: Database, sealer: Sealer) -> None:
    request, channel = invitation(), Scripted()
    await handle(notification_db, sealer, request)

    async def accepted() -> bool:
        return (await delivery_of(notification_db, request)).state is State.ACCEPTED

    async with running(worker(notification_db, sealer, channel).run()):
        await eventually(accepted, "it is sent and recorded")
    assert channel.recipients == [request.channels.email]


async def test_a_letter_under_a_key_that_is_not_here_yet_is_tried_again(
    notification_db: Database,
) -> None:
    """A process that has the new key already took the request over; this one has not."""
    request, channel = invitation(), Scripted()
    await handle(notification_db, Sealer({1: OLD, 2: NEW}), request)

    async def put_off() -> bool:
        return (await delivery_of(notification_db, request)).state is State.RETRYING

    async with running(worker(notification_db, Sealer({1: OLD}), channel).run()):
        await eventually(put_off, "it is put off")
    delivery = await delivery_of(notification_db, request)
    assert delivery.due_at is not None  # without it the letter would be erased
    assert channel.recipients == []
    async with notification_db.system() as tx:
        assert await tx.fetchval("SELECT letter FROM deliveries") is not None


def invitations(practice_id: UUID, number: int, **changes: Any) -> list[InvitationRequested]:
    return [invitation(practice_id=practice_id, **changes) for _ in range(number)]


async def states(db: Database) -> list[str]:
    async with db.system() as tx:
        rows = await tx.fetch("SELECT state FROM deliveries ORDER BY state")
    return [row["state"] for row in rows]


async def test_a_slow_mail_server_holds_up_no_text_message(
    notification_db: Database, sealer: Sealer
) -> None:
    practice, mails, texts = uuid7(), Scripted(takes=PATIENCE), Scripted()
    text = invitation(practice_id=practice, channels=Recipients(sms="+4917139200"))
    await handle(notification_db, sealer, *invitations(practice, 24), text)

    async def sent() -> bool:
        return (await delivery_of(notification_db, text)).state is State.ACCEPTED

    async def all_it_may_have() -> bool:
        return mails.at_once == WorkerPolicy().share

    async with running(worker(notification_db, sealer, mails).run()):
        await eventually(all_it_may_have, "mails are under way")
        async with running(worker(notification_db, sealer, texts, Channel.SMS).run()):
            await eventually(sent, "the text message is out while all mails wait", patience=10)
            assert mails.at_once == WorkerPolicy().share
    assert texts.recipients == ["+4917139200"]


async def test_a_practice_with_many_slow_mails_holds_up_no_other(
    notification_db: Database, sealer: Sealer
) -> None:
    mails = Scripted(takes=PATIENCE)
    await handle(notification_db, sealer, *invitations(uuid7(), 24))

    async def all_it_may_have() -> bool:
        return mails.at_once == 3

    async def under_way() -> bool:
        return "late@example.org" in mails.recipients

    async with running(worker(notification_db, sealer, mails, concurrency=4, share=3).run()):
        await eventually(all_it_may_have, "the first practice has its share")
        late = invitation(channels=Recipients(email="late@example.org"))
        await handle(notification_db, sealer, late)
        await eventually(under_way, "the second practice is served", patience=10)
        assert mails.at_once == 4


async def test_practices_take_turns_one_after_the_other(
    notification_db: Database, sealer: Sealer
) -> None:
    """One try at a time, and the first practice was there long before."""
    mails = Scripted(takes=0.01)
    first, second, third = sorted(uuid7() for _ in range(3))
    for practice, number in ((first, 12), (second, 2), (third, 1)):
        recipients = Recipients(
            email=f"{'abc'[(first, second, third).index(practice)]}@example.org"
        )
        await handle(notification_db, sealer, *invitations(practice, number, channels=recipients))

    async def all_sent() -> bool:
        return await states(notification_db) == ["accepted"] * 15

    async with running(worker(notification_db, sealer, mails, concurrency=1, share=1).run()):
        await eventually(all_sent, "all are sent")
    assert "".join(each[0] for each in mails.recipients) == "abcab" + "a" * 10


@pytest.mark.parametrize(("result", "at_least"), [(SILENT, 5), (LOGIN_REFUSED, 1)])
async def test_a_server_that_ends_all_alike_costs_one_probe_and_not_every_mail(
    notification_db: Database, sealer: Sealer, result: SendResult, at_least: int
) -> None:
    mails, watch = Scripted(result=result), Watch()
    for _ in range(6):
        await handle(notification_db, sealer, *invitations(uuid7(), 4))

    async def tried(number: int) -> int:
        """How many, once there are so many and nothing is tried any more."""

        async def enough() -> bool:
            idle = mails.at_once == 0 and "sending" not in await states(notification_db)
            return idle and len(mails.recipients) >= number

        await eventually(enough, f"{number} are tried")
        await asyncio.sleep(0.3)
        return len(mails.recipients)

    async def going() -> bool:
        return (await states(notification_db)).count("accepted") >= 12

    with capture_logs() as logs:
        async with running(
            worker(notification_db, sealer, mails, concurrency=2, share=2, clock=watch).run()
        ):
            first = await tried(at_least)
            assert first <= at_least + 2  # begun before it was known
            for probe, rest in enumerate((15, 30), 1):
                watch.time += rest
                assert await tried(first + probe) == first + probe
            # Nothing has failed; most have not even been tried.
            assert set(await states(notification_db)) == {"queued", "retrying"}
            mails.result = TAKEN
            watch.time += 60
            await eventually(going, "it is back, and they go out")
    alerts = [each["event"] for each in logs if each["log_level"] == "error"]
    assert alerts == ["deliveries of all practices are held"]


async def test_what_is_held_ends_at_its_deadline(notification_db: Database, sealer: Sealer) -> None:
    mails, passed = Scripted(result=LOGIN_REFUSED), timedelta()
    start = now() + timedelta(hours=1)
    soon = invitation(start=start, not_after=start)
    await handle(notification_db, sealer, soon, *invitations(uuid7(), 3))

    async def tried() -> bool:
        return "retrying" in await states(notification_db)

    async def ended() -> bool:
        return (await delivery_of(notification_db, soon)).state in {State.FAILED, State.CANCELLED}

    held = worker(
        notification_db,
        sealer,
        mails,
        concurrency=1,
        share=1,
        clock=Watch(),
        now=lambda: now() + passed,
    )
    async with running(held.run()):
        await eventually(tried, "the login is refused")
        passed = timedelta(hours=2)
        await eventually(ended, "it ends, though nothing is tried")
    assert len(mails.recipients) == 1
    assert len(set(await states(notification_db)) & {"failed", "cancelled"}) == 1


async def test_a_refusal_of_us_close_to_the_start_fails_as_technical(
    notification_db: Database, sealer: Sealer
) -> None:
    """No further try fits: the practice should know now."""
    request = invitation(not_after=now() + timedelta(seconds=14))
    await handle(notification_db, sealer, request)

    async def failed() -> bool:
        return (await delivery_of(notification_db, request)).state is State.FAILED

    async with running(worker(notification_db, sealer, Scripted(result=LOGIN_REFUSED)).run()):
        await eventually(failed, "it has failed")
    delivery = await delivery_of(notification_db, request)
    assert (delivery.category, delivery.reason) == (
        FailureCategory.TECHNICAL,
        FailureReason.POLICY,
    )
