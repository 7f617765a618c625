"""The Python client's reader of the topics: from an invitation to its tick, and on after an end."""

import asyncio
from uuid import UUID, uuid4

from contracts.access import OTHER_SYSTEM
from einladung_client.events import AppointmentDeleted, Event, InvitationDelivered
from einladung_client.topics import Broker, Topics
from tests.conftest import Stack
from tests.support import PATIENCE, Practice


async def test_events_are_read_and_go_on_where_they_were(stack: Stack, practice: Practice) -> None:
    login = stack.kafka.login(OTHER_SYSTEM)
    broker = Broker(login.bootstrap, login.username, login.password, login.security.upper())
    group = f"{OTHER_SYSTEM}-{uuid4().hex}"
    created = await practice.create()
    appointment = UUID(created["id"])

    async def until(kind: type[Event]) -> list[UUID]:
        read = []
        async with Topics(broker, group=group) as topics:
            async for told in topics:
                read.append(told.id)
                if isinstance(told.event, kind) and told.event.subject == appointment:
                    return read
        raise AssertionError("it has no end")

    async with asyncio.timeout(PATIENCE):
        before = await until(InvitationDelivered)
        answer = await practice.scheduling.delete(f"/v1/appointments/{created['id']}")
        assert answer.status_code == 204, answer.text
        after = await until(AppointmentDeleted)
    # What it had not finished with comes again, and nothing before that.
    assert {*before} & {*after} <= {before[-1]}
