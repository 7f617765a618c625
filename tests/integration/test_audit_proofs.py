"""Each deed of the product is proven; a made-up one is found at once, by the audit, and by eye."""

import csv
import io
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest_asyncio

from chassis.database import Database
from services.scheduling.audit.entry import Action
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.database import log_forgotten, owner
from tests.support.keys import admin, bearer, new_key, operator_key, stack_audit_keys

LOG = "/v1/audit"
FOUND = "audit_entries_forged_total"


@pytest_asyncio.fixture
async def forgiven(practice: Practice, stack: Stack) -> AsyncIterator[Practice]:
    """A practice whose log may be harmed; afterwards nothing is left of it."""
    async with log_forgotten(stack, practice.id):
        yield practice


async def entries(practice: Practice) -> list[Json]:
    """The log, oldest first."""
    answer = await practice.scheduling.get(LOG, params={"limit": "200"})
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["entries"]
    return found[::-1]


async def forge(stack: Stack, practice_id: UUID, proof: bytes | None = None) -> UUID:
    """As whoever has the password of the service's role can; the entry's id."""
    db = await Database.connect(stack.dsn("scheduling"), connections=1)
    try:
        async with db.practice(practice_id) as tx:
            forged: UUID = await tx.fetchval(
                """
                INSERT INTO audit_entries (practice_id, actor_kind, actor_id, actor_name,
                    actor_roles, action, appointment_ids, changed, proof)
                VALUES ($1, 'person', 'auth0|7', 'Dr. Anders', '{practitioner}',
                    'appointment_erased', $2, '{}', $3)
                RETURNING id
                """,
                practice_id,
                [uuid4()],
                proof,
            )
    finally:
        await db.close()
    return forged


async def counted(stack: Stack) -> float:
    """How many forged entries the process has found."""
    async with http_client() as client:
        told = (await client.get(f"{stack.operations_url('scheduling')}/metrics")).text
    return sum(
        float(line.rpartition(" ")[2])
        for line in told.splitlines()
        if line.startswith(f"{FOUND}{{")
    )


async def test_all_that_the_product_enters_is_proven(practice: Practice, stack: Stack) -> None:
    before = await counted(stack)
    operator = await operator_key(stack)
    async with http_client(base_url=stack.operations_url("scheduling"), auth=operator) as client:
        changed = await client.patch(f"/v1/admin/practices/{practice.id}", json={"language": "en"})
        assert changed.status_code == 200, changed.text
    clinic = await new_key(stack, practice.id, "appointments:correct", "links:read")
    headers = await bearer(stack, clinic)
    key, _ = await new_key(stack, practice.id, "status:read")
    revoked = (("key", "revoke", key), ("operator", "revoke", operator[0]))
    for command, keys in zip(revoked, ("", None), strict=True):  # without the audit keys, and with
        assert (await admin(stack, *command, audit_keys=keys))[0] == 0

    made = await practice.create()
    path = f"/v1/appointments/{made['id']}"
    http = practice.scheduling
    await practice.resend(made["id"])
    days = {"from": made["date"], "to": made["date"]}
    for answer in (
        await http.patch(path, json={"duration_minutes": 45}),
        await http.patch(path, json={"patient_name": "Erika Meier"}, headers=headers),
        await http.get(f"{path}/patient-link", headers=headers),
        await http.get(path),
        await http.post(f"{path}/follow-ups", json={"causes": [str(uuid4())]}),
        await http.post(f"{path}/room"),
        await http.post(f"{path}/send-now"),
        await http.post("/v1/proofs/export", params=days),
        await http.post(f"{LOG}/export"),
        await http.delete(path),
        await http.post(f"{path}/erasure"),
    ):
        assert answer.is_success, answer.text

    found = await entries(practice)
    done = {entry["action"] for entry in found}
    of_installation = {Action.OPERATOR_KEY_CREATED, Action.OPERATOR_KEY_REVOKED}
    assert done == set(Action) - of_installation
    assert [entry for entry in found if entry["proven"] is not True] == []
    unproven = {entry["action"] for entry in found if entry["proof"] is None}
    assert unproven == {Action.KEY_REVOKED}
    code, told = await admin(stack, "audit", "verify")
    assert code == 0, told
    async with owner(stack, "scheduling") as database:
        assert await database.fetchval(
            "SELECT bool_and(proof IS NOT NULL) FROM audit_entries WHERE actor_id = 'operator:cli'"
            " AND practice_id IS NULL AND changed = $1",
            [operator[0]],
        )
        sealed = await database.fetchval("SELECT count(*) FROM audit_entries WHERE number IS NULL")
    assert sealed == 0
    assert await counted(stack) == before


async def test_what_the_service_did_not_enter_is_found(forgiven: Practice, stack: Stack) -> None:
    await forgiven.create()
    [genuine] = await entries(forgiven)
    before = await counted(stack)
    forged = await forge(stack, forgiven.id)
    copied = await forge(stack, forgiven.id, bytes.fromhex(genuine["proof"])[:-1] + b"\0")
    try:
        await forge(stack, forgiven.id, bytes.fromhex(genuine["proof"]))
    except asyncpg.UniqueViolationError:
        pass
    else:
        raise AssertionError("a proof was entered twice")

    async def noticed() -> bool:
        return await counted(stack) == before + 2

    await eventually(noticed, "the forged entries were noticed")
    shown = {entry["id"]: entry["proven"] for entry in await entries(forgiven)}
    assert shown == {genuine["id"]: True, str(forged): False, str(copied): False}
    exported = (await forgiven.scheduling.post(f"{LOG}/export")).content.decode("utf-8-sig")
    rows = csv.DictReader(io.StringIO(exported), delimiter=";")
    assert [row["Belegt"] for row in rows] == ["ja", "nein", "nein", "ja"]
    code, told = await admin(stack, "audit", "verify")
    assert code == 1
    assert f"{forgiven.id}: entry 2 has no proof" in told
    assert f"{forgiven.id}: entry 3 has a proof of something else" in told
    assert "was changed" not in told.replace("The audit log was changed:", "")


async def test_who_checks_has_the_keys_or_is_told(practice: Practice, stack: Stack) -> None:
    await practice.create()
    code, told = await admin(stack, "audit", "verify", audit_keys="")
    assert (code, "no proof is checked" in told) == (0, True)
    [key] = json.loads(stack_audit_keys(stack)).values()
    rotated = json.dumps({"2": key, "3": key})  # the first is no longer known
    code, told = await admin(stack, "audit", "verify", audit_keys=rotated)
    assert code == 0, told
    assert f"{practice.id}: the proofs up to " in told
    for wrong in ("{}", "x", '{"1": "short"}'):
        code, told = await admin(stack, "audit", "verify", audit_keys=wrong)
        assert (code, told) == (1, "SCHEDULING_AUDIT_KEYS can't be used.\n")
