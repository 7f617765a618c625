"""What a practice does with its appointments: rows and events of one transaction."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from fastapi_problem.error import Problem

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentDeleted,
    AppointmentFollowedUp,
    AppointmentRescheduled,
    InvitationIssued,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    Recipients,
    WithdrawalRequested,
)
from services.scheduling.problems import Begun, Changed, KeyReused, NotFound
from services.scheduling.schemas import Change, FollowUp, NewAppointment, Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk, version_of
from tests.support import Practice

EVENTS = [
    "einladung.v1.AppointmentScheduled",
    "einladung.v1.InvitationIssued",
    "einladung.v1.InvitationRequested",
]


async def outbox(db: Database, practice_id: UUID) -> list[tuple[str, str]]:
    """Key and type of each event to be published, in order."""
    async with db.practice(practice_id) as tx:
        rows = await tx.fetch("SELECT key, headers FROM outbox ORDER BY id")
    return [(row["key"], row["headers"]["ce_type"]) for row in rows]


async def test_an_appointment_and_its_events_are_written_together(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    appointment_id = await desk.create(patient_name="Erika Mustermann")
    found = await desk.booking.get(desk.caller, appointment_id)
    assert (found.appointment.patient_name, found.appointment.version) == ("Erika Mustermann", 1)
    assert await outbox(scheduling_db, practice_id) == [
        (str(appointment_id), event) for event in EVENTS
    ]
    assert desk.woken == 1


async def test_appointments_are_named_within_the_practice_and_reading_them_is_noted(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    stranger = Desk(scheduling_db, sealer, await new_practice())
    known, others = await desk.create(), await stranger.create()
    _, found = await desk.booking.named(desk.caller, [others, known, uuid4()])
    assert [each.id for each in found] == [known]
    query = "SELECT appointment_ids FROM audit_entries WHERE action = 'contact_data_read'"
    async with scheduling_db.practice(desk.practice_id) as tx:
        assert [row["appointment_ids"] for row in await tx.fetch(query)] == [[known]]


async def test_what_is_refused_writes_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    with pytest.raises(Problem):
        await desk.create(consent=False)
    async with scheduling_db.practice(practice_id) as tx:
        assert await tx.fetchval("SELECT count(*) FROM appointments") == 0
    assert await outbox(scheduling_db, practice_id) == []
    assert desk.woken == 0


async def test_the_same_request_again_is_carried_out_once(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    key, email = uuid4().hex, "erika@example.org"
    first = await desk.create(key, email=email)
    assert await desk.create(key, email=email) == first
    assert len(await outbox(scheduling_db, practice_id)) == len(EVENTS)


class Later(NewAppointment):
    """As a later release may know it: with a further field that may be left out."""

    further: str | None = None


async def test_the_same_request_again_after_an_upgrade_is_carried_out_once(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk, key, form = (
        Desk(scheduling_db, sealer, await new_practice()),
        uuid4().hex,
        Practice.form(),
    )
    first = await desk.create(key, **form)
    again = await desk.booking.create(desk.caller, Later(**form), key)
    assert (again.appointment.id, again.replayed) == (first, True)


async def test_another_practice_sees_nothing_of_it(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    appointment_id = await Desk(scheduling_db, sealer, await new_practice()).create()
    stranger = Desk(scheduling_db, sealer, await new_practice())
    with pytest.raises(Problem):
        await stranger.booking.get(stranger.caller, appointment_id)
    assert await outbox(scheduling_db, stranger.caller.practice_id) == []


async def test_a_key_is_good_for_one_request(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk, key = Desk(scheduling_db, sealer, await new_practice()), uuid4().hex
    appointment_id = await desk.create(key)
    with pytest.raises(KeyReused):
        await desk.create(key)  # to another address
    with pytest.raises(KeyReused):
        await desk.booking.resend(desk.caller, appointment_id, Resend(), key)
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)


async def test_of_an_erased_appointment_the_key_sends_nothing_again(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk, key, form = (
        Desk(scheduling_db, sealer, await new_practice()),
        uuid4().hex,
        Practice.form(),
    )
    erased = await desk.create(key, **form)
    await desk.booking.erase(desk.caller, erased)
    before = len(await desk.published())
    for again in (form, Practice.form(patient_name="Hans Maier")):
        with pytest.raises(NotFound):
            await desk.create(key, **again)
    assert len(await desk.published()) == before
    async with scheduling_db.practice(desk.practice_id) as tx:
        left = await tx.fetchrow("SELECT key, fingerprint, appointment_id FROM idempotency_keys")
    assert tuple(left or ()) == (key, None, None)


async def test_events_and_row_are_of_one_version(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    seen = 0

    async def published_since(version: int, *events: type) -> None:
        """What has been published since, all of this version, which is the row's too."""
        nonlocal seen
        published = await desk.published()
        new, seen = published[seen:], len(published)
        assert tuple(type(event) for event in new) == events
        assert {version_of(event) for event in new} == {version}
        assert await desk.version(appointment_id) == version

    appointment_id = await desk.create()
    seen = 1
    await published_since(1, InvitationIssued, InvitationRequested)
    moved = await desk.booking.change(desk.caller, appointment_id, Change(time="11:00"), {1})
    assert moved.appointment.version == 2
    await published_since(2, AppointmentRescheduled)
    again = await desk.booking.resend(
        desk.caller, appointment_id, Resend(email="neu@example.org"), None
    )
    assert (again.appointment.version, again.appointment.link_version) == (3, 2)
    await published_since(3, WithdrawalRequested, InvitationIssued, InvitationRequested)
    await desk.booking.delete(desk.caller, appointment_id, {3}, notify=True)
    await published_since(4, AppointmentDeleted, NoticeRequested)
    cancelled = (await desk.published())[-1]
    assert isinstance(cancelled, NoticeRequested)
    assert cancelled.kind is NoticeKind.CANCELLED


