"""What a practice is told of an address before it writes to it, and what it is not told."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received
from contracts.events import (
    DeliveryOutcome,
    Evidence,
    FailureCategory,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
)
from services.scheduling import events
from services.scheduling.addresses import KnownAddress
from services.scheduling.schemas import AddressLookup, Resend
from tests.database.conftest import NewPractice
from tests.database.scheduling.support import Desk

MAIL, PHONE = "familie@example.org", "+491713920001"
ERIKA, MAX = "Erika Mustermann", "Max Mustermann"


async def take_in(db: Database, *outcomes: DeliveryOutcome) -> None:
    async with db.system() as tx:
        await events.handle(tx, [Received(uuid7(), utc_now(), each, None) for each in outcomes])


def arrived(desk: Desk, appointment_id: UUID, minutes: int = 1, **changes: Any) -> DeliveryOutcome:
    return InvitationDelivered(
        **_outcome(desk, appointment_id, minutes, **changes), evidence=Evidence.ACCEPTED
    )


def came_back(
    desk: Desk, appointment_id: UUID, minutes: int, *, dead: bool = False, **changes: Any
) -> DeliveryOutcome:
    return InvitationFailed(
        **_outcome(desk, appointment_id, minutes, **changes),
        category=FailureCategory.PERMANENT,
        reason=FailureReason.UNKNOWN_USER if dead else FailureReason.MAILBOX_FULL,
        late=True,
    )


def _outcome(desk: Desk, appointment_id: UUID, minutes: int, **changes: Any) -> dict[str, Any]:
    return {
        "appointment_id": appointment_id,
        "practice_id": desk.practice_id,
        "invitation_id": uuid7(),
        "attempt": 1,
        "channel": Channel.EMAIL,
        "sequence": 1,
        "occurred_at": desk.moment + timedelta(minutes=minutes),
    } | changes


async def known(desk: Desk, name: str = ERIKA, **typed: Any) -> dict[Channel, KnownAddress]:
    lookup = AddressLookup(patient_name=name, **typed or {"email": MAIL})
    _, found = await desk.booking.known_addresses(desk.caller, lookup)
    return found


async def test_when_something_last_arrived_and_whose_it_was(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    assert await known(desk) == {}
    first = await desk.create(email=MAIL, patient_name=ERIKA)
    assert await known(desk) == {Channel.EMAIL: KnownAddress(None, other_name=False)}
    await take_in(scheduling_db, arrived(desk, first))
    at = desk.moment + timedelta(minutes=1)
    assert await known(desk, "  mustermann, ERIKA ", email=" Familie@Example.org") == {
        Channel.EMAIL: KnownAddress(at, other_name=False)
    }
    assert await known(desk, MAX) == {Channel.EMAIL: KnownAddress(at, other_name=True)}
    assert await known(desk, "") == {Channel.EMAIL: KnownAddress(at, other_name=False)}
    # It is the newest that counts.
    await desk.create(email=MAIL, patient_name=MAX)
    assert (await known(desk, MAX))[Channel.EMAIL] == KnownAddress(at, other_name=False)
    assert (await known(desk, ERIKA))[Channel.EMAIL] == KnownAddress(at, other_name=True)


async def test_what_is_no_address_and_what_is_anothers_is_not_known(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    other = Desk(scheduling_db, sealer, await new_practice())
    for each in (desk, other):
        await each.create(email=MAIL, phone=PHONE, channels=["sms"])
    assert await known(desk, email="familie@", phone="0171") == {}
    assert await known(desk, email=MAIL, phone="0171 3920001") == {
        Channel.SMS: KnownAddress(None, other_name=False)  # the mail was kept and not written to
    }
    stranger = Desk(scheduling_db, sealer, await new_practice())
    assert await known(stranger, email=MAIL, phone=PHONE) == {}


async def test_an_arrival_that_is_taken_back_is_none(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    first, second = await desk.create(email=MAIL), await desk.create(email=MAIL)

    async def last_arrived() -> float | None:
        found = (await known(desk))[Channel.EMAIL].last_arrived_at
        return None if found is None else (found - desk.moment).total_seconds() / 60

    await take_in(scheduling_db, arrived(desk, first, 1), came_back(desk, first, 2))
    assert await last_arrived() is None
    await take_in(scheduling_db, arrived(desk, second, 3))
    assert await last_arrived() == 3
    await take_in(scheduling_db, came_back(desk, first, 4))  # again; it says nothing of the second
    assert await last_arrived() == 3
    await take_in(scheduling_db, came_back(desk, second, 5, dead=True))
    assert await last_arrived() is None
    await take_in(scheduling_db, arrived(desk, first, 6))
    assert await last_arrived() == 6


async def test_sent_again_its_own_attempts_say_nothing(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    appointment_id = await desk.create(email=MAIL, patient_name=ERIKA)
    await take_in(scheduling_db, arrived(desk, appointment_id))
    assert await known(desk, MAX, email=MAIL, appointment_id=appointment_id) == {}
    await desk.create(email=MAIL, patient_name=MAX)
    assert await known(desk, ERIKA, email=MAIL, appointment_id=appointment_id) == {
        Channel.EMAIL: KnownAddress(None, other_name=True)
    }
    # A corrected name is the newest one.
    await desk.booking.resend(
        desk.caller, appointment_id, Resend(patient_name="Erika Muster"), None
    )
    assert (await known(desk, "Erika Muster"))[Channel.EMAIL].other_name is False


async def test_nothing_is_left_of_it_after_erasure(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    first, second = [await desk.create(email=MAIL, patient_name=each) for each in (ERIKA, MAX)]
    await take_in(scheduling_db, arrived(desk, first))
    await desk.booking.erase(desk.caller, second)
    found = (await known(desk, MAX))[Channel.EMAIL]
    assert (found.last_arrived_at is not None, found.other_name) == (True, True)
    third = await desk.create(email=MAIL, patient_name=MAX)
    await desk.booking.erase(desk.caller, first)  # whose arrival it was
    assert await known(desk, MAX) == {Channel.EMAIL: KnownAddress(None, other_name=False)}
    await desk.booking.erase(desk.caller, third)
    assert await known(desk, MAX) == {}
    async with scheduling_db.practice(desk.practice_id) as tx:
        for table in ("attempts", "address_verdicts"):
            assert await tx.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_no_name_is_stored_but_as_a_fingerprint(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    await desk.create(email=MAIL, patient_name=ERIKA)
    await desk.create(email="andere@example.org", patient_name=ERIKA)
    async with scheduling_db.practice(desk.practice_id) as tx:
        rows = await tx.fetch("SELECT a::text AS whole, name_fingerprint FROM attempts a")
    assert not any("rika" in row["whole"] for row in rows)
    # One name at two addresses is two fingerprints: the table links nobody.
    assert len({row["name_fingerprint"] for row in rows}) == 2
