"""What a release consists of, in dist/: `make release` (docs/releasing.md).

    python -m tools.release [--without images] [--stand-ins]

All of it is made of the commit, none of it of the working tree, and with the commit's time: a
second run writes the same bytes, but for the images. What can't be made here is named at the end,
and the exit code is 1 unless `--without` says so.
"""

import argparse
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.version import VERSION as CONTRACTS
from tools import archives, sbom
from tools.product import PRODUCT, ROOT

DIST = ROOT / "dist"
SUMS = "SHA256SUMS"
STAND_IN = "einladung-stand-in/"  # tests/compose makes them where no registry gives an image
BUILD_TIMEOUT = 1800.0  # seconds
NO_PART_OF_A_CHART = ("ci", ".helmignore")


class Refused(Exception):
    """Of this tree there is no release: a sentence for whoever makes it."""


class Missing(Exception):
    """A part can't be made on this machine: why not."""


@dataclass(frozen=True, slots=True)
class Release:
    """Where it is made from, and where to."""

    tree: Path  # of the commit, nothing else in it
    epoch: int  # of the commit, in Unix seconds
    dist: Path
    stand_ins: bool = False  # whether images may begin with what only stands for their base


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description=__doc__)
    parser.add_argument("--without", action="append", choices=PARTS, default=[], metavar="PART")
    parser.add_argument(
        "--stand-ins", action="store_true", help="images of a stand-in of their base, for trying"
    )
    options = parser.parse_args()
    try:
        epoch = releasable(ROOT)
        with tempfile.TemporaryDirectory(prefix="einladung-release-") as scratch:
            tree = exported(ROOT, Path(scratch))
            shutil.rmtree(DIST, ignore_errors=True)
            DIST.mkdir()
            missing = make(Release(tree, epoch, DIST, options.stand_ins), options.without)
    except Refused as reason:
        print(f"No release: {reason}", file=sys.stderr)
        return 1
    for part, why in missing.items():
        print(f"NOT made: {part}: {why}", file=sys.stderr)
    if missing:
        left = " ".join(f"--without {part}" for part in missing)
        print(f'dist/ lacks a part. Where that is meant: make release ARGS="{left}"')
        return 1
    print(f"{PRODUCT} is in dist/.")
    return 0


def releasable(tree: Path) -> int:
    """The time of the commit of which a release may be made. Raises Refused."""
    if changed := _git(tree, "status", "--porcelain").decode().splitlines():
        raise Refused(f"the tree has changes that are not committed, as {changed[0][3:]}")
    said_in_changelogs((tree / "CHANGELOG.md").read_text(), PRODUCT)
    contracts = (tree / "contracts" / "CHANGELOG.md").read_text()
    if not re.search(rf"^## {re.escape(CONTRACTS)}, \d{{1,2}} \w+ \d{{4}}$", contracts, re.M):
        raise Refused(f"contracts/CHANGELOG.md has no {CONTRACTS} with its day")
    if not (tree / "tests" / "contract" / "released" / CONTRACTS).is_dir():
        raise Refused(f"{CONTRACTS} of the contracts is not recorded: python -m tools.record")
    check = [sys.executable, "-m", "tools.generate", "--check"]
    if subprocess.run(check, cwd=tree, check=False).returncode != 0:
        raise Refused("what is generated is stale")
    return int(_git(tree, "log", "-1", "--format=%ct"))


def said_in_changelogs(changelog: str, version: str) -> None:
    """Raise Refused unless it has this version, with its day and what is new, and nothing newer."""
    sections = dict(re.findall(r"^## (\[.*)\n((?:(?!## ).*\n?)*)", changelog, re.M))
    title = rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d"
    said = [text for name, text in sections.items() if re.fullmatch(title, name)]
    if not said or not said[0].strip():
        raise Refused(f"CHANGELOG.md has no [{version}] with its day and what is new")
    if sections.get("[Unreleased]", "").strip():
        raise Refused(f"what CHANGELOG.md has under [Unreleased] belongs to {version}")


def exported(tree: Path, folder: Path) -> Path:
    """The commit's files, in a folder in this one."""
    found = folder / "tree"
    with tarfile.open(fileobj=io.BytesIO(_git(tree, "archive", "--format=tar", "HEAD"))) as tar:
        tar.extractall(found, filter="data")
    return found


