"""A system without Kafka hears of its practice's appointments, on the whole stack."""

import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator

import pytest_asyncio
from standardwebhooks import Webhook

from contracts.topics import EVENT_OF
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.http_server import Server, serve
from tests.support.keys import bearer, new_key

KINDS = {"AppointmentScheduled", "InvitationIssued", "InvitationPending", "InvitationDelivered"}


@pytest_asyncio.fixture(scope="module")
async def webhooks(stack: Stack) -> AsyncIterator[Stack]:
    """With the service, which other tests do without."""
    await stack.service("webhooks").start()
    yield stack
    await stack.service("webhooks").stop()


def told(server: Server, secret: str, appointment_id: str) -> list[Json]:
    """What the receiver has heard of an appointment; each verified, repeats left out."""
    found: dict[str, Json] = {}
    for each in server.seen:
        event: Json = Webhook(secret).verify(each.body, dict(each.headers))
        assert each.headers["webhook-id"] == event["id"]
        if event["subject"] == appointment_id:
            found.setdefault(event["id"], event)
    return list(found.values())


async def hears(server: Server, secret: str, appointment_id: str) -> list[Json]:
    """All that is told of an invitation that arrives."""

    async def ask() -> list[Json] | None:
        events = told(server, secret, appointment_id)
        kinds = {event["type"].removeprefix("einladung.v1.") for event in events}
        return events if kinds >= KINDS else None

    return await eventually(ask, "all events have come")


async def test_a_receiver_hears_all_of_its_practice_and_nothing_of_its_patients(
    webhooks: Stack, practice: Practice, other_practice: Practice
) -> None:
    stack = webhooks
    key = await new_key(stack, practice.id, "webhooks:manage")
    reader = await new_key(stack, practice.id, "status:read")
    async with (
        serve() as server,
        http_client(base_url=stack.url("webhooks")) as client,
    ):
        body = {"url": f"{server.url}/hook"}
        refused = await client.post("/v1/webhooks", json=body, headers=await bearer(stack, reader))
        assert (refused.status_code, refused.json()["needed"]) == (403, ["webhooks:manage"])
        person = await client.get(
            "/v1/webhooks", headers={"Authorization": f"Bearer {stack.token(practice.id)}"}
        )
        assert person.status_code == 403
        client.headers.update(await bearer(stack, key))
        made = (await client.post("/v1/webhooks", json=body)).json()

        created = await practice.create(patient_name="Wilhelmine Geheim")
        theirs = await other_practice.create()
        events = await hears(server, made["secret"], created["id"])
        for event in events:
            model = EVENT_OF[event["type"]].model_validate(event["data"])
            assert model.practice_id == practice.id
        sequences = [event["data"]["sequence"] for event in events if "sequence" in event["data"]]
        assert sequences == sorted(sequences)

        # What happens while no process runs is told by the next one.
        await stack.service("webhooks").kill()
        later = await practice.create(patient_name="Wilhelmine Geheim")
        await practice.shows(later["id"], "delivered")
        await other_practice.shows(theirs["id"], "delivered")
        await stack.service("webhooks").start()
        await hears(server, made["secret"], later["id"])

        said = b"".join(each.body for each in server.seen).decode()
        for secret in ("Geheim", created["email"], later["email"], str(other_practice.id)):
            assert secret not in said

        async def all_recorded() -> bool:
            shown = (await client.get(f"/v1/webhooks/{made['id']}")).json()
            return bool(shown["waiting"] == 0)

        await eventually(all_recorded, "nothing waits any more")
        log = (await client.get(f"/v1/webhooks/{made['id']}/attempts")).json()["attempts"]
        assert {each["result"] for each in log} == {"delivered"}
        listed = await admin(stack, "list", "--practice", str(practice.id))
        assert f"{made['id']}  {practice.id}  reached  0 waiting  {server.url}/hook" in listed
        assert made["secret"] not in listed
        assert "Disabled." in await admin(stack, "disable", made["id"])
        shown = (await client.get(f"/v1/webhooks/{made['id']}")).json()
        assert shown["disabled_reason"] == "operator"
    logged = (stack.folder.logs / "webhooks.log").read_text()
    assert made["secret"].removeprefix("whsec_") not in logged
    assert "Geheim" not in logged


async def admin(stack: Stack, *arguments: str) -> str:
    """The operator's command line, as it ends well."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "services.webhooks.admin", *arguments),
        env=os.environ | {"WEBHOOKS_ADMIN_DATABASE_URL": stack.owner_dsn("webhooks")},
        stdout=PIPE,
        stderr=PIPE,
    )
    told, wrong = await process.communicate()
    assert process.returncode == 0, wrong.decode()
    return told.decode()
