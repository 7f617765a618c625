"""Who waits for which practice's feed, and what tells them.

What this process has committed itself is handed to the streams as it is (`tell`): positions have no
gaps, so a stream that stands right before some news knows that it missed nothing. Of what others
commit a notification tells (see store.CHANGED), within milliseconds and on every replica. It may
get lost with the connection that listens for it, so after each reconnection all look, and a slow
poll compares positions. These say only „look": what is sent is read from the database then, so a
needless look sends nothing and a repeated one nothing twice.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from uuid import UUID

import asyncpg
from prometheus_client import Counter, Gauge

from chassis.backoff import Backoff
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.loop import Loop
from services.status import store
from services.status.store import News

CONNECT_TIMEOUT = 10.0  # seconds
BLIND_AFTER = 30.0  # seconds in which nobody could compare positions
CHECK = 15.0  # seconds between questions whether the listening connection is alive
# Seconds in which what this process commits is handed over: its own notifications are sooner.
HANDED_OVER_WITHIN = 0.05
MOST_KEPT = 500  # changes for a stream that does not take them; beyond that it looks
PROBLEMS: tuple[type[BaseException], ...] = (*TRANSIENT_ERRORS, asyncpg.PostgresError)

streams_open = Gauge("status_streams_open", "Open streams of this process")
streams_refused = Counter("status_streams_refused_total", "Streams refused", ["reason"])
listening = Gauge("status_feed_listening", "1 while this process hears of changes at once")
found_by_poll = Counter("status_feed_found_by_poll_total", "Changed feeds that the poll found")


class Refused(Exception):
    """No further stream: `reason` is "stopping", "process" or "practice" (whose limit it is)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Watch:
    """One stream's interest in its practice's feed: whether it has to look, or the news."""

    def __init__(self, feeds: "Feeds", practice_id: UUID) -> None:
        self._feeds = feeds
        self.practice_id = practice_id
        self._changed = asyncio.Event()
        self._news: list[News] = []
        self._kept = 0  # changes in them
        self._has_to_look = True
        self._reach = 0  # the newest position that was handed over, or read

    @property
    def closing(self) -> bool:
        """True once the process stops: the stream is to end now."""
        return self._feeds.closing

    @property
    def blind(self) -> bool:
        """True while it is not known whether something has changed: no stream may look alive."""
        return self._feeds.blind

    def wake(self, version: int | None = None) -> None:
        """Make the stream look, unless it has what was told up to this version."""
        if version is None or version > self._reach:
            self._has_to_look = True
            self._changed.set()

    def tell(self, news: News) -> None:
        """Hand news over. What the stream will read by itself is not kept for it."""
        if self._kept + len(news.changes) > MOST_KEPT:
            self._has_to_look = True
        if self._has_to_look:
            self._drop()
        else:
            self._news.append(news)
            self._kept += len(news.changes)
        self._reach = max(self._reach, news.reach)
        self._changed.set()

    def take(self, after: int) -> Sequence[News] | None:
        """All that was told behind this version; None where the stream has to look.

        To be called before looking, so that nothing in between is lost.
        """
        news = self._drop()
        looks, self._has_to_look = self._has_to_look, False
        self._changed.clear()
        fresh = [each for each in news if each.reach > after]
        for each in fresh:
            looks = looks or each.after > after  # something of another process is in between
            after = each.reach
        return None if looks else fresh

    def _drop(self) -> list[News]:
        news, self._news, self._kept = self._news, [], 0
        return news

    def seen(self, version: int) -> None:
        """The stream has read up to this version."""
        self._reach = max(self._reach, version)

    async def wait(self, seconds: float) -> bool:
        """Wait for a change; False if there was none for that long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        return self._changed.is_set()


class Feeds:
    """The open streams of this process, by practice, limited in number."""

    def __init__(self, *, limit: int, limit_per_practice: int) -> None:
        self._limit = limit
        self._limit_per_practice = limit_per_practice
        self._watches: dict[UUID, set[Watch]] = {}
        self._open = 0
        self._compared_at = time.monotonic()
        self.closing = False

    @contextmanager
    def watch(self, practice_id: UUID) -> Iterator[Watch]:
        """Take part while the context lasts; raises Refused."""
        of_practice = self._watches.get(practice_id, ())
        if self.closing:
            self._refuse("stopping")
        if self._open >= self._limit:
            self._refuse("process")
        if len(of_practice) >= self._limit_per_practice:
            self._refuse("practice")
        watch = Watch(self, practice_id)
        self._watches.setdefault(practice_id, set()).add(watch)
        self._count(+1)
        try:
            yield watch
        finally:
            watches = self._watches[practice_id]
            watches.remove(watch)
            if not watches:
                del self._watches[practice_id]
            self._count(-1)

    def practices(self) -> list[UUID]:
        """The practices that somebody watches."""
        return list(self._watches)

    def wake(self, practice_id: UUID, version: int | None = None) -> None:
        """Make this practice's streams look, unless they have what was told up to this version."""
        for watch in self._watches.get(practice_id, ()):
            watch.wake(version)

    def tell(self, practice_id: UUID, news: News) -> None:
        """Hand this practice's streams what this process has committed, in its order."""
        for watch in self._watches.get(practice_id, ()):
            watch.tell(news)

    def wake_all(self) -> None:
        """Make every stream look."""
        for practice_id in self._watches:
            self.wake(practice_id)

    @property
    def blind(self) -> bool:
        """True when positions could not be compared for too long."""
        return time.monotonic() - self._compared_at > BLIND_AFTER

    def compared(self) -> None:
        """Positions have just been compared: who was not woken has missed nothing."""
        self._compared_at = time.monotonic()

    def close(self) -> None:
        """End all streams and take no more: the process stops."""
        self.closing = True
        self.wake_all()

    def _count(self, step: int) -> None:
        self._open += step
        streams_open.set(self._open)

    def _refuse(self, reason: str) -> None:
        streams_refused.labels(reason).inc()
        raise Refused(reason)


