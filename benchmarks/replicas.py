"""What one, two and three replicas of each service cost, by turns on the same machine.

With one replica at several rates, of which a model is made of what more of them cost
(benchmarks/capacity.py). Writes replicas.json to the folder `--out`, and the tables into its
growth.md, if it has one: `--out docs/performance` is what is shown.
"""

import argparse
import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import httpx
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.capacity import Capacity, Replicas, tables
from benchmarks.compared import circumstances, order, tell
from benchmarks.end_to_end import EndToEnd, processes, set_up, settings
from benchmarks.kept import keep
from benchmarks.processor_time import ProcessorTime, process_ids
from benchmarks.result import Latency, Measured, spread
from benchmarks.sink import sink
from benchmarks.system import WARM_UP, Run
from local.modules import SERVICES
from local.ports import free_base
from local.stack import Stack

MOST = 3  # replicas
SHARES = (1 / 2, 1 / 4, 1 / 6)  # of the rate at saturation; but for the first with one replica only
IDLE = 20.0  # seconds
FLUSHED = 11.0  # seconds after which idle sessions have told PostgreSQL of their transactions
METRICS = {"events_consumed_total": "events read", "outbox_published_total": "events published"}


@dataclass(frozen=True, slots=True)
class Turn:
    """Of one number of replicas."""

    idle: Mapping[str, float]  # milliseconds a second, by part
    runs: Sequence[Run]  # at rates
    saturated: Run
    connections: float
    done: Mapping[str, Mapping[str, float]]  # for an invitation: what, by process


class Replicated:
    """A stack with more and fewer processes of its services."""

    def __init__(self, stack: Stack, sink_id: int, tokens: Sequence[str]) -> None:
        self._stack = stack
        self._sink_id = sink_id
        self._tokens = tokens
        self._running = 1

    def system(self, replicas: int) -> EndToEnd:
        """With clients of so many."""
        return EndToEnd(self._stack, self._tokens, sink_id=self._sink_id, replicas=replicas)

    async def turn(
        self, replicas: int, rates: Sequence[float], *, invitations: int, seconds: float, seed: int
    ) -> Turn:
        """Idle, at each rate, and saturated. What is done is counted at the first and saturated."""
        await self._scale(replicas)
        system = self.system(replicas)

        async def at(rate: float) -> Run:
            return await system.run(int(rate * seconds), per_second=rate, seed=seed)

        async with system.clients():
            await system.run(WARM_UP)
            slower = [await at(rate) for rate in rates[1:]]
            at_rest = await idle(system.processor)
            before = await self._done(replicas)
            half, saturated = await at(rates[0]), await system.run(invitations)
            connections = await self._databases("numbackends")
            await asyncio.sleep(FLUSHED)
            after = await self._done(replicas)
        tell(f"{replicas}, half", half)
        tell(f"{replicas}", saturated)
        invited = len(half.answered) + len(saturated.answered)
        return Turn(
            idle=at_rest,
            runs=[_by_part(run) for run in (half, *slower)],
            saturated=_by_part(saturated),
            connections=connections - 1,  # ours, that asks
            done={
                what: {
                    name: (count - before[what].get(name, 0)) / invited
                    for name, count in each.items()
                }
                for what, each in after.items()
            },
        )

    async def _scale(self, replicas: int) -> None:
        for number in range(self._running + 1, replicas + 1):
            await asyncio.gather(
                *(self._stack.start_service(name, replica=number) for name in SERVICES)
            )
        for number in range(replicas + 1, self._running + 1):
            await asyncio.gather(
                *(self._stack.service(f"{name}-{number}").stop() for name in SERVICES)
            )
        self._running = replicas

    async def _done(self, replicas: int) -> dict[str, dict[str, float]]:
        """Until now: what, by process."""
        done: dict[str, dict[str, float]] = defaultdict(dict)
        async with httpx.AsyncClient(trust_env=False) as client:
            for service in SERVICES:
                for name in processes(service, replicas):
                    answer = await client.get(f"{self._stack.operations_url(name)}/metrics")
                    for family in text_string_to_metric_families(answer.text):
                        for sample in family.samples:
                            if what := METRICS.get(sample.name):
                                count = done[f"{service}: {what}"]
                                count[name] = count.get(name, 0) + sample.value
        tries = "SELECT coalesce(sum(tries), 0) FROM deliveries"
        done["tries to send"] = {"": await self._ask("notification", tries)}
        done["transactions of PostgreSQL"] = {"": await self._databases("xact_commit")}
        return done

    async def _databases(self, column: str) -> float:
        names = ", ".join(f"'{name}'" for name in SERVICES)
        query = f"SELECT sum({column}) FROM pg_stat_database WHERE datname IN ({names})"
        return await self._ask("scheduling", query)

    async def _ask(self, service: str, query: str) -> float:
        connection = await asyncpg.connect(self._stack.owner_dsn(service))
        try:
            return float(await connection.fetchval(query))
        finally:
            await connection.close()


