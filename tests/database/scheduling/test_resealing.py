"""Contacts are sealed anew under the newest key, and one that can't be opened stops no other."""

from chassis.database import Database
from chassis.sealing import Sealer
from services.scheduling import resealing, store
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import Desk


async def test_a_new_key_seals_all_that_an_older_one_opens(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    good, damaged = await desk.create(), await desk.create()
    async with owner_of("scheduling") as owner:
        await owner.execute("UPDATE appointments SET contact = '\\x01' WHERE id = $1", damaged)
    both = Sealer({1: bytes(32), 2: b"2" * 32})
    async with scheduling_db.system() as tx:
        assert await resealing.reseal(tx, both)
        assert not await resealing.reseal(tx, both)
    alone = Sealer({2: b"2" * 32})
    async with scheduling_db.practice(desk.practice_id) as tx:
        found = await store.find(tx, alone, desk.practice_id, good)
    assert found is not None
    assert (found.patient_name, found.version) == ("Erika Mustermann", 1)