def listener(url: str, feeds: Feeds) -> Loop:
    """Hears of changes, on a connection of its own; its turn is one such connection."""

    async def turn() -> bool:
        await _listen(url, feeds, loop.progress)
        return True

    loop = Loop("listener", turn, poll=0, backoff=Backoff(first=0.5, most=15), transient=PROBLEMS)
    return loop


async def _listen(url: str, feeds: Feeds, alive: Callable[[], None]) -> None:
    """Listen until the connection is lost; then raise ConnectionResetError, or what it raises."""
    clock = asyncio.get_running_loop()

    def heard(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        practice_id, _, version = str(payload).partition(" ")
        with suppress(ValueError):
            clock.call_later(HANDED_OVER_WITHIN, feeds.wake, UUID(practice_id), int(version))

    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_TIMEOUT,
        command_timeout=CONNECT_TIMEOUT,
        server_settings={"application_name": "einladung-listener"},
    )
    try:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _connection: lost.set())
        await connection.add_listener(store.CHANGED, heard)
        listening.set(1)
        feeds.wake_all()
        while not lost.is_set():
            alive()
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK):
                    await lost.wait()
            if not lost.is_set():
                await connection.execute("SELECT 1")  # finds a connection that died silently
        raise ConnectionResetError
    finally:
        listening.set(0)
        connection.terminate()


def poller(db: Database, feeds: Feeds, *, every: float) -> Loop:
    """Compares positions each `every` seconds: one query, however many streams."""
    seen: dict[UUID, int] = {}

    async def turn() -> bool:
        nonlocal seen
        watched = feeds.practices()
        positions: dict[UUID, int] = {}
        if watched:
            async with db.system() as tx:
                positions = await store.positions(tx, watched)
        for practice_id, position in positions.items():
            if seen.get(practice_id) != position:
                found_by_poll.inc()
                feeds.wake(practice_id, position)
        seen = positions
        feeds.compared()
        return False

    return Loop("poll", turn, poll=every)
