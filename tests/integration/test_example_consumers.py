"""The consumer in examples/ reads along under an account of its own: all of it, each event once."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from contracts.access import OTHER_SYSTEM
from tests.conftest import Stack
from tests.support import PATIENCE, Practice, eventually

CONSUMER = Path(__file__).parents[2] / "examples" / "consumers" / "python" / "consumer.py"


@asynccontextmanager
async def running(stack: Stack, kept: Path, group: str) -> AsyncIterator[None]:
    """Told to stop in the end, it does so in order."""
    reader = stack.kafka.login(OTHER_SYSTEM)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, CONSUMER, kept),
        env={
            **os.environ,
            "KAFKA_BOOTSTRAP": reader.bootstrap,
            "KAFKA_SECURITY": reader.security.upper(),
            "KAFKA_USERNAME": reader.username,
            "KAFKA_PASSWORD": reader.password,
            "KAFKA_GROUP": group,
        },
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_what_happens_is_kept_once_across_ends_and_repeats(
    stack: Stack, practice: Practice, tmp_path: Path
) -> None:
    kept = tmp_path / "events.jsonl"
    group = f"{OTHER_SYSTEM}-{uuid4().hex}"

    def events(appointment_id: str) -> list[str]:
        lines = kept.read_text().splitlines(keepends=True) if kept.exists() else []
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        ids = [event["id"] for event in whole]
        assert len(ids) == len({*ids})
        return [e["type"] for e in whole if e["data"].get("appointment_id") == appointment_id]

    async def has_ticked(appointment_id: str) -> None:
        async def ask() -> bool:
            told = {kind.rpartition(".")[2] for kind in events(appointment_id)}
            return told >= {"AppointmentScheduled", "InvitationIssued", "InvitationDelivered"}

        await eventually(ask, "what both topics tell is kept")

    first = (await practice.create())["id"]
    async with running(stack, kept, group):
        await has_ticked(first)
    before = events(first)
    with kept.open("a") as file:
        file.write('{"id": "cut o')  # as by a power failure
    second = (await practice.create())["id"]
    async with running(stack, kept, group):  # where it stopped
        await has_ticked(second)
    third = (await practice.create())["id"]
    async with running(stack, kept, f"{group}-anew"):  # from the beginning, all again
        await has_ticked(third)
    assert events(first) == before
