"""The consumers in examples/, run as other systems run them: with an account of their own."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from contracts.access import OTHER_SYSTEM
from local.processes import REPOSITORY
from local.stack import Stack
from tests.support import PATIENCE, Practice, eventually

CONSUMERS = REPOSITORY / "examples" / "consumers"
TOLD = (0, 128 + signal.SIGTERM)  # Java says of a signal that it ended by it, in order or not

Command = Sequence[str | Path]


@asynccontextmanager
async def running(stack: Stack, command: Command, group: str) -> AsyncIterator[None]:
    """Told to stop in the end, it does so in order."""
    reader = stack.kafka.login(OTHER_SYSTEM)
    process = await asyncio.create_subprocess_exec(
        *command,
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
        assert await asyncio.wait_for(process.wait(), PATIENCE) in TOLD


async def keeps_each_event_once(
    stack: Stack, practice: Practice, kept: Path, command: Command
) -> None:
    """Across its end, a line that was cut off, and all of the topics once more, into `kept`."""
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
    async with running(stack, command, group):
        await has_ticked(first)
    before = events(first)
    with kept.open("a") as file:
        file.write('{"id": "cut o')  # as by a power failure
    second = (await practice.create())["id"]
    async with running(stack, command, group):  # where it stopped
        await has_ticked(second)
    third = (await practice.create())["id"]
    async with running(stack, command, f"{group}-anew"):  # from the beginning, all again
        await has_ticked(third)
    assert events(first) == before
