"""A key for another system, on the running demo: `make key` prints what to set for it."""

import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from contracts.access import OTHER_SYSTEM
from contracts.rights import DAILY_WORK
from local import admin, secret_files
from local.folder import DATA
from local.practice import DEMO_PRACTICE
from local.stack import Stack

PLACES_FILE = "places"  # where the running demo is reached, and as whom Kafka's topics are read
PRINTED = re.compile(r"id: +(ek_\S+)\nsecret: +(es_\S+)\n")


def main() -> None:
    """Print lines that a shell takes, for `eval "$(make --silent key)"`; exit code 1 without."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "demo"
    wanted = (each for scope in sorted(DAILY_WORK) for each in ("--scope", scope))
    practice = ("--practice", str(DEMO_PRACTICE.id))
    command = admin.command(folder, "key", "create", "--name", "make key", *practice, *wanted)
    made = subprocess.run(
        command.arguments, env=command.environment, capture_output=True, text=True, check=False
    )
    key = PRINTED.search(made.stdout)
    if key is None:
        sys.exit(made.stderr.strip() or "No key was made.")
    print((folder / PLACES_FILE).read_text(), end="")
    print(_exports({"EINLADUNG_KEY_ID": key[1], "EINLADUNG_KEY_SECRET": key[2]}), end="")


def keep_places(stack: Stack) -> None:
    """Leave behind, while a stack runs, what `make admin` and `make key` need of it."""
    reader = stack.kafka.login(OTHER_SYSTEM)
    places = {
        "EINLADUNG_SCHEDULING": stack.url("scheduling"),
        "EINLADUNG_STATUS": stack.url("status"),
        "KAFKA_BOOTSTRAP": reader.bootstrap,
        "KAFKA_SECURITY": reader.security.upper(),
        "KAFKA_USERNAME": reader.username,
        "KAFKA_PASSWORD": reader.password,
    }
    folder = stack.folder.path
    secret_files.replace(folder / PLACES_FILE, _exports(places))
    secret_files.replace(folder / admin.URL_FILE, stack.owner_dsn("scheduling"))


def _exports(variables: Mapping[str, str]) -> str:
    return "".join(f"export {name}={shlex.quote(each)}\n" for name, each in variables.items())


if __name__ == "__main__":
    main()
