"""Appointments are found by days and by the patient's name, in their practice alone, and noted."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from chassis.clock import utc_now
from chassis.database import Database
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from services.scheduling import forms, lookups
from services.scheduling.lookups import Lookups, Page
from services.scheduling.places import ListPlace
from services.scheduling.schemas import Resend
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG, Desk
from tests.support import berlin_day

TOMORROW = berlin_day(1)


def day(count: int) -> str:
    return (TOMORROW + timedelta(days=count)).isoformat()


@pytest_asyncio.fixture
async def desk(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> Desk:
    return Desk(scheduling_db, sealer, await new_practice())


def of(desk: Desk) -> Lookups:
    return Lookups(desk.booking.db, desk.booking.sealer, AUDIT_LOG, desk.now)


async def search(desk: Desk, query: str, **changes: Any) -> Page:
    given = {"after": None, "limit": 50, "first": None, "last": None} | changes
    first, last = given.pop("first"), given.pop("last")
    return await of(desk).of_name(desk.caller, forms.name_search(query), first, last, **given)


async def found(desk: Desk, query: str, **changes: Any) -> list[UUID]:
    return [each.id for each in (await search(desk, query, **changes)).appointments]


def _told(refused: InvalidInput, what: str) -> list[str]:
    return [each[what] for each in refused.extras["errors"]]


async def noted(desk: Desk) -> list[Sequence[UUID]]:
    async with desk.booking.db.practice(desk.practice_id) as tx:
        rows = await tx.fetch(
            "SELECT appointment_ids FROM audit_entries WHERE action = 'contact_data_read' "
            "ORDER BY id"
        )
    return [row["appointment_ids"] for row in rows]


async def test_a_name_is_found_over_all_days_the_last_one_first(desk: Desk) -> None:
    near = await desk.create(patient_name="Erika Müller", date=day(0))
    await desk.create(patient_name="Erika Maier", date=day(1))
    far = await desk.create(patient_name="Hans Mueller", date=day(300))
    assert await found(desk, "müller") == [far, near]
    assert await found(desk, "mue eri") == [near]
    assert await found(desk, "maierhofer") == []
    assert await found(desk, "mue", first=TOMORROW + timedelta(1)) == [far]
    assert await found(desk, "mue", last=TOMORROW) == [near]
    beyond = ListPlace(utc_now() + timedelta(days=900), uuid4())
    assert await found(desk, "mue", last=TOMORROW, after=beyond) == [near]


async def test_only_what_was_shown_is_noted_as_read(desk: Desk) -> None:
    known = await desk.create(patient_name="Erika Müller")
    await desk.create(patient_name="Hans Maier")
    await found(desk, "nobody")
    assert await noted(desk) == []
    await found(desk, "müller")
    await found(desk, "erika")
    assert await noted(desk) == [[known]]


async def test_strangers_and_what_was_deleted_are_not_found(
    desk: Desk, sealer: Sealer, new_practice: NewPractice
) -> None:
    known = await desk.create(patient_name="Erika Müller")
    gone = await desk.create(patient_name="Erika Müller")
    erased = await desk.create(patient_name="Erika Müller")
    await desk.booking.delete(desk.caller, gone, None, notify=True)  # and kept for a call
    await desk.booking.erase(desk.caller, erased)
    assert await found(desk, "müller") == [known]
    stranger = Desk(desk.booking.db, sealer, await new_practice())
    assert await found(stranger, "müller") == []


async def test_a_corrected_name_is_found_and_the_old_one_is_not(desk: Desk) -> None:
    corrected = await desk.create(patient_name="Erika Miller")
    await desk.booking.resend(
        desk.caller, corrected, Resend(patient_name="Erika Müller"), None, None
    )
    assert await found(desk, "miller") == []
    assert await found(desk, "müller") == [corrected]


async def test_what_an_older_key_sealed_is_found_and_what_is_damaged_stops_nothing(
    desk: Desk, owner_of: OwnerOf
) -> None:
    known = await desk.create(patient_name="Erika Müller")
    damaged = await desk.create(patient_name="Erika Müller")
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET contact = '\\x09aa' WHERE id = $1", damaged)
    rotated = Desk(desk.booking.db, Sealer({1: bytes(32), 2: b"2" * 32}), desk.practice_id)
    assert await found(rotated, "müller") == [known]


async def test_a_search_goes_on_page_by_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "BATCH", 3)
    made = [await desk.create(patient_name=f"Erika Müller {n}", date=day(n // 2)) for n in range(7)]
    pages, after = [], None
    while True:
        page = await search(desk, "müller", after=after, limit=2)
        pages.append([each.id for each in page.appointments])
        if page.following is None:
            break
        after = ListPlace.of(page.following.cursor)
    assert [len(page) for page in pages] == [2, 2, 2, 1]
    assert sorted(each for page in pages for each in page) == sorted(made)
    starts = [each.starts_at for each in (await search(desk, "müller")).appointments]
    assert starts == sorted(starts, reverse=True)


async def test_so_many_names_are_opened_and_no_more(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookups, "BATCH", 2)
    monkeypatch.setattr(lookups, "MOST_OPENED", 4)
    first = await desk.create(patient_name="Erika Müller", date=day(0))
    for count in range(1, 6):
        await desk.create(patient_name="Hans Maier", date=day(count))
    page = await search(desk, "müller")
    assert page.appointments == []
    assert page.following is not None
    assert await found(desk, "müller", after=page.following) == [first]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "too_short"),
        ("m", "too_short"),
        (" ' ", "too_short"),
        ("a b c d e f g h i j k", "too_long"),
        ("m" * 201, "too_long"),
    ],
)
def test_what_is_no_name_is_not_looked_for(query: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        forms.name_search(query)
    assert _told(refused.value, "code") == [code]


async def test_days_are_listed_page_by_page_and_noted(desk: Desk) -> None:
    made = [await desk.create(date=day(n), patient_name=f"Anna {n}") for n in (0, 1, 1, 2, 5)]
    pages: list[list[UUID]] = []
    after = None
    while True:
        page = await of(desk).between(
            desk.caller, TOMORROW, TOMORROW + timedelta(2), after=after, limit=2
        )
        pages.append([each.id for each in page.appointments])
        after = page.following
        if after is None:
            break
    assert pages == [made[:2], sorted(made[2:3]) + made[3:4]]
    assert sorted(each for ids in await noted(desk) for each in ids) == sorted(made[:4])


async def test_of_a_day_without_any_the_next_start_is_told_and_nothing_is_read(
    desk: Desk,
) -> None:
    practice = await desk.booking.practice(desk.caller)
    assert await of(desk).next_start(practice, TOMORROW) is None
    coming = await desk.create(date=day(9))
    await desk.create(date=day(20))
    starts_at = (await desk.booking.get(desk.caller, coming)).appointment.starts_at
    before = await noted(desk)
    assert await of(desk).next_start(practice, TOMORROW) == starts_at
    assert await of(desk).next_start(practice, TOMORROW + timedelta(20)) is None
    assert await noted(desk) == before


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [
        (TOMORROW, None, "to"),
        (None, TOMORROW, "from"),
        (TOMORROW, TOMORROW - timedelta(1), "to"),
        (TOMORROW, TOMORROW + timedelta(366), "to"),
    ],
)
async def test_a_range_has_both_ends_and_a_year_at_most(
    desk: Desk, first: Any, last: Any, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        await of(desk).between(desk.caller, first, last, after=None, limit=1)
    assert _told(refused.value, "field") == [field]


async def test_no_practice_finds_anothers_by_its_place(
    desk: Desk, sealer: Sealer, new_practice: NewPractice
) -> None:
    stranger = Desk(desk.booking.db, sealer, await new_practice())
    await desk.create(patient_name="Erika Müller")
    beyond = ListPlace(utc_now() + timedelta(days=900), uuid4())
    assert await found(stranger, "müller", after=beyond) == []
