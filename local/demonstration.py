"""What `make demo` does: starts the stack, sends invitations, runs until it is told to stop."""

import argparse
import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import psutil

from contracts.access import OTHER_SYSTEM
from local import observing
from local.errors import LocalFailure
from local.folder import DATA, cache_folder
from local.journey import OUTCOME_TIMEOUT, Journey, Practice
from local.kafka import Kafka
from local.kafka_setup import ACCOUNTS_FILE
from local.key import keep_places
from local.modules import PROGRAMS
from local.ports import DEFAULT_BASE
from local.practice import DEMO_PRACTICE
from local.stack import Stack, embedded

MARKS = {
    "pending": "clock",
    "delivered": "green tick",
    "failed": "red mark",
    "unconfirmed": "amber: call",
}
PATIENTS = (  # who, where, and what becomes of it; see docs/test-recipients.md
    ("Erika Beispiel", "patientin@example.org", "delivered"),
    ("Max Unbekannt", "unbekannt@example.org", "failed"),
    ("Silvia Stille", "+491713920003", "unconfirmed"),
    ("Walter Warten", "spaeter@example.org", "pending"),
)
FIRST_AFTER, BETWEEN = timedelta(minutes=75), timedelta(minutes=15)
MORNING = 9  # o'clock, where the evening is too late for appointments
HIGHEST_BASE = 65_400


@dataclass(frozen=True, slots=True)
class Options:
    """The command line."""

    once: bool
    observe: bool
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

    servers = embedded(cache=cache_folder(), fsync=True, learns=True)
    stack = Stack(
        options.data, base_port=options.base_port, servers=servers, observed=options.observe
    )
    say(f"Starting, with everything in {stack.folder.path}")
    if options.observe and stack.prometheus is None:
        say(observing.MISSING)
    try:
        await stack.start(say)
        keep_places(stack)
        say(f"Everything is ready, and uses {_told(stack.memory())}.")
        journeys = await _journeys(stack)
        _tell(journeys)
        if not journeys:
            say("The appointments of the last start are still there.")
        wrong = next((journey for journey in journeys if not journey.right), None)
        if wrong is not None and options.once:
            raise LocalFailure(
                f"The invitation to {wrong.address} shows {wrong.final} instead of "
                f"{wrong.expected}; the logs are in {stack.folder.logs}."
            )
        if not options.once:
            _tell_addresses(stack)
            raise LocalFailure(await stack.death())
    except asyncio.CancelledError:
        say("Stopping ...")
        raise
    finally:
        if isinstance(stack.kafka, Kafka) and stack.kafka.learning:
            say("Keeping for the next start what Kafka has loaded (some seconds, once) ...")
        await stack.stop()
        say("Stopped.")


async def _journeys(stack: Stack) -> Sequence[Journey]:
    """One of each indicator, on the day that the dashboard opens; those that are there stay."""
    journeys = planned(datetime.now(ZoneInfo(DEMO_PRACTICE.time_zone)))
    practice = Practice(
        scheduling=stack.url("scheduling"), status=stack.url("status"), token=stack.token()
    )
    async with practice.listening():
        known = await practice.patients(journeys[0].starts_at.date())
        new = [journey for journey in journeys if journey.patient not in known]
        for journey in new:
            await practice.create(journey)
            if journey.expected == "unconfirmed":
                await let_a_day_pass(stack.owner_dsn("notification"), journey.appointment_id)
            await practice.follow(journey)
    return new


