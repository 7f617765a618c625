"""The way from the page to the services: an allow-list of routes, requests passed on as they are.

    /api/scheduling/…    ->  {scheduling_url}/v1/…
    /api/notification/…  ->  {notification_url}/v1/…
    /api/status/…        ->  {status_url}/v1/…

The session's token is added here, so the browser never sees it.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from urllib.parse import quote

import anyio
import httpx
from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from dashboard.dependencies import LoggedIn, Services, State
from dashboard.sessions import Session, session_id

ALLOWED: list[tuple[str, str, list[str]]] = [
    ("scheduling", "/practice", ["GET"]),
    ("scheduling", "/appointments", ["GET", "POST"]),
    ("scheduling", "/appointments/search", ["POST"]),
    ("scheduling", "/appointments/{appointment_id:uuid}", ["GET", "PATCH", "DELETE"]),
    ("scheduling", "/appointments/{appointment_id:uuid}/erasure", ["POST"]),
    ("scheduling", "/appointments/{appointment_id:uuid}/invitations", ["POST"]),
    ("scheduling", "/appointments/{appointment_id:uuid}/follow-ups", ["POST"]),
    ("scheduling", "/appointments/{appointment_id:uuid}/send-now", ["POST"]),
    ("scheduling", "/sms-time", ["GET"]),
    ("scheduling", "/addresses/lookup", ["POST"]),
    ("notification", "/previews/sms", ["GET"]),
    ("status", "/measures", ["GET"]),
    ("status", "/measures/weeks", ["GET"]),
    ("scheduling", "/audit", ["GET"]),
    ("scheduling", "/appointments/{appointment_id:uuid}/room", ["POST"]),
    ("status", "/indicators", ["GET"]),
    ("status", "/indicators/{appointment_id:uuid}", ["GET"]),
]
STREAM = ("status", "/indicators/stream", ["GET"])
DOWNLOAD = ("scheduling", "/audit/export", ["POST"])
REQUEST_HEADERS = ("Accept", "Content-Type", "Idempotency-Key", "If-Match")
RESPONSE_HEADERS = ("Content-Type", "Content-Disposition", "ETag", "Retry-After")

TOKEN_MARGIN = 10.0  # seconds before its token's end that a stream is to be opened anew
SHORTEST_STREAM = 5.0  # seconds

Endpoint = Callable[[Request, State, LoggedIn], Awaitable[Response]]


def _request_to(service: str) -> Endpoint:
    async def endpoint(request: Request, services: State, session: LoggedIn) -> Response:
        # The route has matched, so the path is one of the list's and nothing else.
        target = _with_query("/v1" + request.url.path.removeprefix(f"/api/{service}"), request)
        response = await services.upstreams.request(
            service,
            request.method,
            target,
            token=session.access_token,
            headers=_passed_on(request.headers, REQUEST_HEADERS),
            body=await request.body(),
        )
        return Response(
            response.content, response.status_code, _passed_on(response.headers, RESPONSE_HEADERS)
        )

    return endpoint


def _stream_from(service: str, target: str) -> Endpoint:
    async def endpoint(request: Request, services: State, session: LoggedIn) -> Response:
        headers = {"Accept": "text/event-stream"}
        # An EventSource that is made anew can't send the header; the page then asks by query.
        last = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        if last:
            headers["Last-Event-ID"] = quote(last[:100])  # what is no id stays none
        own = session_id(services.session_cookie(request))
        async with AsyncExitStack() as held:
            held.enter_context(services.stream_places.one_for(session.subject))
            response = await services.upstreams.open_stream(
                service, target, token=session.access_token, headers=headers
            )
            held.push_async_callback(response.aclose)
            until = min(session.access_until - TOKEN_MARGIN, session.ends_at)
            sending = anyio.CancelScope()
            chunks = services.streams.relay(
                response,
                session=own,
                until=max(until, time.time() + SHORTEST_STREAM),
                sending=sending,
            )
            held.push_async_callback(chunks.aclose)
            return Relayed(response, chunks, held.pop_all(), sending=sending)

    return endpoint


def _download_from(service: str, target: str) -> Endpoint:
    async def endpoint(request: Request, services: State, session: LoggedIn) -> Response:
        async with AsyncExitStack() as held:
            whole = _with_query(target, request)
            response = await open_download(services, session, service, whole, held)
            return Relayed(response, response.aiter_raw(), held.pop_all())

    return endpoint


async def open_download(
    services: Services, session: Session, service: str, target: str, held: AsyncExitStack
) -> httpx.Response:
    """A file whose body is still to come, in one of the person's places; both are `held`.

    Raises TooBusy, and as `Upstreams.request`.
    """
    held.enter_context(services.download_places.one_for(session.subject))
    response = await services.upstreams.open_download(service, target, token=session.access_token)
    held.push_async_callback(response.aclose)
    return response


def _routes() -> Iterator[tuple[str, str, list[str], Endpoint]]:
    """Service, path template, methods and endpoint of each route that leads to a service."""
    for service, path, methods in ALLOWED:
        yield service, path, methods, _request_to(service)
    for (service, path, methods), endpoint_for in (
        (STREAM, _stream_from),
        (DOWNLOAD, _download_from),
    ):
        yield service, path, methods, endpoint_for(service, f"/v1{path}")


class Relayed(StreamingResponse):
    """A response passed on chunk by chunk; what is `held` is let go of once the browser leaves.

    `headers` are those of another body that is made of it; else the response's own. What cancels
    `sending` breaks it off.
    """

    def __init__(
        self,
        response: httpx.Response,
        chunks: AsyncIterator[bytes],
        held: AsyncExitStack,
        headers: Mapping[str, str] | None = None,
        *,
        sending: anyio.CancelScope | None = None,
    ) -> None:
        headers = dict(headers or _passed_on(response.headers, RESPONSE_HEADERS))
        headers["X-Accel-Buffering"] = "no"  # else nginx collects the messages
        super().__init__(chunks, response.status_code, headers)
        self._held = held
        self._sending = sending or anyio.CancelScope()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        try:
            with self._sending:
                await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await self._held.aclose()


def _with_query(target: str, request: Request) -> str:
    return f"{target}?{request.url.query}" if request.url.query else target


def _passed_on(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: headers[name] for name in names if name in headers}


router = APIRouter(prefix="/api", include_in_schema=False)
for _service, _path, _methods, _endpoint in _routes():
    router.add_api_route(f"/{_service}{_path}", _endpoint, methods=_methods)
