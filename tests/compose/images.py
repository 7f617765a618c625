"""The images that ours and the compose file begin with: pulled, or else stand-ins of them."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import yaml

from local.folder import cache_folder
from local.processes import REPOSITORY
from tests.compose.engine import Environment

STAND_INS = Path(__file__).with_name("stand_ins")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
DEFAULT = re.compile(r"\$\{\w+:-(?P<image>[^}]+)\}$")
PULL_TIMEOUT = 600.0  # seconds
BUILD_TIMEOUT = 1200.0  # seconds
PREFIX = "einladung-stand-in/"
MAILPIT = "github.com/axllent/mailpit"


def default_of(text: str) -> str:
    """The image that `${VARIABLE:-image}` stands for where the variable is not set."""
    found = DEFAULT.match(text)
    return found["image"] if found else text


def needed() -> dict[str, str]:
    """Image by the stand-in that there is for it."""
    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())["services"]
    images = {
        name: default_of(services[name]["image"]) for name in ("postgres", "kafka", "mailpit")
    }
    dockerfile = (REPOSITORY / "deploy" / "Dockerfile").read_text()
    [images["python"]] = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", dockerfile, re.MULTILINE)
    return images


def have(environment: Environment, *, without: Collection[str] = ()) -> list[str]:
    """Have every image but those `without`; returns those that are stand-ins."""
    images = {name: image for name, image in needed().items() if name not in without}
    missing = {name: image for name, image in images.items() if not has(environment, image)}
    with tempfile.TemporaryDirectory(prefix="einladung-stand-ins-") as scratch:
        for name, image in missing.items():
            print(f"Image {image} ...", flush=True)
            if not pull(environment, image):
                StandIns(environment, Path(scratch)).make(name, image)
    return [image for image in images.values() if is_stand_in(environment, image)]


def docker(environment: Environment, *arguments: str | Path, timeout: float) -> str:
    """Run docker and return what it says. Raises CalledProcessError."""
    done = subprocess.run(
        ["docker", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        timeout=timeout,
        check=True,
        text=True,
    )
    return done.stdout


def succeeds(environment: Environment, *arguments: str, timeout: float = 30) -> bool:
    """Whether a docker command does."""
    done = subprocess.run(
        ["docker", *arguments], env=environment, capture_output=True, timeout=timeout, check=False
    )
    return done.returncode == 0


def has(environment: Environment, image: str) -> bool:
    """Whether the engine has it."""
    return succeeds(environment, "image", "inspect", image)


def pull(environment: Environment, image: str) -> bool:
    """Whether a registry gives it."""
    return succeeds(environment, "pull", "--quiet", image, timeout=PULL_TIMEOUT)


def is_stand_in(environment: Environment, image: str) -> bool:
    """Whether an image is one of ours."""
    shown = docker(environment, "image", "inspect", image, timeout=30)
    return any(tag.startswith(PREFIX) for tag in json.loads(shown)[0]["RepoTags"])


class StandIns:
    """Makes them in a scratch folder, those they are made of first."""

    def __init__(self, environment: Environment, scratch: Path) -> None:
        self._environment = environment
        self._folder = scratch
        self._prepare: dict[str, Callable[[], None]] = {
            "python": self._debian,
            "postgres": lambda: self._base("python"),
            "kafka": self._kafka,
            "mailpit": self._mailpit,
        }

    def make(self, name: str, image: str) -> None:
        """Build it under its own name and under the one that it stands in for."""
        self._base(name)
        docker(self._environment, "tag", PREFIX + name, image, timeout=30)

    def _base(self, name: str) -> None:
        if has(self._environment, PREFIX + name):
            return
        self._prepare[name]()
        shutil.copytree(STAND_INS, self._folder, dirs_exist_ok=True)
        docker(
            self._environment,
            *("build", "--quiet", "--tag", PREFIX + name),
            *("--file", self._folder / f"{name}.Dockerfile", self._folder),
            timeout=BUILD_TIMEOUT,
        )
        print(f"  made a stand-in for {name}", flush=True)

    def _debian(self) -> None:
        if shutil.which("mmdebstrap") is None:
            install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "mmdebstrap"]
            subprocess.run(install, stdout=subprocess.DEVNULL, check=True)
        archive = self._folder / "debian.tar"
        subprocess.run(
            [
                *("mmdebstrap", "--quiet", "--variant=minbase"),
                *("--include=ca-certificates,python3,python3-venv", "trixie", archive),
            ],
            timeout=BUILD_TIMEOUT,
            check=True,
        )
        docker(self._environment, "import", archive, f"{PREFIX}debian", timeout=BUILD_TIMEOUT)
        archive.unlink()
        # Behind a proxy with a certificate of its own, builds need it as this machine does.
        shutil.copy(CERTIFICATES, self._folder)
        (self._folder / "pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")

    def _kafka(self) -> None:
        self._base("python")
        jars = cache_folder() / "kafka-jars"
        download = [sys.executable, "-m", "local.jar_download", str(jars)]
        subprocess.run(download, cwd=REPOSITORY, check=True, timeout=BUILD_TIMEOUT)
        shutil.copytree(jars, self._folder / "kafka-jars")

    def _mailpit(self) -> None:
        version = needed()["mailpit"].rpartition(":")[2]
        download = ["go", "mod", "download", "-json", f"{MAILPIT}@{version}"]
        found = subprocess.run(download, capture_output=True, check=True, timeout=BUILD_TIMEOUT)
        source = self._folder / "mailpit-source"
        shutil.copytree(json.loads(found.stdout)["Dir"], source)
        subprocess.run(["chmod", "-R", "u+w", source], check=True)
        subprocess.run(
            ["go", "build", "-o", self._folder / "mailpit", "."],
            cwd=source,
            env={**os.environ, "CGO_ENABLED": "0"},
            stderr=subprocess.DEVNULL,
            timeout=BUILD_TIMEOUT,
            check=True,
        )
        shutil.rmtree(source)
