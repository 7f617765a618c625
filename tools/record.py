"""Freezes this version of the contracts for the tests of all later ones (docs/versions.md).

    python -m tools.record

writes tests/contract/released/<version>/: the schemas, and messages of every event as they are on
the topic, with the fewest fields, with all, and with every listed value; in openapi/ the
descriptions of the APIs. Never over what is there.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias
from uuid import NAMESPACE_URL, uuid5

from contracts.envelope import encode
from contracts.events import Event
from contracts.topics import EVENT_OF, TOPIC_OF
from contracts.version import VERSION
from local.modules import SERVICES
from tools.generate import as_json, json_schema, openapi

RELEASED = Path(__file__).parents[1] / "tests" / "contract" / "released"

Json: TypeAlias = dict[str, Any]

BY_FORMAT = {
    "date-time": "2026-11-28T09:30:00Z",
    "date": "2026-11-28",
}
# Of strings with a pattern, and of those that mean something.
BY_NAME = {
    "status_code": "5.1.1",
    "practice_phone": "+49301234567",
    "reply_to": "praxis@example.org",
    "recipient": "praxis@example.org",
    "email": "erika.mustermann@example.org",
    "sms": "+4915112345678",
    "time_zone": "Europe/Berlin",
    "locale": "de",
    "patient_name": "Erika Mustermann",
    "link": "https://example.org/besuch/abc",
}


def bodies(event: type[Event]) -> Iterator[Json]:
    """Bodies of an event: the fewest fields, all, and each listed value of each field once."""
    schema = json_schema(event)
    whole = _object(schema, schema, everything=True)
    yield _object(schema, schema, everything=False)
    yield whole
    for name, field in schema["properties"].items():
        for value in _values(field, schema):
            yield whole | {name: value}


def messages(event: type[Event]) -> Iterator[Json]:
    """As they are on the topic, headers and body, but for the signature."""
    source = f"/einladung/{TOPIC_OF[event].producer}"
    for body in bodies(event):
        message = encode(event.model_validate(body), source=source)
        headers = {name: value.decode() for name, value in message.headers}
        yield {"headers": headers, "value": message.value.decode()}


def _object(schema: Json, whole: Json, *, everything: bool) -> Json:
    required = schema.get("required", [])
    # A Recipients without any address is none.
    names = [name for name in schema["properties"] if everything or name in required] or ["email"]
    return {
        name: _value(name, schema["properties"][name], whole, everything=everything)
        for name in names
    }


def _value(name: str, field: Json, whole: Json, *, everything: bool) -> Any:
    field = _resolved(field, whole)
    value: Any = BY_NAME.get(name, "x")
    match field:
        case {"enum": [first, *_]}:
            value = first
        case {"type": "object"}:
            value = _object(field, whole, everything=everything)
        case {"type": "array"}:
            value = [_value(name, field["items"], whole, everything=everything)]
        case {"type": "integer"}:
            value = field.get("minimum", 1)
        case {"type": "boolean"}:
            value = True
        case {"format": "uuid"}:
            value = str(uuid5(NAMESPACE_URL, name))  # the same of all events: they fit together
        case {"format": kind}:
            value = BY_FORMAT[kind]
    return value


def _values(field: Json, whole: Json) -> list[Any]:
    field = _resolved(field, whole)
    if field.get("type") == "array":
        return [[value] for value in _values(field["items"], whole)]
    return list(field.get("enum", []))


def _resolved(field: Json, whole: Json) -> Json:
    if "anyOf" in field:
        field = next(each for each in field["anyOf"] if each.get("type") != "null")
    if "$ref" in field:
        field = whole["$defs"][field["$ref"].rsplit("/", 1)[-1]]
    return field


def record(folder: Path) -> None:
    """Write a version. Raises FileExistsError where there is one."""
    folder.mkdir(parents=True)
    for event in EVENT_OF.values():
        name = event.__name__
        schema = json.dumps(json_schema(event), indent=1, ensure_ascii=False)
        (folder / f"{name}.schema.json").write_text(f"{schema}\n")
        lines = [json.dumps(each, ensure_ascii=False) for each in messages(event)]
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "openapi").mkdir()
    for service in SERVICES:
        for name, description in openapi(service).items():
            (folder / "openapi" / f"{name}.json").write_text(as_json(description))


def main() -> int:
    """Command line."""
    try:
        record(RELEASED / VERSION)
    except FileExistsError:
        print(f"{VERSION} is recorded: what is released stays as it is", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
