"""From the request to the green tick: POST by kept connections, mail to a sink, live streams.

Everything runs on this machine with durable settings, one process of each service, and is measured
in one run. Processor time for an invitation repeats within 5 % also where others use the machine;
rates and latencies do not.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from benchmarks.practice import Caller, watching
from benchmarks.processor_time import ProcessorTime
from benchmarks.sink import sink
from local.ports import free_base
from local.practice import DEMO_PRACTICE
from local.stack import Stack

PRACTICES = 16  # each with a dashboard open
CONNECTIONS = 32  # of clients
WARM_UP = 200  # invitations that are not counted: Java compiles, plans are made
SATURATED = 400  # invitations of one run
REPEATS = 3
LATENCY_SECONDS = 5.0  # at a given rate
SHARES = (0.1, 0.5, 0.9)  # of the rate at saturation
PATIENCE = 60.0  # seconds for the last tick


class EndToEnd:
    """A running system with its clients."""

    def __init__(self, stack: Stack, tokens: Sequence[str], processor: ProcessorTime) -> None:
        self._stack = stack
        self._tokens = tokens
        self._processor = processor
        self._ticks: dict[str, float] = {}
        self._ticked = asyncio.Event()
        self._idle: asyncio.Queue[Caller] = asyncio.Queue()

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[None]:
        """Callers, and dashboards that are open."""
        async with AsyncExitStack() as open_now:
            for token in self._tokens:
                await open_now.enter_async_context(
                    watching(self._stack.url("status"), token, self._seen)
                )
            for _ in range(CONNECTIONS):
                caller = Caller(self._stack.url("scheduling"))
                open_now.callback(caller.close)
                self._idle.put_nowait(caller)
            yield

    def _seen(self, appointment_id: str, at: float) -> None:
        self._ticks.setdefault(appointment_id, at)
        self._ticked.set()

    async def run(self, count: int, *, per_second: float | None = None) -> "Run":
        """`count` invitations, as fast as they are answered or at a rate; ends with their ticks."""
        before = self._processor.read()
        began = time.perf_counter()
        invitations: list[asyncio.Task[tuple[str, float, float]]] = []
        for number in range(count):
            if per_second is not None:
                await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            caller = await self._idle.get()
            token = self._tokens[number % len(self._tokens)]
            invitations.append(asyncio.create_task(self._invite(caller, token)))
        invited = await asyncio.gather(*invitations)
        async with asyncio.timeout(PATIENCE):
            while not all(appointment_id in self._ticks for appointment_id, *_ in invited):
                self._ticked.clear()
                await self._ticked.wait()
        ended = max(self._ticks[appointment_id] for appointment_id, *_ in invited)
        after = self._processor.read()
        return Run(
            per_second=count / (ended - began),
            processor={name: (after[name] - before[name]) / count * 1000 for name in after},
            answered=sorted(answered - asked for _, asked, answered in invited),
            ticked=sorted(
                self._ticks[appointment_id] - asked for appointment_id, asked, _ in invited
            ),
        )

    async def _invite(self, caller: Caller, token: str) -> tuple[str, float, float]:
        asked = time.perf_counter()
        try:
            appointment_id = await caller.invite(token)
            return appointment_id, asked, time.perf_counter()
        finally:
            self._idle.put_nowait(caller)


class Run:
    """What one run came to: a rate, milliseconds of each part, seconds in ascending order."""

    def __init__(
        self,
        *,
        per_second: float,
        processor: dict[str, float],
        answered: Sequence[float],
        ticked: Sequence[float],
    ) -> None:
        self.per_second = per_second
        self.processor = processor
        self.answered = answered
        self.ticked = ticked


@asynccontextmanager
async def system() -> AsyncIterator[EndToEnd]:
    """Everything, warmed up."""
    async with sink() as (port, process_id):
        env = {
            "scheduling": {
                "SCHEDULING_WRITES_PER_MINUTE": "1000000",
                "SCHEDULING_DAILY_MESSAGES_PER_ADDRESS": "1000",
            },
            "notification": {"NOTIFICATION_SMTP_PORT": str(port)},
        }
        with tempfile.TemporaryDirectory() as folder:
            async with Stack(
                Path(folder), base_port=free_base(), env=env, later=("fhir",)
            ) as stack:
                practices = [replace(DEMO_PRACTICE, id=UUID(int=n + 1)) for n in range(PRACTICES)]
                for practice in practices:
                    await stack.add_practice(practice)
                tokens = [stack.token(practice.id) for practice in practices]
                measured = EndToEnd(stack, tokens, ProcessorTime(stack, sink=process_id))
                async with measured.clients():
                    await measured.run(WARM_UP)
                    yield measured


async def report() -> None:
    """Measure and print."""
    async with system() as measured:
        runs = [await measured.run(SATURATED) for _ in range(REPEATS)]
        rate = statistics.median(run.per_second for run in runs)
        print(f"processor milliseconds for an invitation, {REPEATS} runs of {SATURATED}")
        for name in runs[0].processor:
            _line(name, [run.processor[name] for run in runs])
        ours = [sum(run.processor.values()) - run.processor["sink"] for run in runs]
        _line("all but the sink", ours)
        print(f"\nat saturation, {CONNECTIONS} connections: {rate:.0f} invitations a second")
        print("\nmilliseconds     a second   answer p50  p95  p99     tick p50  p95  p99")
        for share in SHARES:
            wanted = share * rate
            run = await measured.run(max(20, int(wanted * LATENCY_SECONDS)), per_second=wanted)
            print(
                f"{share:4.0%} of it       {wanted:7.0f}   {_percentiles(run.answered)}"
                f"        {_percentiles(run.ticked)}",
                flush=True,
            )


def _line(name: str, values: Sequence[float]) -> None:
    spread = " ".join(f"{value:6.2f}" for value in values)
    print(f"{name:18}{statistics.median(values):6.2f}   ({spread})", flush=True)


def _percentiles(seconds: Sequence[float]) -> str:
    cuts = [
        seconds[min(len(seconds) - 1, int(len(seconds) * share))] for share in (0.5, 0.95, 0.99)
    ]
    return " ".join(f"{cut * 1000:5.0f}" for cut in cuts)
