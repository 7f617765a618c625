"""Practices set up and changed, over the API and on the command line, by operators alone."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from local.practice import Practice as Row
from tests.conftest import Stack, at_the_desk
from tests.support import Json, Practice, http_client
from tests.support.keys import (
    EVERY_SCOPE,
    admin,
    admin_process,
    bearer,
    new_key,
    operator_key,
)

PATH = "/v1/admin/practices"
# Tables that the operator's scope writes: practices, when their next daily mail is due, its keys.
OPERATED = ("practices", "daily_mails", "operator_keys")


@pytest_asyncio.fixture
async def operator(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """The operator's client."""
    async with http_client(
        base_url=stack.operations_url("scheduling"),
        auth=await operator_key(stack),
    ) as client:
        yield client


@asynccontextmanager
async def set_up(
    stack: Stack, operator: httpx.AsyncClient, **settings: Any
) -> AsyncIterator[Practice]:
    made = await operator.post(PATH, json={"name": "Praxis Neu", **settings})
    assert made.status_code == 201, made.text
    async with at_the_desk(stack, Row(UUID(made.json()["id"]), "", "", "")) as practice:
        yield practice


async def test_a_practice_set_up_over_the_api_can_invite(
    stack: Stack, operator: httpx.AsyncClient
) -> None:
    wished = uuid7()
    made = await operator.post(PATH, json={"id": str(wished), "name": "  Praxis   Dr. Weiß "})
    assert made.status_code == 201
    assert made.headers["location"] == f"{PATH}/{wished}"
    record = made.json()
    assert record == {
        "id": str(wished),
        "name": "Praxis Dr. Weiß",
        "time_zone": "Europe/Berlin",
        "tariff": "basic",
        "language": "de",
        "reminders": [1440, 60],
        "retention_days": 88,
        "phone": "",
        "reply_address": "",
        "postal_address": "",
        "asks_for_answer": True,
        "daily_mail_address": "",
        "daily_mail_hour": 7,
        "daily_messages": 0,
        "daily_sms_per_country": 0,
        "sms_countries": [],
        "quiet_hours": True,
    }
    assert (await operator.get(f"{PATH}/{wished}")).json() == record
    again = await operator.post(PATH, json={"id": str(wished), "name": "Andere"})
    assert (again.status_code, again.json()["code"]) == (409, "practice-exists")
    async with at_the_desk(stack, Row(wished, "", "", "")) as practice:
        created = await practice.create()
        assert "Praxis Dr. Weiß" in (await practice.mail(created["email"]))["text"]


async def test_changes_hold_at_once(stack: Stack, operator: httpx.AsyncClient) -> None:
    sms: Json = {"channels": ["sms"], "email": None, "phone": "+491713920003"}
    async with set_up(stack, operator, tariff="premium") as practice:
        first = await practice.create(**sms)
        path = f"{PATH}/{practice.id}"
        changed = await operator.patch(
            path,
            json={"tariff": "basic", "name": "Neuer Name", "reminders": [60, 2880, 60]},
        )
        assert changed.status_code == 200
        assert changed.json()["reminders"] == [2880, 60]
        assert changed.json()["retention_days"] == 88  # what was not named stays
        refused = await practice.post(practice.form(**sms))
        assert refused.status_code == 422
        again = await practice.scheduling.post(
            f"/v1/appointments/{first['id']}/invitations", json={}
        )
        assert again.status_code == 422
        mailed = await practice.create()
        assert "Neuer Name" in (await practice.mail(mailed["email"]))["text"]
        assert (await practice.scheduling.get("/v1/practice")).json()["name"] == "Neuer Name"

        await operator.patch(path, json={"tariff": "standard", "time_zone": "Europe/London"})
        assert (await practice.post(practice.form(**sms))).status_code == 201
        shown = (await practice.scheduling.get(f"/v1/appointments/{mailed['id']}")).json()
        assert shown["time"] == "09:00"  # the moment stays, the clock it is read on changes

        log = await practice.scheduling.get("/v1/audit")
        kinds = [each for each in log.json()["entries"] if each["action"] == "practice_changed"]
        for each in kinds:
            assert each["actor"]["kind"] == "operator"
            assert each["actor"]["id"].startswith("eo_")
            assert each["actor"]["name"] == "Betrieb"
        assert [each["changed"] for each in kinds][:2] == [
            ["time_zone", "tariff"],
            ["name", "tariff", "reminders"],
        ]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "Praxis\x00"}, "name"),
        ({"name": "Praxis\u202e"}, "name"),
        ({"time_zone": "Europe/Musterstadt"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"time_zone": "CEST+2"}, "time_zone"),
        ({"time_zone": "localtime"}, "time_zone"),
        ({"tariff": "Basic"}, "tariff"),
        ({"language": "tlh"}, "language"),
        ({"reminders": [1, 2, 3, 4, 5, 6]}, "reminders"),
        ({"reminders": [0]}, "reminders"),
        ({"reminders": [20161]}, "reminders"),
        ({"reminders": [True]}, "reminders.0"),
        ({"reminders": [10**30]}, "reminders"),
        ({"retention_days": 89}, "retention_days"),
        ({"retention_days": -1}, "retention_days"),
        ({"retention_days": "30"}, "retention_days"),
        ({"phone": "12"}, "phone"),
        ({"reply_address": "x@y.example\r\nBcc: z@y.example"}, "reply_address"),
        ({"postal_address": "1\n2\n3\n4\n5\n6"}, "postal_address"),
        ({"asks_for_answer": "no"}, "asks_for_answer"),
        ({"daily_mail_address": "leitung"}, "daily_mail_address"),
        ({"daily_mail_hour": 24}, "daily_mail_hour"),
        ({"owner": "x"}, "owner"),
    ],
)
async def test_what_can_not_be_is_refused_by_name(
    stack: Stack, operator: httpx.AsyncClient, settings: Json, field: str
) -> None:
    refused = [await operator.post(PATH, json={"name": "Praxis", **settings})]
    async with set_up(stack, operator) as practice:
        refused.append(await operator.patch(f"{PATH}/{practice.id}", json=settings))
        kept = (await operator.get(f"{PATH}/{practice.id}")).json()
    for answer in refused:
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert [each["field"] for each in answer.json()["errors"]] == [field]
    assert (kept["name"], kept["retention_days"]) == ("Praxis Neu", 88)


async def test_all_faults_are_told_at_once_and_nothing_is_half_done(
    stack: Stack, operator: httpx.AsyncClient
) -> None:
    async with set_up(stack, operator) as practice:
        answer = await operator.patch(
            f"{PATH}/{practice.id}",
            json={"name": "Gut", "tariff": "gold", "language": "xx", "retention_days": 400},
        )
        fields = {each["field"] for each in answer.json()["errors"]}
        assert fields == {"tariff", "language", "retention_days"}
        assert (await operator.get(f"{PATH}/{practice.id}")).json()["name"] == "Praxis Neu"
    assert (await operator.get(f"{PATH}/{uuid4()}")).status_code == 404
    assert (await operator.patch(f"{PATH}/{uuid4()}", json={"name": "x"})).status_code == 404


async def test_the_list_comes_page_by_page(stack: Stack, operator: httpx.AsyncClient) -> None:
    ids = []
    for _ in range(3):
        made = await operator.post(PATH, json={"name": "Praxis"})
        ids.append(made.json()["id"])
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = (await operator.get(PATH, params=query)).json()
        seen += [each["id"] for each in page["practices"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert set(ids) <= set(seen)
    assert len(seen) == len(set(seen))


async def test_no_token_and_no_key_of_a_practice_opens_it(practice: Practice, stack: Stack) -> None:
    key = await new_key(stack, practice.id, *EVERY_SCOPE)
    operator = await operator_key(stack)
    async with http_client(base_url=stack.operations_url("scheduling")) as client:
        wrong: list[dict[str, Any]] = [
            {},
            {"auth": key},
            {"auth": (operator[0], key[1])},
            {"auth": (operator[0], "")},
            {"auth": ("eo_\x00", operator[1])},
            {"auth": (key[0], operator[1])},
            {"headers": {"Authorization": f"Bearer {stack.token(practice.id)}"}},
            {"headers": {"Authorization": f"Bearer {stack.token(None)}"}},
            {"headers": await bearer(stack, key)},
            {"headers": {"Authorization": f"Bearer {operator[1]}"}},
        ]
        for credentials in wrong:
            for method, path in (
                ("GET", PATH),
                ("POST", PATH),
                ("GET", f"{PATH}/{practice.id}"),
                ("PATCH", f"{PATH}/{practice.id}"),
            ):
                answer = await client.request(method, path, **credentials)
                assert answer.status_code == 401, (method, path, credentials)
                assert answer.headers["content-type"] == "application/problem+json"
        # and the operator's key opens nothing else
        client.base_url = httpx.URL(stack.url("scheduling"))
        assert (await client.get("/v1/practice", auth=operator)).status_code == 401
        grant = {"grant_type": "client_credentials"}
        assert (await client.post("/v1/tokens", data=grant, auth=operator)).status_code == 401

        client.base_url = httpx.URL(stack.operations_url("scheduling"))
        assert (await client.get(PATH, auth=operator)).status_code == 200
        assert (await admin(stack, "operator", "revoke", operator[0]))[0] == 0
        assert (await client.get(PATH, auth=operator)).status_code == 401  # at once
    refused = [
        json.loads(line)
        for line in (stack.folder.logs / "scheduling.log").read_text().splitlines()
        if "operator key refused" in line
    ]
    assert {operator[0], None} <= {each["key"] for each in refused}
    assert operator[1] not in str(refused)
    code, deeds = await admin(stack, "audit", "deeds")
    assert code == 0
    for deed in ("created", "revoked"):
        assert re.search(rf"-  operator_key_{deed}  {operator[0]}  operator:cli", deeds)
    code, listed = await admin(stack, "operator", "list")
    assert code == 0
    assert re.search(rf"{operator[0]}  revoked", listed)
    assert operator[1] not in listed


async def test_the_database_keeps_the_scopes_apart(practice: Practice, stack: Stack) -> None:
    """Even a fault in the service's code would not let one reach into the other."""
    await practice.create()
    service = await asyncpg.connect(stack.dsn("scheduling"))
    try:

        async def ask(scope: str, query: str, *values: Any) -> Any:
            async with service.transaction():
                await service.execute("SELECT set_config('app.practice', $1, true)", scope)
                return await service.fetchval(query, *values)

        tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'"
        for table in [row[0] for row in await service.fetch(tables)]:
            if table in {*OPERATED, "audit_chains", "schema_migrations"}:
                continue
            has = "SELECT relrowsecurity FROM pg_class WHERE oid = $1::regclass"
            if await service.fetchval(has, table):
                found = await ask("operator", f"SELECT count(*) FROM {table}")
                assert found == 0, table
        rename = "UPDATE practices SET name = 'x' WHERE id = $1 RETURNING name"
        for scope in (str(practice.id), "every", ""):
            assert await ask(scope, "SELECT count(*) FROM operator_keys") == 0
        for scope in (str(practice.id), "every"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ask(scope, rename, practice.id)
        assert await ask("", rename, practice.id) is None
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(
                str(practice.id),
                "INSERT INTO practices "
                "(id, name, time_zone, tariff, language, reminders, retention_days) "
                "VALUES ($1, 'x', 'UTC', 'basic', 'de', '{}', 0)",
                uuid4(),
            )
        for query in ("DELETE FROM practices", "DELETE FROM operator_keys"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await ask("operator", query)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(
                "operator", "UPDATE operator_keys SET expires_at = now() + interval '9 years'"
            )
    finally:
        await service.close()


async def test_the_command_line_does_the_same(stack: Stack) -> None:
    wished = str(uuid7())
    code, told = await admin_process(
        stack,
        *("practice", "add", "--id", wished, "--name", "Praxis am See", "--tariff", "premium"),
    )
    assert code == 0, told
    assert "tariff:         premium" in told
    code, told = await admin_process(
        stack,
        *(
            "practice",
            "set",
            wished,
            "--tariff",
            "basic",
            "--reminders",
            "",
            "--retention-days",
            "0",
        ),
    )
    assert code == 0, told
    code, shown = await admin_process(stack, "practice", "show", wished)
    assert shown == told
    for line in ("name:           Praxis am See", "reminders:      \n", "retention-days: 0"):
        assert line in shown
    code, listed = await admin_process(stack, "practice", "list")
    assert f"{wished}  basic" in listed
    code, told = await admin_process(
        stack, *("practice", "set", wished, "--time-zone", "Mond/Krater", "--retention-days", "89")
    )
    assert code == 1
    assert re.search("^time_zone: ", told, re.MULTILINE)
    assert re.search("^retention_days: ", told, re.MULTILINE)
    assert await admin_process(stack, "practice", "show", str(uuid4())) == (
        1,
        "There is no such practice.\n",
    )
    again = await admin_process(stack, "practice", "add", "--id", wished, "--name", "x")
    assert again == (1, "There is a practice with this id.\n")
