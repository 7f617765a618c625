"""uvicorn's connections with an end: for clients that send slowly, or a head without one.

uvicorn by itself waits for the rest of a request as long as it takes, keeps whatever comes of its
head, and calls an address that its parser can't hold a bad request.
"""

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.limits import DISCARDED_BYTES, HEAD_TOO_LARGE, MAX_HEAD_BYTES, refused

WHOLE_REQUEST = 20.0  # seconds from its first byte, or from the connection, to its last
# Who is still sending when the connection is closed sees it reset, and not the response.
LINGER = 2.0  # seconds in which what still comes of a refused head is thrown away, but for a bound
_BODY = json.dumps(refused(*HEAD_TOO_LARGE)).encode()
_REFUSAL = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\ncache-control: no-store\r\n"
    b"x-content-type-options: nosniff\r\nconnection: close\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class BoundedProtocol(HttpToolsProtocol):
    """Cuts off a request that is not complete in time, and a head that does not end."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _in_head = True
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock runs before the first byte: a silent connection is cut off as well."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete; it is kept in memory."""
        self._head_bytes += len(data)
        if self._refused:
            if self._head_bytes > DISCARDED_BYTES:
                self._cut_off()
            return
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self._closing:
            self._refuse_head()

    def send_400_response(self, msg: str) -> None:
        """What can't be parsed; of a head that is too large it is said that it is."""
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._start_clock()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head is there."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there; how long the response takes is the application's matter."""
        self._in_head = True
        self._head_bytes = 0
        self._stop_clock()
        super().on_message_complete()

    @property
    def _closing(self) -> bool:
        return self.transport.is_closing()

    def _start_clock(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(WHOLE_REQUEST, self._cut_off)

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse_head(self) -> None:
        if not self._refused:
            self._refused = True
            self._stop_clock()
            self.transport.write(_REFUSAL)
            self._timer = self.loop.call_later(LINGER, self._cut_off)

    def _cut_off(self, *_: Any) -> None:
        self._stop_clock()
        self.transport.close()
