"""Who is told of a cancellation stays known until that has arrived, and no longer."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    AppointmentErased,
    Evidence,
    FailureCategory,
    FailureReason,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticeOutcome,
    NoticeRequested,
    References,
    Withheld,
)
from services.scheduling import erasure, events
from services.scheduling.appointments import Appointment
from services.scheduling.cancellations import BOUNCES_WITHIN
from services.scheduling.links import Link
from services.scheduling.problems import NotFound
from services.scheduling.schemas import Change, Resend
from services.scheduling.visits.page_lookup import PageLookup
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import LINKS, Desk
from tests.support import berlin_day


@pytest.fixture
async def desk(scheduling_db: Database, new_practice: NewPractice, sealer: Sealer) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


async def cancel(desk: Desk, **form: Any) -> NoticeRequested:
    appointment_id = await desk.create(**form)
    await desk.booking.delete(desk.caller, appointment_id, None, notify=True)
    notice = (await desk.published())[-1]
    assert isinstance(notice, NoticeRequested)
    assert notice.kind is NoticeKind.CANCELLED
    return notice


def outcome(notice: NoticeRequested, **said: Any) -> NoticeOutcome:
    """What becomes of the mail: delivered with `evidence`, else failed."""
    known: dict[str, Any] = {
        "appointment_id": notice.appointment_id,
        "practice_id": notice.practice_id,
        "notice_id": notice.notice_id,
        "kind": notice.kind,
        "appointment_version": notice.appointment_version,
        "channel": Channel.EMAIL,
        "sequence": 2,
        "occurred_at": utc_now(),
    }
    kind = NoticeDelivered if "evidence" in said else NoticeFailed
    return kind(**known | said)


async def take_in(db: Database, *outcomes: NoticeOutcome) -> None:
    async with db.system() as tx:
        await events.handle(tx, [Received(uuid7(), utc_now(), each, None) for each in outcomes])


async def named(desk: Desk, appointment_id: UUID) -> Appointment | None:
    _, found = await desk.booking.named(desk.caller, [appointment_id])
    return found[0] if found else None


async def is_kept(db: Database, appointment_id: UUID) -> bool:
    async with db.system() as tx:
        query = "SELECT contact IS NOT NULL FROM appointments WHERE id = $1"
        return bool(await tx.fetchval(query, appointment_id))


async def let_it_be(db: Database, moment: datetime) -> None:
    async with db.system() as tx:
        await erasure.by_term(tx, "/test", moment)


BOUNCED = {"category": FailureCategory.PERMANENT, "reason": FailureReason.UNKNOWN_USER}


async def test_whose_cancellation_is_under_way_can_be_named_and_nothing_else(
    scheduling_db: Database, desk: Desk, new_practice: NewPractice, sealer: Sealer
) -> None:
    notice = await cancel(desk, patient_name="Erika Mustermann", phone="+4915123456789")
    gone = notice.appointment_id
    found = await named(desk, gone)
    assert found is not None
    assert (found.patient_name, found.cancelled) == ("Erika Mustermann", True)
    assert (found.phone, found.version) == ("+4915123456789", notice.appointment_version)
    link = LINKS.read(LINKS.token(Link(gone, 1)))
    assert await PageLookup(scheduling_db, sealer).find(link, utc_now()) is None
    for refused in (
        desk.booking.get(desk.caller, gone),
        desk.booking.change(desk.caller, gone, Change(time="11:00"), None),
        desk.booking.resend(desk.caller, gone, Resend(), None),
        desk.booking.delete(desk.caller, gone, None, notify=True),
    ):
        with pytest.raises(NotFound):
            await refused
    _, listed = await desk.booking.day(desk.caller, found.starts_at.date())
    assert listed == []
    stranger = Desk(scheduling_db, sealer, await new_practice())
    assert await named(stranger, gone) is None


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ([{"evidence": Evidence.CONFIRMED}], False),
        ([{"evidence": Evidence.ACCEPTED}], True),
        ([{"evidence": Evidence.ACCEPTED}, BOUNCED | {"late": True}], True),
        ([BOUNCED], True),
        (
            [{"category": FailureCategory.CANCELLED, "withheld": Withheld.NOT_INVITED}],
            False,
        ),
    ],
)
@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("called", [{}, *({name: "kis:1"} for name in References.model_fields)])
async def test_who_knows_is_forgotten(
    scheduling_db: Database,
    desk: Desk,
    said: list[dict[str, Any]],
    kept: bool,
    together: bool,
    called: dict[str, str],
) -> None:
    """And with the patient what other systems call them."""
    notice = await cancel(desk, **called)
    outcomes = [outcome(notice, **each) for each in said]
    for batch in [outcomes] if together else [[each] for each in outcomes]:
        await take_in(scheduling_db, *batch)
    assert await is_kept(scheduling_db, notice.appointment_id) is kept
    found = await named(desk, notice.appointment_id)
    assert (found is not None) is kept
    assert found is None or found.references == References(**called)


async def test_what_was_taken_may_come_back_for_a_day(scheduling_db: Database, desk: Desk) -> None:
    notice = await cancel(desk, date=berlin_day(9).isoformat())
    taken = outcome(notice, evidence=Evidence.ACCEPTED)
    await take_in(scheduling_db, taken)
    day = taken.occurred_at + BOUNCES_WITHIN
    for moment, kept in ((day - timedelta(seconds=1), True), (day, False)):
        await let_it_be(scheduling_db, moment)
        assert await is_kept(scheduling_db, notice.appointment_id) is kept


async def test_at_the_old_start_nobody_has_to_be_called_any_more(
    scheduling_db: Database, desk: Desk
) -> None:
    notice = await cancel(desk)
    await take_in(scheduling_db, outcome(notice, **BOUNCED))
    await let_it_be(scheduling_db, notice.start - timedelta(seconds=1))
    assert await is_kept(scheduling_db, notice.appointment_id)
    desk.moment = notice.start
    assert await named(desk, notice.appointment_id) is None  # whenever housekeeping comes by
    await let_it_be(scheduling_db, notice.start)
    assert not await is_kept(scheduling_db, notice.appointment_id)


async def test_erasing_forgets_at_once(scheduling_db: Database, desk: Desk) -> None:
    notice = await cancel(desk)
    await desk.booking.erase(desk.caller, notice.appointment_id)
    assert await desk.version(notice.appointment_id) is None
    assert isinstance((await desk.published())[-1], AppointmentErased)
    await take_in(scheduling_db, outcome(notice, **BOUNCED))
    assert await named(desk, notice.appointment_id) is None


async def test_without_a_cancellation_the_patient_is_forgotten_at_once(
    scheduling_db: Database, desk: Desk
) -> None:
    appointment_id = await desk.create()
    await desk.booking.delete(desk.caller, appointment_id, None, notify=False)
    assert not await is_kept(scheduling_db, appointment_id)


async def test_an_outcome_of_another_notice_changes_nothing(
    scheduling_db: Database, desk: Desk
) -> None:
    notice = await cancel(desk)
    other = notice.model_copy(update={"notice_id": uuid7()})
    await take_in(scheduling_db, outcome(other, evidence=Evidence.CONFIRMED))
    assert await is_kept(scheduling_db, notice.appointment_id)
