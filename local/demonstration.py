"""What `make demo` does: starts the stack, sends two invitations, runs until it is told to stop."""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from contracts.access import OTHER_SYSTEM
from local.errors import LocalFailure
from local.folder import DATA
from local.journey import Journey, Practice
from local.kafka_setup import ACCOUNTS_FILE
from local.ports import DEFAULT_BASE
from local.stack import Stack

MARKS = {"pending": "clock", "delivered": "green tick", "failed": "red mark"}
HIGHEST_BASE = 65_400


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    once: bool
    data: Path
    base_port: int


def main() -> None:
    """Run, and turn what goes wrong into one sentence and exit code 1."""
    options = _options()
    try:
        asyncio.run(_run(options))
    except LocalFailure as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit(130 if options.once else 0)  # told to stop


async def _run(options: Options) -> None:
    _stop_on_signals()
    begun = psutil.Process().create_time()  # Python's own start is part of the wait

    def say(line: str) -> None:
        print(f"[{time.time() - begun:5.1f} s] {line}", flush=True)

    stack = Stack(options.data, base_port=options.base_port)
    say(f"Starting, with everything in {stack.folder.path}")
    try:
        await stack.start(say)
        say("Everything is ready.")
        journeys = await _journeys(stack)
        _tell(journeys)
        wrong = next((journey for journey in journeys if not journey.right), None)
        if wrong is not None and options.once:
            raise LocalFailure(
                f"The invitation to {wrong.email} shows {wrong.final} instead of "
                f"{wrong.expected}; the logs are in {stack.folder.logs}."
            )
        if not options.once:
            _tell_addresses(stack)
            raise LocalFailure(await stack.death())
    except asyncio.CancelledError:
        say("Stopping ...")
        raise
    finally:
        await stack.stop()
        say("Stopped.")


async def _journeys(stack: Stack) -> Sequence[Journey]:
    arrives = Journey("Erika Beispiel", "patientin@example.org", expected="delivered")
    refused = Journey("Max Unbekannt", "unbekannt@example.org", expected="failed")
    practice = Practice(
        scheduling=stack.url("scheduling"), status=stack.url("status"), token=stack.token()
    )
    async with practice.listening():
        await practice.invite(arrives)
        await practice.invite(refused)
    return arrives, refused


def _tell(journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        steps = [f"request accepted {journey.accepted_ms:.0f} ms"]
        steps += [f"{MARKS.get(name, name)} ({name}) {at:.0f} ms" for at, name in journey.shown]
        print(f"  {journey.email}: {' → '.join(steps)}", flush=True)


def _tell_addresses(stack: Stack) -> None:
    accounts = stack.folder.path / "kafka" / ACCOUNTS_FILE
    print(
        f"""
  Dashboard       {stack.url("dashboard")}  (log in as whom you like, without a password)
  Mailbox         {stack.url("mailbox")}
  Phones          {stack.url("phones")}
  Video rooms     {stack.url("rooms")}  (without video; „Beitreten“ leads there)
  Scheduling API  {stack.url("scheduling")}/openapi.json
  Status API      {stack.url("status")}/openapi.json
  Kafka           {stack.cluster.bootstrap}  (as „{OTHER_SYSTEM}", password in {accounts})
  Logs            {stack.folder.logs}

Mail to unbekannt@, voll@ or abgelehnt@ any domain is refused, to spaeter@ put off; so are some
numbers. All simulated recipients: docs/test-recipients.md
Ctrl-C ends it all.""",
        flush=True,
    )


def _stop_on_signals() -> None:
    """The first signal stops in order, a second one at once."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("not in a task")
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the two invitations; 0 if both came out right",
    )
    parser.add_argument("--data", type=Path, default=DATA / "demo", help="where everything is kept")
    parser.add_argument("--base-port", type=int, default=DEFAULT_BASE, help="the dashboard's port")
    given = parser.parse_args()
    if not 1024 <= given.base_port <= HIGHEST_BASE:
        parser.error(f"--base-port is from 1024 to {HIGHEST_BASE}.")
    return Options(once=given.once, data=given.data, base_port=given.base_port)
