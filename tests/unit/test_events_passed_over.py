"""What a service passes over unopened would have done nothing in it (docs/adr/0060)."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from chassis.clock import utc_now
from chassis.consumer import Concerning
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Label, Received, decode
from contracts.events import Event
from contracts.topics import APPOINTMENTS, OUTCOMES, REQUESTED, Topic
from services.notification import requests
from services.scheduling import events as scheduling_events
from tools import record

Handle = Callable[[Any, Sequence[Received]], Awaitable[None]]

notification = requests.Events(
    channels=list(Channel),
    message_id_domain="praxis.example",
    sealer=Sealer({1: bytes(32)}),
    now=utc_now,
).handle


async def _answers(concerning: Concerning, types: Sequence[type[Event]]) -> Sequence[bool]:
    return await concerning([Label(event, None) for event in types])


def every(event: type[Event]) -> list[Received]:
    """With the fewest fields, with all, and with every value that is listed."""
    return [
        decode(
            [(name, value.encode()) for name, value in message["headers"].items()],
            message["value"].encode(),
        )
        for message in record.messages(event)
    ]


@pytest.mark.parametrize(
    ("topics", "concerning", "handle", "fewest"),
    [
        (scheduling_events.TOPICS, scheduling_events.concerning, scheduling_events.handle, 3),
        (requests.TOPICS, requests.concerning, notification, 5),
    ],
    ids=["scheduling", "notification"],
)
async def test_of_what_is_not_opened_nothing_would_be_written(
    topics: Sequence[Topic], concerning: Concerning, handle: Handle, fewest: int
) -> None:
    types = [event for topic in topics for event in topic.events]
    opened = await _answers(concerning, types)
    passed = [event for event, concerns in zip(types, opened, strict=True) if not concerns]
    assert len(passed) >= fewest
    no_database = object()  # any use of it fails
    await handle(no_database, [each for event in passed for each in every(event)])


async def test_every_topic_has_a_reader_who_opens_all_of_it() -> None:
    """So that what is forged is noticed, of whatever type (status opens all that it reads)."""
    assert all("status" in topic.readers for topic in (APPOINTMENTS, OUTCOMES))
    assert REQUESTED.readers == ("notification",)
    assert all(await _answers(requests.concerning, REQUESTED.events))
