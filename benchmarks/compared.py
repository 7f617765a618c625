"""Ours and the peer by turns, in one run on one machine: at saturation, then at shares of it."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

from benchmarks import end_to_end
from benchmarks.end_to_end import EndToEnd
from benchmarks.load import CONNECTIONS
from benchmarks.result import Circumstances, Latency, Measured, Result
from benchmarks.sink import sink
from benchmarks.system import Run, System

SHARES = (0.1, 0.5, 0.9)  # of the rate at saturation
FEWEST = 20  # invitations of a run
OURS, PEER = "ours", "peer"
T = TypeVar("T", str, int)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured."""

    repeats: int
    invitations: int  # of each run at saturation
    seconds: float  # of each run at a rate
    peer: bool


@asynccontextmanager
async def both(plan: Plan) -> AsyncIterator[tuple[EndToEnd, System | None]]:
    """Ours and, if wanted, the peer, with one sink. Raises LocalFailure."""
    async with AsyncExitStack() as running:
        at = await running.enter_async_context(sink())
        other: System | None = None
        if plan.peer:  # first: whether it can be had shows at once
            from benchmarks.peer import running as peer  # noqa: PLC0415

            other = await running.enter_async_context(peer.running(*at))
        yield await running.enter_async_context(end_to_end.running(*at)), other


async def compare(ours: System, peer: System | None, plan: Plan) -> Result:
    """Measure, by turns."""
    systems = {OURS: ours} if peer is None else {OURS: ours, PEER: peer}
    load = os.getloadavg()[0]
    runs: dict[str, list[Run]] = {name: [] for name in systems}
    idle: dict[str, list[float]] = {name: [] for name in systems}
    for turn in range(plan.repeats):
        for name in order(systems, turn):
            before, began = {other: _used(systems[other]) for other in systems}, time.perf_counter()
            runs[name].append(await systems[name].run(plan.invitations))
            tell(name, runs[name][-1])
            for other in systems.keys() - {name}:
                used = _used(systems[other]) - before[other]
                idle[other].append(used / (time.perf_counter() - began))
    measured = {name: Measured.of(runs[name], idle=idle[name]) for name in systems}
    at_rates: dict[str, dict[float, list[Run]]] = {
        name: {share: [] for share in SHARES} for name in systems
    }
    for turn in range(plan.repeats):
        for share in SHARES:
            for name in order(systems, turn):
                rate = share * measured[name].per_second.median
                count = max(FEWEST, int(rate * plan.seconds))
                run = await systems[name].run(count, per_second=rate, seed=turn)
                at_rates[name][share].append(run)
                tell(f"{name} at {share:.0%}", run)
    for name, system in measured.items():
        system.latency = [
            Latency.of(each, share=share, per_second=share * system.per_second.median)
            for share, each in at_rates[name].items()
        ]
        system.latency.append(
            Latency.of(runs[name], share=None, per_second=system.per_second.median)
        )
    return Result(
        **circumstances(load).model_dump(),
        versions=_versions(),
        invitations=plan.invitations,
        connections=CONNECTIONS,
        seconds=plan.seconds,
        ours=measured[OURS],
        peer=measured.get(PEER),
    )


def circumstances(load_before: float) -> Circumstances:
    """Of what ends now."""
    return Circumstances(
        day=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=_commit(),
        processors=os.cpu_count() or 0,
        load=[round(each, 1) for each in (load_before, os.getloadavg()[0])],
    )


def order(compared: Iterable[T], turn: int) -> list[T]:
    """Who is first changes, so that a trend of the machine is nobody's."""
    return sorted(compared, reverse=bool(turn % 2))


def _used(system: System) -> float:
    return sum(used for name, used in system.processor.read().items() if name != "sink")


def tell(name: str, run: Run) -> None:
    """What a run came to, as soon as it is over."""
    used = sum(used for part, used in run.processor.items() if part != "sink")
    ticked = sorted(run.ticked)
    print(
        f"{name:12} {run.per_second:5.0f}/s {used:6.2f} ms processor time for an invitation, "
        f"tick p50 {ticked[len(ticked) // 2] * 1000:6.0f} ms, {run.missing} missing",
        file=sys.stderr,
        flush=True,
    )


def _commit() -> str:
    git = ("git", "describe", "--always", "--dirty", "--exclude", "*")
    try:
        return subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _versions() -> dict[str, str]:
    versions = {"Python": sys.version.split()[0]}
    for name in ("fastapi", "uvicorn", "asyncpg", "psycopg", "celery", "redis"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions
