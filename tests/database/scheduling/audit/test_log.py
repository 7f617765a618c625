"""What use cases enter is proven, and readings once an hour, which no made-up entry holds back."""

from uuid import uuid4

import asyncpg
import pytest

from chassis.database import Database
from services.scheduling.audit.entry import Actor
from services.scheduling.audit.proving import Standing
from tests.database.conftest import NewPractice
from tests.database.scheduling.audit.support import entries, forge, read
from tests.database.scheduling.support import PROVER


async def test_a_reading_is_entered_once_an_hour_and_proven(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice = await new_practice()
    first, second, third = sorted(uuid4() for _ in range(3))
    for _ in range(2):
        await read(scheduling_db, practice, second, first, second)
    await read(scheduling_db, practice)
    await read(scheduling_db, practice, first, third, second)
    await read(scheduling_db, practice, first, by=Actor("person", "else"))
    found = await entries(scheduling_db, practice)
    assert [entry.appointment_ids for entry in found] == [[second, first], [third], [first]]
    assert {PROVER.standing(entry) for entry in found} == {Standing.PROVEN}


async def test_no_made_up_reading_holds_a_true_one_back(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice, appointment = await new_practice(), uuid4()
    await forge(scheduling_db, practice, appointment)
    await read(scheduling_db, practice, appointment)
    found = await entries(scheduling_db, practice)
    assert [PROVER.standing(entry) for entry in found] == [Standing.MISSING, Standing.PROVEN]


async def test_a_proof_is_good_for_one_entry(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice, appointment = await new_practice(), uuid4()
    await read(scheduling_db, practice, appointment)
    [genuine] = await entries(scheduling_db, practice)
    with pytest.raises(asyncpg.UniqueViolationError):
        await forge(scheduling_db, practice, appointment, proof=genuine.proof)
    # the key's number, and whatever else, can't be another
    assert genuine.proof is not None
    await forge(scheduling_db, practice, appointment, proof=b"\x02" + genuine.proof[1:])
    await forge(scheduling_db, practice, appointment, proof=genuine.proof + b"\0")
    found = await entries(scheduling_db, practice)
    assert [PROVER.standing(entry) for entry in found] == [
        Standing.PROVEN,
        Standing.KEY_UNKNOWN,
        Standing.WRONG,
    ]
