"""What is sent: the event as a CloudEvent 1.0 in JSON, structured mode."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from contracts.envelope import Received, schema_id
from contracts.events import Event
from contracts.topics import TOPIC_OF, TOPICS

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
SOURCES = "/einladung"
TEST_TYPE = "einladung.v1.WebhookTest"

PUBLIC_TOPICS = tuple(topic for topic in TOPICS if not topic.patient_data)
PUBLIC: Mapping[str, type[Event]] = {
    event.type: event for topic in PUBLIC_TOPICS for event in topic.events
}


def of_event(received: Received) -> str:
    """A public event's body. Raises KeyError for one that is not public."""
    event = received.event
    producer = TOPIC_OF[PUBLIC[event.type]].producer
    return _body(
        received.id,
        type_=event.type,
        source=f"{SOURCES}/{producer}",
        time=received.time,
        subject=event.subject,
        practice_id=event.practice_id,
        data=event.model_dump(mode="json"),
        dataschema=schema_id(type(event)),
    )


def of_test(event_id: UUID, practice_id: UUID, endpoint_id: UUID, now: datetime) -> str:
    """The body of an event that says nothing but that the endpoint is reached."""
    return _body(
        event_id,
        type_=TEST_TYPE,
        source=f"{SOURCES}/webhooks",
        time=now,
        subject=endpoint_id,
        practice_id=practice_id,
        data={"practice_id": str(practice_id), "webhook_id": str(endpoint_id)},
    )


def _body(
    event_id: UUID,
    *,
    type_: str,
    source: str,
    time: datetime,
    subject: UUID,
    practice_id: UUID,
    data: Mapping[str, object],
    dataschema: str | None = None,
) -> str:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(event_id),
            "type": type_,
            "source": source,
            "time": time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "subject": str(subject),
            "datacontenttype": "application/json",
            **({} if dataschema is None else {"dataschema": dataschema}),
            "practiceid": str(practice_id),
            "data": data,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
