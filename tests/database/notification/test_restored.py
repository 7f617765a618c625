"""Databases were restored to earlier moments: what notification makes of it."""

from datetime import timedelta

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import decode
from contracts.events import (
    AppointmentRescheduled,
    Event,
    InvitationDelivered,
    InvitationPending,
    InvitationRequested,
    Recipients,
)
from services.notification.deliveries import recovery
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import Accepted, Reply
from tests.database.notification.support import (
    apply,
    claimed,
    deliveries_of,
    delivery_of,
    handle,
    invitation,
    now,
)

RAISED = 1000  # by the guide's UPDATE


async def test_numbers_that_were_given_before_are_repeats_and_raised_ones_are_news(
    notification_db: Database, sealer: Sealer
) -> None:
    first = invitation()
    lost = first.model_copy(update={"attempt": 2, "appointment_version": 2})
    await handle(notification_db, sealer, first, lost)
    again = Recipients(email="again@example.org")
    for number, sent in (2, 0), (2 + RAISED, 1):
        before = len(await deliveries_of(notification_db, first))
        update = {"attempt": number, "appointment_version": number, "channels": again}
        await handle(notification_db, sealer, first.model_copy(update=update))
        assert len(await deliveries_of(notification_db, first)) - before == sent


async def test_of_moves_as_well(notification_db: Database, sealer: Sealer) -> None:
    request = invitation(appointment_version=2)
    await handle(notification_db, sealer, request)
    start = now() + timedelta(days=2)
    for number, moved in (2, False), (2 + RAISED, True):
        news = AppointmentRescheduled(
            appointment_id=request.appointment_id,
            practice_id=request.practice_id,
            version=number,
            occurred_at=now(),
            start=start,
            duration_minutes=20,
            time_zone="Europe/Berlin",
        )
        await handle(notification_db, sealer, news)
        (delivery,) = await deliveries_of(notification_db, request)
        assert (delivery.starts_at == start) is moved


async def repeat(db: Database, sealer: Sealer, request: InvitationRequested) -> Delivery:
    """Scheduling asks once more; what is there then."""
    await handle(db, sealer, request.model_copy(update={"repeated": True}))
    return await delivery_of(db, request)


async def told(db: Database) -> list[Event]:
    """What is in the outbox, which is empty then."""
    async with db.system() as tx:
        rows = await tx.fetch("DELETE FROM outbox RETURNING id, headers, value")
    return [
        decode([(name, text.encode()) for name, text in row["headers"].items()], row["value"]).event
        for row in sorted(rows, key=lambda row: row["id"])
    ]


async def tell_again(db: Database, *, restored: bool = False) -> list[Event]:
    """What is told again of everything."""
    await told(db)
    async with db.system() as tx:
        since = now() - timedelta(days=1)
        last, _ = await recovery.tell_again(
            tx, recovery.FIRST, since=since, restored=restored, now=now()
        )
    assert last is None
    return await told(db)


async def forgotten(db: Database, request: InvitationRequested) -> None:
    """As before it was heard of."""
    async with db.system() as tx:
        for table in ("deliveries", "appointments"):
            await tx.execute(
                f"DELETE FROM {table} WHERE appointment_id = $1", request.appointment_id
            )


async def test_what_is_known_stays_as_it_is(notification_db: Database, sealer: Sealer) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    before = await delivery_of(notification_db, request)
    assert await repeat(notification_db, sealer, request) == before


async def test_a_mail_that_may_be_out_gets_one_copy_under_its_message_id(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    before = await delivery_of(notification_db, request)
    await forgotten(notification_db, request)
    again = await repeat(notification_db, sealer, request)
    assert (again.id, again.message_id) == (before.id, before.message_id)
    assert (again.state, again.unanswered) == (State.QUEUED, 1)
    assert again.sequence > before.sequence + 1000


async def test_a_text_message_that_may_be_out_is_asked_for(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation(channels=Recipients(sms="+491713920001"))
    await handle(notification_db, sealer, request)
    before = await delivery_of(notification_db, request)
    await forgotten(notification_db, request)
    again = await repeat(notification_db, sealer, request)
    assert (again.id, again.state, again.due_at) == (before.id, State.UNKNOWN, None)
    assert again.ask_at is not None


async def test_what_a_restored_database_would_send_may_be_out(
    notification_db: Database, sealer: Sealer
) -> None:
    both = Recipients(email="erika@example.org", sms="+491713920001")
    request = invitation(channels=both)
    await handle(notification_db, sealer, request)
    states = {}
    for restored in False, True:
        assert [type(each) for each in await tell_again(notification_db, restored=restored)] == [
            InvitationPending,
            InvitationPending,
        ]
        states = {each.channel: each for each in await deliveries_of(notification_db, request)}
        assert (states[Channel.SMS].state is State.QUEUED) is not restored
        assert states[Channel.EMAIL].state is State.QUEUED
        assert states[Channel.EMAIL].unanswered == restored


async def test_outcomes_are_told_again_as_they_were_and_no_word_of_a_gateway(
    notification_db: Database, sealer: Sealer
) -> None:
    mail, lease = await claimed(notification_db, sealer)
    taken = Accepted(Reply(250))
    await apply(notification_db, (await delivery_of(notification_db, mail)).id, taken)
    first = [each for each in await told(notification_db) if isinstance(each, InvitationDelivered)]
    text, lease = await claimed(notification_db, sealer, channels=Recipients(sms="+491713920001"))
    taken = Accepted(Reply(None), gateway="webhook", gateway_id=str(lease))
    await apply(notification_db, (await delivery_of(notification_db, text)).id, taken)
    assert (await delivery_of(notification_db, text)).state is State.ACCEPTED
    assert await tell_again(notification_db) == first
