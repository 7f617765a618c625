"""The audit log as its tables keep it: stamped by the database, chained, and changed by nobody."""

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Connection, Database
from services.scheduling.audit import chain
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.chain import INSTALLATION, Place
from services.scheduling.audit.entry import (
    COMMAND_LINE,
    Action,
    Actor,
    AuditEntry,
    Deed,
    operator_deed,
)
from services.scheduling.audit.store import Filter
from tests.database.conftest import NewPractice, OwnerOf
from tests.database.scheduling.support import AUDIT_LOG

# Letters that JSON writes in more than one way.
ODD = 'Änne "Ä" \\ / \t\r\n\x01\x1f\x7f\u2028 \U0001f9d1\u200d\u2695 </script>'
HOUR = timedelta(hours=1)


def read(practice_id: UUID, **changes: object) -> Deed:
    told = Deed(
        Actor("person", "auth0|7", ODD, ("assistant", ODD)),
        Action.READ,
        practice_id,
        [uuid4(), uuid4()],
        ["email", ODD],
        "0af7651916cd43dd8448eb211c80319c",
    )
    return dataclasses.replace(told, **changes)  # type: ignore[arg-type]


async def enter(db: Database, *deeds: Deed) -> None:
    for deed in deeds:
        assert deed.practice_id is not None
        async with db.practice(deed.practice_id) as tx:
            await AUDIT_LOG.enter(tx, deed)


async def entered(db: Database, practice_id: UUID) -> Sequence[AuditEntry]:
    """The log, oldest first."""
    async with db.practice(practice_id) as tx:
        found = await audit_store.page(tx, practice_id, Filter(), before=None, limit=1000)
    return found[::-1]


async def seal(db: Database) -> None:
    more = True
    while more:
        async with db.system() as tx:
            more = await audit_store.seal(tx)


async def fault(owner_of: OwnerOf, practice_id: UUID) -> str | None:
    async with owner_of("scheduling") as owner:
        bounds = {head.chain: (begin, head) for begin, head in await audit_store.chains(owner)}
        begin, head = bounds[practice_id]
        check = chain.Check(begin)
        for entry in await audit_store.sealed(owner, practice_id, after=begin.number, limit=1000):
            check.follow(entry)
    check.finish(head)
    return check.fault


async def as_if(owner: Connection, trigger: str, statement: str, *values: object) -> None:
    """What an owner of the database can do who means ill."""
    await owner.execute(f"ALTER TABLE audit_entries DISABLE TRIGGER {trigger}")
    await owner.execute(statement, *values)
    await owner.execute(f"ALTER TABLE audit_entries ENABLE TRIGGER {trigger}")


