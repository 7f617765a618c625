"""The life of an API key: made, exchanged, limited, expired, revoked."""

import re
from uuid import uuid4

import asyncpg
import pytest

from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
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
    async with http_client(base_url=stack.url("scheduling")) as client:
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


async def test_a_clinic_system_finds_corrects_and_cancels_what_it_booked(
    practice: Practice, stack: Stack
) -> None:
    key = await new_key(
        stack,
        practice.id,
        *EVERY_SCOPE,
        *("appointments:cancel", "appointments:correct", "links:read"),
    )
    headers = await bearer(stack, key)
    form = practice.form(external_reference="kis:4711", patient_reference="P-1")
    created = await practice.scheduling.post("/v1/appointments", json=form, headers=headers)
    assert created.status_code == 201, created.text
    appointment_id = created.json()["id"]
    path = f"/v1/appointments/{appointment_id}"
    await practice.shows(appointment_id, "delivered")

    # Sent again, with all but the reference lost, it is one appointment, and is found.
    again = await practice.scheduling.post("/v1/appointments", json=form, headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "external-reference-taken")
    assert again.json()["appointment_id"] == appointment_id
    query = {"external_reference": "kis:4711"}
    page = await practice.scheduling.get("/v1/appointments", params=query, headers=headers)
    assert [each["id"] for each in page.json()["appointments"]] == [appointment_id]

    link = await practice.scheduling.get(f"{path}/patient-link", headers=headers)
    assert link.headers["cache-control"] == "no-store"
    assert link.json()["link"] in (await practice.mail(form["email"]))["text"]

    new = form["email"].replace("erika", "nele")
    corrected = await practice.scheduling.patch(path, json={"email": new}, headers=headers)
    assert corrected.status_code == 200, corrected.text
    assert corrected.json()["invitation"]["unsent"] == ["email"]
    shown = await practice.shows(appointment_id, "unconfirmed")
    assert shown["channels"]["email"]["address_changed"]

    silent = await practice.scheduling.delete(path, params={"notify": False}, headers=headers)
    assert (silent.status_code, silent.json()["needed"]) == (403, ["appointments:delete"])
    assert (await practice.scheduling.post(f"{path}/erasure", headers=headers)).status_code == 403
    assert (await practice.scheduling.delete(path, headers=headers)).status_code == 204
    # Who was told at the address before is told at the present one that it is cancelled.
    assert "abgesagt" in (await practice.mail(new))["text"]
    assert len(await practice.mails(form["email"])) == 1

    async def fate() -> Json | None:
        """What became of the cancellation, as the key may read it."""
        query = {"appointment_id": appointment_id}
        told = await practice.status.get("/v1/timelines", params=query, headers=headers)
        [story] = told.json()["timelines"]
        ends = [
            each
            for each in story["timeline"]
            if (each["about"], each["type"]) == ("cancelled", "delivered")
        ]
        return ends[0] if ends else None

    assert (await eventually(fate, "the cancellation's fate"))["channel"] == "email"

    deeds = (await practice.scheduling.get("/v1/audit")).json()["entries"]
    of_key = [each["action"] for each in deeds if each["actor"]["id"] == key[0]]
    assert {"patient_link_read", "appointment_corrected", "appointment_deleted"} <= {*of_key}


async def test_a_scope_gives_what_it_says_and_no_more(practice: Practice, stack: Stack) -> None:
    path = f"/v1/appointments/{(await practice.create())['id']}"
    headers = await bearer(stack, await new_key(stack, practice.id, "appointments:correct"))
    for change, needed in (
        ({"time": "11:00"}, ["appointments:write"]),
        ({"locale": "en", "external_reference": "a"}, ["appointments:write"]),
    ):
        refused = await practice.scheduling.patch(path, json=change, headers=headers)
        assert (refused.status_code, refused.json()["needed"]) == (403, needed)
    told = await practice.scheduling.patch(path, json={"locale": "en"}, headers=headers)
    assert told.status_code == 200
    assert "patient_name" not in told.json()  # which nobody may read with it
    writer = await bearer(stack, await new_key(stack, practice.id, *EVERY_SCOPE))
    refused = await practice.scheduling.patch(path, json={"locale": "de"}, headers=writer)
    assert refused.json()["needed"] == ["appointments:correct"]
    for method, url in (("GET", f"{path}/patient-link"), ("DELETE", path)):
        assert (await practice.scheduling.request(method, url, headers=writer)).status_code == 403
