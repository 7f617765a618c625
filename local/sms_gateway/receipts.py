"""Receipts that are still to be taken, each a file: they go out also after `kill -9`."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from local import journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One, with where it goes."""

    key: str
    api: str
    url: str
    reference: str
    to: str
    state: str
    body: str


class Receipts:
    """Those in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._next = max((int(file.stem) for file in folder.glob("[0-9]*.json")), default=0) + 1

    def add(self, *, api: str, url: str, reference: str, to: str, state: str, body: str) -> Receipt:
        """Keep one. Raises OSError when it can't be written."""
        receipt = Receipt(
            key=f"{self._next:010d}",
            api=api,
            url=url,
            reference=reference,
            to=to,
            state=state,
            body=body,
        )
        self._next += 1
        journal.replace(self._file(receipt.key), json.dumps(asdict(receipt)))
        return receipt

    def waiting(self) -> Iterator[Receipt]:
        """All, oldest first."""
        for file in sorted(self._folder.glob("[0-9]*.json")):
            with suppress(FileNotFoundError):
                yield Receipt(**json.loads(file.read_text()))

    def remove(self, receipt: Receipt) -> None:
        """It was taken, or given up."""
        self._file(receipt.key).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all."""
        for file in self._folder.glob("[0-9]*.json"):
            file.unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}.json"
