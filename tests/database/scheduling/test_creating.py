"""Appointments that are created at one moment share a transaction, and nothing else."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis.database import ENTERED, Connection, Database, DatabaseAway
from chassis.problems import InvalidInput
from chassis.sealing import Sealer
from contracts.channels import Channel
from local.servers import DatabaseServer
from services.scheduling import address_store, messages
from services.scheduling.addresses import AddressVerdict
from services.scheduling.booking import SOURCE
from services.scheduling.bounds import Bound, Bounds
from services.scheduling.creating import Creating
from services.scheduling.problems import KeyReused, ReferenceTaken, TooManyMessages
from tests.database.conftest import NewPractice, OwnerOf, rows_read
from tests.database.scheduling.support import AUDIT_LOG, CHANNELS, LINKS, Desk
from tests.support import eventually

TABLES = {  # where an appointment leaves something, and what names it there
    "appointments": "id",
    "messages": "appointment_id",
    "attempts": "appointment_id",
    "notices": "appointment_id",
    "outbox": "key",
}


@pytest.fixture
async def desks(scheduling_db: Database, sealer: Sealer, new_practice: NewPractice) -> list[Desk]:
    """Of three practices, which one process serves."""
    found = [Desk(scheduling_db, sealer, await new_practice()) for _ in range(3)]
    for each in found[1:]:
        each.booking = replace(each.booking, creating=found[0].booking.creating)
    return found


async def at_once(*requests: tuple[Desk, Mapping[str, Any]]) -> list[Any]:
    """What becomes of them: ids, or what refused them."""
    return await asyncio.gather(
        *(desk.create(**changes) for desk, changes in requests),
        return_exceptions=True,
    )


async def transactions(desks: Sequence[Desk]) -> set[str]:
    found: set[str] = set()
    for desk in desks:
        async with desk.booking.db.practice(desk.practice_id) as tx:
            found |= {row["of"] for row in await tx.fetch("SELECT xmin::text AS of FROM attempts")}
    return found


async def test_practices_share_a_transaction_and_each_has_its_own(desks: list[Desk]) -> None:
    made = await at_once(*((desk, {}) for desk in desks for _ in range(3)))
    assert all(isinstance(each, UUID) for each in made)
    assert len(await transactions(desks)) == 1
    for place, desk in enumerate(desks):
        mine = set(made[place * 3 : place * 3 + 3])
        async with desk.booking.db.practice(desk.practice_id) as tx:
            for table, names_it in TABLES.items():
                rows = await tx.fetch(f"SELECT practice_id, {names_it}::text AS of FROM {table}")
                assert {row["practice_id"] for row in rows} == {desk.practice_id}
                assert {UUID(row["of"]) for row in rows} == mine
            entered = await tx.fetch("SELECT appointment_ids, proof FROM audit_entries")
        assert {row["appointment_ids"][0] for row in entered} == mine
        moments = {
            (await desk.booking.get(desk.caller, each)).appointment.updated_at for each in mine
        }
        assert len(moments) == 3  # in an order of their own


async def test_a_refused_one_costs_the_others_nothing(desks: list[Desk], sealer: Sealer) -> None:
    first, second, third = desks
    dead_at = await first.create(email="tot@example.org")
    async with first.booking.db.system() as tx:
        await address_store.add_verdicts(
            tx,
            [
                AddressVerdict(
                    practice_id=first.practice_id,
                    appointment_id=dead_at,
                    attempt=1,
                    notice_id=None,
                    channel=Channel.EMAIL,
                    at=first.moment,
                    dead=True,
                )
            ],
        )
    await second.create(external_reference="kis:1")
    made = await at_once(
        (second, {}),
        (first, {"email": "tot@example.org"}),
        (second, {"consent": False}),
        (second, {"external_reference": "kis:1"}),
        (second, {"external_reference": "kis:2"}),
        (third, {"external_reference": "kis:2"}),
        (second, {"external_reference": "kis:2"}),
        (third, {"patient_name": "a\0b"}),
        (third, {"email": "tot@example.org"}),
    )
    kinds = [type(each) for each in made]
    assert kinds[:4] == [UUID, InvalidInput, InvalidInput, ReferenceTaken]
    assert sorted(kinds[4:7], key=str) == sorted([UUID, UUID, ReferenceTaken], key=str)
    assert kinds[7:] == [InvalidInput, UUID]
    refused = [each for each in made if isinstance(each, InvalidInput)]
    codes = [each.extras["errors"][0]["code"] for each in refused]
    assert codes == ["dead_address", "consent_required", "invalid"]


async def test_bounds_hold_within_a_transaction(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(
        scheduling_db, sealer, await new_practice(daily_messages=7), bounds=Bounds(per_address=2)
    )
    made = await at_once(*((desk, {"email": f"Erika+{number}@example.org"}) for number in range(4)))
    assert sum(isinstance(each, UUID) for each in made) == 2
    made = await at_once(*((desk, {"email": f"otto{number}@example.org"}) for number in range(8)))
    assert sum(isinstance(each, UUID) for each in made) == 5
    assert {each.bound for each in made if isinstance(each, TooManyMessages)} == {Bound.PRACTICE}


@pytest.mark.parametrize(
    ("most", "together"),
    [(60, [7] * 10), (25, [1, 32])],
    ids=["in some transactions", "from the middle of one on"],
)
async def test_a_bound_holds_where_not_every_letter_is_counted(
    scheduling_db: Database,
    sealer: Sealer,
    new_practice: NewPractice,
    most: int,
    together: list[int],
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(daily_messages=most))
    made = []
    for letters in together:
        made += await at_once(*((desk, {}) for _ in range(letters)))
    assert sum(isinstance(each, UUID) for each in made) == most
    assert {each.bound for each in made if isinstance(each, TooManyMessages)} == {Bound.PRACTICE}


async def test_what_was_written_that_day_is_not_read_for_every_letter(
    postgres: DatabaseServer, sealer: Sealer, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    practice, written, further = await new_practice(), 1000, 30
    async with owner_of("scheduling") as owner:
        await owner.execute(
            """
            INSERT INTO messages (practice_id, channel, address_fingerprint, at)
            SELECT $1, 'email', sha256(number::text::bytea), now() - interval '1 hour'
            FROM generate_series(1, $2) AS number
            """,
            practice,
            written,
        )
        await owner.execute("ANALYZE messages")  # as PostgreSQL does within a minute
        before = await rows_read(owner, "messages")
        async with Database.open(postgres.dsn("scheduling")) as db:  # which tells when it closes
            desk = Desk(db, sealer, practice)
            for _ in range(further):
                await desk.create()

        async def told() -> int | None:
            found = await rows_read(owner, "messages") - before
            return found if found >= written else None

        # All of the day once, and then of each letter what is its own.
        assert await eventually(told, "what was read") < 2 * written


async def test_a_bound_of_sms_is_none_of_mails(
    scheduling_db: Database, sealer: Sealer, new_practice: NewPractice
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice(daily_sms_per_country=1))
    made = await at_once(
        *(
            (desk, {"channels": ["email"], "email": f"otto{number}@example.org"})
            for number in range(3)
        )
    )
    assert all(isinstance(each, UUID) for each in made)
    assert len(await transactions([desk])) == 1


async def test_a_key_is_carried_out_once(desks: list[Desk]) -> None:
    first, second, _ = desks
    mine = {"key": "k", "email": "erika@example.org"}
    made = await at_once(
        (second, {}),
        (first, mine),
        (first, mine),
        (second, mine),
        (first, {**mine, "patient_name": "Otto"}),
    )
    assert isinstance(made[4], KeyReused)
    assert made[1] == made[2] != made[3]
    assert (await at_once((first, mine))) == [made[1]]


async def test_who_is_held_up_holds_up_nobody_else(desks: list[Desk], owner_of: OwnerOf) -> None:
    first, second, _ = desks
    await first.create()
    async with owner_of("scheduling") as owner:
        async with owner.transaction():
            await owner.execute(
                "SELECT FROM change_clocks WHERE practice_id = $1 FOR UPDATE", first.practice_id
            )
            held_up = asyncio.create_task(first.create())
            assert isinstance(await second.create(), UUID)
            assert not held_up.done()
        assert isinstance(await held_up, UUID)


async def test_letters_of_what_is_undone_and_done_again_are_told_once(
    desks: list[Desk], owner_of: OwnerOf
) -> None:
    first, second, third = desks
    await first.create()
    before = letters_told()
    async with owner_of("scheduling") as owner, owner.transaction():
        await owner.execute(
            "SELECT FROM change_clocks WHERE practice_id = $1 FOR UPDATE", first.practice_id
        )
        held_up, *others = [
            asyncio.create_task(each.create(channels=["email"])) for each in (first, second, third)
        ]
        await asyncio.gather(*others)
    await held_up
    assert letters_told() - before == 3


def letters_told() -> float:
    [metric] = messages.counted.collect()
    return sum(each.value for each in metric.samples if each.name.endswith("_total"))


async def test_they_share_as_well_on_the_tables_of_the_next_release(
    desks: list[Desk], owner_of: OwnerOf
) -> None:
    async with owner_of("scheduling") as owner:
        await owner.execute("ALTER TABLE practices ADD COLUMN of_the_next_release text")
        try:
            await at_once(*((desk, {}) for desk in desks))
        finally:
            await owner.execute("ALTER TABLE practices DROP COLUMN of_the_next_release")
    assert len(await transactions(desks)) == 1


async def test_nothing_is_done_of_what_dies_before_its_commit(
    desks: list[Desk], sealer: Sealer
) -> None:
    desk = desks[0]

    class Dying(Database):
        @asynccontextmanager
        async def shared(self) -> AsyncIterator[Connection]:
            async with super().shared() as tx:
                yield tx
                raise DatabaseAway

    creating = Creating(
        Dying(desk.booking.db.pool),
        *(LINKS, CHANNELS, sealer, AUDIT_LOG, Bounds(), desk.now),
        source=SOURCE,
    )
    whole, desk.booking = desk.booking, replace(desk.booking, creating=creating)
    mine = {"key": "k", "email": "erika@example.org"}
    made = await at_once((desk, mine), (desk, {}), (desk, {}))
    assert [type(each) for each in made] == [DatabaseAway] * 3
    desk.booking = whole
    assert not await desk.published()
    again = await at_once((desk, mine), (desk, mine))
    assert again[0] == again[1]
    assert isinstance(again[0], UUID)


async def test_each_statement_of_what_is_shared_enters_a_practice(
    desks: list[Desk], sealer: Sealer
) -> None:
    desk = desks[0]
    asked: list[str] = []

    class Overheard(Database):
        @asynccontextmanager
        async def shared(self) -> AsyncIterator[Connection]:
            async with super().shared() as tx:
                with tx.query_logger(lambda logged: asked.append(logged.query)):
                    yield tx

    creating = Creating(
        Overheard(desk.booking.db.pool),
        *(LINKS, CHANNELS, sealer, AUDIT_LOG, Bounds(), desk.now),
        source=SOURCE,
    )
    desk.booking = replace(desk.booking, creating=creating)
    await desk.create(key="j", external_reference="kis:0")
    asked.clear()  # asyncpg has asked for types, on the same connection
    await desk.create(key="k", external_reference="kis:1")
    of_tables = [each for each in asked if "pg_advisory_xact_lock" not in each]
    assert len(of_tables) == 6
    enters = ENTERED.partition("$")[0]
    assert [each for each in of_tables if enters not in each] == []


async def test_a_statement_sees_the_practice_that_it_enters(desks: list[Desk]) -> None:
    first, second, _ = desks
    await first.create()
    await second.create()
    seen = "SELECT count(*) FROM appointments"
    async with first.booking.db.shared() as tx:
        assert await tx.fetchval(seen) == 0
        rows = await tx.fetchmany(
            f"SELECT ({seen} WHERE practice_id = practice) AS own, ({seen}) AS seen FROM {ENTERED}",
            [(first.practice_id,), (desks[2].practice_id,), (second.practice_id,)],
        )
        assert [tuple(row) for row in rows] == [(1, 1), (0, 0), (1, 1)]
        assert await tx.fetchval(seen) == 1  # as the last one that was entered
        other = (
            f"INSERT INTO idempotency_keys (practice_id, key) SELECT $2::uuid, 'k' FROM {ENTERED}"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await tx.execute(other, first.practice_id, second.practice_id)
