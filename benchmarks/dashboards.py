"""What open dashboards cost while nothing happens, and when they hear of a change."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from benchmarks.processor_time import ProcessorTime, process_ids
from benchmarks.topics import publish, scheduled
from local.ports import free_base
from local.stack import Stack

DASHBOARDS = 1000
IDLE = 30.0  # seconds
CHANGES = 20
PATIENCE = 120.0  # seconds
SETTINGS = {"status": {"STATUS_MAX_CONNECTIONS_PER_ADDRESS": "2000"}}


class Dashboard:
    """An open stream of a practice's indicators."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.heard = asyncio.Event()
        self.heard_at = 0.0

    async def watch(self, url: str, token: str) -> None:
        """Read until it is cancelled."""
        host = urlsplit(url)
        reader, writer = await asyncio.open_connection(host.hostname, host.port)
        try:
            writer.write(
                b"GET /v1/indicators/stream HTTP/1.1\r\nHost: %s\r\n"
                b"Authorization: Bearer %s\r\n\r\n" % (host.netloc.encode(), token.encode())
            )
            if b" 200 " not in (answer := await reader.readline()):
                raise RuntimeError(answer.decode())
            while line := await reader.readline():
                if line.startswith(b"event: indicator"):
                    self.heard_at = time.perf_counter()
                    self.heard.set()
                elif line.startswith(b"event: "):
                    self.ready.set()
        finally:
            writer.close()


async def report(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=dashboards", description=__doc__)
    parser.add_argument("--dashboards", type=int, default=DASHBOARDS)
    count = parser.parse_args(arguments).dashboards
    async with AsyncExitStack() as opened:
        folder = opened.enter_context(tempfile.TemporaryDirectory())
        stack = await opened.enter_async_context(
            Stack(Path(folder), base_port=free_base(), env=SETTINGS, later=("fhir",))
        )
        await _idle(stack, "no dashboard")
        practices = [UUID(int=1 + number) for number in range(count)]
        dashboards = [Dashboard() for _ in practices]
        group = await opened.enter_async_context(asyncio.TaskGroup())
        watching = [
            group.create_task(each.watch(stack.url("status"), stack.token(practice)))
            for practice, each in zip(practices, dashboards, strict=True)
        ]
        async with asyncio.timeout(PATIENCE):
            for each in dashboards:
                await each.ready.wait()
        await _idle(stack, f"{count:,} dashboards")
        await _changes(stack, practices, dashboards)
        for task in watching:
            task.cancel()


async def _idle(stack: Stack, what: str) -> None:
    processor = ProcessorTime(process_ids(stack, ("status",)))
    before = processor.read()
    await asyncio.sleep(IDLE)
    shares = {name: (now - before[name]) / IDLE for name, now in processor.read().items()}
    told = ", ".join(f"{name} {share:.3f}" for name, share in shares.items())
    print(f"{what}, idle: cores {told}", flush=True)


async def _changes(
    stack: Stack, practices: Sequence[UUID], dashboards: Sequence[Dashboard]
) -> None:
    """One after the other: from before the events go to Kafka until the dashboard hears of it."""
    seconds = []
    for number in range(CHANGES):
        at = number * len(practices) // CHANGES
        began = time.perf_counter()
        await publish(stack, scheduled(practices[at]))
        async with asyncio.timeout(PATIENCE):
            await dashboards[at].heard.wait()
        seconds.append(dashboards[at].heard_at - began)
    seconds.sort()
    print(
        f"a change is heard of after {seconds[len(seconds) // 2] * 1000:.0f} ms "
        f"(median of {len(seconds)}; the slowest {seconds[-1] * 1000:.0f} ms)",
        flush=True,
    )
