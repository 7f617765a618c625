"""Keys of the API, of practices and of the operator, and what they are exchanged for."""

import os
import re
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from uuid import UUID

import httpx

from local.services import AUDIT_KEYS_FILE
from local.stack import Stack
from services.scheduling.admin import program
from tests.support import Json, Practice, http_client

GRANT = {"grant_type": "client_credentials"}
EVERY_SCOPE = ("appointments:read", "appointments:write", "status:read")


async def admin(
    stack: Stack, *arguments: str, url: str | None = None, audit_keys: str | None = None
) -> tuple[int, str]:
    """What the operator's command line does and tells, in this process: one of its own takes long.

    With the service's audit keys unless there are others.
    """
    told, wrong = StringIO(), StringIO()
    with redirect_stdout(told), redirect_stderr(wrong):
        try:
            code = await program.run(arguments, _variables(stack, url, audit_keys))
        except SystemExit as usage:  # argparse's
            code = int(usage.code or 0)
    return code, told.getvalue() + wrong.getvalue()


async def admin_process(stack: Stack, *arguments: str) -> tuple[int, str]:
    """The same as operators start it."""
    process = await create_subprocess_exec(
        *(sys.executable, "-m", "services.scheduling.admin", *arguments),
        env=os.environ | _variables(stack),
        stdout=PIPE,
        stderr=PIPE,
    )
    told, wrong = await process.communicate()
    return process.returncode or 0, told.decode() + wrong.decode()


def _variables(
    stack: Stack, url: str | None = None, audit_keys: str | None = None
) -> dict[str, str]:
    return {
        "SCHEDULING_ADMIN_DATABASE_URL": url or stack.owner_dsn("scheduling"),
        "SCHEDULING_AUDIT_KEYS": stack_audit_keys(stack) if audit_keys is None else audit_keys,
    }


def stack_audit_keys(stack: Stack) -> str:
    """As the stack's scheduling service has them."""
    return (stack.folder.path / AUDIT_KEYS_FILE).read_text()


async def new_key(
    stack: Stack, practice_id: UUID, *scopes: str, days: int = 365
) -> tuple[str, str]:
    wanted = [argument for scope in scopes for argument in ("--scope", scope)]
    code, told = await admin(
        stack,
        *("key", "create", "--practice", str(practice_id), "--name", "Praxissystem"),
        *("--days", str(days), *wanted),
    )
    assert code == 0, told
    found = re.search(r"id: +(ek_\w+)\nsecret: +(es_[\w-]+)\n", told)
    assert found is not None
    return found[1], found[2]


async def exchange(stack: Stack, key: tuple[str, str], **form: str) -> httpx.Response:
    async with http_client(base_url=stack.url("scheduling")) as client:
        return await client.post("/v1/tokens", data=GRANT | form, auth=key)


async def bearer(stack: Stack, key: tuple[str, str], **form: str) -> dict[str, str]:
    response = await exchange(stack, key, **form)
    assert response.status_code == 200, response.text
    assert response.headers["cache-control"] == "no-store"
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


async def change_practice(stack: Stack, practice: Practice, **settings: object) -> Json:
    """What an operator sets of a practice; the practice as it is then."""
    async with http_client(
        base_url=stack.operations_url("scheduling"),
        auth=await operator_key(stack),
    ) as client:
        answer = await client.patch(f"/v1/admin/practices/{practice.id}", json=settings)
    assert answer.status_code == 200, answer.text
    record: Json = answer.json()
    return record


async def operator_key(stack: Stack) -> tuple[str, str]:
    code, told = await admin(stack, "operator", "create", "--name", "Betrieb")
    assert code == 0, told
    found = re.search(r"id: +(eo_\w+)\nsecret: +(eos_[\w-]+)\n", told)
    assert found is not None
    return found[1], found[2]
