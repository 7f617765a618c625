"""Scheduling's database alone was restored to an earlier moment (docs/production.md)."""

from datetime import timedelta

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import AppointmentRescheduled, Recipients
from tests.database.notification.support import deliveries_of, handle, invitation, now

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
