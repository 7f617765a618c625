"""HTTP to a gateway: pooled connections, bounded time and size, and whether a request went out.

What matters after a failure is one thing: may the gateway have taken the message? Before the
request was written it can't have; from the first byte on it may.
"""

import asyncio
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from chassis.http_failures import NOT_SENT
from chassis.kept_connections import USED_AGAIN_WITHIN

MAX_RESPONSE_BYTES = 256 * 1024


class NotSent(Exception):
    """Surely nothing went out."""


class NoResponse(Exception):
    """The request went out, at least in part, and no whole response came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """Times in seconds. `total` bounds a whole exchange, whatever the single steps take."""

    connect: float = 5.0
    write: float = 10.0
    read: float = 20.0
    total: float = 30.0
    connections: int = 10
    ca_file: str | None = None


@cache
def _authorities(ca_file: str | None) -> ssl.SSLContext:
    """Whom to believe, read once for however many gateways."""
    return ssl.create_default_context(cafile=ca_file)


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A whole response. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        """Without the body, which may repeat the number."""
        return f"HttpResponse({self.status})"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; empty where it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Transport:
    """Calls one gateway. Follows no redirects, checks certificates, keeps no cookies."""

    def __init__(
        self,
        base_url: str,
        limits: HttpLimits,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> None:
        self.limits = limits
        # An idle connection is used again for a short time only: one that the server is just
        # closing would look like a lost reply.
        pool = httpx.Limits(
            max_connections=limits.connections,
            max_keepalive_connections=limits.connections,
            keepalive_expiry=USED_AGAIN_WITHIN,
        )
        timeout = httpx.Timeout(
            connect=limits.connect, write=limits.write, read=limits.read, pool=limits.connect
        )
        self._client = httpx.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            headers=dict(headers or {}),
            auth=auth,
            limits=pool,
            timeout=timeout,
            verify=_authorities(limits.ca_file),
            follow_redirects=False,
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """One exchange. Raises NotSent or NoResponse."""
        try:
            async with asyncio.timeout(self.limits.total):
                return await self._exchange(
                    method, path, content=body, data=form, params=params, headers=headers
                )
        except NOT_SENT:
            raise NotSent from None
        except (httpx.HTTPError, httpx.StreamError, TimeoutError):
            raise NoResponse from None

    async def close(self) -> None:
        """Close idle connections."""
        await self._client.aclose()

    async def _exchange(self, method: str, path: str, **options: Any) -> HttpResponse:
        async with self._client.stream(method, path, **options) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_RESPONSE_BYTES:
                    raise NoResponse
            return HttpResponse(response.status_code, dict(response.headers), bytes(body))
