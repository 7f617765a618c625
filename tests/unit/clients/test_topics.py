"""What the Python client reads from the topics is what the product's own services read."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from contracts.envelope import decode
from contracts.topics import EVENT_OF, TOPICS
from einladung_client import CONTRACTS, events, topics
from einladung_client.topics import Unreadable, read
from tools import record

Headers = list[tuple[str, bytes | None]]

PUBLIC = [topic for topic in TOPICS if not topic.patient_data]
NAMES = sorted(event.__name__ for topic in PUBLIC for event in topic.events)


def recorded(name: str) -> Iterator[tuple[Headers, bytes]]:
    """Messages of an event as they are today, and as they were in each release."""
    lines = [json.dumps(each) for each in record.messages(EVENT_OF[f"einladung.v1.{name}"])]
    for file in record.RELEASED.glob(f"*/{name}.jsonl"):
        lines += file.read_text().splitlines()
    for line in lines:
        message = json.loads(line)
        headers: Headers = [(key, value.encode()) for key, value in message["headers"].items()]
        yield headers, message["value"].encode()


@pytest.mark.parametrize("name", NAMES)
def test_every_message_of_every_release_is_read_as_by_the_services(name: str) -> None:
    messages = list(recorded(name))
    for headers, value in messages:
        ours, told = decode(headers, value), read("t", headers, value)
        assert told is not None
        assert (told.id, told.time) == (ours.id, ours.time)
        assert told.event.type == ours.event.type
        assert told.event.subject == ours.event.subject
        assert told.event.model_dump() == ours.event.model_dump()
    assert len(messages) > 2


def test_all_that_others_may_read_is_known_and_nothing_else() -> None:
    assert sorted(event.__name__ for event in events.EVENTS.values()) == NAMES
    assert {topic.name for topic in PUBLIC} == {*events.TOPICS}
    assert not hasattr(events, "InvitationRequested")
    assert CONTRACTS.startswith("1.")


def test_what_comes_later_is_passed_over() -> None:
    headers, value = next(recorded("InvitationDelivered"))
    later = [*headers, ("ce_later", b"x"), ("empty", None)]
    told = read("t", later, json.dumps(json.loads(value) | {"later": 1}).encode())
    assert told == read("t", headers, value)
    renamed = [(name, b"einladung.v1.Later" if name == "ce_type" else it) for name, it in headers]
    assert read("t", renamed, b"{}") is None


@pytest.mark.parametrize("name", ["ce_type", "ce_id", "ce_time"])
def test_an_envelope_without_what_it_needs_is_unreadable(name: str) -> None:
    headers, value = next(recorded("InvitationDelivered"))
    with pytest.raises(Unreadable, match=name):
        read("t", [each for each in headers if each[0] != name], value)
    with pytest.raises(Unreadable):
        read("t", [(each, b"\xff" if each == name else it) for each, it in headers], value)


@pytest.mark.parametrize("change", [{"channel": "geheim"}, {"attempt": 0}, {"practice_id": None}])
def test_a_body_that_is_none_is_unreadable_and_its_values_are_not_told(
    change: dict[str, Any],
) -> None:
    headers, value = next(recorded("InvitationDelivered"))
    with pytest.raises(Unreadable, match=next(iter(change))) as told:
        read("t", headers, json.dumps(json.loads(value) | change).encode())
    assert "geheim" not in str(told.value)
    with pytest.raises(Unreadable):
        read("t", headers, None)


def test_events_are_values_that_cannot_be_changed() -> None:
    headers, value = next(recorded("AppointmentScheduled"))
    told = read("t", headers, value)
    assert told is not None
    with pytest.raises(ValidationError):
        told.event.practice_id = told.id  # type: ignore[misc]


def test_a_password_is_not_shown() -> None:
    assert "geheim" not in repr(topics.Broker("kafka:9093", "reader", "geheim"))
