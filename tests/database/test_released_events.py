"""Each service takes in the messages of every released version of the contracts."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import Received, decode
from contracts.topics import Topic
from services.notification import requests
from services.scheduling import events as scheduling_events
from services.status import events as status_events
from tools.record import RELEASED

VERSIONS = sorted(path.name for path in RELEASED.iterdir())


def recorded(version: str, topics: tuple[Topic, ...]) -> Iterator[Received]:
    names = [event.__name__ for topic in topics for event in topic.events]
    for name in names:
        path = RELEASED / version / f"{name}.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            message = json.loads(line)
            headers = [(each, value.encode()) for each, value in message["headers"].items()]
            received = decode(headers, message["value"].encode())
            # Each of an appointment of its own: an erasure among them would hide the others.
            own = {
                name: uuid7()
                for name in ("appointment_id", "invitation_id", "notice_id")
                if hasattr(received.event, name)
            }
            yield replace(received, event=received.event.model_copy(update=own))


@pytest.mark.parametrize("version", VERSIONS)
async def test_status(status_db: Database, version: str) -> None:
    told = list(recorded(version, status_events.TOPICS))
    assert all(status_events.fact_of(each) is not None for each in told)
    async with status_db.system() as tx:
        await status_events.handle(tx, told)
        assert await tx.fetchval("SELECT count(*) FROM events") == len(told)


@pytest.mark.parametrize("version", VERSIONS)
async def test_scheduling(scheduling_db: Database, version: str) -> None:
    told = list(recorded(version, scheduling_events.TOPICS))
    async with scheduling_db.system() as tx:
        await scheduling_events.handle(tx, told)
    assert len(told) > 50


@pytest.mark.parametrize("version", VERSIONS)
async def test_notification(notification_db: Database, sealer: Sealer, version: str) -> None:
    reader = requests.Events(
        channels=tuple(Channel), message_id_domain="example.org", sealer=sealer, now=utc_now
    )
    told = list(recorded(version, requests.TOPICS))
    async with notification_db.system() as tx:
        await reader.handle(tx, told)
        assert await tx.fetchval("SELECT count(DISTINCT appointment_id) FROM deliveries") == sum(
            type(each.event).__name__ in ("InvitationRequested", "NoticeRequested") for each in told
        )
