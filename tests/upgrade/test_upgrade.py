"""Expand, one replica after the other, contract: nothing is lost, and nothing comes twice."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from local import journal
from local.modules import MODULES, migrations
from local.ports import free_base
from local.stack import Stack
from tests.conftest import HURRIED, new_practice
from tests.support import Json, Practice, eventually, http_client
from tests.upgrade.previous import prepare

SWITCH = "EINLADUNG_UPGRADE"  # set while these are asked for
pytestmark = pytest.mark.skipif(SWITCH not in os.environ, reason="make test-upgrade runs these")

# who reads before who tells
ORDER = ("webhooks", "status", "notification", "scheduling", "dashboard")
AT_EACH_STAGE = 10  # appointments, at the least


class Traffic:
    """Appointments are made all the time, at whichever replica answers; some are sent again."""

    def __init__(self, practice: Practice, places: Sequence[str]) -> None:
        self._practice = practice
        self._places = places
        self.accepted: list[tuple[Json, int]] = []  # with its last attempt
        self.refused: list[str] = []

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            created = await self._post("/v1/appointments", Practice.form(), 201)
            attempt = 1
            if created is not None and len(self.accepted) % 3 == 0:
                path = f"/v1/appointments/{created['id']}/invitations"
                attempt += await self._post(path, {}, 202) is not None
            if created is not None:
                self.accepted.append((created, attempt))

    async def more(self) -> None:
        """Return once some more have been accepted."""
        until = len(self.accepted) + AT_EACH_STAGE

        async def ask() -> bool:
            return len(self.accepted) >= until

        await eventually(ask, "traffic goes on")

    async def _post(self, path: str, body: Json, expected: int) -> Json | None:
        """As a proxy and its caller do: where nobody answers, the next is asked the same."""
        headers = {**self._practice.scheduling.headers, "Idempotency-Key": uuid4().hex}
        for place in [*self._places, *self._places] * 20:
            with suppress(httpx.TransportError):
                async with http_client(base_url=place) as http:
                    answer = await http.post(path, json=body, headers=headers)
                if answer.status_code == expected:
                    found: Json = answer.json()
                    return found
                if answer.status_code != 503:
                    self.refused.append(f"{path}: {answer.status_code} {answer.text}")
                    return None
            await asyncio.sleep(0.05)  # a condition that nobody tells of: that somebody listens
        self.refused.append(f"{path}: nobody answers")
        return None


@asynccontextmanager
async def kept_up(traffic: Traffic) -> AsyncIterator[None]:
    running = asyncio.create_task(traffic.run())
    try:
        yield
        assert not running.done()
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def without_tick(practice: Practice, accepted: Sequence[tuple[Json, int]]) -> list[object]:
    """Those that get none, with what they show instead."""
    shown: list[object] = []

    async def settled() -> bool:
        nonlocal shown
        shown = []
        for created, attempt in accepted:
            found = await practice.indicator(created["id"])
            if not found or (found["overall"], found["attempt"]) != ("delivered", attempt):
                shown.append((created["id"], attempt, found))
        return not shown

    with suppress(AssertionError):
        await eventually(settled, "a tick for all")
    return shown


async def replace_one_by_one(stack: Stack, name: str) -> None:
    """A second replica of the new code comes; then the first is stopped, and comes anew."""
    second = stack.service(f"{name}-2")
    await second.start()
    await stack.service(name).stop()
    await stack.service(name).start()
    await second.stop()


async def test_an_upgrade_loses_and_doubles_nothing(tmp_path: Path) -> None:
    upgrade = prepare(tmp_path)
    print(f"Upgrading from {upgrade.name}.")
    stack = Stack(
        tmp_path / "stack",
        base_port=free_base(),
        fsync=False,
        env=HURRIED,
        code=upgrade.old,
        journals=True,  # the mailbox itself keeps the newest thousand
        later=("fhir",),
    )
    async with stack, new_practice(stack) as practice:
        for name in ORDER:  # known by their addresses; they stand by
            await (await stack.start_service(name, replica=2)).stop()
        traffic = Traffic(practice, [stack.url("scheduling"), stack.url("scheduling-2")])
        async with kept_up(traffic):
            await traffic.more()
            stack.code = upgrade.new
            for name in MODULES:
                await stack.postgres.migrate(name, migrations(name, stack.code))
            await traffic.more()
            for name in ORDER:
                await replace_one_by_one(stack, name)
                await traffic.more()
            stack.code = upgrade.contracted
            for name in MODULES:
                await stack.postgres.migrate(name, migrations(name, stack.code))
            await traffic.more()
        assert not traffic.refused
        print(f"{len(traffic.accepted)} appointments were accepted meanwhile.")
        assert not await without_tick(practice, traffic.accepted)
        taken: dict[str, list[str]] = defaultdict(list)
        for line in journal.read(stack.folder.path / "mailbox" / journal.NAME):
            if line["event"] == "taken":
                taken[line["to"]].append(line["message_id"])
        for created, attempt in traffic.accepted:
            mails = taken[created["email"]]
            # The first attempt may have been superseded before it went out.
            assert 1 <= len(mails) <= attempt
            assert len(set(mails)) == len(mails)
