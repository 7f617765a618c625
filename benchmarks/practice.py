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

CREATED, BUSY = 201, 503
BACK_AFTER = 1.0  # seconds
PATIENCE = 30.0  # seconds for an answer
_numbers = count()


class Caller:
    """A connection to scheduling that is kept as long as the other side keeps it.

    One request at a time.
    """

    def __init__(self, url: str) -> None:
        self._host = urlsplit(url)
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection[1].close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._connection is None or self._connection[0].at_eof():
            self.close()
            self._connection = await asyncio.open_connection(self._host.hostname, self._host.port)
        return self._connection

    async def invite(self, token: str) -> str:
        """Create an appointment with an invitation by mail; its id. Raises RuntimeError.

        Told that the machine is too busy, it comes back as any client would.
        """
        body = json.dumps(_appointment()).encode()
        while (answer := await self._post(token, body))[0] == BUSY:  # noqa: ASYNC110
            await asyncio.sleep(BACK_AFTER)
        status, content = answer
        if status != CREATED:
            raise RuntimeError(f"{status} {content.decode()}")
        return str(json.loads(content)["id"])

    async def _post(self, token: str, body: bytes) -> tuple[int, bytes]:
        reader, writer = await self._open()
        writer.write(
            b"POST /v1/appointments HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (self._host.netloc.encode(), token.encode(), len(body), body)
        )
        async with asyncio.timeout(PATIENCE):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionResetError):
                # It lay idle, and was closed just now.
                self.close()
                self._connection = None
                return await self._post(token, body)
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            content = await reader.readexactly(int(length))
        return int(head.split(b" ", 2)[1]), content


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
