"""Reading as RFC 9110 has it: HEAD of whatever GET answers, and 304 for who has it already.

A route says by an ETag what it answers; the rest is done here.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.etags import known

OF_THE_BODY = ("content-length", "content-type")  # what a 304 leaves out


class Reading:
    """ASGI middleware around an application that knows GET alone and no precondition of it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http" or scope["method"] not in {"GET", "HEAD"}:
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        seen = Headers(scope=scope).getlist("if-none-match")
        without_body = head
        ended = False

        async def answer(message: Message) -> None:
            nonlocal without_body, ended
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if message["status"] == 200 and seen and known(headers.get("etag", ""), seen):
                    message["status"], without_body = 304, True
                    for name in OF_THE_BODY:
                        del headers[name]
                await send(message)
            elif not without_body:
                await send(message)
            elif not ended:
                # At once: a stream has no end, and hears by it that nobody listens.
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self.app({**scope, "method": "GET"} if head else scope, receive, answer)
