"""Ours: from the request to the green tick, mail to a sink, live streams open.

Everything runs on this machine with durable settings.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from uuid import UUID

from benchmarks.load import Clients
from benchmarks.practice import watching
from benchmarks.processor_time import ProcessorTime, process_ids
from benchmarks.system import PATIENCE, PRACTICES, WARM_UP, System
from local.modules import SERVICES
from local.ports import free_base
from local.practice import DEMO_PRACTICE
from local.stack import Stack


class EndToEnd(System):
    """A running stack, with as many processes of each service as there are `replicas`."""

    def __init__(
        self, stack: Stack, tokens: Sequence[str], *, sink_id: int, replicas: int = 1
    ) -> None:
        names = [each for name in SERVICES for each in processes(name, replicas)]
        super().__init__(
            Clients([stack.url(each) for each in processes("scheduling", replicas)], tokens),
            ProcessorTime({**process_ids(stack, names), "sink": sink_id}),
        )
        self.stack = stack
        self._status = [stack.url(each) for each in processes("status", replicas)]
        self._tokens = tokens
        self._ticks: dict[str, float] = {}
        self._ticked = asyncio.Event()

    @asynccontextmanager
    async def clients(self) -> AsyncIterator[None]:
        """Callers, and dashboards that are open."""
        async with AsyncExitStack() as open_now:
            for token, url in zip(self._tokens, cycle(self._status), strict=False):
                await open_now.enter_async_context(watching(url, token, self._seen))
            await open_now.enter_async_context(self._clients.connected())
            yield

    def _seen(self, appointment_id: str, at: float) -> None:
        self._ticks.setdefault(appointment_id, at)
        self._ticked.set()

    async def ticks(self, appointment_ids: Sequence[str]) -> Mapping[str, float]:
        """As the dashboards were told."""
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while not all(each in self._ticks for each in appointment_ids):
                    self._ticked.clear()
                    await self._ticked.wait()
        return {each: self._ticks[each] for each in appointment_ids if each in self._ticks}


def processes(service: str, replicas: int) -> list[str]:
    """As the stack names them."""
    return [service, *(f"{service}-{number}" for number in range(2, replicas + 1))]


def settings(sink_port: int) -> dict[str, dict[str, str]]:
    """Of the services: mail goes to the sink, and load meets no bound."""
    return {
        "scheduling": {
            "SCHEDULING_WRITES_PER_MINUTE": "1000000",
            "SCHEDULING_DAILY_MESSAGES_PER_ADDRESS": "1000",
        },
        "notification": {
            "NOTIFICATION_SMTP_PORT": str(sink_port),
            "NOTIFICATION_SMTP_CONNECTIONS": "40",  # the sink takes them; more are no faster
        },
    }


async def set_up(stack: Stack) -> list[str]:
    """The practices; a token of each."""
    practices = [replace(DEMO_PRACTICE, id=UUID(int=n + 1)) for n in range(PRACTICES)]
    for practice in practices:
        await stack.add_practice(practice)
    return [stack.token(practice.id) for practice in practices]


@asynccontextmanager
async def running(sink_port: int, sink_id: int) -> AsyncIterator[EndToEnd]:
    """Everything, warmed up; mail goes to the sink with this port and process id."""
    env = settings(sink_port)
    with tempfile.TemporaryDirectory() as folder:
        async with Stack(Path(folder), base_port=free_base(), env=env, later=("fhir",)) as stack:
            measured = EndToEnd(stack, await set_up(stack), sink_id=sink_id)
            async with measured.clients():
                await measured.run(WARM_UP)
                yield measured
