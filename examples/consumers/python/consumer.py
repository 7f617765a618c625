"""Follows what becomes of invitations, and keeps each event once: `python consumer.py FILE`.

KAFKA_BOOTSTRAP, KAFKA_USERNAME and KAFKA_PASSWORD say where and as whom (`make key` prints them for
the demo); KAFKA_SECURITY is SASL_SSL unless it says otherwise. Needs aiokafka.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from aiokafka import AIOKafkaConsumer, TopicPartition

TOPICS = ("clinic.appointments.v1", "clinic.invitations.outcomes.v1")
GROUP = os.environ.get("KAFKA_GROUP", "reader-example-python")  # has to begin with „reader"


async def follow(file: TextIO, seen: set[str]) -> None:
    """For ever. Whatever ends it, nothing is lost or kept twice the next time."""
    security = os.environ.get("KAFKA_SECURITY", "SASL_SSL")
    consumer = AIOKafkaConsumer(
        *TOPICS,
        bootstrap_servers=os.environ["KAFKA_BOOTSTRAP"],
        security_protocol=security,
        ssl_context=ssl.create_default_context() if security == "SASL_SSL" else None,
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=os.environ["KAFKA_USERNAME"],
        sasl_plain_password=os.environ["KAFKA_PASSWORD"],
        group_id=GROUP,
        auto_offset_reset="earliest",  # the first time; then it resumes where it committed
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        async for record in consumer:
            headers = {name: (value or b"").decode() for name, value in record.headers}
            event_id = headers["ce_id"]  # the same when an event comes again
            if event_id not in seen:  # kinds that you do not know: pass over them
                event = {"id": event_id, "type": headers["ce_type"]}
                event["data"] = json.loads(record.value)
                file.write(json.dumps(event) + "\n")
                file.flush()
                os.fsync(file.fileno())  # first kept, then committed: else it could be lost
                seen.add(event_id)
            await consumer.commit(
                {TopicPartition(record.topic, record.partition): record.offset + 1}
            )
    finally:
        await consumer.stop()


async def until_told(file: TextIO, seen: set[str]) -> None:
    """Stop in order at SIGINT or SIGTERM."""
    task = asyncio.create_task(follow(file, seen))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    kept = Path(sys.argv[1])
    text = kept.read_text() if kept.exists() else ""
    kept.write_text(whole := text[: text.rfind("\n") + 1])  # of a line that was cut off: nothing
    ids = {json.loads(line)["id"] for line in whole.splitlines()}  # yours: a primary key
    with kept.open("a") as appended:
        asyncio.run(until_told(appended, ids))
