"""Archives that are the same bytes whenever and by whomever they are made."""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path


def write(archive: Path, content: Mapping[str, bytes], epoch: int) -> None:
    """A .tar.gz of these files, by name; all are from the moment `epoch`, in Unix seconds."""
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, text in sorted(content.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime, entry.mode = len(text), epoch, 0o644
            tar.addfile(entry, io.BytesIO(text))