def make(release: Release, without: list[str]) -> Mapping[str, str]:
    """Every part and their sums; returns those that can't be made here, with the reason."""
    missing = dict[str, str]()
    for part, maker in PARTS.items():
        if part in without:
            continue
        try:
            maker(release)
        except Missing as reason:
            missing[part] = str(reason)
    sums = {file.name: _digest(file) for file in sorted(release.dist.iterdir())}
    text = "".join(f"{digest}  {name}\n" for name, digest in sums.items())
    (release.dist / SUMS).write_text(text)
    print(text, end="")
    return missing


def client(release: Release) -> None:
    """Wheel and source of the consumers' package (clients/python)."""
    _run(
        [sys.executable, "-m", "hatchling", "build", "--directory", release.dist],
        cwd=release.tree / "clients" / "python",
        env={**os.environ, "SOURCE_DATE_EPOCH": str(release.epoch)},
        needs="hatchling",
    )


def contracts(release: Release) -> None:
    """What other languages are generated from: schemas, AsyncAPI, OpenAPI, problems."""
    root = release.tree / "contracts"
    kinds = ("CHANGELOG.md", "asyncapi.yaml", "problems.json", "openapi/*.json", "schemas/*.json")
    name = f"einladung-contracts-{CONTRACTS}"
    content = {
        f"{name}/{file.relative_to(root)}": file.read_bytes()
        for kind in kinds
        for file in root.glob(kind)
    }
    content[f"{name}/LICENSE"] = (release.tree / "LICENSE").read_bytes()
    archives.write(release.dist / f"{name}.tar.gz", content, release.epoch)


def chart(release: Release) -> None:
    """The Helm chart as `helm install` takes it; `helm package` would write today into it."""
    root = release.tree / "deploy" / "helm" / "einladung"
    content = {
        f"einladung/{name}": file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
        and (name := file.relative_to(root).as_posix()).split("/")[0] not in NO_PART_OF_A_CHART
    }
    archives.write(release.dist / f"einladung-{PRODUCT}.tgz", content, release.epoch)


def bills(release: Release) -> None:
    """A bill of materials of each image."""
    moment = datetime.fromtimestamp(release.epoch, UTC)
    for image in sbom.IMAGES:
        path = release.dist / f"einladung-{image}-{PRODUCT}.cdx.json"
        path.write_text(sbom.bill(image, moment) + "\n")


def images(release: Release) -> None:
    """All images in one archive for `docker load`. The time of building is in them."""
    base = sbom.base_image()
    if _docker("version") is None:
        raise Missing("no Docker engine answers")
    if _docker("image", "inspect", base) is None and _docker("pull", "--quiet", base) is None:
        raise Missing(f"no registry gives {base}, which they begin with")
    tags = json.loads(_docker("image", "inspect", base) or "[{}]")[0].get("RepoTags", [])
    if not release.stand_ins and any(tag.startswith(STAND_IN) for tag in tags):
        raise Missing(f"what is here as {base} is a stand-in")
    names = [f"einladung/{image}:{PRODUCT}" for image in sbom.IMAGES]
    for name, target in zip(names, sbom.IMAGES, strict=True):
        _run(
            [
                *("docker", "build", "--quiet", "--file", "deploy/Dockerfile"),
                *("--target", target, "--tag", name, "."),
            ],
            cwd=release.tree,
            env=dict(os.environ),
        )
    archive = release.dist / f"einladung-images-{PRODUCT}.tar"
    _run(["docker", "save", "--output", archive, *names], cwd=release.tree, env=dict(os.environ))
    archive.chmod(0o644)  # the engine's client makes it its owner's alone


PARTS: Mapping[str, Callable[[Release], None]] = {
    "client": client,
    "contracts": contracts,
    "chart": chart,
    "bills": bills,
    "images": images,
}


def _run(
    command: list[str | Path], *, cwd: Path, env: Mapping[str, str], needs: str | None = None
) -> None:
    """Raises Missing where it fails."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUILD_TIMEOUT,
        check=False,
    )
    if done.returncode != 0:
        if needs is not None and f"No module named {needs}" in done.stdout:
            raise Missing(f"{needs} is not installed here")
        print(done.stdout, file=sys.stderr)
        raise Missing(f"{Path(command[0]).name} {command[1]} fails (above)")


def _docker(*arguments: str) -> str | None:
    """What docker says; None where it fails or is not there."""
    if shutil.which("docker") is None:
        return None
    command = ["docker", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout if done.returncode == 0 else None


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _git(tree: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", tree, *arguments], capture_output=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
