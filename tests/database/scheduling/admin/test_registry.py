"""Practices set up and changed in the operator's scope: rows and audit entries."""

from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.problems import InvalidInput
from contracts.terms import MAX_RETENTION_DAYS
from services.scheduling import practice_store
from services.scheduling.admin import registry
from services.scheduling.audit.entry import Actor
from services.scheduling.practice import Practice, PracticeChange
from services.scheduling.problems import NoSuchPractice, PracticeExists
from tests.database.scheduling.support import AUDIT_LOG


async def add(db: Database, by: Actor, **settings: object) -> Practice:
    wanted = PracticeChange(name="Praxis", **settings)  # type: ignore[arg-type]
    async with db.operator() as tx:
        return await registry.create(tx, AUDIT_LOG, by, uuid7(), wanted)


async def logged(db: Database, practice_id: UUID) -> list[list[str]]:
    async with db.practice(practice_id) as tx:
        rows = await tx.fetch("SELECT changed FROM audit_entries ORDER BY id")
    return [row["changed"] for row in rows]


async def test_what_is_added_is_read_again(scheduling_db: Database, operator: Actor) -> None:
    for practice in (
        await add(scheduling_db, operator),
        await add(
            scheduling_db,
            operator,
            tariff="premium",
            reminders=[],
            time_zone="UTC",
            retention_days=0,
        ),
        await add(
            scheduling_db, operator, daily_messages=5, daily_sms_per_country=2, sms_countries=["FR"]
        ),
    ):
        async with scheduling_db.practice(practice.id) as tx:
            assert await practice_store.get(tx, practice.id) == practice
        async with scheduling_db.operator() as tx:
            with pytest.raises(PracticeExists):
                await registry.create(
                    tx, AUDIT_LOG, operator, practice.id, PracticeChange(name="Praxis")
                )


async def test_a_practice_with_a_name_alone_has_the_defaults(
    scheduling_db: Database, operator: Actor
) -> None:
    practice = await add(scheduling_db, operator)
    assert practice == Practice(id=practice.id, name="Praxis")
    assert (practice.reminders, practice.retention_days) == ((1440, 60), MAX_RETENTION_DAYS)


async def test_a_practice_without_a_name_or_with_faults_is_none(
    scheduling_db: Database, operator: Actor
) -> None:
    practice_id = uuid7()
    for wanted in (PracticeChange(), PracticeChange(name="Praxis", tariff="gold")):
        with pytest.raises(InvalidInput):
            async with scheduling_db.operator() as tx:
                await registry.create(tx, AUDIT_LOG, operator, practice_id, wanted)
    async with scheduling_db.practice(practice_id) as tx:
        assert await practice_store.find(tx, practice_id) is None
    assert await logged(scheduling_db, practice_id) == []


async def test_a_change_is_written_and_logged_by_the_names_of_what_differs(
    scheduling_db: Database, operator: Actor
) -> None:
    practice = await add(scheduling_db, operator)
    for _ in range(2):  # the second time it changes nothing
        async with scheduling_db.operator() as tx:
            changed = await registry.change(
                tx, AUDIT_LOG, operator, practice.id, PracticeChange(name="Praxis", reminders=[60])
            )
        assert changed.reminders == (60,)
    async with scheduling_db.practice(practice.id) as tx:
        assert await practice_store.find(tx, practice.id) == changed
    assert (await logged(scheduling_db, practice.id))[1:] == [["reminders"]]


async def test_who_is_not_there_is_named(scheduling_db: Database, operator: Actor) -> None:
    async with scheduling_db.operator() as tx:
        assert await practice_store.find(tx, uuid4()) is None
        with pytest.raises(NoSuchPractice):
            await practice_store.get(tx, uuid4())
        with pytest.raises(NoSuchPractice):
            await registry.change(tx, AUDIT_LOG, operator, uuid4(), PracticeChange(name="x"))
