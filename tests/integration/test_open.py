"""What needs a person is found: listed, counted live, and gone once it is done."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from contracts.envelope import encode
from contracts.events import (
    Answer,
    Event,
    FailureCategory,
    InvitationAnswered,
    NoticeFailed,
    NoticeKind,
    VisitJoined,
    VisitRole,
)
from tests.conftest import Stack
from tests.support import (
    BERLIN,
    PATIENCE,
    Json,
    Practice,
    berlin_day,
    eventually,
    unknown_address,
    utc,
)
from tests.support.topics import publish


async def listed(practice: Practice) -> Json:
    answer = await practice.status.get("/v1/indicators", params={"open": True})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def tell(stack: Stack, practice: Practice, created: Json, kind: type[Event]) -> None:
    """What no service publishes by itself in this test, signed as by its producer."""
    said: dict[str, Any] = {
        "appointment_id": created["id"],
        "practice_id": practice.id,
        "invitation_id": created["invitation"]["id"],
        "appointment_version": created["version"] + 1,
        "notice_id": uuid4(),
        "kind": NoticeKind.CANCELLED,
        "channel": "email",
        "sequence": 9,
        "occurred_at": datetime.now(UTC),
        "category": FailureCategory.PERMANENT,
        "answer": Answer.DECLINED,
        "role": VisitRole.PATIENT,
    }
    known = {name: said[name] for name in kind.model_fields if name in said}
    await publish(stack, encode(kind.model_validate(known), source="/test"))


async def counts(response: httpx.Response) -> AsyncIterator[int]:
    told = ""
    async for line in response.aiter_lines():
        if line.startswith("event: "):
            told = line.removeprefix("event: ")
        if told == "open_count" and line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))["open_count"]


async def test_what_failed_is_listed_and_counted_live_until_it_arrived(
    practice: Practice,
) -> None:
    async with practice.status.stream("GET", "/v1/indicators/stream", timeout=PATIENCE) as response:
        live = counts(response)
        assert await anext(live) == 0
        created = await practice.create(email=unknown_address(), time="10:00")
        assert await anext(live) == 1
        sooner = await practice.create(email=unknown_address(), time="09:00")
        assert await anext(live) == 2

        found = await listed(practice)
        assert [each["appointment_id"] for each in found["indicators"]] == [
            sooner["id"],
            created["id"],
        ]
        first = found["indicators"][0]
        assert first["open"] == ["invitation_failed"]
        assert f"{utc(first['starts_at']).astimezone(BERLIN):%H:%M}" == "09:00"
        assert (found["open_count"], found["next"]) == (2, None)

        await practice.resend(sooner["id"], email=practice.form()["email"])
        assert await anext(live) == 1
        await practice.scheduling.delete(f"/v1/appointments/{created['id']}")
        assert await anext(live) == 0
    now = datetime.now(UTC)
    assert (await listed(practice))["indicators"] == []

    async def certain() -> bool:
        as_of = (await listed(practice))["as_of"]
        return as_of is not None and utc(as_of) > now

    await eventually(certain, "what was told until now is known to be in it")


async def test_answers_and_who_waits_are_shown_and_a_lost_cancellation_stays(
    practice: Practice, stack: Stack
) -> None:
    later = berlin_day(2)  # farther than a night, at any hour
    created = await practice.create(date=later.isoformat())
    await practice.shows(created["id"], "delivered")
    await tell(stack, practice, created, InvitationAnswered)
    await tell(stack, practice, created, VisitJoined)

    async def told() -> Json | None:
        found = await practice.indicator(created["id"])
        types = {line["type"] for line in found["timeline"]} if found else set()
        return found if {"answered", "joined"} <= types else None

    shown = await eventually(told, "the answer and the joining")
    assert shown["open"] == ["declined"]
    assert shown["answer"]["answer"] == "declined"
    # a visit in two days: whoever tries the link today is not waiting
    assert shown["waiting_since"] is None
    assert [line["type"] for line in shown["timeline"]][-2:] == ["answered", "joined"]
    assert {line["channel"] for line in shown["history"]} == {"email"}

    await practice.scheduling.delete(
        f"/v1/appointments/{created['id']}", params={"notify": "false"}
    )
    await tell(stack, practice, created, NoticeFailed)

    async def still_there() -> Json | None:
        found = (await listed(practice))["indicators"]
        return found[0] if found and found[0]["cancelled"] else None

    left = await eventually(still_there, "the cancellation that did not arrive")
    assert (left["appointment_id"], left["open"]) == (created["id"], ["cancelled_failed"])


async def follow_up(practice: Practice, shown: Json) -> None:
    answer = await practice.scheduling.post(
        f"/v1/appointments/{shown['appointment_id']}/follow-ups",
        json={"causes": shown["causes"]},
        headers={"Idempotency-Key": uuid4().hex},
    )
    assert answer.status_code == 204, answer.text


async def test_what_was_dealt_with_by_telephone_is_open_nowhere_and_shows_the_same(
    practice: Practice,
) -> None:
    async with practice.status.stream("GET", "/v1/indicators/stream", timeout=PATIENCE) as response:
        live = counts(response)
        assert await anext(live) == 0
        created = await practice.create(email=unknown_address())
        assert await anext(live) == 1
        [before] = (await listed(practice))["indicators"]
        await follow_up(practice, before)
        assert await anext(live) == 0
        after = await practice.indicator(created["id"])
        assert after is not None
        assert (after["overall"], after["channels"]) == (before["overall"], before["channels"])
        assert (after["open"], after["causes"]) == ([], [])
        assert after["followed_up_at"] == after["timeline"][-1]["at"]
        assert (after["timeline"][-1]["type"], after["timeline"][-1]["about"]) == (
            "followed_up",
            "appointment",
        )
        log = (await practice.scheduling.get("/v1/audit")).json()["entries"]
        done = [each for each in log if each["action"] == "appointment_followed_up"]
        assert [each["appointment_ids"] for each in done] == [[created["id"]]]

        # Who was called was told of the start before.
        change = {"time": "16:45", "notify": False}
        await practice.scheduling.patch(f"/v1/appointments/{created['id']}", json=change)
        assert await anext(live) == 1
