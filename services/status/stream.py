"""The live stream: a practice's indicators as Server-Sent Events (WHATWG HTML, section 9.2).

    event: ready       data: {"version"}              from here on; load what is shown now
    event: indicator   data: Indicator                its newest state
    event: deleted     data: {"appointment_id", "version"}
    event: moved       data: {"appointment_id", "version"}   load the appointment anew
    event: open_count  data: {"open_count"}           how much is open; has no id
    event: beat        data: {"interval_seconds"}     nothing has changed; has no id

Others may be added: a client passes over what it does not know, as EventSource does.

The id of each is the version, the position in the practice's feed. Who comes back with
`Last-Event-ID` gets everything that changed since: of each appointment its newest state, and that
it was moved. Who comes without one, or with one that the feed has never reached (another
practice's, or from before a restored backup), gets `ready` first and is to load the indicators;
since the stream begins before they load them, they miss nothing.

`open_count` comes at the beginning and whenever what has changed changes it. What time alone ends
(an appointment begins), or makes open (something is on its way for too long), is told by nobody:
ask now and then.

Of a deleted appointment whose patient was not told, `indicator` says `cancelled`.

A beat comes at the beginning and whenever nothing else was sent for `interval_seconds`. Comments
would do for the connection, but a browser hides them from the page, which could not tell a quiet
stream from one whose server hangs. It says that the feed was looked at lately, too.

A stream holds no more than a page and, between queries, no database connection: it sleeps until its
watch wakes it, reads a page or is handed one, and sends it. A reader that is slow is sent fewer,
newer states; one that stops reading is dropped. When the database does not answer, the stream ends
rather than look alive, and the client comes back with the last id it saw.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import NoReturn

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event
from prometheus_client import Counter
from pydantic import BaseModel
from starlette.types import Message, Send

from chassis.clock import utc_now
from chassis.database import TRANSIENT_ERRORS, Database
from services.status import open_store, store
from services.status.feeds import Watch
from services.status.views import (
    BeatView,
    DeletedView,
    IndicatorView,
    MovedView,
    OpenView,
    PositionView,
    is_gone,
)

EVENTS: Mapping[str, type[BaseModel]] = {
    "ready": PositionView,
    "indicator": IndicatorView,
    "deleted": DeletedView,
    "moved": MovedView,
    "open_count": OpenView,
    "beat": BeatView,
}
EXAMPLE = """\
retry: 3141

event: ready
id: 17
data: {"version":17}

event: beat
data: {"interval_seconds":15.0}

event: moved
id: 18
data: {"appointment_id":"01932c7e-5a00-7000-8000-00000000002a","version":18}

"""

log = structlog.get_logger(__name__)

PAGE = 500  # changes read at once: what a stream holds in memory
RECONNECT = (1000, 5000)  # milliseconds; spread, so that clients of a lost replica do not stampede
SHORTEST_WAIT = 0.05  # seconds; no spinning in the last moment of a token's term
HIGHEST_VERSION = 2**63 - 1

sent = Counter("status_stream_messages_total", "Messages sent on streams", ["event"])


def resume_from(last_event_id: str | None) -> int | None:
    """The version a client saw last; None if it saw none. Raises ValueError for no id of ours."""
    if not last_event_id:  # an empty one is how a client says that it has none
        return None
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) <= 19):
        raise ValueError
    version = int(last_event_id)
    if version > HIGHEST_VERSION:
        raise ValueError
    return version


async def follow(
    db: Database,
    watch: Watch,
    *,
    resume: int | None,
    current: int,
    until: datetime,
    heartbeat: float,
) -> AsyncIterator[bytes]:
    """The messages after version `resume`, or from `current` on, until the token's term ends."""
    yield format_sse_event(retry=random.randint(*RECONNECT))  # noqa: S311
    if resume is None or resume > current:
        yield _message("ready", current, PositionView(version=current).model_dump_json())
        resume = current
    yield _beat(heartbeat)
    last = resume
    open_count: int | None = None
    while not watch.closing and _seconds_until(until) > 0:
        news = watch.take(last)
        try:
            page, now_open = await _look(db, watch, last, news, open_count)
        except TRANSIENT_ERRORS as error:
            log.warning("stream ends", error=type(error).__qualname__)
            return
        told = [_change(shown) for shown in page]
        if page:
            last = page[-1].version
            watch.seen(last)
        if now_open != open_count:
            open_count = now_open
            told.append(_open(open_count))
        if told:
            yield b"".join(told)
        if len(page) >= PAGE:
            watch.wake()  # there may be more
            continue
        while not await watch.wait(min(heartbeat, max(_seconds_until(until), SHORTEST_WAIT))):
            if _seconds_until(until) <= 0:
                return
            if watch.blind:
                log.warning("stream ends: the feed can't be looked at")
                return
            yield _beat(heartbeat)


async def _look(
    db: Database,
    watch: Watch,
    last: int,
    news: Sequence[store.News] | None,
    open_count: int | None,
) -> tuple[Sequence[store.Shown | store.Moved], int]:
    """What follows version `last`, and how much is open; without asking where that is known."""
    if news is not None and open_count is not None and not any(each.opens for each in news):
        changes = chain.from_iterable(each.changes for each in news)
        return [each for each in changes if each.version > last], open_count
    async with db.practice(watch.practice_id) as tx:
        page = await store.changes(tx, watch.practice_id, after=last, limit=PAGE)
        return page, await open_store.count(tx, watch.practice_id, utc_now())


def _seconds_until(moment: datetime) -> float:
    return (moment - utc_now()).total_seconds()


def _change(shown: store.Shown | store.Moved) -> bytes:
    if isinstance(shown, store.Moved):
        moved = MovedView(appointment_id=shown.appointment_id, version=shown.version)
        return _message("moved", shown.version, moved.model_dump_json())
    now = utc_now()
    if is_gone(shown, now):
        view = DeletedView(appointment_id=shown.appointment_id, version=shown.version)
        return _message("deleted", shown.version, view.model_dump_json())
    return _message("indicator", shown.version, IndicatorView.of(shown, now).model_dump_json())


def _open(count: int) -> bytes:
    sent.labels("open_count").inc()
    data = OpenView(open_count=count).model_dump_json()
    return format_sse_event(event="open_count", data_str=data)


def _beat(interval: float) -> bytes:
    sent.labels("beat").inc()
    view = BeatView(interval_seconds=interval)
    return format_sse_event(event="beat", data_str=view.model_dump_json())


def _message(event: str, version: int, data: str) -> bytes:
    sent.labels(event).inc()
    return format_sse_event(event=event, id=str(version), data_str=data)


class _Stalled(Exception):
    """The client takes nothing any more."""


class EventStream(StreamingResponse):
    """A stream that gives up on a client which takes nothing for `send_timeout` seconds.

    FastAPI's own EventSourceResponse queues messages ahead of the client and fixes the heartbeat.
    """

    media_type = "text/event-stream"

    def __init__(self, messages: AsyncIterator[bytes], *, send_timeout: float) -> None:
        # X-Accel-Buffering: without it nginx collects the messages before it passes them on.
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(messages, headers=headers)
        self._send_timeout = send_timeout

    async def stream_response(self, send: Send) -> None:
        """Send head and messages (Starlette's hook)."""

        async def bounded(message: Message) -> None:
            try:
                async with asyncio.timeout(self._send_timeout):
                    await send(message)
            except TimeoutError:
                _stalled()

        try:
            await super().stream_response(bounded)
        except _Stalled:
            log.info("stream dropped: the client does not read")


def _stalled() -> NoReturn:
    raise _Stalled from None
