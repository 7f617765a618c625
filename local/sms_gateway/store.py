"""Keeps what was sent: one JSON file per message, all of them in memory too."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local import journal

NEWEST = 1_000  # messages
LONGEST_TEXT = 1_520  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One SMS and how it fares. `api` is the one it came over: „webhook" or „seven"."""

    id: str
    api: str
    reference: str
    to: str
    sender: str
    text: str
    receipts_url: str
    received_at: datetime
    state: str = "accepted"
    code: str | None = None
    at: datetime
    steps: int = 0  # of its phone that are past


class Store:
    """The messages in `folder`, oldest first; the oldest go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._messages: dict[str, Message] = {}
        self._by_reference: dict[tuple[str, str], str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("[0-9]*.json")):
            with suppress(ValueError, KeyError, TypeError):  # the half of one, after kill -9
                self._remember(_read(json.loads(file.read_text())))
        self._next = max((int(key) for key in self._messages), default=0) + 1

    def add(
        self, *, api: str, reference: str, to: str, sender: str, text: str, receipts_url: str
    ) -> Message:
        """Keep a message. Raises OSError when it can't be written."""
        now = datetime.now(UTC)
        message = Message(
            id=f"{self._next:010d}",
            api=api,
            reference=reference,
            to=to,
            sender=sender,
            text=text,
            receipts_url=receipts_url,
            received_at=now,
            at=now,
        )
        self._write(message)
        self._next += 1
        self._remember(message)
        return message

    def change(self, key: str, **how: Any) -> None:
        """Note how a message fares (state, code, at, steps); nothing when it is gone."""
        message = self._messages.get(key)
        if message is not None:
            self._messages[key] = replace(message, **how)
            self._write(self._messages[key])

    def newest_first(self, to: str | None = None) -> list[Message]:
        """All, or those to one number."""
        found = reversed(self._messages.values())
        return [each for each in found if to is None or each.to == to]

    def get(self, key: str) -> Message | None:
        """One of them."""
        return self._messages.get(key)

    def by_reference(self, api: str, reference: str) -> Message | None:
        """The newest that was sent under this reference."""
        return self._messages.get(self._by_reference.get((api, reference), ""))

    def clear(self) -> None:
        """Forget everything; ids go on counting."""
        for key in list(self._messages):
            self._forget(key)

    def _remember(self, message: Message) -> None:
        self._messages[message.id] = message
        self._by_reference[message.api, message.reference] = message.id
        while len(self._messages) > NEWEST:
            self._forget(next(iter(self._messages)))

    def _forget(self, key: str) -> None:
        message = self._messages.pop(key)
        if self._by_reference.get((message.api, message.reference)) == key:
            del self._by_reference[message.api, message.reference]
        self._file(key).unlink(missing_ok=True)

    def _write(self, message: Message) -> None:
        record = asdict(message)
        record |= {"received_at": message.received_at.isoformat(), "at": message.at.isoformat()}
        journal.replace(self._file(message.id), json.dumps(record))

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def _read(record: dict[str, Any]) -> Message:
    record |= {name: datetime.fromisoformat(record[name]) for name in ("received_at", "at")}
    return Message(**record)
