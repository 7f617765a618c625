"""uvicorn's connections with an end, and with HTTP as others speak it.

uvicorn by itself waits for the rest of a request as long as it takes, and for who does not read its
answer, keeps whatever comes of a head, and calls an address that its parser can't hold a bad
request. Of a request that offers an
upgrade it drops the body and reads it as the next request (Kludex/uvicorn#2722).
"""

import asyncio
import json
import socket
import sys
from collections import Counter
from collections.abc import Collection
from ipaddress import ip_address
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from chassis.limits import DISCARDED_BYTES, MAX_HEAD_BYTES, HeadTooLarge, refused
from chassis.peers import Network
from chassis.problems import KnownProblem, TooBusy, named
from chassis.said import Said
from chassis.throttle import NETWORKS, networks_around

# Connections at once, unless a server is told otherwise.
PER_ADDRESS, IN_ALL = 400, 2000
WHOLE_REQUEST = 20.0  # seconds from its first byte, or from the connection, to its last
STALLED = 30.0  # seconds between two looks whether what is sent is taken: nothing of it is the end
# Who is still sending when the connection is closed sees it reset, and not the response.
LINGER = 2.0  # seconds in which what still comes of a refused head is thrown away, but for a bound


class NotHttp(KnownProblem):
    """400: what came is not HTTP/1.1, or not as it should be."""

    status = 400
    type_ = "not-http"
    title = Said(
        "Das ist keine Anfrage nach HTTP/1.1 (RFC 9112).",
        "This is not a request of HTTP/1.1 (RFC 9112).",
    )
    advice = Said(
        "Einen Client mit HTTP/1.1 nehmen, und prüfen, ob der Server TLS erwartet.",
        "Take a client of HTTP/1.1, and look whether the server expects TLS.",
    )


class TooManyConnections(KnownProblem):
    """503: too many connections come from this address."""

    status = 503
    type_ = "too-many-connections"
    title = Said(
        "Von dieser Adresse kommen zu viele Verbindungen.",
        "Too many connections come from this address.",
    )
    advice = Said(
        "Verbindungen wiederverwenden; nach `Retry-After` Sekunden wiederholen.",
        "Use connections again; repeat it after `Retry-After` seconds.",
    )


def _refusal(status_line: bytes, problem: type[KnownProblem], more: bytes = b"") -> bytes:
    """As it is sent before any head is read, and so in German."""
    body = json.dumps(named(refused(problem))).encode()
    return (
        b"HTTP/1.1 %s\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\n"
        b"x-content-type-options: nosniff\r\ncontent-language: de\r\nconnection: close\r\n%s"
        b"content-length: %d\r\n\r\n%s" % (status_line, more, len(body), body)
    )


_NO_HTTP = _refusal(b"400 Bad Request", NotHttp)
_HEAD_TOO_LARGE = _refusal(b"431 Request Header Fields Too Large", HeadTooLarge)
_TOO_MANY = _refusal(b"503 Service Unavailable", TooManyConnections, b"retry-after: 5\r\n")
_FULL = _refusal(b"503 Service Unavailable", TooBusy, b"retry-after: 2\r\n")


class Places:
    """How many connections each address has open, and may have; of IPv6 each network (NETWORKS).

    Who is in `unless_in` is not counted: a proxy brings everybody's.
    """

    def __init__(self, most: int, *, unless_in: Collection[Network] = ()) -> None:
        self._most = most
        self._uncounted = unless_in
        self._taken: Counter[str] = Counter()

    def take(self, host: str) -> bool:
        """Count a connection, if it may be open; it is to be given back."""
        around = networks_around(host)
        allowed = (self._most * more for more in NETWORKS.values())
        full = any(self._taken[each] >= most for each, most in zip(around, allowed, strict=False))
        if full and not self._is_proxy(host):
            return False
        self._taken.update(around)
        return True

    def give_back(self, host: str) -> None:
        """A connection that was counted is closed."""
        for each in networks_around(host):
            self._taken[each] -= 1
            if not self._taken[each]:
                del self._taken[each]

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._uncounted)


class _BadRequest(Exception):
    """What the parser takes and RFC 9112 does not; the parser stops at it."""


# Where Linux has in its `tcp_info` the segments that are sent and not acknowledged, the bytes that
# were acknowledged (both uapi/linux/tcp.h), and how much is still to be sent.
_UNACKED, _ACKED, _UNSENT = slice(24, 28), slice(120, 128), slice(144, 148)


