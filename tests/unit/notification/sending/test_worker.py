"""A letter that does not open here, as while keys rotate, waits for who has the key."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import Channel
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.transitions import transition
from services.notification.letters import store as letter_store
from services.notification.letters.letter import Letter
from services.notification.sending.due import DueDelivery
from services.notification.sending.sender import Outgoing, SendResult
from services.notification.sending.worker import Worker, WorkerPolicy, _Claim

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
LEASE = UUID(int=1)
OLD, NEW = b"o" * 32, b"n" * 32


class Unused:
    """A channel over which nothing can go."""

    async def send(self, outgoing: Outgoing) -> SendResult:
        raise AssertionError

    async def close(self) -> None:
        return None


async def test_a_letter_under_a_key_that_is_not_here_yet_is_tried_again() -> None:
    """A process that has the new key already took the request over; this one has not."""
    delivery = Delivery(
        id=uuid4(),
        practice_id=uuid4(),
        appointment_id=uuid4(),
        invitation_id=uuid4(),
        attempt=1,
        channel=Channel.SMS,
        message_id="<1@praxis.example>",
        requested_at=NOW,
        starts_at=NOW + timedelta(days=1),
        state=State.SENDING,
        tries=1,
        due_at=NOW + timedelta(minutes=5),
        lease=LEASE,
    )
    letter = Letter(
        recipient="+491701234567",
        patient_name="Erika Mustermann",
        sender_name="Praxis",
        link="https://praxis.example/besuch/1",
        locale="de",
        appointment_version=1,
        start=delivery.starts_at,
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    sealed = letter_store.seal(Sealer({1: OLD, 2: NEW}), delivery.practice_id, delivery.id, letter)
    worker = Worker(
        cast(Database, None),
        {Channel.SMS: Unused()},
        sealer=Sealer({1: OLD}),
        policy=WorkerPolicy(),
        now=lambda: NOW,
    )
    stored = {"id": delivery.id, "practice_id": delivery.practice_id, "letter": sealed.letter}
    due = DueDelivery(replace(delivery, state=State.QUEUED), cast(Any, stored))
    event = await worker._try(_Claim(due, delivery, LEASE, time.monotonic() + 300))
    after = transition(delivery, event, NOW).delivery
    assert after.state is State.RETRYING
    assert after.due_at is not None  # without it the letter would be erased
