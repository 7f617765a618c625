"""Deliveries are claimed, tried, and end as the try has ended."""

from dataclasses import dataclass, field

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import Channel
from services.notification.deliveries.delivery import State
from services.notification.sending.sender import Outgoing, SendResult, Verdict
from services.notification.sending.worker import Worker, WorkerPolicy
from tests.database.notification.support import delivery_of, handle, invitation, running
from tests.support import PATIENCE, eventually

OLD, NEW = b"o" * 32, b"n" * 32


@dataclass
class Obliging:
    """A channel that takes everything."""

    recipients: list[str] = field(default_factory=list)
    longest_send: float = PATIENCE

    async def send(self, outgoing: Outgoing) -> SendResult:
        self.recipients.append(outgoing.letter.recipient)
        return SendResult(Verdict.ACCEPTED)

    async def close(self) -> None:
        return None


def worker(db: Database, sealer: Sealer, channel: Obliging) -> Worker:
    return Worker(db, Channel.EMAIL, channel, sealer=sealer, policy=WorkerPolicy(poll=0.05))


async def test_what_is_due_is_sent_once(notification_db: Database, sealer: Sealer) -> None:
    request, channel = invitation(), Obliging()
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
    request, channel = invitation(), Obliging()
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