def acknowledged(connection: socket.socket | None) -> int | None:
    """The bytes that the other end has taken, while it has not taken all; None otherwise.

    The kernel alone knows of a part of a buffer, and of what is below TLS. Of one that is no
    Linux's nothing is known here.
    """
    if connection is None or sys.platform != "linux":
        return None
    try:
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _UNSENT.stop)
    except OSError:  # closed already
        return None
    if not any(info[_UNACKED] + info[_UNSENT]):
        return None
    return int.from_bytes(info[_ACKED], sys.byteorder)


class BoundedProtocol(HttpToolsProtocol):
    """Cuts off a request that is not complete in time, a head that does not end, who never reads.

    An answer takes as long as it is read, however slowly.
    """

    places = Places(PER_ADDRESS)
    most = IN_ALL
    _place: str | None = None
    _timer: asyncio.TimerHandle | None = None
    _look: asyncio.TimerHandle | None = None
    _taken: int | None = None
    _head_bytes = 0
    _in_head = True
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The clock runs before the first byte: a silent connection is cut off as well."""
        super().connection_made(transport)
        self._look = self.loop.call_later(STALLED, self.look)
        host = self.client[0] if self.client else ""
        if len(self.connections) > self.most:  # uvicorn would refuse what is open already as well
            refusal = _FULL
        elif not self.places.take(host):
            refusal = _TOO_MANY
        else:
            self._place = host
            self._start_clock()
            return
        self._refused = True
        transport.write(refusal)
        transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._stop_clock()
        if self._look is not None:
            self._look.cancel()
        if self._place is not None:
            self.places.give_back(self._place)
        super().connection_lost(exc)

    def look(self) -> None:
        """End the connection if the other end took nothing since the last look.

        Closing it would not do: that waits until all is taken.
        """
        taken = acknowledged(self.transport.get_extra_info("socket"))
        if taken is not None and taken == self._taken:
            self.transport.abort()
            return
        self._taken = taken
        self._look = self.loop.call_later(STALLED, self.look)

    def data_received(self, data: bytes) -> None:
        """Count what comes before a head is complete; it is kept in memory."""
        self._head_bytes += len(data)
        if self._refused:
            if self._head_bytes > DISCARDED_BYTES:
                self._cut_off()
            return
        self._unset_keepalive_if_required()
        self._parse(memoryview(data))
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self._closing:
            self._refuse_head()

    def _parse(self, data: memoryview) -> None:
        """Feed the parser, which stops behind each head that offers an upgrade."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserError:
                self._refuse()
            except httptools.HttpParserUpgrade as offered:
                try:
                    self._without_upgrade()
                except httptools.HttpParserError:
                    self._refuse()
                else:
                    data = data[offered.args[0] :]
                    continue
            return

    def _without_upgrade(self) -> None:
        """Read the head again as if no upgrade were offered (RFC 9110, section 7.8).

        The parser can't be told so: it takes what follows the head for another protocol. A new one
        gets the same head without the offer, and then the body.
        """
        head = [
            b"%s %s HTTP/%s\r\n"
            % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        ]
        head += [b"%s: %s\r\n" % each for each in self.headers if each[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's is
        self.parser.feed_data(b"".join([*head, b"\r\n"]))

    def _refuse(self) -> None:
        """What can't be parsed; of a head that is too large it is said that it is."""
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse_head()
        else:
            self.transport.write(_NO_HTTP)
            self._cut_off()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        self._start_clock()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head; one behind the body (a trailer) is none of it (RFC 9110, 6.5.1)."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Its head is there. One that offers an upgrade comes again without it."""
        if self.parser.get_method() == b"CONNECT":  # what would follow is no HTTP
            raise _BadRequest
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (not hosts and self.parser.get_http_version() == "1.1"):
            raise _BadRequest  # RFC 9112, section 3.2
        if self.parser.should_upgrade():
            return
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """All of it is there; how long the response takes is the application's matter."""
        if self.parser.should_upgrade():
            return
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
            self.transport.write(_HEAD_TOO_LARGE)
            self._timer = self.loop.call_later(LINGER, self._cut_off)

    def _cut_off(self, *_: Any) -> None:
        self._stop_clock()
        self.transport.close()


def bounded(places: Places, most: int = IN_ALL) -> type[BoundedProtocol]:
    """The protocol of one server, whose connections have these places, and so many in all."""

    class Placed(BoundedProtocol):
        pass

    Placed.places = places
    Placed.most = most
    return Placed
