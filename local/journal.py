"""What a simulated server took and sent back, line by line on disk: it outlives `kill -9`.

For who checks promises later: nothing here reads it. It grows with all that happens, so it is kept
only where it is asked for.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

NAME = "journal.jsonl"
AGAIN = 0.5  # seconds until it is tried again what the disk did not take

T = TypeVar("T")


class Journal:
    """Lines of JSON in a file; without a file, nothing is kept."""

    def __init__(self, path: Path | None = None) -> None:
        self._file: int | None = None
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, event: str, **said: object) -> None:
        """Add a line, in one write: whoever is killed leaves it whole or not at all.

        Raises OSError when it can't be written.
        """
        if self._file is not None:
            line = {"at": datetime.now(UTC).isoformat(), "event": event, **said}
            os.write(self._file, json.dumps(line).encode() + b"\n")

    async def keep(self, event: str, **said: object) -> None:
        """Add a line of what has happened already, once the disk takes it: none may be missing."""
        await once_written(lambda: self.write(event, **said))


async def once_written(write: Callable[[], T]) -> T:
    """What it returns, once the disk takes what it writes: a full one is tried again."""
    while True:
        try:
            return write()
        except OSError:
            await asyncio.sleep(AGAIN)


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What is in a journal, in its order; nothing where there is none."""
    if path.exists():
        with path.open() as lines:
            yield from map(json.loads, lines)


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, whoever is killed meanwhile. Raises OSError."""
    draft = path.with_suffix(".new")
    draft.write_text(text)
    draft.replace(path)
