"""How large a request may be: its head, its query and its body, declared or streamed.

And of its cookies those that are read in linear time.
"""

from contextlib import suppress
from typing import Any

from fastapi.responses import JSONResponse
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.problems import KnownProblem, said
from chassis.said import Said

MAX_HEAD_BYTES = 64 * 1024  # address and headers together; half of it is 500 ids in a query
MAX_PARAMETERS = 600  # in a query: 500 ids, and what goes with them
# Read and thrown away of a body that is refused: who is still sending when the connection is closed
# sees it reset, and not the response.
DISCARDED_BYTES = 1024 * 1024


class HeadTooLarge(KnownProblem):
    """431: address and headers are too large, or the query has too many parameters."""

    status = 431
    type_ = "head-too-large"
    title = Said("Adresse und Kopfzeilen sind zu groß.", "The request's head is too large.")
    advice = Said(
        "Weniger auf einmal abfragen: Adresse und Kopfzeilen haben zusammen höchstens 64 kB, die "
        "Abfrage höchstens 600 Parameter.",
        "Ask for less at a time: address and headers have 64 kB at most together, the query 600 "
        "parameters at most.",
    )


class BodyTooLarge(KnownProblem):
    """413: the body is too large."""

    status = 413
    type_ = "body-too-large"
    title = Said("Die Anfrage ist zu groß.", "The request is too large.")
    advice = Said(
        "Kein gültiger Inhalt ist so groß: den Inhalt prüfen.",
        "No valid body is as large: look at what is sent.",
    )


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
        parameters = scope["query_string"].count(b"&") + 1
        if _head_bytes(scope) > MAX_HEAD_BYTES or parameters > MAX_PARAMETERS:
            await refusal(HeadTooLarge)(scope, receive, send)
            return
        scope["headers"] = _with_plain_cookies(scope["headers"])
        too_large = refusal(BodyTooLarge)
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


def refused(problem: type[KnownProblem]) -> dict[str, Any]:
    """A problem (RFC 9457) that is found around the application."""
    return {"type": problem.type_, "title": problem.title, "status": problem.status}


def refusal(problem: type[KnownProblem]) -> ASGIApp:
    """The response with such a problem; the connection is closed after it."""

    async def respond(scope: Scope, receive: Receive, send: Send) -> None:
        response = JSONResponse(
            None,
            problem.status,
            {"Connection": "close"},
            media_type="application/problem+json",
        )
        said(refused(problem), Request(scope), response)
        await response(scope, receive, send)

    return respond


def _head_bytes(scope: Scope) -> int:
    address = len(scope.get("raw_path") or b"") + len(scope["query_string"])
    return address + sum(len(name) + len(value) for name, value in scope["headers"])


def _with_plain_cookies(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Without cookies that have a backslash, which is in none of ours (RFC 6265, section 4.1.1).

    FastAPI reads cookies for each route, and Python before 3.11.10 and 3.12.6 undoes a backslash in
    quadratic time (CVE-2024-7592): 60 kB of them took ten seconds.
    """
    return [
        (name, b";".join(each for each in value.split(b";") if b"\\" not in each))
        if name == b"cookie" and b"\\" in value
        else (name, value)
        for name, value in headers
    ]
