"""How fast a consumer group catches up that was away, by the processor time that it takes.

Appointments of many practices, four events each: two of scheduling, two of notification.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import asyncpg

from benchmarks.processor_time import ProcessorTime, process_ids
from benchmarks.topics import invited, publish
from contracts.events import Event
from local.ports import free_base
from local.stack import Stack

EVENTS = 100_000
PRACTICES = 1000
READ = {"status": 4, "scheduling": 1}  # events of an appointment that it opens (ADR 60)
PATIENCE = 900.0  # seconds
LOOK = 0.2  # seconds


async def report(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=catch-up", description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="that status reads")
    appointments = parser.parse_args(arguments).events // READ["status"]
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), base_port=free_base(), later=("fhir",)) as stack:
            for service in ("status", "notification", "webhooks", "scheduling"):
                await stack.service(service).stop()
            print(f"{await publish(stack, _events(appointments)):,} events published", flush=True)
            for service, each in READ.items():
                await _catch_up(stack, service, appointments * each)


def _events(appointments: int) -> Iterator[Event]:
    for number in range(appointments):
        yield from invited(UUID(int=1 + number % PRACTICES))


async def _catch_up(stack: Stack, service: str, events: int) -> None:
    """Start the service; from the first event on that it has read until it has read them all."""
    owner = await asyncpg.connect(stack.owner_dsn(service))

    async def read(at_least: int) -> int:
        async with asyncio.timeout(PATIENCE):
            while True:
                count: int = await owner.fetchval("SELECT count(*) FROM inbox")
                if count >= at_least:
                    return count
                await asyncio.sleep(LOOK)

    try:
        await stack.service(service).start()
        first = await read(1)
        ids = process_ids(stack, (service,))
        processor, began = ProcessorTime(ids), time.perf_counter()
        before = processor.read()
        caught_up = await read(events) - first
        took = time.perf_counter() - began
        used = {name: seconds - before[name] for name, seconds in processor.read().items()}
    finally:
        await owner.close()
        await stack.service(service).stop()
    each = "  ".join(f"{name} {1000 * used[name] / caught_up:.2f}" for name in used)
    print(
        f"{service:14}{caught_up:9,} events in {took:6.1f} s: {caught_up / took:7,.0f} a second, "
        f"{caught_up / used[service]:7,.0f} in a second of its processor; "
        f"ms of processor for an event: {each}",
        flush=True,
    )
