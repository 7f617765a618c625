"""What an installation costs that is full, against an empty one; by turns on the same machine.

Filled as benchmarks/filling.py says. Then, on the full one: how long the lists take that a practice
looks at, and each task that goes on in the background.
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from benchmarks.end_to_end import EndToEnd
from benchmarks.filling import FAMILY_NAMES, Filling, Size
from benchmarks.sink import sink
from benchmarks.system import PRACTICES, WARM_UP, Run
from chassis import inbox
from chassis.database import Connection, Database
from local.ports import free_base
from local.stack import Stack
from services.notification.erasure import store as notification_erasure
from services.scheduling import erasure, housekeeping
from services.scheduling.booking import SOURCE
from services.status import erasure_store as status_erasure
from services.status import measures

RUN = 400  # invitations
REPEATS = 3
LOOKS = 200  # of each kind
ALLOWED = 1.1  # times the cost of an empty installation
ALLOWED_LOOK = 0.05  # seconds, of 95 in 100
SETTINGS = {
    "scheduling": {
        "SCHEDULING_WRITES_PER_MINUTE": "1000000",
        "SCHEDULING_SEARCHES_PER_MINUTE": "1000000",
        "SCHEDULING_DAILY_MESSAGES_PER_ADDRESS": "1000",
    },
}


@asynccontextmanager
async def installation(
    folder: Path, smtp_port: int, size: Size
) -> AsyncIterator[tuple[Stack, dict[str, Any]]]:
    """A stack, filled once, and what was stored in it then."""
    env = SETTINGS | {"notification": {"NOTIFICATION_SMTP_PORT": str(smtp_port)}}
    marker = folder / "filled.json"
    if not marker.exists():
        filling = Stack(folder, base_port=free_base(), env=env, later=("fhir",))
        async with filling:
            for name in ("scheduling", "notification", "status", "webhooks"):
                await filling.service(name).stop()
            stored = await Filling(filling, size, _say).fill()
        marker.write_text(json.dumps(stored))
    async with Stack(folder, base_port=free_base(), env=env, later=("fhir",)) as stack:
        yield stack, json.loads(marker.read_text())


@asynccontextmanager
async def measured(stack: Stack, sink_process: int, size: Size) -> AsyncIterator[EndToEnd]:
    """Callers and dashboards of some practices, the same in both."""
    practices = [size.practice(1 + n * size.practices // PRACTICES) for n in range(PRACTICES)]
    tokens = [stack.token(practice, lifetime=6 * 3600) for practice in practices]
    clients = EndToEnd(stack, tokens, sink_id=sink_process)
    async with clients.clients():
        await clients.run(WARM_UP)
        yield clients


def _say(line: str) -> None:
    print(line, flush=True)


class Looks:
    """How long answers take, over HTTP, of practices by chance."""

    def __init__(self, stack: Stack, size: Size) -> None:
        self._stack = stack
        self._size = size
        self._by_chance = random.Random(1)

    async def measure(self) -> dict[str, dict[str, float]]:
        """Seconds: p50 and p95 of each kind, for practices as most are and for the large one."""
        kinds = {
            "day list": self._day,
            "several days": self._days,
            "search": self._search,
            "search for nobody": self._search_for_nobody,
            "Offen": self._open,
            "indicators of a day": self._indicators,
            "weeks": self._weeks,
            "measures": self._measures,
        }
        found = {}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            for kind, look in kinds.items():
                for whose in ("", "large practice"):
                    seconds = []
                    for _ in range(LOOKS):
                        number = 0 if whose else self._by_chance.randrange(self._size.practices)
                        token = self._stack.token(self._size.practice(number))
                        headers = {"Authorization": f"Bearer {token}"}
                        began = time.perf_counter()
                        (await look(client, headers)).raise_for_status()
                        seconds.append(time.perf_counter() - began)
                    found[f"{kind}, {whose}".rstrip(", ")] = quantiles(seconds)
        return found

    async def _day(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        url = f"{self._stack.url('scheduling')}/v1/appointments"
        return await client.get(url, params={"date": self._some_day()}, headers=headers)

    async def _days(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        url = f"{self._stack.url('scheduling')}/v1/appointments"
        first = datetime.now(UTC).date()
        days = {"from": first.isoformat(), "to": (first + timedelta(days=6)).isoformat()}
        return await client.get(url, params=days, headers=headers)

    async def _search(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        url = f"{self._stack.url('scheduling')}/v1/appointments/search"
        query = {"query": self._by_chance.choice(FAMILY_NAMES), "limit": 50}
        return await client.post(url, json=query, headers=headers)

    async def _search_for_nobody(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> httpx.Response:
        url = f"{self._stack.url('scheduling')}/v1/appointments/search"
        return await client.post(url, json={"query": "niemand", "limit": 50}, headers=headers)

    async def _open(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        url = f"{self._stack.url('status')}/v1/indicators"
        return await client.get(url, params={"open": "true"}, headers=headers)

    async def _indicators(
        self, client: httpx.AsyncClient, headers: dict[str, str]
    ) -> httpx.Response:
        listed = (await self._day(client, headers)).json()["appointments"]
        ids = [each["id"] for each in listed] or [str(UUID(int=0))]
        url = f"{self._stack.url('status')}/v1/indicators"
        return await client.get(url, params={"appointment_id": ids}, headers=headers)

    async def _weeks(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        url = f"{self._stack.url('status')}/v1/measures/weeks"
        return await client.get(url, params={"time_zone": "Europe/Berlin"}, headers=headers)

    async def _measures(self, client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.Response:
        return await client.get(f"{self._stack.url('status')}/v1/measures", headers=headers)

    def _some_day(self) -> str:
        days = timedelta(days=self._by_chance.randrange(-10, 15))
        return (datetime.now(UTC).date() + days).isoformat()


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """p50 and p95."""
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50": cuts[9], "p95": cuts[18]}


async def in_the_background(stack: Stack) -> dict[str, float]:
    """Seconds that a turn takes of each task that is done in the background."""
    now = datetime.now(UTC)
    tasks: dict[tuple[str, str], Callable[[Connection], Awaitable[object]]] = {
        ("scheduling", "erasure"): lambda tx: erasure.by_term(tx, SOURCE, now),
        ("scheduling", "housekeeping"): housekeeping.purge,
        ("scheduling", "inbox"): inbox.purge,
        ("notification", "erasure"): lambda tx: notification_erasure.erase_overdue(tx, now),
        ("notification", "purging"): lambda tx: notification_erasure.purge(tx, now),
        ("notification", "inbox"): inbox.purge,
        ("status", "measures"): measures.publish,
        ("status", "purging"): status_erasure.purge,
        ("status", "inbox"): inbox.purge,
    }
    seconds = {}
    for (service, task), turn in tasks.items():
        async with Database.open(stack.dsn(service), connections=1) as db:
            taken = []
            for _ in range(3):
                began = time.perf_counter()
                async with db.system() as tx:
                    await turn(tx)
                taken.append(time.perf_counter() - began)
            seconds[f"{service}: {task}"] = statistics.median(taken)
    return seconds


async def report(arguments: Sequence[str]) -> None:
    """Measure and print; ends with JSON."""
    options = _options(arguments)
    size = Size(options.appointments, options.practices)
    async with AsyncExitStack() as opened:
        port, sink_process = await opened.enter_async_context(sink())
        folder = Path(options.folder or opened.enter_context(tempfile.TemporaryDirectory()))
        full, stored = await opened.enter_async_context(installation(folder / "full", port, size))
        results: dict[str, Any] = {"stored": stored}
        if options.fill:
            print(json.dumps(results, indent=1))
            return
        if not options.no_cost:
            empty, _ = await opened.enter_async_context(
                installation(folder / "empty", port, Size(0, size.practices))
            )
            results["cost"] = await _cost(
                await opened.enter_async_context(measured(empty, sink_process, size)),
                await opened.enter_async_context(measured(full, sink_process, size)),
            )
        results["looks"] = await Looks(full, size).measure()
        _tell_looks(results["looks"])
        results["background"] = await in_the_background(full)
        for task, seconds in results["background"].items():
            print(f"{task:32}{seconds * 1000:8.1f} ms a turn")
        print(json.dumps(results, indent=1))


async def _cost(empty: EndToEnd, full: EndToEnd) -> dict[str, Any]:
    runs: dict[str, list[Run]] = {"empty": [], "full": []}
    for _ in range(REPEATS):
        runs["empty"].append(await empty.run(RUN))
        runs["full"].append(await full.run(RUN))
    names = list(runs["empty"][0].processor)
    by_part = {
        name: {of: statistics.median(run.processor[name] for run in runs[of]) for of in runs}
        for name in names
    }
    total = {
        of: [sum(run.processor.values()) - run.processor["sink"] for run in runs[of]] for of in runs
    }
    ratio = statistics.median(total["full"]) / statistics.median(total["empty"])
    print(f"processor milliseconds for an invitation, {REPEATS} runs of {RUN}, by turns")
    print(f"{'':18}{'empty':>8}{'full':>8}")
    for name, each in by_part.items():
        print(f"{name:18}{each['empty']:8.2f}{each['full']:8.2f}")
    for of, values in total.items():
        spread = " ".join(f"{value:6.2f}" for value in values)
        print(f"all, {of:13}{statistics.median(values):8.2f}   ({spread})")
    verdict = "good" if ratio <= ALLOWED else "too much"
    print(f"full / empty      {ratio:8.2f}   (at most {ALLOWED}: {verdict})", flush=True)
    return {"by_part": by_part, "total": total, "ratio": ratio}


def _tell_looks(looks: dict[str, dict[str, float]]) -> None:
    print(f"\n{'milliseconds':38}{'p50':>8}{'p95':>8}   (at most {ALLOWED_LOOK * 1000:.0f})")
    for kind, each in looks.items():
        print(f"{kind:38}{each['p50'] * 1000:8.1f}{each['p95'] * 1000:8.1f}", flush=True)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench ARGS=growth", description=__doc__)
    parser.add_argument("--appointments", type=int, default=Size().appointments)
    parser.add_argument("--practices", type=int, default=Size().practices)
    parser.add_argument("--folder", help="kept, and found filled by the next run")
    parser.add_argument("--no-cost", action="store_true", help="only what is looked at")
    parser.add_argument("--fill", action="store_true", help="nothing else, into the folder")
    return parser.parse_args(arguments)
