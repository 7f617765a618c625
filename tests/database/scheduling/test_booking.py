"""What a practice does with its appointments: rows and events of one transaction."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi_problem.error import Problem

from chassis.auth import Caller
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import Channel
from contracts.rights import Role
from services.scheduling.booking import Booking
from services.scheduling.links import Links
from services.scheduling.schemas import NewAppointment
from tests.database.conftest import NewPractice
from tests.support import Practice

EVENTS = [
    "einladung.v1.AppointmentScheduled",
    "einladung.v1.InvitationIssued",
    "einladung.v1.InvitationRequested",
]


class Desk:
    """Booking for one practice, and how often the relay was woken."""

    def __init__(self, db: Database, sealer: Sealer, practice_id: UUID) -> None:
        self.woken = 0
        self.caller = Caller(
            practice_id=practice_id,
            subject="praxisleitung",
            expires_at=datetime.now(UTC) + timedelta(hours=1),
            rights=frozenset(),
            roles=(Role.APPOINTMENT_ADMIN,),
        )
        self.booking = Booking(
            db,
            Links("https://einladung.example/besuch", {1: bytes(32)}),
            (Channel.EMAIL, Channel.SMS),
            self._wake_relay,
            sealer,
            settle=timedelta(0),
        )

    def _wake_relay(self) -> None:
        self.woken += 1

    async def create(self, key: str | None = None, **changes: Any) -> UUID:
        wanted = NewAppointment(**Practice.form(**changes))
        booked = await self.booking.create(self.caller, wanted, key)
        return booked.appointment.id


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


async def test_another_practice_sees_nothing_of_it(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    appointment_id = await Desk(scheduling_db, sealer, await new_practice()).create()
    stranger = Desk(scheduling_db, sealer, await new_practice())
    with pytest.raises(Problem):
        await stranger.booking.get(stranger.caller, appointment_id)
    assert await outbox(scheduling_db, stranger.caller.practice_id) == []
