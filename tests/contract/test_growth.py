"""The APIs only grow: what is found to break a client, and what is not (docs/versions.md)."""

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.contract.growth import losses
from tools import record
from tools.generate import CONTRACTS

Json = dict[str, Any]
Steps = tuple[str | int, ...]

RELEASED = sorted(record.RELEASED.glob("*/openapi/*.json"))
GONE = object()


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: f"{path.parts[-3]} {path.stem}")
def test_clients_of_a_release_get_on_with_todays_apis(path: Path) -> None:
    now = CONTRACTS / "openapi" / path.name
    assert now.exists(), "an API is gone"
    assert list(losses(json.loads(path.read_text()), json.loads(now.read_text()))) == []


SENT: Json = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 200},
        "minutes": {"anyOf": [{"type": "integer", "minimum": 5, "maximum": 480}, {"type": "null"}]},
        "channels": {"type": "array", "maxItems": 2, "items": {"$ref": "#/components/schemas/By"}},
        "at": {"type": "string"},
    },
}
SAID: Json = {
    "type": "object",
    "required": ["name", "by", "counts"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 200},
        "minutes": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
        "by": {"$ref": "#/components/schemas/By"},
        "counts": {
            "type": "object",
            "propertyNames": {"$ref": "#/components/schemas/By"},
            "additionalProperties": {"type": "integer", "minimum": 0},
        },
        "inner": {"$ref": "#/components/schemas/Said"},
    },
}
DELETED: Json = {
    "type": "object",
    "required": ["deleted"],
    "properties": {"deleted": {"type": "boolean", "const": True}},
}
THEN: Json = {
    "paths": {
        "/things": {
            "post": {
                "operationId": "createThing",
                "security": [{"token": ["things:write"]}],
                "parameters": [
                    {
                        "name": "limit",
                        "in": "query",
                        "required": False,
                        "schema": {"type": "integer", "default": 50, "maximum": 100},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}
                    },
                },
                "responses": {
                    "201": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "anyOf": [
                                        {"$ref": "#/components/schemas/Said"},
                                        {"$ref": "#/components/schemas/Deleted"},
                                    ]
                                },
                                "x-events": {"said": {"$ref": "#/components/schemas/Said"}},
                            }
                        },
                        "headers": {"ETag": {"required": True, "schema": {"type": "string"}}},
                    },
                    "404": {"description": "There is none."},
                },
            },
            "get": {"operationId": "listThings", "responses": {"200": {"description": "All."}}},
        }
    },
    "components": {
        "schemas": {
            "Sent": SENT,
            "Said": SAID,
            "Deleted": DELETED,
            "By": {"type": "string", "enum": ["email", "sms"]},
        }
    },
}

POST: Steps = ("paths", "/things", "post")
LIMIT: Steps = (*POST, "parameters", 0)
BODY: Steps = (*POST, "requestBody")
CREATED: Steps = (*POST, "responses", "201")
JSON: Steps = (*CREATED, "content", "application/json")
TAKEN: Steps = ("components", "schemas", "Sent")
TOLD: Steps = ("components", "schemas", "Said")
BY: Steps = ("components", "schemas", "By", "enum")
NAME: Steps = (*TAKEN, "properties", "name")
TEXT: Json = {"type": "string"}
OLDER: Json = {"name": "since", "in": "query", "required": True, "schema": TEXT}

