"""Linters find nothing, and generators make of contracts/ what one can work with."""

import asyncio
from pathlib import Path

import pytest

from tests.clients import programs
from tests.clients.programs import HERE, npm, project, run
from tests.conftest import Stack
from tests.support import Practice
from tests.support.keys import EVERY_SCOPE, new_key
from tools.generate import CONTRACTS

pytestmark = pytest.mark.skipif(
    not programs.installed(), reason="make test-clients gets Node's tools"
)


def test_a_linter_has_nothing_to_say(tmp_path: Path) -> None:
    files = [*(CONTRACTS / "openapi").glob("*.json"), CONTRACTS / "asyncapi.yaml"]
    lint = ("lint", "--ruleset", HERE / "spectral.yaml", "--fail-severity", "info")
    assert "No results" in run(tmp_path, npm("spectral"), *lint, *files)


def test_events_have_required_fields_and_a_proper_union(tmp_path: Path) -> None:
    place = project(tmp_path, "modelina.mjs", "events_check.ts")
    types = run(place, "node", "modelina.mjs", CONTRACTS / "asyncapi.yaml")
    (place / "events.ts").write_text(types)
    run(place, npm("tsc"), "--project", ".")


async def test_a_generated_client_goes_from_a_key_to_a_tick(
    stack: Stack, practice: Practice, tmp_path: Path
) -> None:
    place = project(tmp_path, "flow.ts")
    for name in ("scheduling", "status"):
        # A default that the service knows does not make a field of requests required.
        options = ("--default-non-nullable=false", "--output", f"{name}.ts")
        run(place, npm("openapi-typescript"), CONTRACTS / "openapi" / f"{name}.json", *options)
    run(place, npm("tsc"), "--project", ".")
    key_id, key_secret = await new_key(stack, practice.id, *EVERY_SCOPE)
    variables = {
        "EINLADUNG_SCHEDULING": stack.url("scheduling"),
        "EINLADUNG_STATUS": stack.url("status"),
        "EINLADUNG_KEY_ID": key_id,
        "EINLADUNG_KEY_SECRET": key_secret,
    }
    told = await asyncio.to_thread(run, place, "node", "built/flow.js", **variables)
    steps = ["token", "refused", "failed", "delivered", "moved", "not deleted"]
    assert told.splitlines() == steps
