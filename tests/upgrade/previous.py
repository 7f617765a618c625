"""What an upgrade is from: the last release, or, as long as there is none, this very tree.

A release is a tag v1.2.3 that HEAD descends from. Until the first, migrations are edited in place
and no schema of an earlier commit is anybody's; so what is tried then is the way: the same code on
the tables as they are, and with what a migration of the test's own adds (expand) and takes away
(contract). A clone without its tags, as a shallow one, is upgraded from itself, too.
"""

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

from local.modules import MODULES, migrations
from local.processes import REPOSITORY

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "tests", "docs", "sbom")
EXPAND, CONTRACT = "2099123100010{number}_expand.sql", "2099123100020{number}_contract.sql"
# Of every service and the dashboard.
TABLES = {
    "scheduling": ("appointments", "outbox", "inbox", "notices"),
    "notification": ("appointments", "deliveries", "outbox", "inbox"),
    "status": ("events", "indicators", "inbox"),
    "webhooks": ("endpoints", "events", "deliveries", "inbox"),
    "dashboard": ("sessions",),
}


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Trees with code and migrations: what runs, what replaces it, what it ends as."""

    name: str
    old: Path
    new: Path
    contracted: Path


def prepare(folder: Path) -> Upgrade:
    """The trees, in this folder."""
    release = last_release()
    old = folder / "old"
    if release is not None and unpacked(release, old):
        return Upgrade(release, old, REPOSITORY, REPOSITORY)
    trees = [old, folder / "new", folder / "contracted"]
    for tree in trees:
        shutil.copytree(REPOSITORY, tree, ignore=LEFT_OUT)
    for tree in trees[1:]:
        expand(tree)
    _add(trees[2], CONTRACT, "DROP COLUMN added")
    return Upgrade("itself, as there is no release to be had", *trees)


def expand(tree: Path) -> None:
    """Give a tree what the next release's migrations would: a column for each table."""
    _add(tree, EXPAND, "ADD COLUMN added text NOT NULL DEFAULT 'expanded'")


def last_release() -> str | None:
    """The tag of the release before HEAD, if this clone knows one."""
    asked = ("tag", "--merged", "HEAD", "--no-contains", "HEAD", "--list", "v[0-9]*.[0-9]*.[0-9]*")
    found = _git(*asked, "--sort=-version:refname")
    return found.decode().split()[0] if found and found.split() else None


def unpacked(release: str, folder: Path) -> bool:
    """Whether the release's tree could be had."""
    archive = _git("archive", "--format=tar", release)
    if not archive:
        return False
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, filter="data")
    return True


def _git(*arguments: str) -> bytes | None:
    try:
        done = subprocess.run(
            ["git", "-C", REPOSITORY, *arguments], capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def _add(tree: Path, name: str, change: str) -> None:
    """One migration for each table: whoever locks two may meet a process that does it otherwise."""
    for service in MODULES:
        for number, table in enumerate(TABLES[service]):
            migration = migrations(service, tree) / name.format(number=number)
            step = f"-- migrate:up\nALTER TABLE {table} {change};\n-- migrate:down\n"
            migration.write_text(step)
