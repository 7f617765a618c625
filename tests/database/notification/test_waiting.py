"""A text message that waits for the morning: nothing of it is lost, and a mail does not wait."""

from datetime import datetime, timedelta
from typing import Any

from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentRescheduled,
    Event,
    InvitationRequested,
    NoticeKind,
    Recipients,
    SendNowRequested,
)
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import Accepted, Claimed, DeliveryEvent, Reply
from services.notification.letters.letter import LetterKind
from services.notification.sending.due import NOBODY, Turns, lock_due
from tests.database.notification.support import (
    apply,
    deliveries_of,
    handle,
    invitation,
    notice,
    now,
)

BOTH = Recipients(email="erika@example.org", sms="+491713920001")


def at_night(hours: float = 9, **changes: Any) -> InvitationRequested:
    """A request for both channels, whose SMS waits for as long."""
    start = now() + timedelta(days=2)
    times = {"start": start, "not_after": start, "sms_not_before": now() + timedelta(hours=hours)}
    return invitation(**{"channels": BOTH, **times, **changes})


def send_now(request: InvitationRequested) -> SendNowRequested:
    return SendNowRequested(
        appointment_id=request.appointment_id,
        practice_id=request.practice_id,
        appointment_version=1,
        occurred_at=now(),
    )


async def text_of(db: Database, request: InvitationRequested) -> Delivery:
    """The newest delivery by SMS of its appointment."""
    return [each for each in await deliveries_of(db, request) if each.channel is Channel.SMS][-1]


async def due(db: Database, channel: Channel, **later: float) -> list[Delivery]:
    async with db.system() as tx:
        found, _ = await lock_due(tx, channel, now() + timedelta(**later), 10, None)
    return [each.delivery for each in found]


async def test_the_mail_goes_and_the_sms_waits(notification_db: Database, sealer: Sealer) -> None:
    request = at_night()
    await handle(notification_db, sealer, request)
    mail, text = sorted(
        await deliveries_of(notification_db, request), key=lambda each: each.channel
    )
    assert mail.due_at is not None
    assert mail.due_at <= now()
    assert (mail.held_until, text.held_until, text.due_at) == (None, *2 * (request.sms_not_before,))


async def test_its_deadline_is_counted_from_the_morning(
    notification_db: Database, sealer: Sealer
) -> None:
    start = now() + timedelta(days=20)
    request = at_night(start=start, not_after=start)
    await handle(notification_db, sealer, request)
    text = await text_of(notification_db, request)
    # Overdue deliveries are ended without a try: three days after the morning, not the request.
    assert await due(notification_db, Channel.SMS, hours=80) == []
    assert await due(notification_db, Channel.SMS, hours=82) == [text]


async def test_send_now_ends_the_wait_of_all_that_waits(
    notification_db: Database, sealer: Sealer
) -> None:
    request, other = at_night(), at_night()
    await handle(notification_db, sealer, request, other)
    await handle(notification_db, sealer, send_now(request), send_now(request))
    text = await text_of(notification_db, request)
    assert (text.held_until, text.state, text.sequence) == (None, State.QUEUED, 2)
    assert text.due_at is not None
    assert text.due_at <= now()
    assert (await text_of(notification_db, other)).held_until is not None
    # In one batch with its request, too.
    third = at_night()
    await handle(notification_db, sealer, third, send_now(third))
    assert (await text_of(notification_db, third)).held_until is None


async def test_a_repeated_request_does_not_make_it_wait_again(
    notification_db: Database, sealer: Sealer
) -> None:
    request = at_night()
    events: list[Event] = [request, send_now(request), request]
    for event in events:
        await handle(notification_db, sealer, event)
    assert (await text_of(notification_db, request)).held_until is None


async def test_moved_near_it_goes_at_once(notification_db: Database, sealer: Sealer) -> None:
    request = at_night()
    await handle(notification_db, sealer, request)
    moved = AppointmentRescheduled(
        appointment_id=request.appointment_id,
        practice_id=request.practice_id,
        version=2,
        start=now() + timedelta(hours=10),
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    await handle(notification_db, sealer, moved)
    text = await text_of(notification_db, request)
    assert text.held_until is None
    assert text.due_at is not None
    assert text.due_at <= now()


def _taken() -> tuple[DeliveryEvent, ...]:
    lease = uuid7()
    return Claimed(lease, now() + timedelta(minutes=1)), Accepted(Reply(250))


async def test_a_cancellation_waits_like_the_rest_and_goes_on_request(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation(channels=BOTH)
    await handle(notification_db, sealer, request)
    for each in await deliveries_of(notification_db, request):
        await apply(notification_db, each.id, *_taken())
    morning = now() + timedelta(hours=9)
    told = notice(request, NoticeKind.CANCELLED, sms_not_before=morning, appointment_version=2)
    await handle(notification_db, sealer, told)
    text = await text_of(notification_db, request)
    assert (text.kind, text.due_at) == (LetterKind.CANCELLED, morning)
    await handle(notification_db, sealer, send_now(request))
    assert (await text_of(notification_db, request)).held_until is None


async def test_a_cancellation_names_the_start_that_the_patient_knows_not_one_that_waited(
    notification_db: Database, sealer: Sealer
) -> None:
    start = now() + timedelta(days=2)
    request = invitation(channels=BOTH, start=start, not_after=start)
    await handle(notification_db, sealer, request)
    for each in await deliveries_of(notification_db, request):
        taken = Claimed(uuid7(), now() + timedelta(minutes=1), start), Accepted(Reply(250))
        await apply(notification_db, each.id, *taken)
    later = {"start": start + timedelta(days=1), "not_after": start + timedelta(days=1)}
    waits = {"sms_not_before": now() + timedelta(hours=9)}
    moved = notice(
        request, NoticeKind.MOVED, **later, **waits, previous_start=start, appointment_version=2
    )
    await handle(notification_db, sealer, moved)
    for each in await deliveries_of(notification_db, request):
        if each.kind is LetterKind.MOVED and each.channel is Channel.EMAIL:
            await apply(notification_db, each.id, *_taken())
    told = notice(request, NoticeKind.CANCELLED, **later, **waits, appointment_version=3)
    await handle(notification_db, sealer, told)
    named: dict[Channel, datetime] = {}
    for channel in Channel:
        async with notification_db.system() as tx:
            turns = Turns(after=NOBODY, share=10, under_way={})
            due, _ = await lock_due(tx, channel, now() + timedelta(hours=10), 10, turns)
        named |= {each.delivery.channel: each.open(sealer, each.delivery).start for each in due}
    assert named == {Channel.EMAIL: later["start"], Channel.SMS: start}
