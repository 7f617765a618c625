"""What a link leads to is looked up when it is opened; all that are void cost the same."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from chassis.together import Together, fetch_each
from contracts.channels import Channel
from services.scheduling import store
from services.scheduling.appointments import Appointment
from services.scheduling.links import Link, Links
from services.scheduling.visits.page_lookup import REFUSAL_SECONDS, PageLookup
from tests.database.conftest import NewPractice

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
LINKS = Links("https://einladung.example/besuch", {1: bytes(32)})


@pytest.fixture
def lookup(scheduling_db: Database, sealer: Sealer) -> PageLookup:
    return PageLookup(scheduling_db, sealer)


@pytest.fixture
async def appointment(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> Appointment:
    practice_id = await new_practice(name="Praxis am See")
    made = Appointment(
        id=uuid7(),
        practice_id=practice_id,
        version=1,
        starts_at=NOW,
        duration_minutes=20,
        patient_name="Erika Mustermann",
        email="erika@example.org",
        phone=None,
        channels=(Channel.EMAIL,),
        locale="de",
        consented_at=NOW,
        invitation_id=uuid7(),
        attempt=1,
        link_version=3,
        created_at=NOW,
        created_by="x",
        updated_at=NOW,
    )
    async with scheduling_db.practice(practice_id) as tx:
        statement = Together()
        await store.add(statement, sealer, made)
        [row] = await fetch_each(tx, [statement])
    return replace(made, updated_at=row["updated_at"])


def link(appointment: Appointment, version: int = 3) -> Link:
    return Link(appointment.id, version)


def token(appointment: Appointment, version: int = 3) -> str:
    return LINKS.token(link(appointment, version))


async def test_a_valid_link_leads_to_the_appointment_as_it_now_is(
    lookup: PageLookup, appointment: Appointment, sealer: Sealer
) -> None:
    visit = await lookup.find(link(appointment), NOW)
    assert visit is not None
    assert visit.appointment == appointment
    assert visit.practice.name == "Praxis am See"
    moved = replace(appointment, starts_at=NOW + timedelta(days=1), version=2)
    async with lookup.db.practice(appointment.practice_id) as tx:
        await store.update(tx, sealer, moved)
    visit = await lookup.find(link(appointment), NOW)
    assert visit is not None
    assert visit.appointment.starts_at == moved.starts_at


async def test_every_void_link_is_refused_after_the_same_time(
    lookup: PageLookup, appointment: Appointment
) -> None:
    stranger = Links("https://einladung.example/besuch", {1: b"x" * 32})
    void = {
        "made up": ("x", NOW),
        "empty": ("", NOW),
        "forged": (stranger.token(Link(appointment.id, 3)), NOW),
        "of no appointment": (LINKS.token(Link(uuid4(), 3)), NOW),
        "replaced": (token(appointment, 2), NOW),
        "run out": (token(appointment), NOW + timedelta(days=95)),
    }
    for name, (text, now) in void.items():
        begun = time.monotonic()
        assert await lookup.find(LINKS.read(text), now) is None, name
        assert time.monotonic() - begun >= REFUSAL_SECONDS - 0.001, name


async def test_a_deleted_appointment_has_no_visit(
    lookup: PageLookup, appointment: Appointment
) -> None:
    async with lookup.db.practice(appointment.practice_id) as tx:
        await store.delete(tx, appointment.practice_id, appointment.id, NOW)
    assert await lookup.find(link(appointment), NOW) is None
