"""A service that reads nothing any more says so: its liveness check fails."""

from operator import attrgetter
from typing import Any, cast
from uuid import uuid4

import pytest

from chassis.consumer import Consumer
from chassis.database import Database
from contracts.signatures import EventVerifier
from contracts.topics import APPOINTMENTS
from tests.conftest import Stack
from tests.support import eventually


@pytest.mark.parametrize(
    "task", ["_client._sync_task", "_coordinator._coordination_task", "_fetcher._fetch_task"]
)
async def test_a_consumer_whose_library_has_given_up_is_stuck(stack: Stack, task: str) -> None:
    """Also with nothing to read, and where it has lost its partitions."""
    consumer = Consumer(
        topics=[APPOINTMENTS],
        group=f"test-{uuid4()}",
        handle=cast(Any, None),
        db=cast(Database, None),
        cluster=stack.cluster,
        verifier=EventVerifier({}),
    )
    await consumer._join()
    try:
        assert not await consumer.stalled()
        attrgetter(task)(consumer._reader._kafka).cancel()
        await eventually(consumer.stalled, "the consumer is stuck")
    finally:
        await consumer._reader.leave()
    assert not await consumer.stalled()
