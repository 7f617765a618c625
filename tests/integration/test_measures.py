"""Measured truth: how fast the tick came, and whether it was right."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.envelope import encode
from contracts.events import FailureCategory, InvitationFailed
from tests.conftest import Stack
from tests.support import BERLIN, Practice, eventually
from tests.support.topics import publish

WEEKS = "/v1/measures/weeks"
HOUR = timedelta(hours=1)


async def measures(practice: Practice) -> dict[str, Any]:
    found: dict[str, Any] = (await practice.status.get("/v1/measures")).json()
    return found


async def test_ticks_are_measured_and_a_late_failure_proves_one_wrong(
    practice: Practice, stack: Stack
) -> None:
    before = await measures(practice)
    assert (before["ticks"], before["share_proven_wrong"]) == (0, None)
    began = time.monotonic()
    created = [await practice.create() for _ in range(2)]
    for each in created:
        await practice.shows(each["id"], "delivered")
    right = await measures(practice)
    assert (right["ticks"], right["proven_wrong"], right["share_proven_wrong"]) == (2, 0, 0)
    took = (time.monotonic() - began) * 1000
    assert 0 < right["request_to_tick_ms_p50"] <= right["request_to_tick_ms_p95"] < took

    late = InvitationFailed(
        appointment_id=UUID(created[0]["id"]),
        practice_id=practice.id,
        invitation_id=UUID(created[0]["invitation"]["id"]),
        attempt=1,
        channel=Channel.EMAIL,
        sequence=99,
        occurred_at=datetime.now(UTC),
        category=FailureCategory.PERMANENT,
        status_code="5.1.1",
        late=True,
    )
    message = encode(late, source="/einladung/notification")
    await publish(stack, message)
    shown = await practice.shows(created[0]["id"], "failed")
    assert shown["channels"]["email"]["late"] is True

    async def proven() -> bool:
        return bool((await measures(practice))["share_proven_wrong"] == 0.5)

    await eventually(proven, "one of two ticks proven wrong")


async def test_weeks_are_counted_in_the_zone_that_is_asked_for(practice: Practice) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    lost = await practice.create(email=f"unbekannt+{created['id'][-6:]}@example.org")
    await practice.shows(lost["id"], "failed")
    begun = datetime.now(BERLIN)
    answer = await practice.status.get(WEEKS, params={"time_zone": "Europe/Berlin"})
    told = answer.json()
    assert (told["time_zone"], len(told["weeks"])) == ("Europe/Berlin", 12)
    weeks = [each for each in told["weeks"] if each["arrived_at_once"] or each["failed"]]
    assert sum(each["arrived_at_once"] for each in weeks) == 1
    assert sum(each["failed"] for each in weeks) == 1
    assert max(each["request_to_tick_ms_p50"] or 0 for each in weeks) > 0
    named = {
        f"{year}-W{week:02}"
        for year, week, _ in (begun.isocalendar(), (begun - HOUR).isocalendar())
    }
    assert {each["week"] for each in weeks} <= named


@pytest.mark.parametrize("zone", ["Nowhere/Else", "", "../../etc/passwd", "x" * 65])
async def test_a_zone_that_is_none_is_refused(practice: Practice, zone: str) -> None:
    answer = await practice.status.get(WEEKS, params={"time_zone": zone})
    assert answer.status_code == 422
