"""The live stream: at once, resumable, the same from every replica."""

import asyncio

import asyncpg

from tests.conftest import Stack
from tests.support import Practice


async def test_every_change_comes_at_once_and_ends_green(practice: Practice, stack: Stack) -> None:
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        async with practice.stream() as messages:
            assert (await anext(messages))[0] == "ready"
            async with owner.transaction():  # notification takes no request until the clock is seen
                await owner.execute("LOCK TABLE deliveries IN SHARE MODE")
                created = await practice.create()
                event, _, data = await anext(messages)
                assert event == "indicator"
                assert (data["appointment_id"], data["overall"]) == (created["id"], "pending")
            while data["overall"] != "delivered":
                event, _, data = await anext(messages)
                assert event == "indicator"
                assert data["appointment_id"] == created["id"]
    finally:
        await owner.close()


async def test_who_comes_back_misses_nothing(practice: Practice) -> None:
    first = await practice.create()
    async with practice.stream() as messages:
        _, last, _ = await anext(messages)
    await practice.shows(first["id"], "delivered")
    second = await practice.create()
    await practice.shows(second["id"], "delivered")
    await practice.scheduling.delete(f"/v1/appointments/{first['id']}")
    seen = {}
    async with practice.stream(last_event_id=last) as messages:
        async for event, _, data in messages:
            seen[data["appointment_id"]] = data.get("overall", event)
            if seen.get(first["id"]) == "deleted" and seen.get(second["id"]) == "delivered":
                break
        else:
            raise AssertionError(f"the stream ended with {seen}")


async def test_a_move_is_told_and_nothing_of_it_once_deleted(practice: Practice) -> None:
    created = await practice.create()
    appointment = f"/v1/appointments/{created['id']}"
    await practice.shows(created["id"], "delivered")
    async with practice.stream() as messages:
        _, before, _ = await anext(messages)
        moved = await practice.scheduling.patch(
            appointment, json={"duration_minutes": 45, "notify": False}
        )
        assert moved.status_code == 200
        event, version, data = await anext(messages)
        assert (event, data) == (
            "moved",
            {"appointment_id": created["id"], "version": int(version)},
        )
    async with practice.stream(last_event_id=before) as messages:
        assert await anext(messages) == ("moved", version, data)
    async with practice.stream(last_event_id=version) as messages:
        await practice.scheduling.delete(appointment)
        assert (await anext(messages))[0] == "deleted"
    async with practice.stream(last_event_id=before) as messages:
        assert (await anext(messages))[0] == "deleted"


async def test_a_second_replica_tells_the_same(practice: Practice, stack: Stack) -> None:
    replica = await stack.start_service("status", replica=2)
    try:
        async with practice.stream() as one, practice.stream(base_url=stack.url("status-2")) as two:
            assert (await anext(one))[0] == (await anext(two))[0] == "ready"
            created = await practice.create()

            async def follow(messages: object) -> str:
                async for _, version, data in messages:  # type: ignore[attr-defined]
                    if (data["appointment_id"], data["overall"]) == (created["id"], "delivered"):
                        return str(version)
                raise AssertionError("the stream ended")

            versions = await asyncio.gather(follow(one), follow(two))
            assert versions[0] == versions[1]
    finally:
        await replica.stop()


async def test_an_id_that_is_none_of_ours_is_refused(practice: Practice) -> None:
    response = await practice.status.get("/v1/indicators/stream", headers={"Last-Event-ID": "x"})
    assert response.status_code == 400
