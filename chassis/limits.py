"""How large a request may be: its head and its body, declared or streamed."""

from contextlib import suppress

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_HEAD_BYTES = 64 * 1024  # address and headers together; half of it is 500 ids in a query
# Read and thrown away of a body that is refused: who is still sending when the connection is closed
# sees it reset, and not the response.
DISCARDED_BYTES = 1024 * 1024

HEAD_TOO_LARGE = (431, "head-too-large", "The request's head is too large.")


class _TooLarge(Exception):
    """More came than the limit allows."""


class Limits:
    """Refuses heads with 431 and bodies with 413; what the application makes of it is not sent."""

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self.app = app
        self._most = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _head_bytes(scope) > MAX_HEAD_BYTES:
            await refusal(*HEAD_TOO_LARGE)(scope, receive, send)
            return
        too_large = refusal(413, "body-too-large", "The request is too large.")
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._most:
            await _discard(receive)
            await too_large(scope, receive, send)
            return
        received = 0
        more = True
        answered = False

        async def limited() -> Message:
            nonlocal received, more
            message = await receive()
            received += len(message.get("body", b""))
            more = message.get("more_body", False)
            if received > self._most:
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal answered
            if received > self._most and not answered:
                return  # what the application makes of being cut off, as 400
            answered = True
            await send(message)

        with suppress(_TooLarge):
            await self.app(scope, limited, watched)
        if received > self._most and not answered:
            if more:
                await _discard(receive)
            await too_large(scope, receive, send)


async def _discard(receive: Receive) -> None:
    left = DISCARDED_BYTES
    more = True
    while more and left > 0:
        message = await receive()
        more = message.get("more_body", False)
        left -= len(message.get("body", b""))


def refused(status: int, type_: str, title: str) -> dict[str, str | int]:
    """A problem (RFC 9457) that is found around the application."""
    return {"type": type_, "title": title, "status": status}


def refusal(status: int, type_: str, title: str) -> ASGIApp:
    """The response with such a problem; the connection is closed after it."""
    return JSONResponse(
        refused(status, type_, title),
        status,
        {"Connection": "close"},
        media_type="application/problem+json",
    )


def _head_bytes(scope: Scope) -> int:
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in scope["headers"])