async def test_when_it_was_and_its_place_is_said_by_the_database(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice = await new_practice()
    wished = uuid4()
    before = utc_now() - HOUR
    async with scheduling_db.practice(practice) as tx:
        await tx.execute(
            """
            INSERT INTO audit_entries VALUES
            ($1, $2, now() - interval '400 days', 'person', 'doctor-x', NULL, '{}', 'x', '{}', '{}',
             NULL, 1, sha256('x'), NULL, 1)
            """,
            wished,
            practice,
        )
    [entry] = await entered(scheduling_db, practice)
    assert entry.id != wished
    assert before < entry.at < utc_now() + HOUR
    assert (entry.number, entry.digest) == (None, None)


async def test_a_transaction_that_stays_open_dates_nothing_back(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice = await new_practice()
    async with scheduling_db.practice(practice) as tx:
        begun = await tx.fetchval("SELECT now()")
        await tx.execute("SELECT pg_sleep(0.01)")
        await AUDIT_LOG.enter(tx, read(practice))
    [entry] = await entered(scheduling_db, practice)
    assert entry.at - begun >= timedelta(milliseconds=10)


@pytest.mark.parametrize("actor_id", ["operator:cli", "operator", "eo_0123456789abcdef"])
async def test_the_service_makes_up_no_operator(
    scheduling_db: Database, new_practice: NewPractice, operator: Actor, actor_id: str
) -> None:
    practice = await new_practice()
    forged = operator_deed(Actor("operator", actor_id), practice, Action.PRACTICE_CHANGED)
    for scope in (
        scheduling_db.operator(),
        scheduling_db.practice(practice),
        scheduling_db.system(),
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with scope as tx:
                await AUDIT_LOG.enter(tx, forged)
    genuine = dataclasses.replace(forged, actor=operator)
    async with scheduling_db.operator() as tx:
        await AUDIT_LOG.enter(tx, genuine)
    assert [entry.actor_id for entry in await entered(scheduling_db, practice)] == [operator.id]


async def test_deeds_to_the_installation_are_seen_by_no_practice(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    practice = await new_practice()
    async with owner_of("scheduling") as owner:
        for about in (None, practice):
            done = operator_deed(COMMAND_LINE, about, Action.OPERATOR_KEY_CREATED, changed=["eo_1"])
            await AUDIT_LOG.enter(owner, done)
        newest, before = await audit_store.operator_deeds(owner, before=None, limit=2)
        older = await audit_store.operator_deeds(owner, before=newest.id, limit=1)
    assert [newest.practice_id, before.practice_id] == [practice, None]
    assert older == [before]
    assert len(await entered(scheduling_db, practice)) == 1
    async with scheduling_db.practice(practice) as tx:
        assert (
            await tx.fetchval("SELECT count(*) FROM audit_entries WHERE practice_id IS NULL") == 0
        )
    await seal(scheduling_db)
    assert await fault(owner_of, INSTALLATION) is None


async def test_the_database_and_the_check_reckon_the_same_digests(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    first, second = await new_practice(), await new_practice()
    bare = read(
        first, actor=Actor("api_key", "ek_1"), appointment_ids=[], changed=[], trace_id=None
    )
    await enter(scheduling_db, read(first), read(second), bare, read(first))
    await seal(scheduling_db)
    await enter(scheduling_db, read(first))
    await seal(scheduling_db)
    for practice, numbers in ((first, [1, 2, 3, 4]), (second, [1])):
        assert [entry.number for entry in await entered(scheduling_db, practice)] == numbers
        assert await fault(owner_of, practice) is None


async def test_sealing_never_waits_for_a_booking_and_misses_none(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    practice = await new_practice()
    async with scheduling_db.practice(practice) as slow:
        await AUDIT_LOG.enter(slow, read(practice))
        await enter(scheduling_db, read(practice))
        await seal(scheduling_db)
        async with scheduling_db.system() as sealing:
            await sealing.execute("SET LOCAL lock_timeout = '5s'")
            await enter(scheduling_db, read(practice))
            await audit_store.seal(sealing)
            await enter(scheduling_db, read(practice))  # while a sealer is at work
    await seal(scheduling_db)
    found = await entered(scheduling_db, practice)
    assert sorted(entry.number or 0 for entry in found) == [1, 2, 3, 4]
    assert found[0].number == 3  # not committed when the first two were sealed
    assert await fault(owner_of, practice) is None


async def test_what_the_owner_changes_shows(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    changed, gone, forged = [await new_practice() for _ in range(3)]
    for practice in (changed, gone, forged):
        await enter(scheduling_db, *(read(practice) for _ in range(3)))
    await seal(scheduling_db)
    async with owner_of("scheduling") as owner:
        await as_if(
            owner,
            "append_only",
            "UPDATE audit_entries SET actor_id = 'x' WHERE practice_id = $1 AND number = 2",
            changed,
        )
        await as_if(
            owner,
            "append_only",
            "DELETE FROM audit_entries WHERE practice_id = $1 AND number = 3",
            gone,
        )
        # who reckons the last digest anew as well is found out by what was kept elsewhere
        kept = await audit_store.digest_of(owner, forged, 3)
        await as_if(
            owner,
            "append_only",
            """
            WITH made AS (
                UPDATE audit_entries this SET actor_id = 'x', digest = audit_digest(
                    (SELECT digest FROM audit_entries WHERE practice_id = $1 AND number = 2), 3,
                    jsonb_populate_record(this, '{"actor_id": "x"}'))
                WHERE practice_id = $1 AND number = 3 RETURNING digest)
            UPDATE audit_chains SET digest = made.digest FROM made WHERE chain = $1
            """,
            forged,
        )
        assert kept != await audit_store.digest_of(owner, forged, 3)
    assert await fault(owner_of, changed) == "entry 2 was changed"
    assert await fault(owner_of, gone) == "it ends with entry 2 instead of 3"
    assert await fault(owner_of, forged) is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET number = 7, digest = sha256('x')",
        "UPDATE audit_entries SET number = NULL, digest = NULL, sealing = NULL",
        "UPDATE audit_entries SET proof = NULL",
        "UPDATE audit_entries SET at = now()",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
    ],
)
async def test_a_sealed_entry_is_changed_by_nobody(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf, statement: str
) -> None:
    practice = await new_practice()
    await enter(scheduling_db, read(practice))
    await seal(scheduling_db)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with scheduling_db.practice(practice) as tx:
            await tx.execute(statement)
    async with owner_of("scheduling") as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(statement)
    for table in ("SELECT * FROM audit_chains", "UPDATE audit_chains SET number = 9"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with scheduling_db.system() as tx:
                await tx.execute(table)


async def test_entries_go_when_they_are_old_from_the_beginning_of_the_chain_on(
    scheduling_db: Database, new_practice: NewPractice, owner_of: OwnerOf
) -> None:
    practice, other = await new_practice(), await new_practice()
    # The third was sealed late: it is older than the second, which has to stay.
    for age in (2000, 364, 800, 1):
        await enter(scheduling_db, read(practice))
        async with owner_of("scheduling") as owner:
            await as_if(
                owner,
                "append_only",
                "UPDATE audit_entries SET at = now() - make_interval(days => $2) "
                "WHERE practice_id = $1 AND number IS NULL",
                practice,
                age,
            )
        await seal(scheduling_db)
    await enter(scheduling_db, read(other))

    async def left(days: int) -> list[int]:
        async with scheduling_db.system() as tx:
            await audit_store.forget(tx, days)
        return sorted(entry.number or 0 for entry in await entered(scheduling_db, practice))

    assert await left(2500) == [1, 2, 3, 4]
    assert await left(1461) == [2, 3, 4]
    assert await left(365) == await left(1) == await left(-1) == [2, 3, 4]
    assert await fault(owner_of, practice) is None
    async with owner_of("scheduling") as owner:
        begins = [begin for begin, _ in await audit_store.chains(owner) if begin.chain == practice]
    assert begins[0].number == 1
    assert begins[0] != Place(practice, 1, bytes(32))
    assert len(await entered(scheduling_db, other)) == 1


async def test_of_an_appointment_all_its_entries_are_found_and_of_days_those_of_the_days(
    scheduling_db: Database, new_practice: NewPractice
) -> None:
    practice = await new_practice()
    old_style, appointment = uuid4(), uuid7()
    await enter(
        scheduling_db,
        read(practice, appointment_ids=[appointment]),
        read(practice),
        read(practice, appointment_ids=[old_style, appointment]),
    )
    first, other, last = (each.id for each in await entered(scheduling_db, practice))
    now = utc_now()

    async def found(before: UUID | None = None, **wanted: Any) -> list[UUID]:
        async with scheduling_db.practice(practice) as tx:
            page = await audit_store.page(tx, practice, Filter(**wanted), before=before, limit=9)
        return [each.id for each in page]

    assert await found(appointment_id=appointment) == [last, first]
    assert await found(appointment_id=old_style) == [last]
    assert await found(first=now - HOUR, until=now + HOUR) == [last, other, first]
    assert await found(last, first=now - HOUR, until=now + HOUR) == [other, first]
    assert await found(first=now + HOUR) == []
    assert await found(until=now - HOUR) == []
    assert await found(first=datetime.min.replace(tzinfo=UTC)) == [last, other, first]


async def test_no_function_of_the_owner_looks_at_temporary_tables_first(owner_of: OwnerOf) -> None:
    """Even a role that could make one would be asked last (CREATE FUNCTION)."""
    for service in ("scheduling", "notification", "status", "webhooks", "dashboard"):
        async with owner_of(service) as owner:
            paths = await owner.fetch(
                """
                SELECT proname, proconfig FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND prosecdef
                """
            )
        for name, path in paths:
            assert path == ["search_path=pg_catalog, public, pg_temp"], name
