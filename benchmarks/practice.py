"""A practice's side of the public APIs, as cheap as can be: it shares the machine with the rest."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from urllib.parse import urlsplit

CREATED = 201
PATIENCE = 30.0  # seconds for an answer
_numbers = count()


class Caller:
    """A kept connection to scheduling, one request at a time."""

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url)

    async def open(self) -> None:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection(
            self._host.hostname, self._host.port
        )

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def invite(self, token: str) -> str:
        """Create an appointment with an invitation by mail; its id. Raises RuntimeError."""
        body = json.dumps(_appointment()).encode()
        self._writer.write(
            b"POST /v1/appointments HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (self._host.netloc.encode(), token.encode(), len(body), body)
        )
        async with asyncio.timeout(PATIENCE):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            content = await self._reader.readexactly(int(length))
        if int(head.split(b" ", 2)[1]) != CREATED:
            raise RuntimeError(f"{head.decode()}{content.decode()}")
        return str(json.loads(content)["id"])


def _appointment() -> dict[str, Any]:
    number = next(_numbers)
    day = datetime.now(UTC).date() + timedelta(days=7 + number % 30)
    return {
        "patient_name": f"Erika Mustermann {number}",
        "channels": ["email"],
        "email": f"patientin-{number}@example.org",
        "date": day.isoformat(),
        "time": f"{8 + number % 10:02}:{number % 60:02}",
        "duration_minutes": 20,
        "consent": True,
    }


@asynccontextmanager
async def watching(
    url: str, token: str, ticked: Callable[[str, float], None]
) -> AsyncIterator[None]:
    """An open dashboard: `ticked` hears of each appointment that is shown as delivered, and when.

    The moment is on the clock of `time.perf_counter`.
    """
    host = urlsplit(url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    writer.write(
        b"GET /v1/indicators/stream HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n"
        % (host.netloc.encode(), token.encode())
    )
    ready = asyncio.Event()

    async def read() -> None:
        event = b""
        while line := await reader.readline():
            if line.startswith(b"event: "):
                event = line[7:].strip()
                ready.set()
            elif line.startswith(b"data: ") and event == b"indicator":
                shown = json.loads(line[6:])
                if shown["overall"] == "delivered":
                    ticked(shown["appointment_id"], time.perf_counter())

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(PATIENCE):
            await ready.wait()
        yield
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        writer.close()
