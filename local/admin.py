"""The operator's command line on the demo: `make admin ARGS="practice list"`."""

import fcntl
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from local.folder import DATA
from local.services import AUDIT_KEYS_FILE

URL_FILE = "admin-database-url"
VARIABLE = "SCHEDULING_ADMIN_DATABASE_URL"
AUDIT_KEYS = "SCHEDULING_AUDIT_KEYS"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and the variables to run it with."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def main(folder: Path = DATA / "demo") -> NoReturn:
    """Become `services.scheduling.admin` with the demo's database; exit code 1 where none runs."""
    found = command(folder, *sys.argv[1:])
    os.execve(found.arguments[0], found.arguments, dict(found.environment))  # noqa: S606


def command(folder: Path, *arguments: str) -> Command:
    """`services.scheduling.admin` on the demo in this folder; exit code 1 where none runs."""
    if not _runs(folder):
        sys.exit("The demo does not run: start it with `make demo`, and leave it on.")
    own = {
        VARIABLE: (folder / URL_FILE).read_text(),
        AUDIT_KEYS: (folder / AUDIT_KEYS_FILE).read_text(),
    }
    return Command(
        (sys.executable, "-m", "services.scheduling.admin", *arguments), {**os.environ, **own}
    )


def _runs(folder: Path) -> bool:
    """Whether a stack holds the folder's lock, and has come as far as to say where it is."""
    try:
        with (folder / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / URL_FILE).exists()
    except OSError:
        return False
    return False


if __name__ == "__main__":
    main()
