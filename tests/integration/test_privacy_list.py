"""docs/privacy.md is complete: every column and every field is in it, and nothing else."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from local.modules import MODULES
from tests.conftest import Stack

ROOT = Path(__file__).parents[2]
LIST = ROOT / "docs" / "privacy.md"
CODE = re.compile(r"`([\w.]+)`")
ADVICE = "Say in docs/privacy.md what it holds of whom, why and for how long; and in `forget` or "
ADVICE += "`erase` of the service's erasure_store.py, how it goes."


def listed() -> Counter[str]:
    """„scheduling.appointments.contact" or „InvitationRequested.link", as often as listed."""
    found: Counter[str] = Counter()
    for line in LIST.read_text().splitlines():
        cells = line.split("|")
        if len(cells) > 3:
            for subject in CODE.findall(cells[1]):
                found.update(f"{subject}.{name}" for name in CODE.findall(cells[2]))
    return found


def fields() -> Iterator[str]:
    for path in sorted((ROOT / "contracts" / "schemas").glob("*.json")):
        schema = json.loads(path.read_text())
        for name, field in schema["properties"].items():
            yield f"{path.stem}.{name}"
            for inner in nested(schema, field):
                yield f"{path.stem}.{name}.{inner}"


def nested(schema: dict[str, Any], field: dict[str, Any]) -> Iterator[str]:
    for reference in re.findall(r"#/\$defs/(\w+)", json.dumps(field)):
        yield from schema["$defs"][reference].get("properties", ())


async def columns(stack: Stack, service: str) -> set[str]:
    owner = await asyncpg.connect(stack.owner_dsn(service))
    try:
        rows = await owner.fetch(
            """
            SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema NOT IN ('pg_catalog', 'information_schema')
            """
        )
    finally:
        await owner.close()
    return {f"{service}.{table}.{column}" for table, column in rows}


def test_nothing_is_listed_twice() -> None:
    assert not [name for name, times in listed().items() if times > 1]


def test_every_field_of_every_event_is_listed() -> None:
    there = set(fields())
    known = {name for name in listed() if name.split(".")[0] not in MODULES}
    assert not there - known, ADVICE
    assert not known - there, "listed in docs/privacy.md, and not there"


@pytest.mark.parametrize("service", MODULES)
async def test_every_column_of_every_table_is_listed(stack: Stack, service: str) -> None:
    there = await columns(stack, service)
    known = {name for name in listed() if name.startswith(f"{service}.")}
    assert not there - known, ADVICE
    assert not known - there, "listed in docs/privacy.md, and not there"
