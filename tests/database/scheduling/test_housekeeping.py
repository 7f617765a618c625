"""What has had its time goes, and nothing that has not."""

from datetime import timedelta

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.terms import ADDRESS_VERDICT_RETENTION, ATTEMPT_RETENTION
from services.scheduling import housekeeping
from services.scheduling.bounds import DAY
from services.scheduling.idempotency import KEY_RETENTION
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import Desk

AGES = {
    "idempotency_keys": ("created_at", KEY_RETENTION),
    "messages": ("at", DAY),
    "attempts": ("created_at", ATTEMPT_RETENTION),
    "address_verdicts": ("at", ADDRESS_VERDICT_RETENTION),
}


async def test_each_table_has_its_own_time(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, sealer: Sealer
) -> None:
    desk = Desk(scheduling_db, sealer, await new_practice())
    await desk.create("a key")
    async with scheduling_db.practice(desk.practice_id) as tx:
        await tx.execute(
            "INSERT INTO address_verdicts VALUES ($1, 'x', true, now(), NULL, NULL)",
            desk.practice_id,
        )
    for spare, left in ((timedelta(minutes=1), 1), (-timedelta(minutes=1), 0)):
        async with owner_of("scheduling") as owner:
            for table, (age, retention) in AGES.items():
                await owner.execute(
                    f"UPDATE {table} SET {age} = now() - $1::interval", retention - spare
                )
        async with scheduling_db.system() as tx:
            assert not await housekeeping.purge(tx)
        async with owner_of("scheduling") as owner:
            for table in AGES:
                assert await owner.fetchval(f"SELECT count(*) FROM {table}") == left, table
