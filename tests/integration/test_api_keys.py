"""The life of an API key: made, exchanged, limited, expired, revoked."""

import re
from uuid import uuid4

import asyncpg
import httpx
import pytest

from tests.conftest import Stack
from tests.support import PATIENCE, Practice
from tests.support.keys import EVERY_SCOPE, admin, bearer, exchange, new_key


async def test_a_clinic_system_invites_and_follows_with_its_key(
    practice: Practice, other_practice: Practice, stack: Stack
) -> None:
    headers = await bearer(stack, await new_key(stack, practice.id, *EVERY_SCOPE))
    created = await practice.scheduling.post(
        "/v1/appointments", json=practice.form(), headers=headers
    )
    assert created.status_code == 201
    path = f"/v1/appointments/{created.json()['id']}"
    await practice.shows(created.json()["id"], "delivered")
    shown = await practice.status.get(f"/v1/indicators/{created.json()['id']}", headers=headers)
    assert shown.json()["overall"] == "delivered"
    assert (await practice.scheduling.delete(path, headers=headers)).status_code == 403

    stranger = await bearer(stack, await new_key(stack, other_practice.id, *EVERY_SCOPE))
    assert (await practice.scheduling.get(path, headers=stranger)).status_code == 404


async def test_a_token_has_no_more_than_the_key_and_no_more_than_was_asked(
    practice: Practice, stack: Stack
) -> None:
    key = await new_key(stack, practice.id, "appointments:read", "status:read")
    both = await exchange(stack, key)
    assert both.json()["scope"] == "appointments:read status:read"
    assert (both.json()["token_type"], both.json()["expires_in"]) == ("Bearer", 300)
    headers = await bearer(stack, key, scope="status:read")
    path = f"/v1/indicators/{uuid4()}"
    assert (await practice.status.get(path, headers=headers)).status_code == 404
    assert (await practice.scheduling.get("/v1/practice", headers=headers)).status_code == 403
    for scope in ("appointments:write", "status:read appointments:write", "x"):
        refused = await exchange(stack, key, scope=scope)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope"), scope


async def test_a_key_that_does_not_hold_gets_no_token(practice: Practice, stack: Stack) -> None:
    revoked = await new_key(stack, practice.id, "status:read")
    await bearer(stack, revoked)
    assert (await admin(stack, "key", "revoke", revoked[0]))[0] == 0
    expired = await new_key(stack, practice.id, "status:read", days=1)
    good = await new_key(stack, practice.id, "status:read")
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    try:
        late = "UPDATE api_keys SET expires_at = now() WHERE id = $1"
        assert await owner.execute(late, expired[0]) == "UPDATE 1"
        kept = str(await owner.fetch("SELECT * FROM api_keys"))
    finally:
        await owner.close()
    assert good[0] in kept
    assert good[1] not in kept
    wrong = [revoked, expired, (good[0], revoked[1]), (good[0], ""), ("ek_none", good[1]), ("", "")]
    for key in wrong:
        response = await exchange(stack, key)
        assert (response.status_code, response.json()["error"]) == (401, "invalid_client")
        assert response.headers["www-authenticate"].startswith("Basic")
    await bearer(stack, good)

    code, listed = await admin(stack, "key", "list", "--practice", str(practice.id))
    assert code == 0
    states = dict(re.findall(r"^(ek_\w+)  \S+  (\w+)", listed, re.MULTILINE))
    assert states == {revoked[0]: "revoked", expired[0]: "expired", good[0]: "active"}
    assert not any(key[1] in listed for key in (revoked, expired, good))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "unsupported_grant_type"),
        (b"grant_type=password", "unsupported_grant_type"),
        (b"grant_type=client_credentials&scope=a&scope=b", "invalid_request"),
        ("grant_type=ü".encode(), "invalid_request"),
        (b"x" * 500, "invalid_request"),
    ],
)
async def test_what_is_no_request_for_a_token_is_refused(
    stack: Stack, body: bytes, error: str
) -> None:
    async with httpx.AsyncClient(base_url=stack.url("scheduling"), timeout=PATIENCE) as client:
        response = await client.post("/v1/tokens", content=body, auth=("ek_x", "es_x"))
    assert (response.status_code, response.json()["error"]) == (400, error)
    assert response.headers["content-type"] == "application/json"  # RFC 6749, section 5.2


async def test_only_the_owner_makes_and_revokes_keys(practice: Practice, stack: Stack) -> None:
    key = await new_key(stack, practice.id, "status:read")
    service = stack.dsn("scheduling")
    create = ("--practice", str(practice.id), "--name", "x", "--scope", "status:read")
    for command in (("create", *create), ("revoke", key[0])):
        code, told = await admin(stack, "key", *command, url=service)
        assert code == 1
        assert "owner" in told
    await bearer(stack, key)
    code, told = await admin(stack, "key", "create", create[0], str(uuid4()), *create[2:])
    assert (code, told.strip()) == (1, "There is no such practice.")
    code, _ = await admin(stack, "key", "create", *create[:-1], "appointments:delete")
    assert code == 2
