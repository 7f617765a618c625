"""A Docker engine with compose: the one that answers, or one of our own for as long as we run."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local.folder import cache_folder

COMPOSE = ("github.com/docker/compose/v2", "v2.40.3")
START_TIMEOUT = 60.0  # seconds
STOP_TIMEOUT = 60.0  # seconds
BUILD_TIMEOUT = 1200.0  # seconds

Environment = Mapping[str, str]


class Unavailable(Exception):
    """No engine, and none can be had: a sentence for the user."""


@contextmanager
def engine(*, compose: bool = True) -> Iterator[Environment]:
    """The environment that `docker`, and `docker compose` if asked, work in. Raises Unavailable."""
    environment = dict(os.environ)
    if answers(environment):
        print("Docker engine: the one that answers.", flush=True)
        yield with_compose(environment) if compose else environment
        return
    install()
    folder = Path(tempfile.mkdtemp(prefix="einladung-engine-"))
    socket = folder / "docker.sock"
    environment["DOCKER_HOST"] = f"unix://{socket}"
    try:
        with (folder / "dockerd.log").open("wb") as log:
            daemon = subprocess.Popen(
                [
                    *("dockerd", "--host", environment["DOCKER_HOST"]),
                    *("--data-root", folder / "root", "--exec-root", folder / "exec"),
                    *("--pidfile", folder / "docker.pid"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_for(environment, daemon, folder / "dockerd.log")
            print(f"Docker engine: our own, in {folder}.", flush=True)
            yield with_compose(environment) if compose else environment
        finally:
            daemon.terminate()
            try:
                daemon.wait(STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def answers(environment: Environment) -> bool:
    """Whether an engine does."""
    if shutil.which("docker") is None:
        return False
    asked = subprocess.run(
        ["docker", "version"], env=environment, capture_output=True, timeout=30, check=False
    )
    return asked.returncode == 0


def install() -> None:
    """Have dockerd: Debian's, where we are root. Raises Unavailable."""
    if shutil.which("dockerd") is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Unavailable("No Docker engine answers, and without root none can be installed.")
    print("Installing Debian's Docker engine ...", flush=True)
    quiet = {**os.environ, "RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    for step in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io", "iptables"],
    ):
        subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL, check=True)


def wait_for(environment: Environment, daemon: "subprocess.Popen[bytes]", log: Path) -> None:
    """Return once the engine answers. Raises Unavailable."""
    deadline = time.monotonic() + START_TIMEOUT
    while not answers(environment):
        if daemon.poll() is not None or time.monotonic() > deadline:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise Unavailable(f"The Docker engine does not start: {' '.join(last)}")
        time.sleep(0.2)


def with_compose(environment: Environment) -> Environment:
    """The environment in which `docker compose` is there. Raises Unavailable."""
    asked = subprocess.run(
        ["docker", "compose", "version"], env=environment, capture_output=True, check=False
    )
    if asked.returncode == 0:
        return environment
    config = cache_folder() / "docker-config"
    plugin = config / "cli-plugins" / "docker-compose"
    if not plugin.exists():
        build_compose(plugin)
    return {**environment, "DOCKER_CONFIG": str(config)}


def build_compose(plugin: Path) -> None:
    """Build compose from its Go module, whose sums Go checks."""
    go = shutil.which("go")
    if go is None:
        raise Unavailable("`docker compose` is missing, and without Go it can't be built.")
    print("Building docker compose (some minutes, once) ...", flush=True)
    download = [go, "mod", "download", "-json", "@".join(COMPOSE)]
    found = subprocess.run(download, capture_output=True, check=True, timeout=BUILD_TIMEOUT)
    plugin.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="einladung-compose-") as scratch:
        source = Path(scratch) / "source"
        shutil.copytree(json.loads(found.stdout)["Dir"], source)
        subprocess.run(["chmod", "-R", "u+w", source], check=True)
        subprocess.run(
            [go, "build", "-o", plugin, "./cmd"],
            cwd=source,
            env={**os.environ, "CGO_ENABLED": "0"},
            stderr=subprocess.DEVNULL,
            timeout=BUILD_TIMEOUT,
            check=True,
        )
