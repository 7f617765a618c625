"""The images that the cluster runs, in one archive: ours, a changed release of them, stand-ins.

They are built from deploy/Dockerfile with the engine that tests.compose has, once for each state of
what goes into them, and kept in the cache.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from local.folder import cache_folder
from local.processes import REPOSITORY
from tests.compose import images
from tests.compose.engine import Environment, engine
from tests.upgrade.previous import LEFT_OUT, expand

PREFIX = "localhost/einladung"
COMPONENTS = ("dashboard", "scheduling", "notification", "status", "webhooks", "fhir", "tools")
RELEASE, NEXT_RELEASE = "1", "2"
NEXT_VERSION = "1.1.1-next"  # that its APIs name
PAUSE = "localhost/pause:1"  # what holds a pod's namespaces
FOLDERS = ("requirements", "contracts", "chassis", "services", "dashboard", "local")
NOT_NEEDED = ("mailpit",)
BUILD_TIMEOUT = 1800.0  # seconds


def archive() -> Path:
    """The archive, built now if need be. Raises tests.compose.engine.Unavailable."""
    kept = cache_folder() / "kubernetes-images"
    wanted = kept / f"{_state()}.tar"
    if not wanted.exists():
        kept.mkdir(parents=True, exist_ok=True)
        draft = wanted.with_suffix(".part")
        _build(draft)
        for old in kept.glob("*.tar"):
            old.unlink()
        draft.rename(wanted)
    return wanted


def stand_in(name: str) -> str:
    """The image of `postgres` or `kafka`, as the compose file names it."""
    return images.needed()[name]


def _state() -> str:
    """What goes into the images, as a hash."""
    digest = hashlib.sha256()
    for file in _sources():
        digest.update(f"{file.relative_to(REPOSITORY)}\n".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    yield from (REPOSITORY / "deploy" / "Dockerfile", Path(__file__), Path(images.__file__))
    yield from sorted(images.STAND_INS.iterdir())
    for folder in FOLDERS:
        files = (REPOSITORY / folder).rglob("*")
        yield from sorted(
            file for file in files if file.is_file() and "__pycache__" not in file.parts
        )


def _build(out: Path) -> None:
    with (
        engine(compose=False) as environment,
        tempfile.TemporaryDirectory(prefix="einladung-") as scratch,
    ):
        stand_ins = images.have(environment, without=NOT_NEEDED)
        print(f"Stand-ins, as no registry gave them: {', '.join(stand_ins) or 'none'}", flush=True)
        changed = Path(scratch) / "next"
        shutil.copytree(REPOSITORY, changed, ignore=LEFT_OUT)
        shutil.copy(REPOSITORY / ".dockerignore", changed)
        expand(changed)
        version = changed / "contracts" / "version.py"
        version.write_text(f'"""The next release\'s."""\n\nVERSION = "{NEXT_VERSION}"\n')
        for release, tree in ((RELEASE, REPOSITORY), (NEXT_RELEASE, changed)):
            print(f"Building release {release} ...", flush=True)
            for component in COMPONENTS:
                _image(environment, component, release, tree)
        _pause(environment, Path(scratch) / "pause")
        ours = [f"{PREFIX}/{name}:{tag}" for name in COMPONENTS for tag in (RELEASE, NEXT_RELEASE)]
        others = [stand_in("postgres"), stand_in("kafka"), PAUSE]
        save = ["save", "--output", str(out), *ours, *others]
        images.docker(environment, *save, timeout=BUILD_TIMEOUT)


def _image(environment: Environment, component: str, release: str, tree: Path) -> None:
    images.docker(
        environment,
        *("build", "--quiet", "--target", component, "--tag", f"{PREFIX}/{component}:{release}"),
        *("--file", tree / "deploy" / "Dockerfile", tree),
        timeout=BUILD_TIMEOUT,
    )


def _pause(environment: Environment, folder: Path) -> None:
    """It only has to be there: whatever sleeps will do."""
    folder.mkdir()
    (folder / "Dockerfile").write_text(
        f'FROM {images.needed()["python"]}\nUSER 65535:65535\nCMD ["sleep", "infinity"]\n'
    )
    images.docker(environment, "build", "--quiet", "--tag", PAUSE, folder, timeout=BUILD_TIMEOUT)


def load(command: str, into: Path) -> None:
    """Give the archive to a cluster by somebody's command. Raises CalledProcessError."""
    subprocess.run([*command.split(), str(into)], timeout=BUILD_TIMEOUT, check=True)
