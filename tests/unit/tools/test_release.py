"""A release is the same bytes whenever it is made, whole, and of nothing but a finished commit."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from contracts.version import VERSION as CONTRACTS
from tests.support.helm import helm
from tools import archives, release, sbom
from tools.product import PRODUCT, ROOT
from tools.release import Release

EPOCH = 1_795_000_000
WHEEL = f"einladung_client-{PRODUCT}-py3-none-any.whl"


def made(tmp_path: Path, name: str) -> Path:
    """All parts but the images, of a tree of its own, whose files are of now."""
    tree, dist = tmp_path / name / "tree", tmp_path / name / "dist"
    dist.mkdir(parents=True)
    for part in ("clients", "contracts", "deploy"):
        leave = shutil.ignore_patterns("__pycache__", "dist")
        shutil.copytree(ROOT / part, tree / part, symlinks=True, ignore=leave)
    shutil.copy(ROOT / "LICENSE", tree)
    assert release.make(Release(tree, EPOCH, dist), ["images"]) == {}
    return dist


def test_two_runs_are_byte_equal_and_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"scheduling": "runtime", "tools": "tools"}
    monkeypatch.setattr(sbom, "IMAGES", few)  # they are alike
    first = made(tmp_path, "first")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    umask = os.umask(0o077)
    try:
        second = made(tmp_path, "second")
    finally:
        os.umask(umask)
    files = {file.name: file.read_bytes() for file in first.iterdir()}
    assert files == {file.name: file.read_bytes() for file in second.iterdir()}
    lines = [line.split("  ") for line in files["SHA256SUMS"].decode().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {
        name: hashlib.sha256(content).hexdigest()
        for name, content in files.items()
        if name != "SHA256SUMS"
    }
    bills = {f"einladung-{image}-{PRODUCT}.cdx.json" for image in few}
    packages = {WHEEL, f"einladung_client-{PRODUCT}.tar.gz"}
    packages |= {f"einladung-{PRODUCT}.tgz", f"einladung-contracts-{CONTRACTS}.tar.gz"}
    assert sums.keys() == bills | packages
    assert json.loads(files[min(bills)])["metadata"]["component"]["version"] == PRODUCT
    the_client_runs_by_itself(first / WHEEL, tmp_path)
    the_chart_is_one(first / f"einladung-{PRODUCT}.tgz")


def the_chart_is_one(archive: Path) -> None:
    shown = helm("show", "chart", archive)
    assert yaml.safe_load(shown)["appVersion"] == PRODUCT
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert {"einladung/values.schema.json", "einladung/templates/deployments.yaml"} <= {*names}
    assert not [name for name in names if name.startswith("einladung/ci")]


def the_client_runs_by_itself(wheel: Path, tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(installed)
    contracts = installed / "einladung_client" / "contracts"
    schema = contracts / "schemas" / "InvitationDelivered.json"
    assert schema.read_bytes() == (ROOT / "contracts/schemas/InvitationDelivered.json").read_bytes()
    assert {"asyncapi.yaml", "openapi", "problems.json"} <= {f.name for f in contracts.iterdir()}
    assert list(installed.glob("*.dist-info/licenses/LICENSE"))
    program = "from einladung_client import cli, topics; cli.main(['--version'])"
    told = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(installed), "TZ": "UTC"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == f"einladung {PRODUCT} (contracts {CONTRACTS})\n"


NEW = "### Added\n- Something.\n"


@pytest.mark.parametrize(
    ("changelog", "refusal"),
    [
        (f"# C\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-28\n\n{NEW}\n## [1.2.2] - x\n", None),
        (f"## [Unreleased]\n\n{NEW}\n## [1.2.3] - 2026-11-28\n\n{NEW}", "belongs to 1.2.3"),
        (f"## [Unreleased]\n\n{NEW}", r"no \[1.2.3\]"),
        (f"## [Unreleased]\n\n## [1.2.3]\n\n{NEW}", r"no \[1.2.3\]"),
        (f"## [Unreleased]\n\n## [1.2.3] - 2026-11-28\n\n## [1.2.2] - 2026-01-01\n{NEW}", "new"),
        (f"## [Unreleased]\n\n## [1x2.3] - 2026-11-28\n\n{NEW}", r"no \[1.2.3\]"),
    ],
)
def test_what_the_changelog_does_not_say_is_not_released(
    changelog: str, refusal: str | None
) -> None:
    if refusal is None:
        release.said_in_changelogs(changelog, "1.2.3")
        return
    with pytest.raises(release.Refused, match=refusal):
        release.said_in_changelogs(changelog, "1.2.3")


def git(tree: Path, *arguments: str) -> None:
    author = ("-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run(["git", "-C", tree, *author, *arguments], check=True, capture_output=True)


def test_a_tree_with_changes_is_not_released(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n")
    git(tmp_path, "init")
    with pytest.raises(release.Refused, match=r"not committed, as CHANGELOG.md"):
        release.releasable(tmp_path)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "x")
    with pytest.raises(release.Refused, match=r"CHANGELOG.md has no"):
        release.releasable(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n\n")
    with pytest.raises(release.Refused, match=r"not committed, as CHANGELOG.md"):
        release.releasable(tmp_path)


def test_only_what_is_committed_is_released(tmp_path: Path) -> None:
    tree = tmp_path / "here"
    tree.mkdir()
    (tree / "kept").write_text("kept")
    (tree / "link").symlink_to("kept")
    git(tree, "init")
    git(tree, "add", ".")
    git(tree, "commit", "--message", "x")
    (tree / "left").write_text("left")
    found = release.exported(tree, tmp_path)
    assert {file.name: file.read_text() for file in found.iterdir()} == {
        "kept": "kept",
        "link": "kept",
    }


def test_a_part_that_cannot_be_made_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # where no docker is
    monkeypatch.setattr(release, "PARTS", {"images": release.images})
    made = Release(tmp_path, EPOCH, tmp_path)
    assert release.make(made, []) == {"images": "no Docker engine answers"}
    assert release.make(made, ["images"]) == {}


def test_an_archive_holds_no_clock_and_no_user(tmp_path: Path) -> None:
    archives.write(tmp_path / "x.tgz", {"b/c": b"1", "a": b""}, EPOCH)
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "x.tgz").read_bytes())) as tar:
        told = [(each.name, each.mtime, each.uid, each.uname, each.mode) for each in tar]
    assert told == [(name, EPOCH, 0, "", 0o644) for name in ("a", "b/c")]