async def idle(processor: ProcessorTime) -> dict[str, float]:
    """Milliseconds a second of each part while nobody asks for anything."""
    before = processor.read()
    await asyncio.sleep(IDLE)
    used = {name: now - before[name] for name, now in processor.read().items()}
    return {name: 1000 * each / IDLE for name, each in _summed(used).items()}


def _by_part(run: Run) -> Run:
    return replace(run, processor=_summed(run.processor))


def _summed(by_process: Mapping[str, float]) -> dict[str, float]:
    """Replicas together."""
    parts: dict[str, float] = {}
    for name, used in by_process.items():
        part = name.partition("-")[0]
        parts[part] = parts.get(part, 0) + used
    return parts


def gathered(replicas: int, turns: Sequence[Turn], rates: Sequence[float]) -> Replicas:
    """Of all turns with so many."""
    at = []
    for number, rate in enumerate(rates):
        runs = [turn.runs[number] for turn in turns]
        at.append(Measured.of(runs))
        at[-1].latency = [Latency.of(runs, share=SHARES[number], per_second=rate)]
    done = [turn.done for turn in turns]
    return Replicas(
        replicas=replicas,
        idle={part: spread(turn.idle[part] for turn in turns) for part in at[0].processor},
        at=at,
        saturated=Measured.of([turn.saturated for turn in turns]),
        connections=spread(turn.connections for turn in turns),
        done={what: spread(sum(each[what].values()) for each in done) for what in done[0]},
        busiest={
            what: spread(max(each[what].values()) / sum(each[what].values()) for each in done)
            for what in done[0]
            if replicas > 1 and what.startswith(SERVICES)
        },
    )


async def measure(options: argparse.Namespace) -> Capacity:
    """Without services, then by turns."""
    load = os.getloadavg()[0]
    async with AsyncExitStack() as opened:
        port, sink_id = await opened.enter_async_context(sink())
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        stack = Stack(folder, base_port=free_base(), env=settings(port), later=(*SERVICES, "fhir"))
        await opened.enter_async_context(stack)
        without = await idle(ProcessorTime(process_ids(stack, ())))
        await asyncio.gather(*(stack.service(name).start() for name in SERVICES))
        replicated = Replicated(stack, sink_id, await set_up(stack))
        one = replicated.system(1)
        async with one.clients():
            await one.run(WARM_UP)
            saturated = (await one.run(options.invitations)).per_second
        rates = [round(share * saturated) for share in SHARES]
        turns: dict[int, list[Turn]] = {replicas: [] for replicas in range(1, MOST + 1)}
        at = {replicas: rates if replicas == 1 else rates[:1] for replicas in turns}
        for number in range(options.repeats):
            for replicas in order(turns, number):
                turns[replicas].append(
                    await replicated.turn(
                        replicas,
                        at[replicas],
                        invitations=options.invitations,
                        seconds=options.seconds,
                        seed=number,
                    )
                )
    return Capacity(
        **circumstances(load).model_dump(),
        invitations=options.invitations,
        seconds=options.seconds,
        without=without,
        measured=[gathered(replicas, each, at[replicas]) for replicas, each in turns.items()],
    )


async def report(arguments: Sequence[str]) -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=replicas", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--invitations", type=int, default=400, help="of a run at saturation")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a run at a rate")
    parser.add_argument("--out", type=Path, default=Path("bench"))
    options = parser.parse_args(arguments)
    capacity = await measure(options)
    keep(options.out, "replicas", capacity, document="growth.md", tables=tables(capacity))
