"""Contacts are sealed anew under the newest key, and one that can't be opened stops no other."""

from chassis.database import Database
from chassis.resealing import BATCH
from chassis.sealing import Sealer
from chassis.secret_keys import NumberedKeys
from services.scheduling import store
from services.scheduling.contact_store import CONTACTS
from services.scheduling.resealing import Resealing
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import Desk

# As many copies of an appointment as wanted, whose contacts can't be opened.
MANY = """
INSERT INTO appointments (id, practice_id, starts_at, duration_minutes, channels, locale,
    consented_at, invitation_id, created_at, created_by, contact)
SELECT format('00000000-0000-0000-0000-%s', lpad(n::text, 12, '0'))::uuid, practice_id,
    starts_at, duration_minutes, channels, locale, consented_at, gen_random_uuid(),
    created_at, created_by, '\\x01ff'
FROM appointments a, generate_series(1, $2) AS n WHERE a.id = $1
"""


async def test_a_new_key_seals_all_that_an_older_one_opens(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    good, damaged = await desk.create(), await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET contact = '\\x01' WHERE id = $1", damaged)
    both = Sealer({1: bytes(32), 2: b"2" * 32})
    async with scheduling_db.system() as tx:
        assert not await Resealing(both).batch(tx)
    alone = Sealer({2: b"2" * 32})
    async with scheduling_db.practice(desk.practice_id) as tx:
        found = await store.find(tx, alone, desk.practice_id, good)
    assert found is not None
    assert (found.patient_name, found.version) == ("Erika Mustermann", 1)


async def test_more_than_a_batch_that_cannot_be_opened_holds_up_nothing_behind_it(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    first = await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute(
            MANY,
            first,
            BATCH + 1,
        )
    both = Sealer({1: bytes(32), 2: b"2" * 32})
    resealing, batches = Resealing(both), 1
    async with scheduling_db.system() as tx:
        while await resealing.batch(tx):
            batches += 1
    assert batches == 2
    alone = Sealer({2: b"2" * 32})
    async with scheduling_db.practice(desk.practice_id) as tx:
        found = await store.find(tx, alone, desk.practice_id, first)
    assert found is not None
    assert not found.damaged


async def test_whether_an_older_key_is_needed_is_told_by_an_index_alone(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    first = await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute(MANY, first, 3000)
        await owner.execute("ANALYZE appointments")
    async with scheduling_db.system() as tx:
        plan = await tx.fetch(f"EXPLAIN {CONTACTS.under_others}", [0, *range(2, 256)])
        assert "using appointments_by_key" in "\n".join(row[0] for row in plan)
        assert await tx.fetchval(CONTACTS.under_others, [0, *range(2, 256)]) == 0
        assert await tx.fetchval(CONTACTS.under_others, [0, 1]) == 3001


async def test_while_a_key_comes_into_use_replicas_leave_each_other_s_seals_alone(
    scheduling_db: Database, new_practice: NewPractice, sealer: Sealer
) -> None:
    keys = {1: bytes(32), 2: b"2" * 32}
    waits, uses = Sealer(NumberedKeys(keys, waiting=[2])), Sealer(keys)
    practice_id = await new_practice()
    one, other = Desk(scheduling_db, waits, practice_id), Desk(scheduling_db, uses, practice_id)
    ids = [await one.create(), await other.create()]

    async def sealed_under() -> list[int]:
        async with scheduling_db.system() as tx:
            rows = await tx.fetch(
                "SELECT get_byte(contact, 0) AS key FROM appointments ORDER BY id"
            )
        return [row["key"] for row in rows]

    for replica in waits, uses:
        async with scheduling_db.practice(practice_id) as tx:
            for each in ids:
                found = await store.find(tx, replica, practice_id, each)
                assert found is not None
                assert not found.damaged
    for replica, after in (waits, [1, 2]), (uses, [2, 2]), (waits, [2, 2]):
        async with scheduling_db.system() as tx:
            await Resealing(replica).batch(tx)
        assert await sealed_under() == after
