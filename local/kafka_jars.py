"""Kafka's jars: only used when they are what kafka-jars.sha256 says.

The list is in the format of sha256sum(1), with paths as in a Maven repository; so it says what
to download as well (kafka_download.py), and no dependencies are resolved anew.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local.errors import LocalFailure

LIST = Path(__file__).with_name("kafka-jars.sha256")


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of the list: `path` is group/as/folders/artifact/version/file."""

    path: PurePosixPath
    sha256: str

    def check(self, file: Path) -> None:
        """Raise LocalFailure unless the file is what the list says."""
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != self.sha256:
            raise LocalFailure(
                f"The jar {file.name} is refused, as its SHA-256 differs from {LIST.name}: "
                f"delete {file} and start again."
            )


def listed() -> Sequence[Jar]:
    """The jars of the list."""
    pairs = (line.split() for line in LIST.read_text().splitlines())
    return [Jar(PurePosixPath(path), sha256) for sha256, path in pairs]


def missing(folder: Path) -> Sequence[Jar]:
    """The jars that are not in the folder yet."""
    return [jar for jar in listed() if not (folder / jar.path.name).exists()]


def class_path(folder: Path) -> str:
    """Java's class path, every jar checked. Raises LocalFailure for one that differs."""
    files = []
    for jar in listed():
        file = folder / jar.path.name
        jar.check(file)
        files.append(str(file))
    return os.pathsep.join(files)
