"""The chain of digests by which a change to the audit log shows.

Every sealed entry has the next number of its practice and

    digest = SHA-256(digest of the entry before || the entry as JSON)

with 32 zero bytes before the first. The database reckons it (`seal_audit_entries` of the
migration); it is reckoned anew here, so that whoever owns the database can't change an entry
without changing every digest after it. Those that were exported, or kept elsewhere, don't change.

Pure: no I/O.
"""

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from chassis.spreadsheets import SEPARATOR
from services.scheduling.audit.entry import AuditEntry
from services.scheduling.audit.export import DIGEST, NUMBER

INSTALLATION = UUID(int=0)  # the chain of what belongs to no practice
DIGEST_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a chain: that entry `number` has this digest."""

    chain: UUID
    number: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.chain}  {self.number}  {self.digest.hex()}"


def digest(previous: bytes, number: int, entry: AuditEntry) -> bytes:
    """What the entry's digest has to be, in this place of its chain."""
    told = [
        number,
        str(entry.id),
        str(entry.practice_id) if entry.practice_id else None,
        f"{entry.at:%Y-%m-%dT%H:%M:%S.%fZ}",
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        list(entry.actor_roles),
        entry.action,
        [str(each) for each in entry.appointment_ids],
        list(entry.changed),
        entry.trace_id,
        entry.proof.hex() if entry.proof is not None else None,
    ]
    # as PostgreSQL writes jsonb: a blank after each comma, letters as they are
    return hashlib.sha256(previous + json.dumps(told, ensure_ascii=False).encode()).digest()


class Check:
    """Follows one chain from where it begins, entry by entry in the order of their numbers."""

    def __init__(self, begin: Place) -> None:
        """`begin` is the last entry that was let go, or number 0 with 32 zero bytes."""
        self.end = begin
        self.fault: str | None = None

    def follow(self, entry: AuditEntry) -> None:
        """The next entry; after the first fault nothing more is looked at."""
        if self.fault is not None:
            return
        number = self.end.number + 1
        if entry.number != number:
            self.fault = f"entry {number} is missing"
            return
        place = Place(self.end.chain, number, digest(self.end.digest, number, entry))
        if place.digest != entry.digest:
            self.fault = f"entry {number} was changed"
            return
        self.end = place

    def finish(self, head: Place) -> None:
        """Where the chain ends, as the database says."""
        if self.fault is None and self.end != head:
            self.fault = f"it ends with entry {self.end.number} instead of {head.number}"


def kept_heads(lines: Iterable[str]) -> Iterator[Place]:
    """The places in what `audit verify` has told before. Raises ValueError where there is none."""
    for line in lines:
        words = line.split()
        if len(words) >= 3 and DIGEST_HEX.fullmatch(words[2]):
            yield Place(UUID(words[0]), int(words[1]), bytes.fromhex(words[2]))


def exported_places(lines: Iterable[str], chain: UUID) -> Iterator[Place]:
    """The places in a practice's exported file. Raises ValueError for another file."""
    reader = csv.DictReader(lines, delimiter=SEPARATOR)
    if not {NUMBER, DIGEST} <= set(reader.fieldnames or ()):
        raise ValueError("no exported audit log")
    for row in reader:
        if row[NUMBER]:  # the newest may not have been sealed yet
            yield Place(chain, int(row[NUMBER]), bytes.fromhex(row[DIGEST]))
