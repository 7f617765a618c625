"""Linters find nothing, and generators make of contracts/ what one can work with."""

import asyncio
from pathlib import Path

import pytest

from tests.clients import java, programs
from tests.clients.programs import HERE, npm, project, run
from tests.conftest import Stack
from tests.support import Practice
from tests.support.keys import EVERY_SCOPE, new_key
from tools.generate import CONTRACTS

needs_node = pytest.mark.skipif(
    not programs.installed(), reason="make test-clients gets Node's packages"
)
needs_java = pytest.mark.skipif(not java.installed(), reason="make test-clients gets the jars")
APIS = ("scheduling", "status")


@needs_node
def test_a_linter_has_nothing_to_say(tmp_path: Path) -> None:
    files = [*(CONTRACTS / "openapi").glob("*.json"), CONTRACTS / "asyncapi.yaml"]
    lint = ("lint", "--ruleset", HERE / "spectral.yaml", "--fail-severity", "info")
    assert "No results" in run(tmp_path, npm("spectral"), *lint, *files)


@needs_node
def test_events_have_required_fields_and_a_proper_union(tmp_path: Path) -> None:
    place = project(tmp_path, "modelina.mjs", "events_check.ts")
    types = run(place, "node", "modelina.mjs", CONTRACTS / "asyncapi.yaml")
    (place / "events.ts").write_text(types)
    run(place, npm("tsc"), "--project", ".")


@needs_node
async def test_a_client_in_typescript_goes_from_a_key_to_a_tick(
    stack: Stack, practice: Practice, tmp_path: Path
) -> None:
    place = project(tmp_path, "flow.ts")
    for name in APIS:
        # A default that the service knows does not make a field of requests required.
        options = ("--default-non-nullable=false", "--output", f"{name}.ts")
        run(place, npm("openapi-typescript"), CONTRACTS / "openapi" / f"{name}.json", *options)
    run(place, npm("tsc"), "--project", ".")
    told = await asyncio.to_thread(
        run, place, "node", "built/flow.js", **await environment(stack, practice)
    )
    steps = ["token", "refused", "failed", "delivered", "moved", "not deleted"]
    assert told.splitlines() == steps


@needs_java
async def test_a_client_in_java_goes_from_a_key_to_a_tick(
    stack: Stack, practice: Practice, tmp_path: Path
) -> None:
    made = [java.client(CONTRACTS / "openapi" / f"{name}.json", tmp_path) for name in APIS]
    classes = java.compiled(tmp_path, HERE / "Flow.java", *made)
    variables = await environment(stack, practice, "appointments:cancel")
    told = await asyncio.to_thread(java.run, tmp_path, "-cp", classes, "Flow", **variables)
    steps = ["token", "refused", "failed", "delivered", "moved", "not erased", "cancelled"]
    assert told.splitlines() == steps


async def environment(stack: Stack, practice: Practice, *more: str) -> dict[str, str]:
    """What a client is told, with a key of these scopes too."""
    key_id, key_secret = await new_key(stack, practice.id, *EVERY_SCOPE, *more)
    return {
        "EINLADUNG_SCHEDULING": stack.url("scheduling"),
        "EINLADUNG_STATUS": stack.url("status"),
        "EINLADUNG_KEY_ID": key_id,
        "EINLADUNG_KEY_SECRET": key_secret,
    }
