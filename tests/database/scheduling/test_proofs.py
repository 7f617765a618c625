"""Proofs tell what is kept of an appointment, to its practice alone, and note that it was read."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.clock import utc_now
from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.channels import Channel
from services.scheduling import erasure, proof_store, proofs
from services.scheduling.addresses import Whereabouts
from services.scheduling.booking import SOURCE
from services.scheduling.problems import NotFound
from services.scheduling.proof_store import Proof
from services.scheduling.proofs import EXPORT_BATCH, Proofs
from services.scheduling.schemas import Change, Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support import berlin_day

YEAR = timedelta(days=365)


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


def of(desk: Desk) -> Proofs:
    return Proofs(desk.booking.db, desk.booking.sealer, AUDIT_LOG, desk.now)


async def get(desk: Desk, appointment_id: UUID) -> Proof:
    return (await of(desk).get(desk.caller, appointment_id))[1]


async def batches(desk: Desk, first: date, last: date) -> AsyncIterator[list[Proof]]:
    wanted = await of(desk).begin(desk.caller, first, last)
    async for batch in of(desk).batches(desk.caller, wanted):
        yield list(batch)


async def exported(desk: Desk, first: date | None = None, last: date | None = None) -> list[Proof]:
    """Of tomorrow, if nothing else is said."""
    days = first or berlin_day(1), last or berlin_day(1)
    return [proof async for batch in batches(desk, *days) for proof in batch]


async def log(desk: Desk) -> list[tuple[str, list[UUID], list[str]]]:
    """What the audit log says beside that appointments were made."""
    async with desk.booking.db.practice(desk.practice_id) as tx:
        rows = await tx.fetch(
            """
            SELECT action, appointment_ids, changed FROM audit_entries
            WHERE action IN ('contact_data_read', 'proof_exported') ORDER BY id
            """
        )
    return [tuple(row) for row in rows]


async def test_attempts_say_whether_they_went_to_the_present_address(desk: Desk) -> None:
    made = await desk.create(email="falsch@example.org", phone="0171 3920001")
    for changes in ({"email": "richtig@example.org"}, {"channels": ["email", "sms"]}):
        await desk.booking.resend(desk.caller, made, Resend(**changes), None)
    found = await get(desk, made)
    assert (found.patient_name, found.email) == ("Erika Mustermann", "richtig@example.org")
    assert [(each.attempt, each.channel, each.address) for each in found.attempts] == [
        (1, Channel.EMAIL, Whereabouts.OTHER),
        (2, Channel.EMAIL, Whereabouts.PRESENT),
        (3, Channel.EMAIL, Whereabouts.PRESENT),
        (3, Channel.SMS, Whereabouts.PRESENT),
    ]
    assert await log(desk) == [("contact_data_read", [made], [])]


async def test_a_cancelled_one_is_named_as_such_and_its_patient_only_while_that_is_kept(
    desk: Desk,
) -> None:
    told, untold = await desk.create(), await desk.create()
    await desk.booking.delete(desk.caller, told, None, notify=True)
    await desk.booking.delete(desk.caller, untold, None, notify=False)
    found = {each.appointment_id: each for each in await exported(desk)}
    assert found.keys() == {told, untold}
    assert all(each.cancelled_at for each in found.values())
    assert (found[told].known, found[untold].known) == (True, False)
    assert [each.kind for each in found[told].notices] == ["cancelled"]
    assert [each.address for each in found[untold].attempts] == [Whereabouts.UNKNOWN]
    # Who was read of is noted, and of the other nothing was.
    assert await log(desk) == [
        ("proof_exported", [], [f"{berlin_day(1)}/{berlin_day(1)}"]),
        ("contact_data_read", [told], []),
    ]
    desk.moment += timedelta(days=3)  # past the old start, before housekeeping came by
    assert not any(each.known for each in await exported(desk))


async def test_what_is_erased_or_past_its_term_is_not_there(desk: Desk) -> None:
    erased, expired = await desk.create(), await desk.create()
    await desk.booking.erase(desk.caller, erased)
    with pytest.raises(NotFound):
        await get(desk, erased)
    assert [each.appointment_id for each in await exported(desk)] == [expired]
    async with desk.booking.db.system() as tx:
        await erasure.by_term(tx, SOURCE, utc_now() + YEAR)
    assert await exported(desk) == []
    with pytest.raises(NotFound):
        await get(desk, expired)


async def test_only_the_days_asked_for_on_the_practices_clock(desk: Desk) -> None:
    day = berlin_day(4)
    times = [(day - timedelta(days=1), "23:59"), (day, "00:00"), (day, "23:59")]
    made = [await desk.create(date=f"{on}", time=time) for on, time in times]
    await desk.create(date=f"{day + timedelta(days=1)}", time="00:00")
    assert [each.appointment_id for each in await exported(desk, day, day)] == made[1:]
    await desk.booking.change(desk.caller, made[0], Change(date=f"{day}", time="12:00"), None)
    found = [each.appointment_id for each in await exported(desk, day, day)]
    assert found == [made[1], made[0], made[2]]


async def test_another_practice_gets_nothing(
    desk: Desk, sealer: Sealer, new_practice: NewPractice
) -> None:
    made = await desk.create()
    stranger = Desk(desk.booking.db, sealer, await new_practice())
    with pytest.raises(NotFound):
        await get(stranger, made)
    assert await exported(stranger) == []
    assert [action for action, *_ in await log(stranger)] == ["proof_exported"]


async def test_too_many_days_are_refused_and_leave_no_entry(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        await exported(desk, berlin_day(1), berlin_day(367))
    assert await log(desk) == []


async def test_a_contact_that_cannot_be_opened_stops_nobody(desk: Desk, owner_of: OwnerOf) -> None:
    damaged, whole = await desk.create(), await desk.create(time="11:00")
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET contact = '\\x01' WHERE id = $1", damaged)
    first, second = await exported(desk)
    assert (first.appointment_id, first.damaged, first.known) == (damaged, True, False)
    assert [each.address for each in first.attempts] == [Whereabouts.UNKNOWN]
    assert (second.appointment_id, second.damaged) == (whole, False)


async def test_thousands_come_in_batches_each_once_and_take_no_more_memory(
    desk: Desk, owner_of: OwnerOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 3000
    async with owner_of("scheduling") as owner:
        await owner.execute(
            """
            INSERT INTO appointments (id, practice_id, starts_at, duration_minutes, channels,
                locale, consented_at, invitation_id, created_at, created_by, deleted_at)
            SELECT gen_random_uuid(), $1, $2::date + interval '12 hours' * (n % 20), 20, '{email}',
                'de', now(), gen_random_uuid(), now(), 'test', now()
            FROM generate_series(1, $3) AS n
            """,
            desk.practice_id,
            berlin_day(1),
            count,
        )
    week = berlin_day(1), berlin_day(31)
    seen: set[UUID] = set()
    tracemalloc.start()
    async for batch in batches(desk, *week):
        assert len(batch) <= EXPORT_BATCH
        seen |= {each.appointment_id for each in batch}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == count
    assert peak < 4_000_000  # bytes; the rows alone are more
    monkeypatch.setattr(proofs, "EXPORT_BATCH", 7)
    assert {each.appointment_id for each in await exported(desk, *week)} == seen


async def test_a_page_of_the_range_is_read_from_the_index(desk: Desk, owner_of: OwnerOf) -> None:
    now = utc_now()
    async with owner_of("scheduling") as owner:
        await owner.execute("SET enable_seqscan = off")
        plan = await owner.fetch(
            f"EXPLAIN {proof_store.PAGE}", desk.practice_id, now, now + YEAR, now, uuid4(), 200
        )
    assert any("appointments_to_erase" in line[0] for line in plan)
