"""The packages that requirements/*.txt pin, with their hashes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements"
FILES = ("runtime", "tools", "local", "dev", "bench")


@dataclass(frozen=True, slots=True)
class Pin:
    """One version of a package. `hashes` are those of its files, SHA-256 in hexadecimal."""

    name: NormalizedName
    version: str
    hashes: tuple[str, ...] = ()
    marker: Marker | None = None


def pinned(file: str) -> list[Pin]:
    """What requirements/`file`.txt pins, by name."""
    return list(read((REQUIREMENTS / f"{file}.txt").read_text()))


def read(text: str) -> Iterator[Pin]:
    """What a requirements file pins. Raises ValueError for a line that pins nothing."""
    for line in text.replace("\\\n", " ").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        wanted, *hashes = line.split("--hash=sha256:")
        requirement = Requirement(wanted.strip())
        [specifier] = requirement.specifier
        if specifier.operator != "==":
            raise ValueError(f"{requirement.name} is not pinned")
        yield Pin(
            canonicalize_name(requirement.name),
            specifier.version,
            tuple(each.strip() for each in hashes),
            requirement.marker,
        )