BREAKAGES: Mapping[str, tuple[Steps, Any]] = {
    # Operations
    "GET /things: is gone": (("paths", "/things", "get"), GONE),
    "POST /things: is gone": (("paths", "/things"), GONE),
    "POST /things: operationId": ((*POST, "operationId"), "makeThing"),
    "POST /things: asks for more": ((*POST, "security"), [{"token": ["things:write", "more"]}]),
    "GET /things: asks for more": (("paths", "/things", "get", "security"), [{"token": []}]),
    "POST /things 201: is gone": (CREATED, GONE),
    "POST /things 404: is gone": ((*POST, "responses", "404"), GONE),
    "POST /things 202: a success": ((*POST, "responses", "202"), {}),
    # Parameters and bodies
    "limit: is gone": (LIMIT, GONE),
    "limit: is required": ((*LIMIT, "required"), True),
    "limit: maximum was 100, is 99": ((*LIMIT, "schema", "maximum"), 99),
    "limit: default was 50, is 20": ((*LIMIT, "schema", "default"), 20),
    "since: is required": ((*POST, "parameters", 1), OLDER),
    "GET /things body: is required": (("paths", "/things", "get", "requestBody"), {"required": 1}),
    "body application/json: is gone": ((*BODY, "content"), {}),
    # What is sent
    "body.at: is gone": ((*TAKEN, "properties", "at"), GONE),
    "body.minutes: is required": ((*TAKEN, "required"), ["name", "minutes"]),
    "body.place: is required": ((*TAKEN, "required"), ["name", "place"]),
    "body.name: maxLength was 200, is 100": ((*NAME, "maxLength"), 100),
    "body.name: minLength was 1, is 2": ((*NAME, "minLength"), 2),
    "body.name: pattern was None": ((*NAME, "pattern"), "^[a-z]+$"),
    "body.name: no more what is not listed": ((*NAME, "enum"), ["erika"]),
    "body.name: no more string": (NAME, {"type": "integer"}),
    "body.minutes: no more null": ((*TAKEN, "properties", "minutes", "anyOf", 1), GONE),
    "body.minutes: minimum was 5, is 6": (
        (*TAKEN, "properties", "minutes", "anyOf", 0, "minimum"),
        6,
    ),
    "body.at: format was None": ((*TAKEN, "properties", "at", "format"), "date"),
    "body.channels: maxItems was 2, is 1": ((*TAKEN, "properties", "channels", "maxItems"), 1),
    "body.channels[]: no more sms": ((*BY, 1), GONE),
    # What is said
    "201.minutes: is gone": ((*TOLD, "properties", "minutes"), GONE),
    "201.by: is gone": ((*TOLD, "properties", "by"), GONE),
    "201.name: may be absent": ((*TOLD, "required"), ["by", "counts"]),
    "201.name: maxLength was 200, is 300": ((*TOLD, "properties", "name", "maxLength"), 300),
    "201.name: pattern was ^[a-z]+$, is None": ((*TOLD, "properties", "name", "pattern"), GONE),
    "201.name: now also null": ((*TOLD, "properties", "name", "type"), ["string", "null"]),
    "201.by: now also fax": ((*BY, 2), "fax"),
    "201.by: now also what is not listed": ((*TOLD, "properties", "by"), TEXT),
    "201.counts, its names: now also fax": ((*BY, 2), "fax"),
    "201.counts.*: now also number": (
        (*TOLD, "properties", "counts", "additionalProperties", "type"),
        "number",
    ),
    "201.minutes: now also string": ((*TOLD, "properties", "minutes", "anyOf", 2), TEXT),
    "201: now also array": ((*JSON, "schema", "anyOf", 2), {"type": "array"}),
    "201 said: is gone": ((*JSON, "x-events", "said"), GONE),
    "201 said.name: may be absent": ((*TOLD, "required"), ["by", "counts"]),
    "201 application/json: is gone": ((*CREATED, "content"), {}),
    "201 ETag: is gone": ((*CREATED, "headers", "ETag"), GONE),
    "201 ETag: may be absent": ((*CREATED, "headers", "ETag", "required"), False),
    "201 ETag: now also integer": ((*CREATED, "headers", "ETag", "schema"), {"type": "integer"}),
    # What it can't compare, it says
    "body.name: nobody compares not": ((*NAME, "not"), {"const": "x"}),
}
GROWTH: Mapping[str, tuple[Steps, Any]] = {
    "a path": (("paths", "/more"), {"get": {"operationId": "more", "responses": {}}}),
    "a method": (("paths", "/things", "delete"), {"operationId": "no", "responses": {}}),
    "a parameter": ((*POST, "parameters", 1), OLDER | {"required": False}),
    "a problem": ((*POST, "responses", "409"), {"description": "No."}),
    "less asked": ((*POST, "security"), [{"token": []}, {}]),
    "a header": ((*CREATED, "headers", "Age"), {"schema": TEXT}),
    "a kind of event": ((*JSON, "x-events", "more"), {"type": "object"}),
    "a type of content": ((*CREATED, "content", "text/csv"), {"schema": TEXT}),
    "a field of a request": ((*TAKEN, "properties", "place"), TEXT),
    "no longer required": ((*TAKEN, "required"), []),
    "wider bounds": ((*NAME, "maxLength"), GONE),
    "more kinds taken": ((*NAME, "type"), ["string", "null"]),
    "unknown fields taken": ((*TAKEN, "additionalProperties"), True),
    "a field of an answer": ((*TOLD, "properties", "place"), TEXT),
    "one more always there": ((*TOLD, "required"), ["name", "by", "counts", "minutes"]),
    "narrower answers": ((*TOLD, "properties", "name", "maxLength"), 20),
    "never null": ((*TOLD, "properties", "minutes", "anyOf", 1), GONE),
    "other words": ((*TOLD, "properties", "name", "description"), "A name."),
    "marked": ((*POST, "deprecated"), True),
}


def planted(steps: Steps, value: Any) -> Json:
    """The description, with another value there, or none."""
    changed = deepcopy(THEN)
    place: Any = changed
    for step in steps[:-1]:
        place = place[step]
    last: Any = steps[-1]
    if value is GONE:
        del place[last]
    elif isinstance(place, list) and last == len(place):
        place.append(value)
    else:
        place[last] = value
    return changed


@pytest.mark.parametrize("said", BREAKAGES)
def test_what_breaks_a_client_is_named(said: str) -> None:
    assert [each for each in losses(THEN, planted(*BREAKAGES[said])) if said in each]


@pytest.mark.parametrize("what", GROWTH)
def test_what_may_come_is_no_loss(what: str) -> None:
    assert list(losses(THEN, planted(*GROWTH[what]))) == []


def test_the_same_is_no_loss() -> None:
    assert list(losses(THEN, THEN)) == []
