"""TLS handshakes, counted: a connection that is still in one is nobody's in uvicorn's eyes.

The event loop tells a protocol of its connection once TLS is agreed upon. Until then it would cost
a file descriptor that no limit counts, for a minute. So connections are taken here, and are handed
over when they are through.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

import structlog

from chassis.connections import WHOLE_REQUEST, Places

log = structlog.get_logger(__name__)

HANDSHAKE = WHOLE_REQUEST  # seconds, in which a request without TLS has to be complete
OUT_OF_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
PAUSE = 1.0  # seconds when there are no more files to open, as the event loop makes itself


class TlsServer:
    """Takes connections from a bound socket, as many handshakes at a time as there are places.

    It looks like asyncio.Server to uvicorn, and to nobody else. `most` is in all.
    """

    def __init__(
        self,
        listening: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        *,
        places: Places,
        most: int,
        backlog: int = 2048,
    ) -> None:
        self._listening = listening
        self._protocol = protocol
        self._context = context
        self._places = places
        self._most = most
        self._under_way: set[asyncio.Task[None]] = set()
        listening.setblocking(False)
        listening.listen(backlog)
        self._accepting = asyncio.create_task(self._accept(), name="tls server")

    def close(self) -> None:
        """Take no more; handshakes end with it."""
        for task in (self._accepting, *self._under_way):
            task.cancel()
        self._listening.close()

    async def wait_closed(self) -> None:
        """Until all of that has happened."""
        await asyncio.gather(self._accepting, *self._under_way, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listening)
            except OSError as error:  # whoever had connected may have gone
                if error.errno in OUT_OF_FILES:
                    log.error("no connection can be taken", error=error.strerror)
                    await asyncio.sleep(PAUSE)
                continue
            host = str(address[0])
            # There is no way to say so before TLS is agreed upon.
            if len(self._under_way) >= self._most or not self._places.take(host):
                connection.close()
                continue
            task = asyncio.create_task(self._agree(connection, host))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _agree(self, connection: socket.socket, host: str) -> None:
        handed_over = False
        try:
            # What fails is the other side's: no TLS, no certificate, gone, or silent for too long.
            with suppress(OSError):  # ssl.SSLError and TimeoutError are some
                await asyncio.get_running_loop().connect_accepted_socket(
                    self._protocol,
                    connection,
                    ssl=self._context,
                    ssl_handshake_timeout=HANDSHAKE,
                )
                handed_over = True
        finally:
            self._places.give_back(host)
            if not handed_over:
                connection.close()
