"""Live streams passed on to browsers, each for as long as its session lasts."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import anyio
import httpx
import structlog

from dashboard.sessions import Sessions

log = structlog.get_logger(__name__)

LOOK_EVERY = 3.0  # seconds in which a stream ends after its session
RENEW = b"event: renew\ndata: {}\n\n"


@dataclass(eq=False, slots=True)
class _Stream:
    session: bytes
    ended: bool = False
    # for the service or, with something to send, for the browser
    waiting: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    def end(self) -> None:
        self.ended = True
        self.waiting.cancel()


class Streams:
    """Those that are open here, and to which sessions they belong."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._open: set[_Stream] = set()
        self._ending = False

    async def relay(
        self,
        response: httpx.Response,
        *,
        session: bytes,
        until: float,
        sending: anyio.CancelScope | None = None,
    ) -> AsyncGenerator[bytes, None]:
        """The body as it comes, until it ends, breaks off, or the session with this id ends.

        At the time `until` it ends with RENEW, by which the page knows that nothing is amiss. If
        the session ends while a part is being sent, `sending` is cancelled: who does not read
        would keep it.
        """
        sending = sending or anyio.CancelScope()
        chunks = response.aiter_raw()
        deadline = anyio.current_time() + until - time.time()
        between = True  # two messages
        stream = _Stream(session, ended=self._ending)
        self._open.add(stream)
        try:
            while not stream.ended:
                chunk = None
                with anyio.CancelScope(deadline=deadline) as stream.waiting:
                    try:
                        chunk = await anext(chunks, None)
                    except httpx.TransportError as error:
                        log.warning("stream broke off", error=type(error).__qualname__)
                if stream.ended:
                    return
                if chunk is None:
                    if between and anyio.current_time() >= deadline:
                        stream.waiting = sending
                        yield RENEW
                    return
                between = chunk.endswith(b"\n\n")
                stream.waiting = sending
                yield chunk
        finally:
            self._open.discard(stream)

    async def look(self) -> bool:
        """End the streams whose sessions have ended, by one question for all of them."""
        open_now = list(self._open)
        if open_now:
            lasting = await self._sessions.lasting({stream.session for stream in open_now})
            for stream in open_now:
                if stream.session not in lasting:
                    stream.end()
        return False

    def end_all(self) -> None:
        """End all in good order, and those that are still to come at once: the process stops."""
        self._ending = True
        for stream in list(self._open):
            stream.end()
