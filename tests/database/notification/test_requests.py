"""Kafka in: what requests make of deliveries."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    AppointmentDeleted,
    DailyMailRequested,
    Event,
    FailureCategory,
    NoticeKind,
    Recipients,
)
from contracts.tariffs import Tariff
from services.notification.deliveries.delivery import State
from services.notification.letters.letter import LetterKind
from services.notification.requests import Wakes
from tests.database.notification.support import (
    deliveries_of,
    delivery_of,
    handle,
    invitation,
    invited,
    notice,
    now,
)


async def test_a_request_queues_one_delivery_for_each_channel(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation(channels=Recipients(email="erika@example.org", sms="+4917139200"))
    await handle(notification_db, sealer, request)
    queued = await deliveries_of(notification_db, request)
    assert {each.channel for each in queued} == set(Channel)
    assert {each.state for each in queued} == {State.QUEUED}
    assert all(each.due_at is not None for each in queued)


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [
        (invitation(), ["email", "relay"]),
        (invitation(channels=Recipients(sms="+4917139200")), ["relay", "sms"]),
        (
            DailyMailRequested(
                practice_id=uuid7(),
                day=date(2026, 11, 28),
                recipient="leitung@praxis.example",
                practice_name="Praxis am See",
                open_count=3,
                link="https://termine.example/#/offen",
                not_after=now() + timedelta(hours=12),
            ),
            ["daily mails"],
        ),
        (AppointmentDeleted(appointment_id=uuid7(), practice_id=uuid7(), version=2), []),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_who_has_nothing_to_do_is_not_woken(
    notification_db: Database, sealer: Sealer, request_of: Event, expected: list[str]
) -> None:
    woken: list[str] = []
    wakes = Wakes(
        worker=woken.append,
        daily_mails=lambda: woken.append("daily mails"),
        relay=lambda: woken.append("relay"),
    )
    events = await handle(notification_db, sealer, request_of, wakes=wakes)
    assert woken == []  # before it is committed nobody would find it
    events.tell()
    assert sorted(woken) == expected
    events.tell()
    assert sorted(woken) == expected


async def test_a_worker_looks_again_for_what_was_locked_when_it_looked(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await invited(notification_db, sealer)
    await handle(notification_db, sealer, notice(request, NoticeKind.CANCELLED))
    woken: list[str] = []
    deletion = AppointmentDeleted(
        appointment_id=request.appointment_id, practice_id=request.practice_id, version=2
    )
    events = await handle(notification_db, sealer, deletion, wakes=Wakes(worker=woken.append))
    events.tell()
    [due] = [each for each in await deliveries_of(notification_db, request) if each.due_at]
    assert due.kind is LetterKind.CANCELLED
    assert woken == ["email"]


async def test_a_message_id_tells_nothing_of_its_delivery(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    delivery = await delivery_of(notification_db, request)
    local_part = delivery.message_id.strip("<>").partition("@")[0]
    assert UUID(local_part).version == 4  # 122 random bits
    assert UUID(local_part) != delivery.id


async def test_the_same_request_again_changes_nothing(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request, request)
    before = await deliveries_of(notification_db, request)
    await handle(notification_db, sealer, request)
    assert await deliveries_of(notification_db, request) == before
    assert len(before) == 1


async def test_the_address_is_stored_sealed(notification_db: Database, sealer: Sealer) -> None:
    await handle(notification_db, sealer, invitation())
    async with notification_db.system() as tx:
        row = await tx.fetchrow("SELECT d.*, d::text AS whole FROM deliveries d")
    assert row is not None
    assert row["letter"] is not None
    assert "erika@example.org" not in row["whole"]
    assert b"erika@example.org" not in row["letter"]


async def test_a_channel_beyond_the_tariff_fails_at_once(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation(channels=Recipients(sms="+4917139200"), tariff=Tariff.BASIC)
    await handle(notification_db, sealer, request)
    delivery = await delivery_of(notification_db, request)
    assert (delivery.state, delivery.category) == (State.FAILED, FailureCategory.TECHNICAL)


@pytest.mark.parametrize("deletion_first", [True, False])
async def test_a_deleted_appointment_invites_nobody(
    notification_db: Database, sealer: Sealer, deletion_first: bool
) -> None:
    request = invitation()
    deletion = AppointmentDeleted(
        appointment_id=request.appointment_id, practice_id=request.practice_id, version=2
    )
    for event in (deletion, request) if deletion_first else (request, deletion):
        await handle(notification_db, sealer, event)
    assert (await delivery_of(notification_db, request)).state is State.CANCELLED


async def test_what_is_queued_knows_of_a_move_by_the_notice_of_it(
    notification_db: Database, sealer: Sealer
) -> None:
    """The topics are not ordered: until the move itself is read, nothing is given up as begun."""
    request = invitation()
    later = request.start + timedelta(days=1)
    moved = notice(request, NoticeKind.MOVED, appointment_version=2, start=later, not_after=later)
    await handle(notification_db, sealer, request)
    await handle(notification_db, sealer, moved)
    known = await deliveries_of(notification_db, request)
    [invited] = [each for each in known if each.kind is LetterKind.INVITATION]
    assert (invited.state, invited.starts_at) == (State.QUEUED, later)


async def test_a_newer_attempt_supersedes_the_queued_one(
    notification_db: Database, sealer: Sealer
) -> None:
    first = invitation()
    second = first.model_copy(update={"attempt": 2, "channels": Recipients(email="e@example.org")})
    await handle(notification_db, sealer, first)
    await handle(notification_db, sealer, second)
    by_attempt = {each.attempt: each for each in await deliveries_of(notification_db, first)}
    assert by_attempt[1].state is State.SUPERSEDED
    assert by_attempt[2].state is State.QUEUED


async def test_row_security_hides_deliveries_from_another_practice(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    for practice_id, seen in ((request.practice_id, 1), (uuid7(), 0)):
        async with notification_db.practice(practice_id) as tx:
            assert await tx.fetchval("SELECT count(*) FROM deliveries") == seen
