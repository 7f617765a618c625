"""A vulnerability database in a file, for where none can be asked: records of OSV.

OSV gives all records of an ecosystem as one zip file with a JSON document for each
(https://google.github.io/osv.dev/data/); a JSON file with one record or a list of them will do.
"""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from tools.pinned import Pin

ECOSYSTEM = "PyPI"
LARGEST_RECORD = 10_000_000  # bytes

Record = Mapping[str, Any]


@dataclass(slots=True)
class Database:
    """What records say of packages, by name. `modified` is the newest record's date."""

    affected: dict[NormalizedName, list[tuple[str, Record]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    modified: str = ""

    def of(self, pin: Pin) -> list[str]:
        """The ids of the vulnerabilities that this version has."""
        found = self.affected.get(pin.name, ())
        return sorted({record_id for record_id, package in found if affects(package, pin.version)})


def load(path: Path) -> Database:
    """The database in a file. Raises OSError, ValueError where there is none."""
    database = Database()
    for record in _records(path):
        if record.get("withdrawn"):
            continue
        for package in record.get("affected", ()):
            named = package.get("package", {})
            if named.get("ecosystem") == ECOSYSTEM:
                name = canonicalize_name(named["name"])
                database.affected[name].append((record["id"], package))
                database.modified = max(database.modified, str(record.get("modified", "")))
    if not database.affected:
        raise ValueError(f"no record of {ECOSYSTEM} in it")
    return database


def affects(package: Record, version: str) -> bool:
    """Whether a version is among those of an `affected` of OSV's schema (its „Evaluation")."""
    if version in package.get("versions", ()):
        return True
    ours = Version(version)
    return any(
        _in_range(each.get("events", ()), ours)
        for each in package.get("ranges", ())
        if each.get("type") == "ECOSYSTEM"
    )


def _in_range(events: Iterable[Mapping[str, str]], ours: Version) -> bool:
    affected = False
    for at, kind in sorted(_steps(events)):
        if kind == "introduced" and at <= ours:
            affected = True
        elif (kind == "fixed" and at <= ours) or (kind == "last_affected" and at < ours):
            affected = False
    return affected


def _steps(events: Iterable[Mapping[str, str]]) -> Iterator[tuple[Version, str]]:
    for event in events:
        for kind, at in event.items():
            try:
                yield Version(at), kind
            except InvalidVersion:  # of before PEP 440; no pinned package has such versions
                continue


def _records(path: Path) -> Iterator[Record]:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                if entry.filename.endswith(".json") and entry.file_size <= LARGEST_RECORD:
                    yield from _documents(json.loads(archive.read(entry)))
    else:
        yield from _documents(json.loads(path.read_bytes()))


def _documents(found: Any) -> Sequence[Record]:
    documents = found if isinstance(found, list) else [found]
    if not all(isinstance(each, dict) and "id" in each for each in documents):
        raise ValueError("no records of OSV")
    return documents
