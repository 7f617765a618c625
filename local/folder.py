"""The data folder: one for each stack, used by one stack at a time."""

import fcntl
import os
import shutil
from pathlib import Path

from local.errors import LocalFailure
from local.processes import REPOSITORY

DATA = REPOSITORY / ".data"
OWNER_ONLY = 0o700
NEEDED_BYTES = 1_000_000_000
CACHE_VARIABLE = "EINLADUNG_CACHE"  # where downloads are kept, when not under DATA


def cache_folder() -> Path:
    """Where downloads are kept for all stacks."""
    return Path(os.environ.get(CACHE_VARIABLE) or DATA / "cache").absolute()


class Folder:
    """Where a stack keeps everything. Open it before use, close it after."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self._lock: int | None = None

    def open(self) -> None:
        """Take the folder for us. Raises LocalFailure when it can't be used."""
        try:
            # What the demo is told of patients is for whoever runs it, and for nobody else.
            self.path.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
            self.path.chmod(OWNER_ONLY)
            self.logs.mkdir(exist_ok=True)
            probe = self.path / "probe"
            probe.write_bytes(bytes(4096))
            probe.unlink()
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.close()
            raise LocalFailure(
                f"Another stack runs on {self.path}: end it, or choose another folder with --data."
            ) from None
        except OSError as error:
            raise LocalFailure(f"{self.path} can't be written: {error.strerror}.") from None
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            self.close()
            raise LocalFailure(
                f"Only {free // 1_000_000} MB are free in {self.path}: "
                f"{NEEDED_BYTES // 1_000_000} MB are needed."
            )
        for log in self.logs.glob("*.log"):  # of the run before: keep one
            log.replace(log.with_suffix(".log.1"))

    def close(self) -> None:
        """Let others use it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
