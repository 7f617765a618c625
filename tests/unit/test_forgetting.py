"""Taking data out of Kafka: what is only resting is not stuck, what was not read stays."""

import time
from typing import cast

import pytest

from chassis.database import Database
from services.notification.erasure.kafka import STALLED_AFTER, Forgetting
from services.notification.settings import Settings

LONGEST_PAUSE = max(
    limit.le
    for limit in Settings.model_fields["kafka_erasure_poll_seconds"].metadata
    if hasattr(limit, "le")
)


async def test_the_longest_pause_that_can_be_set_is_no_stall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forgetting = Forgetting(
        cast(Database, None), bootstrap="nowhere:9092", group="nobody", every=LONGEST_PAUSE
    )
    began = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: began + LONGEST_PAUSE)
    assert not await forgetting.stalled()
    monkeypatch.setattr(time, "monotonic", lambda: began + LONGEST_PAUSE + STALLED_AFTER + 60)
    assert await forgetting.stalled()
