"""The contracts: descriptions are fresh, v1 only grows, and the wire is CloudEvents."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from faststream.specification.asyncapi.v3_0_0.schema.schema import ApplicationSchema
from jsonschema import Draft202012Validator

from contracts.channels import Channel
from contracts.envelope import encode
from contracts.events import Evidence, InvitationDelivered
from contracts.topics import ALL_TOPICS, EVENT_OF
from tools import generate

DELIVERED = InvitationDelivered(
    appointment_id=UUID(int=1),
    practice_id=UUID(int=2),
    invitation_id=UUID(int=3),
    attempt=1,
    channel=Channel.EMAIL,
    sequence=2,
    occurred_at=datetime(2026, 11, 24, tzinfo=UTC),
    evidence=Evidence.ACCEPTED,
)
FROZEN = Path(__file__).parent / "v1"


def test_checked_in_descriptions_are_fresh() -> None:
    generated = generate.files()
    for path, content in generated.items():
        assert path.read_text() == content, f"{path.name} is stale: run make generate"
    assert generate.left_over(generated) == []
    page = generate.PROBLEMS / "not-json.md"
    assert generate.left_over(generated.keys() - {page}) == [page]


def test_asyncapi_is_readable_and_names_every_event() -> None:
    described = ApplicationSchema.model_validate(generate.asyncapi())
    assert described.asyncapi == "3.0.0"
    named = {name for channel in described.channels.values() for name in channel.messages}
    assert named == {event.__name__ for event in EVENT_OF.values()}


@pytest.mark.parametrize("name", sorted(path.stem for path in FROZEN.glob("*.json")))
def test_v1_only_grows(name: str) -> None:
    """What a reader of v1 relies on stays: fields, their types, and that they are always there."""
    then = json.loads((FROZEN / f"{name}.json").read_text())
    now = generate.json_schema(EVENT_OF[f"einladung.v1.{name}"])
    assert not losses(then, now)


def losses(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What a reader of `then` would miss in `now`."""
    found = [f"{name} is gone" for name in then["properties"] if name not in now["properties"]]
    found += [
        f"{name} may be absent now" for name in then["required"] if name not in now["required"]
    ]
    found += [
        f"{name} has another type now"
        for name, field in then["properties"].items()
        if name in now["properties"] and _shape(field, then) != _shape(now["properties"][name], now)
    ]
    return found


def _shape(field: Any, schema: dict[str, Any]) -> Any:
    """A field's types and formats, without titles, descriptions and defaults."""
    if isinstance(field, dict):
        if "$ref" in field:
            field = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
        return {
            key: _shape(value, schema)
            for key, value in field.items()
            if key not in {"title", "description", "default"}
        }
    return [_shape(each, schema) for each in field] if isinstance(field, list) else field


def test_a_breaking_change_is_noticed() -> None:
    then = generate.json_schema(InvitationDelivered)
    now = json.loads(json.dumps(then))
    del now["properties"]["evidence"]
    now["required"].remove("attempt")
    now["properties"]["sequence"] = {"type": "string"}
    assert len(losses(then, now)) == 3


def test_every_event_is_frozen() -> None:
    assert {path.stem for path in FROZEN.glob("*.json")} == {e.__name__ for e in EVENT_OF.values()}


def test_the_wire_is_cloudevents_as_its_sdk_reads_them() -> None:
    message = encode(DELIVERED, source="/einladung/notification", traceparent="00-1-2-01")
    event = from_binary(
        KafkaMessage(dict(message.headers), message.key.encode(), message.value), JSONFormat()
    )
    assert event.get_type() == "einladung.v1.InvitationDelivered"
    assert event.get_subject() == str(DELIVERED.appointment_id) == message.key
    assert event.get_source() == "/einladung/notification"
    assert event.get_time() is not None
    Draft202012Validator(generate.json_schema(InvitationDelivered)).validate(event.get_data())


def test_every_topic_has_its_dead_letters_and_its_retention() -> None:
    days = {topic.name: topic.retention.days for topic in ALL_TOPICS}
    assert days == {
        "clinic.appointments.v1": 30,
        "clinic.invitations.requested.v1": 7,
        "clinic.invitations.outcomes.v1": 30,
        "clinic.appointments.v1.dlq": 14,
        "clinic.invitations.requested.v1.dlq": 14,
        "clinic.invitations.outcomes.v1.dlq": 14,
    }
