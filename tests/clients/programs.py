"""Tools from npm, in the versions and with the hashes of package-lock.json."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from local.folder import cache_folder
from tests.support import PATIENCE

HERE = Path(__file__).parent
NPM = ("package.json", "package-lock.json", ".npmrc")


def folder() -> Path:
    """Where they are kept."""
    return cache_folder() / "clients"


def installed() -> bool:
    """Whether they are there, all of them."""
    kept = folder() / "node_modules" / ".complete"
    return kept.exists() and kept.read_text() == (HERE / "package-lock.json").read_text()


def install() -> None:
    """Get them unless they are there."""
    if installed():
        return
    if shutil.which("npm") is None:
        sys.exit("make test-clients needs Node.js 20 or newer with npm.")
    folder().mkdir(parents=True, exist_ok=True)
    for name in NPM:
        shutil.copy(HERE / name, folder())
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    subprocess.run(command, cwd=folder(), check=True)
    (folder() / "node_modules" / ".complete").write_text((HERE / NPM[1]).read_text())


def npm(name: str) -> Path:
    """A program of npm's."""
    return folder() / "node_modules" / ".bin" / name


def run(place: Path, program: str | Path, *arguments: str | Path, **variables: str) -> str:
    """What a program says; it has to end well."""
    done = subprocess.run(
        (program, *arguments),
        cwd=place,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def project(place: Path, *files: str | Path) -> Path:
    """A folder for TypeScript with these files of ours, and what is installed."""
    (place / "node_modules").symlink_to(folder() / "node_modules")
    for name in ("package.json", "tsconfig.json", *files):
        shutil.copy(HERE / name, place)
    return place
