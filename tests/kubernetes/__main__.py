"""The chart on a real Kubernetes: `make test-kubernetes`, or `python -m tests.kubernetes [--api]`.

Takes the cluster that KUBECONFIG names; else it makes one of a single node, in namespaces of its
own. With `--api` nothing runs: an API server of its own admits what the chart renders.

A cluster of somebody else's gets the definitions of operators' resources that it lacks, and some
namespaces whose names begin with „einladung-"; what was installed is removed. The images come into
it by the command that EINLADUNG_KUBERNETES_IMPORT names, as „kind load image-archive".
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local.processes import REPOSITORY
from tests.compose import engine
from tests.kubernetes import images, node, programs
from tests.kubernetes.api_server import api_server
from tests.kubernetes.kubectl import RUNNING, SWITCH
from tests.kubernetes.programs import Unavailable

IMPORT = "EINLADUNG_KUBERNETES_IMPORT"  # variable: a command that takes an archive of images
TESTS = "tests/kubernetes"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.kubernetes")
    parser.add_argument("--api", action="store_true", help="dry runs on an API server alone")
    options, more = parser.parse_known_args()
    try:
        folder = programs.have()
        theirs = os.environ.get("KUBECONFIG")
        if options.api and not theirs:
            with (
                tempfile.TemporaryDirectory(prefix="einladung-kubernetes-") as state,
                api_server(folder, Path(state)) as kubeconfig,
            ):
                return _here(folder, str(kubeconfig), more)
        if options.api:
            return _here(folder, str(theirs), more)
        os.environ[RUNNING] = "1"
        if theirs:
            if command := os.environ.get(IMPORT):
                images.load(command, images.archive())
            return _here(folder, theirs, more)
        node.have()
        archive = images.archive()
        list(programs.definitions())  # in there nothing can be fetched
        with tempfile.TemporaryDirectory(prefix="einladung-kubernetes-") as state:
            return node.run(_pytest(more), programs=folder, archive=archive, state=Path(state))
    except (Unavailable, engine.Unavailable) as reason:
        print(reason, file=sys.stderr)
        return 1


def _pytest(more: list[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", TESTS, *more]


def _here(folder: Path, kubeconfig: str, more: list[str]) -> int:
    environment = {**os.environ, "KUBECONFIG": kubeconfig, SWITCH: str(folder / "kubectl")}
    return subprocess.run(_pytest(more), cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
