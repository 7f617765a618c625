"""SMS gateways that refuse our login, or have no credit for us: text messages wait, none fails."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest_asyncio
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import InvitationRequested, Recipients
from services.notification.sending.sms.failover import Failover, Line
from services.notification.sending.sms.sender import SmsSender
from services.notification.sending.sms.seven import SevenAccount, SevenGateway
from services.notification.sending.sms.transport import HttpLimits
from services.notification.sending.sms.webhook import WebhookAccount, WebhookGateway
from services.notification.sending.worker import Worker, WorkerPolicy
from tests.database.notification.support import handle, invitation, now, running
from tests.support import PATIENCE, eventually
from tests.support.http_server import Answer, Server, serve
from tests.support.watch import Watch

LIMITS = HttpLimits(connect=PATIENCE, write=PATIENCE, read=PATIENCE, total=PATIENCE)
RECEIPTS = "https://praxis.example/v1/receipts"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
NO_CREDIT = Answer(402, b'{"code": "credit"}')
NO_LOGIN = Answer(200, b"900")
UNCLEAR = Answer(403)
TAKEN = Answer(202, json.dumps({"id": "m-1"}).encode())
AT_A_TIME = 2


@dataclass
class Gateways:
    """The two that are set up, in the order in which they are tried."""

    seven: Server
    webhook: Server

    @asynccontextmanager
    async def sending(self, db: Database, sealer: Sealer, clock: Watch) -> AsyncIterator[None]:
        """A worker sends over them."""
        seven = SevenGateway(
            SevenAccount(
                api_key="key", signing_key="key", receipts_url=RECEIPTS, url=self.seven.url
            ),
            LIMITS,
            now=now,
        )
        webhook = WebhookGateway(
            WebhookAccount(url=self.webhook.url, secret=SECRET, receipts_url=RECEIPTS),
            LIMITS,
            now=now,
        )
        sender = SmsSender(Failover([Line(seven, 1000), Line(webhook, 1000)]), sender="Praxis")
        policy = WorkerPolicy(poll=0.05, drain=0.0, concurrency=AT_A_TIME, share=AT_A_TIME)
        worker = Worker(db, Channel.SMS, sender, sealer=sealer, policy=policy, clock=clock)
        async with running(worker.run()):
            yield
        await sender.close()


@pytest_asyncio.fixture
async def gateways() -> AsyncIterator[Gateways]:
    async with serve() as seven, serve() as webhook:
        yield Gateways(seven, webhook)


def texts(number: int) -> list[InvitationRequested]:
    """Each of another practice."""
    return [
        invitation(practice_id=uuid7(), channels=Recipients(sms="+4917139200"))
        for _ in range(number)
    ]


async def states(db: Database) -> dict[str, int]:
    async with db.system() as tx:
        rows = await tx.fetch("SELECT state, count(*) FROM deliveries GROUP BY state")
    return {row["state"]: row["count"] for row in rows}


def held() -> float | None:
    return REGISTRY.get_sample_value("deliveries_held", {"channel": "sms"})


async def test_text_messages_are_held_when_every_gateway_refuses_us(
    notification_db: Database, sealer: Sealer, gateways: Gateways
) -> None:
    gateways.seven.answer(NO_LOGIN)
    gateways.webhook.answer(NO_CREDIT)
    clock = Watch()
    await handle(notification_db, sealer, *texts(12))

    async def tried(number: int) -> bool:
        return (await states(notification_db)).get("retrying") == number

    async def sent() -> bool:
        return (await states(notification_db)).get("accepted", 0) >= 12 - first - 1

    with capture_logs() as logs:
        async with gateways.sending(notification_db, sealer, clock):
            await eventually(held_back, "they are held")
            first = len(gateways.webhook.seen)
            assert first <= AT_A_TIME
            await eventually(lambda: tried(first), "what was begun has ended")
            clock.time += 15
            await eventually(lambda: tried(first + 1), "one probe")
            assert len(gateways.webhook.seen) == first + 1
            assert set(await states(notification_db)) == {"queued", "retrying"}
            gateways.webhook.answer(TAKEN)
            clock.time += 30
            await eventually(sent, "one gateway takes them again: all that wait go out")
    assert held() == 0
    alerts = [each for each in logs if each["log_level"] == "error"]
    assert [(each["event"], each["channel"], each["reply_code"]) for each in alerts] == [
        ("deliveries of all practices are held", "sms", 402)
    ]


async def held_back() -> bool:
    return held() == 1


async def test_one_gateway_that_takes_them_is_enough(
    notification_db: Database, sealer: Sealer, gateways: Gateways
) -> None:
    gateways.seven.answer(NO_LOGIN)
    gateways.webhook.answer(TAKEN)
    await handle(notification_db, sealer, *texts(12))

    async def sent() -> bool:
        return await states(notification_db) == {"accepted": 12}

    async with gateways.sending(notification_db, sealer, Watch()):
        await eventually(sent, "all are sent")
    assert held() in {None, 0}


async def test_a_refusal_that_may_be_about_one_number_holds_nothing_by_itself(
    notification_db: Database, sealer: Sealer, gateways: Gateways
) -> None:
    gateways.seven.answer(NO_LOGIN)
    gateways.webhook.answer(UNCLEAR, TAKEN)
    await handle(notification_db, sealer, *texts(12))

    async def sent() -> bool:
        return await states(notification_db) == {"accepted": 11, "retrying": 1}

    async with gateways.sending(notification_db, sealer, Watch()):
        await eventually(sent, "the others are sent, and it waits")
    assert held() in {None, 0}
