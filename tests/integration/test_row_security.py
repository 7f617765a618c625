"""Every table is bound to practices by PostgreSQL itself, whatever a query forgets."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from local.modules import MODULES
from tests.conftest import Stack
from tests.support import Practice

# Tables that are of no practice, and why nothing of a patient can be had from them.
EXCEPTIONS = {
    "scheduling.inbox": "ids of events",
    "notification.inbox": "ids of events",
    "status.inbox": "ids of events",
    "webhooks.inbox": "ids of events",
    "status.partitions_read": "how far Kafka was read",
    "status.tick_changes": "how many, over all practices",
    "status.tick_counts": "how many, over all practices",
    "notification.mailbox_positions": "how far the operator's mailbox of bounces was read",
    "scheduling.operator_keys": "seen in the operator's scope alone; names no practice",
    "dashboard.draft_keys": "found by the hash of whoever is logged in; names no practice",
    "dashboard.sessions": "found and opened with a cookie's secret alone; names no practice",
    **{f"{name}.schema_migrations": "numbers of migrations" for name in MODULES},
}
BOUND = re.compile(r"\b(practice|operator)_in_scope\(")
ADVICE = (
    "In a migration: ENABLE and FORCE ROW LEVEL SECURITY and a policy with practice_in_scope, as "
    "the other tables have; or, if it is of no practice, name it in EXCEPTIONS with the reason."
)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


async def tables(owner: "asyncpg.Connection[asyncpg.Record]") -> list[asyncpg.Record]:
    return await owner.fetch(
        """
        SELECT relname AS name, relrowsecurity AS enabled, relforcerowsecurity AS forced,
               pg_get_userbyid(relowner) AS owner,
               (SELECT array_agg(pg_get_expr(coalesce(polqual, polwithcheck), c.oid))
                FROM pg_policy WHERE polrelid = c.oid) AS policies
        FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        """
    )


@pytest.mark.parametrize("service", MODULES)
async def test_every_table_has_a_policy_that_binds_its_owner_too(
    stack: Stack, service: str
) -> None:
    async with connected(stack.owner_dsn(service)) as owner:
        for table in await tables(owner):
            name = f"{service}.{table['name']}"
            assert table["owner"] != service, f"{name} belongs to the service's own role"
            if name not in EXCEPTIONS:
                bound = [BOUND.search(policy) for policy in table["policies"] or ()]
                secured = table["enabled"] and table["forced"] and bound
                assert secured, f"{name} is not bound. {ADVICE}"
                assert all(bound), f"a policy of {name} binds to nothing. {ADVICE}"


@pytest.mark.parametrize("service", MODULES)
async def test_the_services_role_can_not_step_around_it(stack: Stack, service: str) -> None:
    async with connected(stack.dsn(service)) as role:
        found = await role.fetchrow(
            """
            SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
                   (SELECT count(*) FROM pg_auth_members WHERE member = r.oid) AS memberships
            FROM pg_roles r WHERE rolname = current_user
            """
        )
        assert found is not None
        assert not any(found.values())
        assert not await role.fetchval(
            "SELECT has_schema_privilege(current_user, 'public', 'CREATE')"
        )


async def held(stack: Stack, service: str, scope: str | None) -> dict[str, int]:
    """How many rows the service's role sees of each table bound to practices."""
    async with connected(stack.owner_dsn(service)) as owner:
        names = [each["name"] for each in await tables(owner) if each["enabled"]]
    async with connected(stack.dsn(service)) as role, role.transaction():
        if scope is not None:
            await role.execute("SELECT set_config('app.practice', $1, true)", scope)
        return {
            name: await role.fetchval(f'SELECT count(*) FROM "{name}"')
            for name in names
            if await role.fetchval("SELECT has_table_privilege($1, 'SELECT')", f'"{name}"')
        }


@pytest.mark.parametrize("service", ["scheduling", "notification", "status"])
async def test_without_a_practice_or_with_another_one_no_row_is_seen(
    practice: Practice, other_practice: Practice, stack: Stack, service: str
) -> None:
    created = await practice.create(email="unbekannt@example.org", send_anyway=True)
    await practice.shows(created["id"], "failed")
    assert sum((await held(stack, service, str(practice.id))).values()) >= 1
    for scope in (None, "", "None", "every'", str(practice.id).upper()):
        assert not any((await held(stack, service, scope)).values()), scope
    theirs = await held(stack, service, str(other_practice.id))
    theirs.pop("practices", None)  # its own row
    assert not any(theirs.values())


BIND = "SELECT set_config('app.practice', $1, true)"


async def as_practice(
    role: "asyncpg.Connection[asyncpg.Record]", practice: Practice, statement: str, *values: object
) -> None:
    async with role.transaction():
        await role.execute(BIND, str(practice.id))
        await role.execute(statement, *values)


async def test_no_row_can_be_written_for_another_practice(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    async with connected(stack.dsn("scheduling")) as role:
        for statement in (
            "INSERT INTO idempotency_keys (practice_id, key, fingerprint, appointment_id) "
            "VALUES ($1, 'x', '', $1)",
            "INSERT INTO outbox (topic, key, headers, value, practice_id) "
            "VALUES ('t', 'k', '{}', '', $1)",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await as_practice(role, other_practice, statement, practice.id)
        async with role.transaction():
            await role.execute(BIND, str(other_practice.id))
            done = await role.execute("UPDATE appointments SET attempt = attempt + 1")
            assert done == "UPDATE 0"
            assert await role.execute("DELETE FROM appointments") == "DELETE 0"
    path = f"/v1/appointments/{created['id']}"
    assert (await practice.scheduling.get(path)).json()["invitation"]["attempt"] == 1
