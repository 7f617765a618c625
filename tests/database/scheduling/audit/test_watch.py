"""Whoever enters a deed without the key is counted within one turn, however it was sealed."""

from uuid import UUID, uuid4

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from chassis.database import Database
from services.scheduling.audit import store as audit_store
from services.scheduling.audit import watch
from services.scheduling.audit.entry import Action, Deed
from services.scheduling.audit.log import AuditLog
from services.scheduling.audit.proving import Prover
from services.scheduling.audit.watch import AuditWatch
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.audit.support import READER, entries, forge, read
from tests.database.scheduling.support import PROVER


@pytest.fixture(autouse=True)
async def empty_log(scheduling_db: Database, owner_of: OwnerOf) -> None:
    """What other tests have forged is theirs."""
    async with owner_of("scheduling") as owner:
        await owner.execute("ALTER TABLE audit_entries DISABLE TRIGGER USER")
        await owner.execute("TRUNCATE audit_entries, audit_chains")
        await owner.execute("ALTER TABLE audit_entries ENABLE TRIGGER USER")


def counted(cause: str) -> float:
    return REGISTRY.get_sample_value("audit_entries_forged_total", {"cause": cause}) or 0


async def look(db: Database, watching: AuditWatch) -> None:
    more = True
    while more:
        async with db.system() as tx:
            more = await watching.turn(tx)


async def test_a_made_up_entry_is_counted_once_and_told_without_a_name(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice, watching = await new_practice(), AuditWatch(PROVER)
    await read(scheduling_db, practice, uuid4())
    before = counted("missing")
    with capture_logs() as quiet:
        await look(scheduling_db, watching)
    assert (counted("missing"), quiet) == (before, [])
    for _ in range(2):
        await forge(scheduling_db, practice, uuid4())
    with capture_logs() as told:
        await look(scheduling_db, watching)
        await look(scheduling_db, watching)
    assert counted("missing") == before + 2
    [warning] = told
    forged = (await entries(scheduling_db, practice))[1]
    assert warning == {
        "event": "audit entries not proven",
        "log_level": "warning",
        "cause": "missing",
        "entries": 2,
        "first": str(forged.id),
    }


async def test_no_way_of_sealing_leads_around_it(
    scheduling_db: Database, new_practice: NewPractice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The serving role may seal itself, and hold its transaction open as long as it likes."""
    monkeypatch.setattr(watch, "LOOKED_AT_ONCE", 1)
    practice, other, watching = await new_practice(), await new_practice(), AuditWatch(PROVER)
    before = counted("missing")
    async with scheduling_db.practice(practice) as slow:
        await slow.execute(
            """
            INSERT INTO audit_entries (practice_id, actor_kind, actor_id, actor_roles, action,
                appointment_ids, changed)
            VALUES ($1, 'person', 'auth0|7', '{}', 'x', '{}', '{}')
            """,
            practice,
        )
        for _ in range(3):
            await read(scheduling_db, other, uuid4())
        await look(scheduling_db, watching)
        await audit_store.seal(slow)
    assert counted("missing") == before
    await look(scheduling_db, watching)
    assert counted("missing") == before + 1


async def test_a_process_that_starts_looks_at_a_day(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    practice = await new_practice()
    for hours in (30, 20):
        await forge(scheduling_db, practice, uuid4())
        async with owner_of("scheduling") as owner:
            await owner.execute("ALTER TABLE audit_entries DISABLE TRIGGER append_only")
            await owner.execute(
                "UPDATE audit_entries SET at = at - make_interval(hours => $1) "
                "WHERE number IS NULL",
                hours,
            )
            await owner.execute("ALTER TABLE audit_entries ENABLE TRIGGER append_only")
        async with scheduling_db.system() as tx:
            await audit_store.seal(tx)
    before = counted("missing")
    await look(scheduling_db, AuditWatch(PROVER))
    assert counted("missing") == before + 1


async def test_a_key_that_is_not_known_proves_nothing_now(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice = await new_practice()
    causes = ("key_retired", "key_unknown")
    before = [counted(cause) for cause in causes]
    for number in (1, 9):
        by = Prover({number: b"another key, of 32 bytes or more"})
        await enter(scheduling_db, practice, by)
    await look(scheduling_db, AuditWatch(Prover({2: bytes(32)})))
    assert [counted(cause) for cause in causes] == [each + 1 for each in before]


async def enter(db: Database, practice_id: UUID, by: Prover) -> None:
    async with db.practice(practice_id) as tx:
        deed = Deed(READER, Action.READ, practice_id, [uuid4()], (), None)
        await AuditLog(by).enter(tx, deed)
