"""Calls receivers: to just the address that was judged, in bounded time, reading next to nothing.

httpcore follows no redirect, keeps no cookie, unpacks nothing and asks no proxy of the environment.
What is connected to is decided in `GuardedNetwork` alone, below TLS and HTTP: the name is looked up
there, each address judged, and the one connected to, so that no second look-up can lead elsewhere.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import httpcore

from chassis.kept_connections import USED_AGAIN_WITHIN
from services.webhooks.addresses import Address, Reach
from services.webhooks.schedule import Answer, CallResult

MAX_RESPONSE_BYTES = 16 * 1024  # read and thrown away, so that the connection can be used again
MOST_ADDRESSES = 3  # of a name that are tried
CONNECT_TIMEOUT = 4.0  # seconds for each
USER_AGENT = "Einladung-Webhooks/1"


class AddressRefused(Exception):
    """The name leads to an address that is not called."""


class NameUnknown(Exception):
    """The name leads nowhere."""


class Resolver:
    """Looks names up, in threads of its own: one that is slow takes nobody else's."""

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="names")

    async def addresses(self, host: str, port: int) -> list[Address]:
        """All that a name leads to, in the system's order. Raises NameUnknown."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(
                self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            )
        except (OSError, UnicodeError):
            raise NameUnknown from None
        return list(dict.fromkeys(ip_address(address[0]) for *_, address in found))

    def close(self) -> None:
        """Wait for nobody."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to where receivers may be, and nowhere else."""

    def __init__(self, resolver: Resolver, reach: Reach) -> None:
        self._resolver = resolver
        self._reach = reach
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection. Raises AddressRefused, NameUnknown, and what httpcore raises."""
        addresses = await self._resolver.addresses(host, port)
        # One bad address is enough: whoever has a name lead here too means us to go there.
        if not all(self._reach.allows(each) for each in addresses):
            raise AddressRefused
        failed: Exception = httpcore.ConnectError()
        for address in addresses[:MOST_ADDRESSES]:
            try:
                return await self._network.connect_tcp(
                    str(address), port, CONNECT_TIMEOUT, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class CallPolicy:
    """How much at once, and how long. `total` in seconds, for a whole call."""

    connections: int = 50
    total: float = 15.0
    ca_file: str | None = None


class Receivers:
    """POSTs to receivers."""

    def __init__(self, reach: Reach, policy: CallPolicy, resolver: Resolver | None = None) -> None:
        self._reach = reach
        self._total = policy.total
        self._resolver = resolver or Resolver(policy.connections)
        context = ssl.create_default_context(cafile=policy.ca_file)
        if policy.ca_file is not None:
            context.load_default_certs()
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=policy.connections,
            keepalive_expiry=USED_AGAIN_WITHIN,
            network_backend=GuardedNetwork(self._resolver, reach),
        )

    async def call(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Answer, int]:
        """What one POST came to, and the milliseconds it took. Raises nothing of the receiver's."""
        began = time.monotonic()
        answer = await self._answer(url, headers, body)
        return answer, int((time.monotonic() - began) * 1000)

    async def close(self) -> None:
        """Close idle connections."""
        await self._pool.aclose()
        self._resolver.close()

    async def _answer(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        try:
            self._reach.check_url(url)  # what was allowed when it was set may be no more
            async with asyncio.timeout(self._total):
                return await self._post(url, headers, body)
        except (TimeoutError, httpcore.TimeoutException):
            return Answer(CallResult.TIMEOUT)
        except (AddressRefused, ValueError):
            return Answer(CallResult.ADDRESS)
        except NameUnknown:
            return Answer(CallResult.NAME)
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            return Answer(CallResult.RESPONSE)
        except (httpcore.NetworkError, httpcore.ProxyError, OSError):
            return Answer(CallResult.CONNECTION)

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parsed = httpcore.URL(url)
        sent: dict[str, str | bytes] = {
            "Host": _authority(parsed),
            "User-Agent": USER_AGENT,
            "Content-Length": str(len(body)),
            **headers,
        }
        async with self._pool.stream(
            "POST", parsed, headers=[*sent.items()], content=body
        ) as response:
            retry_after = dict(response.headers).get(b"retry-after", b"")
            answer = Answer.of_status(response.status, retry_after.decode("latin-1"))
            read = 0
            try:
                async for chunk in response.aiter_stream():
                    read += len(chunk)
                    if read > MAX_RESPONSE_BYTES:
                        break  # what is not read to its end is not used again
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
                pass  # the status counts, whatever became of the rest
            return answer


def _authority(url: httpcore.URL) -> bytes:
    """As URL has it (RFC 9110, section 7.2)."""
    host = b"[" + url.host + b"]" if b":" in url.host else url.host
    default = {b"https": 443, b"http": 80}[url.scheme]
    return host if url.port in (None, default) else host + b":%d" % (url.port or 0)
