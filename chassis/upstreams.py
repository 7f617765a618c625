"""Our services as another of our processes calls them: pools, time limits, the caller's token."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx
import structlog
from multidict import CIMultiDict

from chassis.http_failures import NOT_SENT
from chassis.kept_connections import USED_AGAIN_WITHIN
from chassis.problems import KnownProblem
from chassis.said import Said
from chassis.tracing import trace_id, traceparent

log = structlog.get_logger(__name__)

REQUEST_TIMEOUT = httpx.Timeout(15.0, connect=2.0, pool=2.0)  # seconds
# A stream that is silent for three of the longest beats is dead, whatever the connection says.
# The page has given it up before, and come back.
STREAM_TIMEOUT = httpx.Timeout(15.0, connect=2.0, pool=1.0, read=50.0)  # seconds
CONNECTIONS = 100


class UpstreamUnavailable(KnownProblem):
    """503: the service was not reached, so nothing has happened."""

    status = 503
    type_ = "upstream-unavailable"
    title = Said(
        "Der Dienst ist nicht erreichbar.",
        "The service is not available.",
    )
    advice = Said(
        "Nach `Retry-After` Sekunden wiederholen; es ist nichts geschehen.",
        "Repeat it after `Retry-After` seconds; nothing was done.",
    )
    headers_ = CIMultiDict({"Retry-After": "2"})  # seconds


class UpstreamNoAnswer(KnownProblem):
    """502: the request went out and no response came; what became of it is not known."""

    status = 502
    type_ = "upstream-no-answer"
    title = Said(
        "Der Dienst hat nicht geantwortet.",
        "The service did not answer.",
    )
    advice = Said(
        "Mit demselben Idempotency-Key wiederholen: was geschah, ist nicht bekannt.",
        "Repeat it under the same Idempotency-Key: what was done is not known.",
    )


class Upstreams:
    """Pools for requests, for streams and for files, so that none uses up another."""

    def __init__(
        self,
        urls: Mapping[str, str],
        *,
        streams: int = 0,
        downloads: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._urls = dict(urls)
        self._requests = _client(CONNECTIONS, REQUEST_TIMEOUT, tls)
        self._streams = _client(streams, STREAM_TIMEOUT, tls)
        self._downloads = _client(downloads, STREAM_TIMEOUT, tls)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._requests.aclose()
        await self._streams.aclose()
        await self._downloads.aclose()

    async def request(
        self,
        service: str,
        method: str,
        target: str,
        *,
        token: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> httpx.Response:
        """The whole response. Raises UpstreamUnavailable, UpstreamNoAnswer."""
        request = self._build(self._requests, service, method, target, token, headers, body)
        with _translated(service):
            response = await self._requests.send(request)
        took = round(response.elapsed.total_seconds() * 1000)
        log.debug(
            "service answered",
            upstream=service,
            method=method,
            status=response.status_code,
            milliseconds=took,
            trace_id=trace_id(),
        )
        return response

    async def open_stream(
        self,
        service: str,
        target: str,
        *,
        token: str,
        headers: Mapping[str, str],
    ) -> httpx.Response:
        """A response whose body is still to come; to be closed. Raises as `request`."""
        request = self._build(self._streams, service, "GET", target, token, headers, b"")
        with _translated(service):
            return await self._streams.send(request, stream=True)

    async def open_download(self, service: str, target: str, *, token: str) -> httpx.Response:
        """The same of a file that is made for whoever posts for it."""
        request = self._build(self._downloads, service, "POST", target, token, {}, b"")
        with _translated(service):
            return await self._downloads.send(request, stream=True)

    def _build(
        self,
        client: httpx.AsyncClient,
        service: str,
        method: str,
        target: str,
        token: str,
        headers: Mapping[str, str],
        body: bytes,
    ) -> httpx.Request:
        carried = dict(headers)
        carried["Authorization"] = f"Bearer {token}"
        carried["Accept-Encoding"] = "identity"
        if trace := traceparent():
            carried["traceparent"] = trace
        return client.build_request(
            method,
            f"{self._urls[service]}{target}",
            # as they came: httpx by itself takes ASCII only
            headers=[(name.encode(), value.encode("latin-1")) for name, value in carried.items()],
            content=body or None,
        )


def _client(
    connections: int, timeout: httpx.Timeout, tls: ssl.SSLContext | None
) -> httpx.AsyncClient:
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=20,
        keepalive_expiry=USED_AGAIN_WITHIN,
    )
    # trust_env: a proxy from the environment must not see the token.
    return httpx.AsyncClient(verify=tls or True, limits=limits, timeout=timeout, trust_env=False)


@contextmanager
def _translated(service: str) -> Iterator[None]:
    try:
        yield
    except NOT_SENT as error:
        log.warning("service not reached", upstream=service, error=type(error).__qualname__)
        raise UpstreamUnavailable from None
    except httpx.TransportError as error:
        log.warning("service did not answer", upstream=service, error=type(error).__qualname__)
        raise UpstreamNoAnswer from None
