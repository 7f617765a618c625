"""`make soak`: hours of mixed load at a low rate; whatever grows without being data ends it with 1.

    python -m reliability.soak [--minutes 120] [--per-second 2] [--seed N] [--out FOLDER]
    python -m reliability.soak --judge FOLDER

Samples go to FOLDER/samples.jsonl as they are taken, minute by minute; the end writes soak.svg and
soak.md beside them, which docs/reliability.md shows. `--judge` does that again from kept samples.
"""

import argparse
import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from aiokafka.errors import KafkaError

from local.ports import free_base
from local.practice import DEMO_PRACTICE
from local.stack import Stack
from reliability.soak import plot
from reliability.soak.desk import Browser, Desk, Tally
from reliability.soak.flat import Series, Verdict, judge
from reliability.soak.measuring import Measuring
from reliability.soak.samples import series_of

PRACTICES = 4  # beside the demo's, which the browser is logged in to
SAMPLES, PICTURE, TABLE = "samples.jsonl", "soak.svg", "soak.md"
BETWEEN = 60.0  # seconds between samples
FEWEST = 12  # samples: shorter runs take them more often
LISTENING = 50.0  # seconds until the browser opens its stream anew
BROWSING = 5.0  # seconds between what the page asks
TOO_MANY = " 429"  # of the letters that one patient is written in a day: that is no fault
ENOUGH = {"SCHEDULING_DAILY_SMS_PER_COUNTRY": "100000", "SCHEDULING_DAILY_MESSAGES": (
    '{"basic": 100000, "standard": 100000, "premium": 100000}'
)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How long, how much, and from what seed."""

    minutes: float
    per_second: float
    seed: int
    out: Path

    @property
    def between(self) -> float:
        """Seconds between two samples."""
        return min(BETWEEN, self.minutes * 60 / FEWEST)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, judge and report; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m reliability.soak")
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--per-second", type=float, default=2)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--out", type=Path, default=Path("soak"))
    parser.add_argument("--judge", type=Path, help="kept samples")
    options = parser.parse_args(arguments)
    if options.judge is None:
        plan = Plan(options.minutes, options.per_second, options.seed, options.out)
        print(f"seed {plan.seed}", flush=True)
        asyncio.run(run(plan))
        return report(plan.out)
    return report(options.judge)


async def run(plan: Plan) -> None:
    """Start everything, load it, sample it."""
    plan.out.mkdir(parents=True, exist_ok=True)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder, (plan.out / SAMPLES).open("w") as kept:
        env = {"scheduling": ENOUGH}
        async with Stack(Path(folder), base_port=free_base(), env=env, later=("fhir",)) as stack:
            measuring = Measuring(stack)
            began = time.monotonic()
            async with load(stack, plan, tally):
                for number in range(int(plan.minutes * 60 / plan.between) + 1):
                    due = began + number * plan.between
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    try:
                        sample = await measuring.sample()
                    except (OSError, KafkaError, httpx.HTTPError, asyncpg.PostgresError) as error:
                        print(f"no sample: {type(error).__name__}", flush=True)
                        continue
                    line: dict[str, Any] = {
                        "at": datetime.now(UTC).isoformat(timespec="seconds"),
                        "minute": round((time.monotonic() - began) / 60, 2),
                        "plan": {"per_second": plan.per_second, "seed": plan.seed},
                        "tally": tally.figures(),
                        **sample,
                    }
                    print(json.dumps(line), file=kept, flush=True)
                    print(_progress(line), flush=True)


@asynccontextmanager
async def load(stack: Stack, plan: Plan, tally: Tally) -> AsyncIterator[None]:
    """Practices at work meanwhile; what goes wrong in them ends the run."""
    dice = random.Random(plan.seed)
    async with AsyncExitStack() as open_now, asyncio.TaskGroup() as tasks:
        desks = []
        for number in range(PRACTICES):
            practice_id = UUID(int=plan.seed * 100 + number + 1)
            await stack.add_practice(replace(DEMO_PRACTICE, id=practice_id))
            http = await open_now.enter_async_context(httpx.AsyncClient(trust_env=False))
            desk = Desk(stack, practice_id, http, random.Random(dice.random()), tally)
            await open_now.enter_async_context(desk.watching())
            desks.append(desk)
        http = await open_now.enter_async_context(httpx.AsyncClient(trust_env=False))
        browser = Browser(stack, http, tally)
        await browser.log_in()
        working = [
            tasks.create_task(_work(desks, plan.per_second, dice)),
            tasks.create_task(_browse(browser)),
            tasks.create_task(_listen(browser)),
        ]
        try:
            yield
        finally:
            for each in working:
                each.cancel()


async def _work(desks: Sequence[Desk], per_second: float, dice: random.Random) -> None:
    """One deed after the other, at random moments (Poisson)."""
    async with asyncio.TaskGroup() as tasks:
        while True:
            await asyncio.sleep(dice.expovariate(per_second))
            tasks.create_task(dice.choice(desks).act())


async def _browse(browser: Browser) -> None:
    while True:
        await browser.act()
        await asyncio.sleep(BROWSING)


async def _listen(browser: Browser) -> None:
    while True:
        await browser.listen(LISTENING)


def _progress(line: dict[str, Any]) -> str:
    memory = " ".join(f"{name} {size / 1e6:.0f}" for name, size in line["memory"].items())
    tally = line["tally"]
    return (
        f"{line['minute']:6.1f} min  {sum(tally['done'].values())} done, "
        f"refused {tally['refused']}, wrong {tally['wrong']}; MB: {memory}"
    )


def report(out: Path) -> int:
    """Judge kept samples; write the picture and the table. The exit code."""
    lines = [json.loads(text) for text in (out / SAMPLES).read_text().splitlines()]
    verdicts = [judge(each) for each in series_of(lines)]
    tally = lines[-1]["tally"]
    faults = [f"{_words(verdict)} is not flat" for verdict in verdicts if not verdict.flat]
    faults += [
        f"{times} x {what}: refused"
        for what, times in tally["refused"].items()
        if not what.endswith(TOO_MANY)
    ]
    faults += [f"{times} x {what}" for what, times in tally["wrong"].items()]
    (out / TABLE).write_text(table(lines, verdicts))
    minutes = [line["minute"] for line in lines]
    title = f"{minutes[-1]:.0f} minutes of mixed load; the warm-up is grey"
    (out / PICTURE).write_text(plot.draw(panels(verdicts), minutes, title))
    print((out / TABLE).read_text())
    for fault in faults:
        print(fault)
    print(f"{len(verdicts)} series, " + ("NOT everything is as promised" if faults else "all flat"))
    return 1 if faults else 0


def panels(verdicts: Sequence[Verdict]) -> dict[str, list[Series]]:
    """What is drawn together: of each group the largest, as many as can be told apart."""
    grouped: dict[str, list[Series]] = {}
    for verdict in sorted(verdicts, key=lambda one: -one.median):
        series = verdict.series
        name = f"{series.group} ({series.unit.name})" if series.unit.name else series.group
        if len(grouped.setdefault(name, [])) < len(plot.COLOURS):
            grouped[name].append(series)
    return grouped


def table(lines: Sequence[dict[str, Any]], verdicts: Sequence[Verdict]) -> str:
    """What was done, and each series that says something, in Markdown."""
    tally = lines[-1]["tally"]
    done = ", ".join(f"{name} {times}" for name, times in sorted(tally["done"].items()))
    rows = [
        f"| {verdict.series.group} | {verdict.series.name} | {verdict.median:,.1f} "
        f"{verdict.series.unit.name} | {verdict.rise:+,.1f} | {verdict.forgiven:,.1f} "
        f"| {verdict.worst:,.1f} |"
        for verdict in verdicts
        if verdict.worst > 0
    ]
    return "\n".join(
        [
            f"{lines[0]['at']} to {lines[-1]['at']}, seed {lines[0]['plan']['seed']}, "
            f"{lines[0]['plan']['per_second']:g} deeds a second.",
            f"Done: {done}; slowest answer {tally['slowest']:.1f} s.",
            "",
            "| what | of | median | rise | forgiven | most |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _words(verdict: Verdict) -> str:
    series = verdict.series
    return (
        f"{series.group} of {series.name}: {verdict.median:,.1f} {series.unit.name}, "
        f"{verdict.rise:+,.1f} in the second half (forgiven {verdict.forgiven:,.1f}), "
        f"at most {verdict.worst:,.1f};"
    )


if __name__ == "__main__":
    sys.exit(main())
