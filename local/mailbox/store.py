"""Keeps what arrived: one JSON file per message, and in memory only what the list shows."""

import email
import email.policy
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

NEWEST = 1_000  # messages
TOTAL_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Summary:
    """What the list shows of a message. Sender and recipients are those of the envelope."""

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    message_id: str
    size: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message."""

    name: str
    content: bytes


class Store:
    """The messages in `folder`, oldest first; the oldest go when there are too many."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._summaries: dict[str, Summary] = {}
        self._bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        for file in sorted(folder.glob("[0-9]*.json")):
            with suppress(ValueError, KeyError):  # the half of one, after kill -9
                record = json.loads(file.read_text())
                raw = record["raw"].encode("latin-1")
                received_at = datetime.fromisoformat(record["received_at"])
                self._remember(file.stem, received_at, record["sender"], record["recipients"], raw)
        self._next = max((int(key) for key in self._summaries), default=0) + 1

    def add(self, sender: str, recipients: Sequence[str], raw: bytes) -> None:
        """Keep a message. Raises OSError when it can't be written."""
        key = f"{self._next:010d}"
        received_at = datetime.now(UTC)
        record = {
            "received_at": received_at.isoformat(),
            "sender": sender,
            "recipients": list(recipients),
            "raw": raw.decode("latin-1"),
        }
        self._file(key).write_text(json.dumps(record))
        self._next += 1
        self._remember(key, received_at, sender, recipients, raw)

    def newest_first(self, recipient: str | None = None) -> list[Summary]:
        """All, or those to one address, whatever its case."""
        found = reversed(self._summaries.values())
        if recipient is None:
            return list(found)
        wanted = recipient.lower()
        return [each for each in found if wanted in map(str.lower, each.recipients)]

    def summary(self, key: str) -> Summary | None:
        """One of the list."""
        return self._summaries.get(key)

    def raw(self, key: str) -> bytes:
        """The message as it came. Raises KeyError."""
        if key not in self._summaries:
            raise KeyError(key)
        record: dict[str, str] = json.loads(self._file(key).read_text())
        return record["raw"].encode("latin-1")

    def clear(self) -> None:
        """Forget everything; ids go on counting."""
        for key in list(self._summaries):
            self._forget(key)

    def _remember(
        self, key: str, received_at: datetime, sender: str, recipients: Sequence[str], raw: bytes
    ) -> None:
        head = _head(raw)
        self._summaries[key] = Summary(
            id=key,
            received_at=received_at,
            sender=sender,
            recipients=tuple(recipients),
            subject=header(head, "Subject"),
            message_id=header(head, "Message-ID"),
            size=len(raw),
        )
        self._bytes += len(raw)
        while len(self._summaries) > NEWEST or self._bytes > TOTAL_BYTES:
            self._forget(next(iter(self._summaries)))

    def _forget(self, key: str) -> None:
        self._bytes -= self._summaries.pop(key).size
        self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"


def message_id(raw: bytes) -> str:
    """The Message-ID that a message names; empty where there is none."""
    return header(_head(raw), "Message-ID")


def _head(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=email.policy.default)


def parse(raw: bytes) -> EmailMessage:
    """The message with decoded headers and parts."""
    return email.message_from_bytes(raw, policy=email.policy.default)


def header(message: EmailMessage, name: str) -> str:
    """A header's decoded text; empty when it is missing or beyond the parser."""
    try:
        return str(message.get(name, ""))
    except Exception:  # the parser fails on malformed headers in many ways
        return ""


def attachments(message: EmailMessage) -> list[Attachment]:
    """What is attached under a name; nothing where the message is beyond the parser."""
    try:
        return [
            Attachment(name, content)
            for each in message.iter_attachments()
            if (name := each.get_filename())
            and isinstance(content := each.get_payload(decode=True), bytes)
        ]
    except Exception:  # as above
        return []


def body(message: EmailMessage, kind: str) -> str | None:
    """The text of the part `plain` or `html`; None when there is none that can be decoded."""
    try:
        part = message.get_body((kind,))
        return None if part is None else str(part.get_content())
    except Exception:  # as above
        return None
