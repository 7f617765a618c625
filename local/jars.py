"""Jars: only used when they are what a list says, as kafka-jars.sha256 beside this.

A list is in the format of sha256sum(1), with paths as in a Maven repository; so it says what to
download as well (jar_download.py), and no dependencies are resolved anew.
"""

import hashlib
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from local.errors import LocalFailure


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of a list: `path` is group/as/folders/artifact/version/file."""

    path: PurePosixPath
    sha256: str

    @property
    def artifact(self) -> str:
        """Its name without version."""
        return self.path.parts[-3]

    def check(self, file: Path) -> None:
        """Raise LocalFailure unless the file is what the list says."""
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != self.sha256:
            raise LocalFailure(
                f"The jar {file.name} is refused, as its SHA-256 differs from the one listed: "
                f"delete {file} and start again."
            )


@dataclass(frozen=True, slots=True)
class JarList:
    """Which jars belong together."""

    file: Path

    def jars(self) -> Sequence[Jar]:
        """All of them."""
        pairs = (line.split() for line in self.file.read_text().splitlines())
        return [Jar(PurePosixPath(path), sha256) for sha256, path in pairs]

    def missing(self, folder: Path) -> Sequence[Jar]:
        """Those that are not in the folder yet."""
        return [jar for jar in self.jars() if not (folder / jar.path.name).exists()]

    def class_path(self, folder: Path, artifacts: Collection[str] | None = None) -> str:
        """Java's class path of all, or of these artifacts alone; every jar in it is checked.

        Raises LocalFailure for one that differs.
        """
        files = []
        for jar in self.jars():
            if artifacts is not None and jar.artifact not in artifacts:
                continue
            file = folder / jar.path.name
            jar.check(file)
            files.append(str(file))
        return os.pathsep.join(files)


KAFKA = JarList(Path(__file__).with_name("kafka-jars.sha256"))