async def test_who_saw_another_version_changes_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    for change in (
        desk.booking.change(desk.caller, appointment_id, Change(time="11:00"), {2}),
        desk.booking.delete(desk.caller, appointment_id, {2}, notify=True),
        desk.booking.resend(desk.caller, appointment_id, Resend(), None, {2}),
        desk.booking.erase(desk.caller, appointment_id, {2}),
        desk.booking.erase(desk.caller, appointment_id, set()),
    ):
        with pytest.raises(Changed):
            await change
    same = await desk.booking.change(desk.caller, appointment_id, Change(time="10:00"), {1})
    assert same.appointment.version == 1
    assert len(await desk.published()) == len(EVENTS)


async def test_what_has_begun_is_not_sent_again(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create()
    desk.moment += timedelta(days=3)
    with pytest.raises(Begun):
        await desk.booking.resend(desk.caller, appointment_id, Resend(), None)
    with pytest.raises(
        Begun
    ):  # whatever was seen: there is nothing to be decided (RFC 9110, 13.2.1)
        await desk.booking.resend(desk.caller, appointment_id, Resend(), None, set())
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    assert not [each for each in await desk.published() if isinstance(each, NoticeRequested)]
    with pytest.raises(NotFound):
        await desk.booking.get(desk.caller, appointment_id)


async def test_who_sends_again_from_an_old_view_voids_no_link(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    """One desk corrects the address and the invitation arrives; another one has not seen it."""
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(email="anna@exmaple.org")
    seen = {1}
    right, old = Resend(email="anna@example.org"), Resend(email="anna@exmaple.org")
    corrected = await desk.booking.resend(desk.caller, appointment_id, right, None, seen)
    with pytest.raises(Changed):
        await desk.booking.resend(desk.caller, appointment_id, old, None, seen)
    found = await desk.booking.get(desk.caller, appointment_id)
    assert found == corrected


async def test_a_repeat_under_its_key_is_answered_whatever_its_view(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk, key = Desk(scheduling_db, sealer, await new_practice()), uuid4().hex
    appointment_id = await desk.create()
    for _ in range(2):
        sent = await desk.booking.resend(desk.caller, appointment_id, Resend(), key, {1})
        assert (sent.appointment.version, sent.appointment.attempt) == (2, 2)
    refused = uuid4().hex
    with pytest.raises(Changed):
        await desk.booking.resend(desk.caller, appointment_id, Resend(), refused, {1})
    # What was refused has not used up its key.
    sent = await desk.booking.resend(desk.caller, appointment_id, Resend(), refused, {2})
    assert sent.appointment.attempt == 3


@pytest.mark.parametrize(
    ("change", "link_version"),
    [
        ({}, 1),
        ({"email": "ERIKA@example.org"}, 2),
        ({"email": "erika@EXAMPLE.org", "phone": "+49 (0)171 3920001"}, 1),
        ({"channels": ["sms"]}, 1),
        ({"patient_name": "Erika Muster", "locale": "en"}, 1),
        ({"email": "other@example.org"}, 2),
        ({"phone": "0171 3920002"}, 2),
        ({"phone": ""}, 2),
    ],
)
async def test_the_link_stays_unless_an_address_is_another_one_or_gone(
    scheduling_db: Database,
    new_practice: NewPractice,
    sealer: Sealer,
    change: dict[str, object],
    link_version: int,
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(email="erika@example.org", phone="+491713920001")
    sent = await desk.booking.resend(
        desk.caller, appointment_id, Resend.model_validate(change), None
    )
    assert sent.appointment.link_version == link_version


async def test_a_missing_address_is_added_and_leaves_the_link(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(email="erika@example.org")
    by_sms = Resend(channels=["sms"], phone="0171 3920001")
    sent = (await desk.booking.resend(desk.caller, appointment_id, by_sms, None)).appointment
    assert (sent.email, sent.phone) == ("erika@example.org", "+491713920001")
    assert (sent.channels, sent.link_version) == ((Channel.SMS,), 1)
    requested = (await desk.published())[-1]
    assert isinstance(requested, InvitationRequested)
    assert requested.channels == Recipients(sms="+491713920001")
    # Notices go where the last attempt went, and not to an address that is only kept.
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    cancelled = (await desk.published())[-1]
    assert isinstance(cancelled, NoticeRequested)
    assert cancelled.channels == Recipients(sms="+491713920001")


async def test_an_address_that_is_not_asked_for_is_kept_and_not_written_to(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(email="erika@example.org", phone="0171 3920001")
    requested = (await desk.published())[-1]
    assert isinstance(requested, InvitationRequested)
    assert requested.channels == Recipients(email="erika@example.org")
    found = (await desk.booking.get(desk.caller, appointment_id)).appointment
    assert (found.phone, found.channels) == ("+491713920001", (Channel.EMAIL,))


async def test_a_corrected_name_and_language_are_invited_and_named_in_the_log(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    practice_id = await new_practice()
    desk = Desk(scheduling_db, sealer, practice_id)
    appointment_id = await desk.create(patient_name="Erika Mustermann")
    change = Resend(patient_name="Erika  Muster", locale="en", phone="0171 3920001")
    await desk.booking.resend(desk.caller, appointment_id, change, None)
    requested = (await desk.published())[-1]
    assert isinstance(requested, InvitationRequested)
    assert (requested.patient_name, requested.locale) == ("Erika Muster", "en")
    found = (await desk.booking.get(desk.caller, appointment_id)).appointment
    assert (found.patient_name, found.locale) == ("Erika Muster", "en")
    async with scheduling_db.practice(practice_id) as tx:
        changed = await tx.fetchval(
            "SELECT changed FROM audit_entries WHERE action = 'invitation_resent'"
        )
    assert changed == ["patient_name", "phone", "language"]


async def follow_ups(desk: Desk) -> tuple[list[AppointmentFollowedUp], int]:
    """Those that were published, and how many the audit log has."""
    query = "SELECT count(*) FROM audit_entries WHERE action = 'appointment_followed_up'"
    async with desk.booking.db.practice(desk.practice_id) as tx:
        audited: int = await tx.fetchval(query)
    published = await desk.published()
    return [each for each in published if isinstance(each, AppointmentFollowedUp)], audited


async def test_what_was_dealt_with_is_told_and_in_the_log_and_changes_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id, (first, second) = await desk.create(), sorted((uuid4(), uuid4()))
    seen = FollowUp(causes=[second, first, second])
    for _ in range(2):
        await desk.booking.follow_up(desk.caller, appointment_id, seen, "a key", {1})
    event = AppointmentFollowedUp(
        appointment_id=appointment_id,
        practice_id=desk.practice_id,
        causes=[first, second],
        occurred_at=desk.moment,
    )
    assert await follow_ups(desk) == ([event], 1)
    assert await desk.version(appointment_id) == 1
    with pytest.raises(KeyReused):
        await desk.booking.follow_up(desk.caller, appointment_id, FollowUp(causes=[first]), "a key")


async def test_a_deleted_appointment_is_followed_up_and_an_erased_one_is_not(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    seen, appointment_id = FollowUp(causes=[uuid4()]), await desk.create()
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    with pytest.raises(Changed):
        await desk.booking.follow_up(desk.caller, appointment_id, seen, None, {1})
    await desk.booking.follow_up(desk.caller, appointment_id, seen, None, {2})
    assert len((await follow_ups(desk))[0]) == 1
    await desk.booking.erase(desk.caller, appointment_id)
    stranger = Desk(scheduling_db, sealer, await new_practice())
    for somebody, which in ((desk, appointment_id), (stranger, await desk.create())):
        with pytest.raises(NotFound):
            await somebody.booking.follow_up(somebody.caller, which, seen, None)
