"""Events on the wire: CloudEvents 1.0, Kafka protocol binding, binary content mode, JSON body."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pydantic import ValidationError
from uuid_utils.compat import uuid7

from contracts.events import Event
from contracts.sealed_bodies import HEADER, BodyOpener, NotOpenable
from contracts.signatures import EventVerifier, NotGenuine
from contracts.topics import EVENT_OF, TOPIC_OF

Headers = list[tuple[str, bytes]]

TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Unreadable(Exception):
    """What came is not an event of ours. The reason names fields, never their values."""


class Untrusted(Unreadable):
    """Not signed by the one service that may tell it."""


@dataclass(frozen=True, slots=True)
class Message:
    """An event ready for Kafka."""

    topic: str
    key: str
    headers: Headers
    value: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """An event as it came, with what its envelope said."""

    id: UUID
    time: datetime
    event: Event
    traceparent: str | None


@dataclass(frozen=True, slots=True)
class Label:
    """What an envelope says of its event, before anybody has checked that it is its producer's."""

    type: type[Event]
    practice_id: UUID | None  # before 1.1.0 the envelope did not say


def schema_id(event: type[Event]) -> str:
    """The `$id` of the JSON Schema of this event's body (contracts/schemas)."""
    return f"urn:{event.type.replace('.', ':')}"


def encode(
    event: Event, *, source: str, traceparent: str | None = None, time: datetime | None = None
) -> Message:
    """Wrap `event`; `source` is the URI reference of the service that tells it.

    `time` is when it happened: now, unless it is told again.
    """
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(uuid7()),
        "ce_type": event.type,
        "ce_source": source,
        "ce_time": (time or datetime.now(UTC)).isoformat().replace("+00:00", "Z"),
        "ce_subject": str(event.subject),
        "ce_dataschema": schema_id(type(event)),
        "ce_practiceid": str(event.practice_id),
        "content-type": "application/json",
    }
    if traceparent is not None:
        attributes["traceparent"] = traceparent
    return Message(
        topic=TOPIC_OF[type(event)].name,
        key=str(event.subject),
        headers=[(name, value.encode()) for name, value in attributes.items()],
        value=event.model_dump_json().encode(),
    )


def decode(
    headers: Iterable[tuple[str, bytes | None]],
    value: bytes | None,
    verifier: EventVerifier | None = None,
    opener: BodyOpener | None = None,
) -> Received:
    """Read an event, or raise Unreadable with a reason free of patient data.

    With a `verifier` the event has to be signed by its producer, and its body is not looked at
    before that is known; else Untrusted. A sealed body needs the `opener`.
    """
    attributes = _attributes(headers)
    if attributes.get("ce_specversion") != "1.0":
        raise Unreadable("ce_specversion is missing or not 1.0")
    event_type = EVENT_OF.get(attributes.get("ce_type", ""))
    if event_type is None:
        raise Unreadable("ce_type is missing or unknown")
    if verifier is not None:
        try:
            verifier.check(TOPIC_OF[event_type].producer, attributes, value or b"")
        except NotGenuine as reason:
            raise Untrusted(str(reason)) from None
    if HEADER in attributes:
        try:
            value = (opener or BodyOpener({})).open(attributes, value or b"")
        except NotOpenable as reason:
            raise Unreadable(str(reason)) from None
    try:
        event_id = UUID(attributes.get("ce_id", ""))
        time = datetime.fromisoformat(attributes.get("ce_time", ""))
    except ValueError:
        raise Unreadable("ce_id is not a UUID or ce_time is not a time") from None
    if time.tzinfo is None:
        raise Unreadable("ce_time has no offset")
    try:
        time = time.astimezone(UTC)
        event = event_type.model_validate_json(value or b"")
    except OverflowError:  # in UTC it would lie before the year 1 or after 9999
        raise Unreadable("a time is out of range") from None
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, fault['loc'])) or 'body'}: {fault['type']}"
            for fault in error.errors(include_input=False, include_context=False, include_url=False)
        )
        raise Unreadable("; ".join(faults)[:1000]) from None
    _agree(attributes, event)
    traceparent = attributes.get("traceparent")
    if traceparent is not None and not TRACEPARENT.fullmatch(traceparent):
        traceparent = None  # as W3C Trace Context asks of who receives a broken one
    return Received(event_id, time, event, traceparent)


def label(headers: Iterable[tuple[str, bytes | None]]) -> Label | None:
    """What kind of event this is, and whose; None if that can't be told without decoding it."""
    values = dict(headers)
    try:
        event_type = EVENT_OF[(values["ce_type"] or b"").decode()]
        practice_id = values.get("ce_practiceid")
        return Label(event_type, None if practice_id is None else UUID(practice_id.decode()))
    except (KeyError, ValueError):
        return None


def _agree(attributes: dict[str, str], event: Event) -> None:
    """The envelope says of the body what it is. Raises Unreadable."""
    if attributes.get("ce_subject") != str(event.subject):
        raise Unreadable("ce_subject is not the subject of the body")
    practice = str(event.practice_id)
    if attributes.get("ce_practiceid", practice) != practice:  # before 1.1.0 there was none
        raise Unreadable("ce_practiceid is not the practice of the body")


def _attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    try:
        return {name.lower(): value.decode() for name, value in headers if value is not None}
    except UnicodeDecodeError:
        raise Unreadable("a header is not UTF-8") from None
