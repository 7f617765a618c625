"""Keys in their tables: made by the owner of the database, used by the service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from chassis.database import Connection, Database
from contracts.rights import Right
from services.scheduling.keys import key as keys
from services.scheduling.keys.key import ClinicSystem, Key, Operator
from services.scheduling.keys.store import API_KEYS, OPERATOR_KEYS, USE_NOTED_EVERY
from tests.database.conftest import NewPractice, OwnerOf

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(days=1)
SCOPES = frozenset({Right.READ_STATUS, Right.WRITE_APPOINTMENTS})


@asynccontextmanager
async def as_owner(owner_of: OwnerOf) -> AsyncIterator[Connection]:
    async with owner_of("scheduling") as owner:
        await owner.execute("SELECT set_config('app.practice', 'every', false)")
        yield owner


async def api_key(owner_of: OwnerOf, new_practice: NewPractice) -> tuple[Key[ClinicSystem], str]:
    owner = ClinicSystem(await new_practice(), SCOPES)
    key, secret = keys.create(owner, "Praxissystem", now=NOW, expires_at=UNTIL)
    async with as_owner(owner_of) as tx:
        await API_KEYS.add(tx, key)
    return key, secret


async def test_a_key_is_found_as_it_was_made_by_its_id_and_secret(
    scheduling_db: Database, owner_of: OwnerOf, new_practice: NewPractice
) -> None:
    key, secret = await api_key(owner_of, new_practice)
    _, other_secret = await api_key(owner_of, new_practice)
    async with scheduling_db.system() as tx:
        assert await API_KEYS.use(tx, key.id, secret, NOW) == key
        for wrong in ((key.id, other_secret), ("ek_" + "0" * 16, secret), ("ek_\0", secret)):
            assert await API_KEYS.use(tx, *wrong, NOW) is None
        assert await API_KEYS.use(tx, key.id, secret, UNTIL) is None
    async with scheduling_db.operator() as tx:
        assert await OPERATOR_KEYS.use(tx, key.id, secret, NOW) is None


async def test_use_is_noted_to_the_minute(
    scheduling_db: Database, owner_of: OwnerOf, new_practice: NewPractice
) -> None:
    key, secret = await api_key(owner_of, new_practice)
    second = timedelta(seconds=1)
    moments = [NOW, NOW + second, NOW + USE_NOTED_EVERY + second]
    noted = []
    for moment in moments:
        async with scheduling_db.system() as tx:
            await API_KEYS.use(tx, key.id, secret, moment)
            [found] = await API_KEYS.all(tx)
            noted.append(found.last_used_at)
    assert noted == [moments[0], moments[0], moments[2]]


async def test_a_revoked_key_opens_nothing_and_stays_revoked(
    scheduling_db: Database, owner_of: OwnerOf, new_practice: NewPractice
) -> None:
    key, secret = await api_key(owner_of, new_practice)
    async with as_owner(owner_of) as owner:
        for moment in (NOW, NOW + timedelta(hours=1)):
            revoked = await API_KEYS.revoke(owner, key.id, moment)
            assert revoked is not None
            assert (revoked.owner, revoked.revoked_at) == (key.owner, NOW)
        assert await API_KEYS.revoke(owner, "ek_none", NOW) is None
    async with scheduling_db.system() as tx:
        assert await API_KEYS.use(tx, key.id, secret, NOW) is None


async def test_an_operators_key_is_seen_in_the_operators_scope_alone(
    scheduling_db: Database, owner_of: OwnerOf
) -> None:
    key, secret = keys.create(Operator(), "Betrieb", now=NOW, expires_at=UNTIL)
    async with owner_of("scheduling") as owner:
        await owner.execute("SELECT set_config('app.practice', 'operator', false)")
        await OPERATOR_KEYS.add(owner, key)
    async with scheduling_db.operator() as tx:
        assert await OPERATOR_KEYS.use(tx, key.id, secret, NOW) == key
    async with scheduling_db.system() as tx:
        assert await OPERATOR_KEYS.use(tx, key.id, secret, NOW) is None
        assert await API_KEYS.use(tx, key.id, secret, NOW) is None


async def test_the_service_itself_makes_and_revokes_none(
    scheduling_db: Database, owner_of: OwnerOf, new_practice: NewPractice
) -> None:
    key, _ = await api_key(owner_of, new_practice)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with scheduling_db.system() as tx:
            await API_KEYS.add(tx, key)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with scheduling_db.system() as tx:
            await API_KEYS.revoke(tx, key.id, NOW)


async def test_a_scope_that_this_version_does_not_know_gives_nothing(
    scheduling_db: Database, owner_of: OwnerOf, new_practice: NewPractice
) -> None:
    key, secret = await api_key(owner_of, new_practice)
    async with as_owner(owner_of) as owner:
        await owner.execute(
            "UPDATE api_keys SET scopes = '{status:read,rooms:paint}' WHERE id = $1", key.id
        )
    async with scheduling_db.system() as tx:
        found = await API_KEYS.use(tx, key.id, secret, NOW)
    assert found is not None
    assert found.owner.scopes == {Right.READ_STATUS}
