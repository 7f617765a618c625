"""A form as a practice fills it in, for tests of what is made of it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis.problems import InvalidInput
from contracts.channels import Channel
from contracts.tariffs import Tariff
from services.scheduling import forms
from services.scheduling.appointments import Appointment
from services.scheduling.bounds import COUNTRIES
from services.scheduling.forms import ValidAppointment, ValidChange
from services.scheduling.practice import Practice
from services.scheduling.schemas import Change, NewAppointment

BASIC = Practice(UUID(int=1), "Hausarztpraxis", "Europe/Berlin", Tariff.BASIC)
STANDARD = Practice(UUID(int=1), "Hausarztpraxis", "Europe/Berlin", Tariff.STANDARD)
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DEAD = ("tot@example.org", "+491711111111")
PRESENT = Appointment(
    id=UUID(int=2),
    practice_id=UUID(int=1),
    version=1,
    starts_at=NOW - timedelta(hours=1),
    duration_minutes=20,
    patient_name="Erika Mustermann",
    email="erika@example.org",
    phone=None,
    channels=(Channel.EMAIL,),
    locale="de",
    consented_at=NOW,
    invitation_id=UUID(int=3),
    attempt=1,
    link_version=1,
    created_at=NOW,
    created_by="somebody",
)


async def is_dead(_channel: Channel, address: str) -> bool:
    return address in DEAD


async def read(
    practice: Practice = BASIC, available: tuple[Channel, ...] = (Channel.EMAIL,), **changes: Any
) -> ValidAppointment:
    request = NewAppointment.model_construct(
        **{
            "patient_name": "Erika Mustermann",
            "channels": ["email"],
            "email": "erika@example.org",
            "phone": None,
            "date": "2026-12-01",
            "time": "14:30",
            "utc_offset": None,
            "duration_minutes": 20,
            "consent": True,
            "locale": None,
            "send_anyway": False,
        }
        | changes
    )
    return await forms.new_appointment(
        request,
        practice,
        available=available,
        countries=COUNTRIES,
        now=NOW,
        is_dead=is_dead,
    )


def changed(change: Change, present: Appointment = PRESENT) -> ValidChange:
    return forms.change(change, present, STANDARD, countries=COUNTRIES, now=NOW)


async def faults(ask: Callable[[], Awaitable[object]]) -> list[tuple[str, str]]:
    try:
        await ask()
    except InvalidInput as invalid:
        return [(error["field"], error["code"]) for error in invalid.extras["errors"]]
    return []


async def codes(**changes: Any) -> set[tuple[str, str]]:
    return set(await faults(lambda: read(**changes)))
