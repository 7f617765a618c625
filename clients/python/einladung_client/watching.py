"""The live stream (Server-Sent Events, WHATWG HTML, section 9.2), which comes back by itself."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

import httpx
from pydantic import BaseModel

from einladung_client.connection import Connection, Refused, Unreachable
from einladung_client.models import Deleted, Indicator, Moved, OpenCount, Ready

Event: TypeAlias = Ready | Indicator | Deleted | Moved | OpenCount

KINDS: Mapping[str, type[BaseModel]] = {
    "ready": Ready,
    "indicator": Indicator,
    "deleted": Deleted,
    "moved": Moved,
    "open_count": OpenCount,
}
QUIET = 60.0  # seconds without a byte, until the stream says how often its heart beats
PATIENCE = 2.5  # beats
RECONNECT = 3.0  # seconds, until the stream says how long
LONGEST = 60.0  # seconds between two tries
PASSING = frozenset({429, 502, 503, 504})
LONGEST_LINE = 1024 * 1024  # bytes


class Watcher:
    """Where one reader of the stream is."""

    def __init__(self, connection: Connection, url: str, since: int | None) -> None:
        self._connection = connection
        self._url = url
        self._last = since
        self._quiet = QUIET
        self._reconnect = RECONNECT
        self._failures = 0
        self._renewed = False  # the token, since it last held

    def events(self) -> Iterator[Event]:
        """All of them, each once. Raises Refused for what coming back would not mend."""
        while True:
            wait = self._reconnect
            try:
                yield from self._once()
            except (httpx.TransportError, Unreachable):
                wait = self._backed_off()
            except Refused as refused:
                if refused.status == httpx.codes.UNAUTHORIZED and not self._renewed:
                    self._renewed = True
                    self._connection.forget_token()
                elif refused.status in PASSING:
                    wait = max(self._backed_off(), min(LONGEST, refused.retry_after))
                else:
                    raise
            self._connection.sleep(wait)

    def _backed_off(self) -> float:
        self._failures += 1
        return min(LONGEST, self._reconnect * 2.0 ** min(self._failures, 5))

    def _once(self) -> Iterator[Event]:
        headers = {"Accept": "text/event-stream"}
        if self._last is not None:
            headers["Last-Event-ID"] = str(self._last)
        with self._connection.stream(self._url, headers, self._quiet) as answer:
            self._failures, self._renewed = 0, False
            for name, told in messages(lines(answer.iter_bytes()), self._retry):
                if name == "beat":
                    self._quiet = PATIENCE * json.loads(told)["interval_seconds"]
                elif kind := KINDS.get(name):
                    event = kind.model_validate_json(told)
                    if self._is_new(event):
                        yield event  # type: ignore[misc] # one of them

    def _retry(self, milliseconds: int) -> None:
        self._reconnect = milliseconds / 1000

    def _is_new(self, event: BaseModel) -> bool:
        version = getattr(event, "version", None)
        if version is None:
            return True
        if isinstance(event, Ready):  # also of a feed that begins anew
            self._last = version
            return True
        if self._last is not None and version <= self._last:
            return False
        self._last = version
        return True


def lines(parts: Iterable[bytes]) -> Iterator[str]:
    """Lines as the stream means them: httpx's would also end at others of Unicode's."""
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise httpx.ReadError("a line without an end")
        for line in whole:
            yield line.removesuffix(b"\r").decode(errors="replace")


def messages(
    read: Iterable[str], retry: Callable[[int], None] = lambda _: None
) -> Iterator[tuple[str, str]]:
    """Each event's name and data. One that the stream's end cuts off is none."""
    name, data = "message", list[str]()
    for line in read:
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "retry" and value.isdecimal():
            retry(int(value))
