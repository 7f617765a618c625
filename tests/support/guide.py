"""docs/production.md, as what it tells people to type and to write.

A fenced block whose first line is a comment with a path is that file; behind a comma it says that
it is for a variation. A block below `<!-- test: name -->`, which readers do not see, is a script
that can be run here. What is named in it is led to places of the test's own.
"""

import asyncio
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from local.postgres import binary
from local.processes import REPOSITORY
from tests.support.certificates import self_signed

TEXT = (REPOSITORY / "docs" / "production.md").read_text()
_BLOCK = re.compile(r"(?:<!-- test: ([\w ]+) -->\n)?^( *)```(\w+)\n(.*?)^ *```$", re.M | re.S)
_PATH = re.compile(r"(?:#|--) (/\S+?)(?:, (.*))?\n")
DATABASE = re.compile(r"sslmode=verify-full&sslrootcert=\S+?/ca\.pem")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: of which kind, and what it is to a test."""

    kind: str
    text: str
    name: str | None  # of a script
    path: str | None  # of a file
    variation: str | None


def _blocks() -> list[Block]:
    found = []
    for name, indent, kind, text in _BLOCK.findall(TEXT):
        plain = re.sub(rf"^{indent}", "", text, flags=re.M)
        path = _PATH.match(plain)
        at, variation = path.groups() if path else (None, None)
        found.append(Block(kind, plain, name or None, at, variation))
    return found


BLOCKS = _blocks()
SCRIPTS = {block.name: block.text for block in BLOCKS if block.name}
FILES = {block.path: block.text for block in BLOCKS if block.path and not block.variation}
VARIATIONS = [block for block in BLOCKS if block.variation]


class Machine:
    """A folder in which the guide is followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = {
            "/opt/einladung/.venv/bin/python": sys.executable,
            "/opt/einladung": str(REPOSITORY),
            ".venv/bin/python": sys.executable,
            ".venv/bin/dbmate": str(Path(sysconfig.get_path("scripts")) / "dbmate"),
            **{
                place: f"{folder}{place}"
                for place in ("/etc/einladung", "/etc/letsencrypt", "/usr/local/sbin")
            },
        }

    def led(self, text: str) -> str:
        """A text with the places of this machine."""
        pattern = "|".join(re.escape(each) for each in self._places)
        return re.sub(pattern, lambda found: self._places[found[0]], text)

    def path(self, place: str) -> Path:
        """Where a file of the guide is."""
        return Path(f"{self.folder}{place}")

    def write(self) -> None:
        """Write the guide's files, and the certificates that it takes for granted."""
        for place, text in FILES.items():
            self.path(place).parent.mkdir(parents=True, exist_ok=True)
            self.path(place).write_text(self.led(text))
        self_signed(self.path("/etc/einladung/ca.pem"))
        live = self.path("/etc/letsencrypt/live/example.org")
        live.mkdir(parents=True)
        for name in "fullchain.pem", "privkey.pem":
            shutil.copy(self.path("/etc/einladung/ca.pem"), live / name)

    async def run(self, name: str, database: str | None = None, user: str = "") -> str:
        """Run a script of the guide; what it prints. `database` is the superuser's URL.

        The database is the embedded one, which has no TLS.
        """
        env = {"PATH": f"{binary('psql').parent}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        if database is not None:
            server = urlsplit(database)
            env |= {"PGHOST": server.hostname or "", "PGPORT": str(server.port)}
            env |= {"PGUSER": user or server.username or "", "PGSSLMODE": "disable"}
            env["PGPASSWORD"] = self.password(user) if user else server.password or ""
            self._places["db.example.org"] = f"{server.hostname}:{server.port}"
        text = self.led(SCRIPTS[name])
        if database is not None:
            migrate = self.path("/usr/local/sbin/einladung-migrate")
            migrate.write_text(_plain(self.led(FILES["/usr/local/sbin/einladung-migrate"])))
            text = _plain(text)
        return await output("bash", "-euo", "pipefail", "-c", text, env=env, cwd=self.folder)

    def password(self, role: str) -> str:
        """The password that was made for a role."""
        return self.path(f"/etc/einladung/passwords/{role}").read_text().strip()

    async def variables(self, process: str, more: str = "") -> dict[str, str]:
        """What a process is started with; `more` are lines that the file then has besides."""
        file = self.folder / f"{process}.read"
        file.write_text(self.path(f"/etc/einladung/{process}.env").read_text() + more)
        read = await output("env", "-i", "bash", "-c", f"set -a; . {file}; exec env -0")
        found = dict(line.split("=", 1) for line in read.rstrip("\0").split("\0"))
        return {name: found[name] for name in found if name not in {"PWD", "SHLVL", "_", "OLDPWD"}}


def _plain(text: str) -> str:
    return DATABASE.sub("sslmode=disable", text)


async def output(
    *command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> str:
    """What a command prints; it has to end well."""
    process = await asyncio.create_subprocess_exec(
        *command, env=env, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    return printed.decode()
