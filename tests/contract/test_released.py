"""Every released version of the events and today's understand each other (docs/versions.md)."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.envelope import decode
from contracts.events import Event
from contracts.topics import EVENT_OF
from contracts.version import VERSION
from tools import generate, record

VERSIONS = sorted(path.name for path in record.RELEASED.iterdir())
CHANGELOG = Path("contracts/CHANGELOG.md")


def released(version: str) -> Iterator[type[Event]]:
    for path in sorted((record.RELEASED / version).glob("*.jsonl")):
        yield EVENT_OF[f"einladung.v1.{path.stem}"]


def schema(version: str, event: type[Event]) -> dict[str, Any]:
    path = record.RELEASED / version / f"{event.__name__}.schema.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


EVENTS = [
    pytest.param(version, event, id=f"{version} {event.__name__}")
    for version in VERSIONS
    for event in released(version)
]


@pytest.mark.parametrize(("version", "event"), EVENTS)
def test_todays_readers_read_what_was_released_and_lose_nothing_of_it(
    version: str, event: type[Event]
) -> None:
    lines = (record.RELEASED / version / f"{event.__name__}.jsonl").read_text().splitlines()
    for line in lines:
        recorded = json.loads(line)
        headers = [(name, value.encode()) for name, value in recorded["headers"].items()]
        read = decode(headers, recorded["value"].encode()).event
        assert type(read) is event
        body = json.loads(recorded["value"])
        assert body.items() <= json.loads(read.model_dump_json()).items()
    assert len(lines) >= 2


@pytest.mark.parametrize(("version", "event"), EVENTS)
def test_readers_of_a_release_who_validate_take_todays_events(
    version: str, event: type[Event]
) -> None:
    """With the fewest fields, with all, and with every value that is listed today."""
    validator = Draft202012Validator(schema(version, event))
    for message in record.messages(event):
        validator.validate(json.loads(message["value"]))


def test_a_value_that_was_not_released_is_noticed() -> None:
    then = schema("1.0.0", EVENT_OF["einladung.v1.InvitationFailed"])
    del then["$defs"]["FailureReason"]["enum"][0]
    refused = Draft202012Validator(then)
    told = [
        json.loads(each["value"])
        for each in record.messages(EVENT_OF["einladung.v1.InvitationFailed"])
    ]
    assert not all(refused.is_valid(each) for each in told)


def test_what_is_released_is_today_as_it_was_or_the_version_has_risen() -> None:
    """Before its tag it is recorded anew; after it a patch version says things in other words."""
    if VERSION not in VERSIONS:
        return
    for event in released(VERSION):
        assert schema(VERSION, event) == generate.json_schema(event)
    then, now = record.RELEASED / VERSION / "openapi", generate.CONTRACTS / "openapi"
    assert {path.name: json.loads(path.read_text()) for path in then.iterdir()} == {
        path.name: json.loads(path.read_text()) for path in now.iterdir()
    }


def test_the_changelog_tells_of_every_version_the_newest_first() -> None:
    told = re.findall(r"^## (\d+\.\d+\.\d+)", CHANGELOG.read_text(), re.MULTILINE)
    assert told[0] == VERSION
    assert set(VERSIONS) <= set(told)
    numbers = [tuple(map(int, each.split("."))) for each in told]
    assert numbers == sorted(numbers, reverse=True)
    assert {each.partition(".")[0] for each in told} == {"1"}  # a 2 has topics and paths of its own
    assert generate.asyncapi()["info"]["version"] == VERSION


def names(part: Any) -> set[str]:
    """Of all fields in a schema."""
    if isinstance(part, list):
        return {name for each in part for name in names(each)}
    if not isinstance(part, dict):
        return set()
    return {*part.get("properties", {})} | names([*part.values()])


@pytest.mark.parametrize(("before", "version"), [*pairwise(VERSIONS)])
def test_the_changelog_names_every_event_and_every_field_that_came(
    before: str, version: str
) -> None:
    text = CHANGELOG.read_text()
    section = text[text.index(f"## {version}") : text.index(f"## {before}")]
    then = {event.__name__: names(schema(before, event)) for event in released(before)}
    now = {event.__name__: names(schema(version, event)) for event in released(version)}
    came = {*now.keys() - then.keys()}
    for event in now.keys() & then.keys():
        came |= now[event] - then[event]
    assert [each for each in sorted(came) if f"`{each}`" not in section] == []


def test_what_is_recorded_is_never_written_over(tmp_path: Path) -> None:
    record.record(tmp_path / "1")
    with pytest.raises(FileExistsError):
        record.record(tmp_path / "1")