def planned(now: datetime) -> list[Journey]:
    """The appointments of a start at this time: later today, or, in the evening, tomorrow."""
    first = now + FIRST_AFTER
    first = first.replace(minute=first.minute // 15 * 15, second=0, microsecond=0)
    if (first + len(PATIENTS) * BETWEEN).date() != now.date():
        tomorrow = (now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
        first = tomorrow.replace(hour=MORNING)
    return [
        Journey(patient, address, expected, first + at * BETWEEN)
        for at, (patient, address, expected) in enumerate(PATIENTS)
    ]


async def let_a_day_pass(owner_dsn: str, appointment_id: str) -> None:
    """For an SMS that stays without a receipt; nobody at a demo waits until it is given up."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        async with asyncio.timeout(OUTCOME_TIMEOUT):
            while not await connection.fetch(  # noqa: ASYNC110 (nobody tells of it)
                """
                UPDATE deliveries SET receipt_due_at = now(),
                       handed_over_at = handed_over_at - interval '30 hours'
                WHERE appointment_id = $1 AND state = 'accepted' RETURNING id
                """,
                UUID(appointment_id),
            ):
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass  # what is shown then is told as it is
    finally:
        await connection.close()


def _told(used: Counter[str]) -> str:
    parts = ", ".join(f"{name} {_mb(size)}" for name, size in used.most_common())
    return f"{_mb(used.total())} MB of memory ({parts})"


def _mb(size: int) -> int:
    return round(size / 1_000_000)


def _tell(journeys: Sequence[Journey]) -> None:
    for journey in journeys:
        steps = [f"request accepted {journey.accepted_ms:.0f} ms"]
        steps += [f"{MARKS.get(name, name)} ({name}) {at:.0f} ms" for at, name in journey.shown]
        print(f"  {journey.address}: {' → '.join(steps)}", flush=True)


def _tell_addresses(stack: Stack) -> None:
    ports = stack.ports
    accounts = stack.folder.path / "kafka" / ACCOUNTS_FILE
    operations = ", ".join(f"{name} {ports.operations(name)}" for name in PROGRAMS)
    print(
        f"""
  Dashboard       {stack.url("dashboard")}  (log in as whom you like, without a password)
  Mailbox         {stack.url("mailbox")}  (its SMTP: {ports.smtp}, bounces go to {ports.bounces})
  Phones          {stack.url("phones")}
  Video rooms     {stack.url("rooms")}  (without video; „Beitreten“ leads there)
  Scheduling API  {stack.url("scheduling")}/openapi.json
  Notification    {stack.url("notification")}/openapi.json
  Status API      {stack.url("status")}/openapi.json
  Webhooks API    {stack.url("webhooks")}/openapi.json
  FHIR            {stack.url("fhir")}/fhir/metadata
  Logins          {stack.url("identity")}
  Kafka           {stack.cluster.bootstrap}  (as „{OTHER_SYSTEM}", password in {accounts};
                  its controller: {ports.kafka_controller})
  PostgreSQL      127.0.0.1:{ports.postgres}
  Operations      health and metrics on 127.0.0.1: {operations}
  Logs            {stack.folder.logs}
{_observers(stack)}
A key for another system, which docs/integration.md goes on from: make key
Practices and keys: make admin ARGS="practice list"
Mail to unbekannt@, voll@ or abgelehnt@ any domain is refused, to spaeter@ put off; so are some
numbers. All simulated recipients: docs/test-recipients.md
Ctrl-C ends it all.""",
        flush=True,
    )


def _observers(stack: Stack) -> str:
    """The lines of what observes, if something does."""
    lines = ""
    if stack.traces is not None:
        lines += f"  Traces          {stack.url('traces')}  (a log's trace id leads to its steps)\n"
    if stack.prometheus is not None:
        lines += f"  Prometheus      {stack.url('prometheus')}  (the rules of docs/runbook.md)\n"
    return lines


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
        help="end after the invitations; 0 if all came out right",
    )
    parser.add_argument(
        "--observe",
        action="store_true",
        help="traces and Prometheus besides (docs/runbook.md)",
    )
    parser.add_argument("--data", type=Path, default=DATA / "demo", help="where everything is kept")
    parser.add_argument("--base-port", type=int, default=DEFAULT_BASE, help="the dashboard's port")
    given = parser.parse_args()
    if not 1024 <= given.base_port <= HIGHEST_BASE:
        parser.error(f"--base-port is from 1024 to {HIGHEST_BASE}.")
    return Options(
        once=given.once, observe=given.observe, data=given.data, base_port=given.base_port
    )
