"""What is corrected without sending: nothing goes out, and nobody says of the present address that
something arrived there."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentCorrected,
    AppointmentRescheduled,
    Event,
    InvitationIssued,
    InvitationRequested,
    NoticeRequested,
    Recipients,
    WithdrawalRequested,
)
from services.scheduling.appointments import Appointment
from services.scheduling.due_notices import DueNotices
from services.scheduling.links import Link
from services.scheduling.problems import Changed, NotFound
from services.scheduling.schemas import Change, Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import CHANNELS, LINKS, Desk
from tests.support import BERLIN

BOTH: dict[str, Any] = {
    "channels": ["email", "sms"],
    "email": "a@example.org",
    "phone": "+491713920001",
}


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice(reminders=[180]))


async def correct(desk: Desk, appointment_id: UUID, **changes: Any) -> Appointment:
    change = Change.model_validate(changes)
    return (await desk.booking.change(desk.caller, appointment_id, change, None)).appointment


async def told_since(desk: Desk, before: int) -> list[Event]:
    return (await desk.published())[before:]


async def noted(desk: Desk) -> list[tuple[str, list[str]]]:
    async with desk.booking.db.practice(desk.practice_id) as tx:
        rows = await tx.fetch("SELECT action, changed FROM audit_entries ORDER BY id")
    return [(row["action"], row["changed"]) for row in rows]


async def test_another_address_is_written_to_by_nobody_and_told_of(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    before = len(await desk.published())
    after = await correct(desk, appointment_id, email="b@example.org", patient_name="Erika Muster")
    assert (after.email, after.unsent, after.link_version) == (
        *("b@example.org", (Channel.EMAIL,), 1),
    )
    assert (after.version, after.attempt) == (2, 1)
    corrected, withdrawal = await told_since(desk, before)
    assert isinstance(corrected, AppointmentCorrected)
    assert (corrected.version, corrected.unsent) == (2, [Channel.EMAIL])
    assert isinstance(withdrawal, WithdrawalRequested)
    assert (withdrawal.attempt, withdrawal.channels) == (1, [Channel.EMAIL])
    assert (await noted(desk))[-1] == ("appointment_corrected", ["patient_name", "email"])
    assert (await desk.booking.get(desk.caller, appointment_id)).appointment == after


async def test_there_and_back_is_what_it_was(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    await correct(desk, appointment_id, phone="+491713920002")
    back = await correct(desk, appointment_id, phone="+491713920001")
    assert back.unsent == ()
    other = await correct(desk, appointment_id, phone="+491713920002", email="b@example.org")
    assert other.unsent == (Channel.EMAIL, Channel.SMS)
    assert (await correct(desk, appointment_id, email="a@example.org")).unsent == (Channel.SMS,)
    assert (await correct(desk, appointment_id, locale="en")).unsent == (Channel.SMS,)
    assert (await correct(desk, appointment_id, email="A@example.org")).unsent == (Channel.SMS,)


async def test_sent_again_it_goes_to_the_present_address_under_a_new_link(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    await correct(desk, appointment_id, email="b@example.org")
    again = (await desk.booking.resend(desk.caller, appointment_id, Resend(), None)).appointment
    assert (again.unsent, again.link_version, again.attempt) == ((), 2, 2)
    requested = (await desk.published())[-1]
    assert isinstance(requested, InvitationRequested)
    assert requested.channels == Recipients(email="b@example.org", sms="+491713920001")
    assert requested.link == LINKS.url(Link(appointment_id, 2))
    # And from there on it is the address that something was sent to.
    assert (await correct(desk, appointment_id, email="a@example.org")).unsent == (Channel.EMAIL,)


async def test_sent_again_to_another_address_what_waited_for_the_one_before_is_withdrawn(
    desk: Desk,
) -> None:
    appointment_id = await desk.create(**BOTH)
    for resent, channels in (
        (Resend(), None),
        (Resend(email="A@example.org"), None),
        (Resend(phone="+491713920002"), [Channel.SMS]),
        (Resend(channels=["email"]), [Channel.SMS]),
        (Resend(channels=["email", "sms"]), None),
    ):
        before = len(await desk.published())
        sent = (await desk.booking.resend(desk.caller, appointment_id, resent, None)).appointment
        *withdrawn, issued, requested = await told_since(desk, before)
        assert isinstance(issued, InvitationIssued)
        assert isinstance(requested, InvitationRequested)
        assert len(withdrawn) == (channels is not None)
        for each in withdrawn:
            assert isinstance(each, WithdrawalRequested)
            assert (each.appointment_version, each.channels) == (sent.version, channels)


async def test_an_address_that_nothing_goes_to_leaves_the_tick(desk: Desk) -> None:
    appointment_id = await desk.create(email="a@example.org", phone="+491713920001")
    before = len(await desk.published())
    after = await correct(desk, appointment_id, phone="")
    assert (after.phone, after.unsent) == (None, ())
    [corrected] = await told_since(desk, before)
    assert isinstance(corrected, AppointmentCorrected)


async def test_a_move_and_a_correction_at_once_are_both_told(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    before = len(await desk.published())
    await correct(desk, appointment_id, time="11:00", locale="en", notify=False)
    moved, corrected = await told_since(desk, before)
    assert isinstance(moved, AppointmentRescheduled)
    assert isinstance(corrected, AppointmentCorrected)
    assert moved.version == corrected.version == 2
    assert (await noted(desk))[-2:] == [
        ("appointment_rescheduled", ["starts_at"]),
        ("appointment_corrected", ["language"]),
    ]


async def test_who_saw_another_version_corrects_nothing(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    with pytest.raises(Changed):
        await desk.booking.change(desk.caller, appointment_id, Change(locale="en"), {2})
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    with pytest.raises(NotFound):
        await correct(desk, appointment_id, locale="en")


async def test_a_notice_goes_to_the_present_address_and_says_so_and_is_no_verdict_on_another(
    desk: Desk,
) -> None:
    appointment_id = await desk.create(**BOTH)
    after = await correct(desk, appointment_id, email="b@example.org")
    desk.moment = after.starts_at - timedelta(minutes=170)
    due = DueNotices(LINKS, CHANNELS, desk.booking.sealer, "/test", desk.now)
    async with desk.booking.db.system() as tx:
        await due.request(tx)
    reminder = (await desk.published())[-1]
    assert isinstance(reminder, NoticeRequested)
    assert (reminder.channels.email, reminder.corrected) == ("b@example.org", [Channel.EMAIL])
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    cancelled = (await desk.published())[-1]
    assert isinstance(cancelled, NoticeRequested)
    assert cancelled.corrected == [Channel.EMAIL]
    async with desk.booking.db.practice(desk.practice_id) as tx:
        assert {row["attempt"] for row in await tx.fetch("SELECT attempt FROM notices")} == {None}


async def test_the_patients_link_is_told_and_every_reading_noted(desk: Desk) -> None:
    appointment_id = await desk.create(**BOTH)
    for _ in range(2):
        link = await desk.booking.patient_link(desk.caller, appointment_id)
    assert (link.url, link.version) == (LINKS.url(Link(appointment_id, 1)), 1)
    booked = await desk.booking.get(desk.caller, appointment_id)
    until = link.valid_until.astimezone(BERLIN) - booked.appointment.ends_at
    assert timedelta(days=88) < until < timedelta(days=93)
    assert [each for each, _ in await noted(desk)].count("patient_link_read") == 2
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)
    with pytest.raises(NotFound):
        await desk.booking.patient_link(desk.caller, appointment_id)
