"""The chart on a real Kubernetes API server: `make test-kubernetes`.

Takes the cluster that KUBECONFIG names, which it changes nothing in but the definitions of
operators' resources that are missing, and two namespaces; else it makes an API server of its own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from local.processes import REPOSITORY
from tests.kubernetes import programs
from tests.kubernetes.api_server import api_server
from tests.kubernetes.programs import Unavailable

SWITCH = "EINLADUNG_KUBECTL"  # set while the tests may use the cluster: the path of kubectl


def main() -> int:
    """Command line."""
    try:
        folder = programs.have()
        if os.environ.get("KUBECONFIG"):
            return _pytest(folder, os.environ["KUBECONFIG"])
        with (
            tempfile.TemporaryDirectory(prefix="einladung-kubernetes-") as state,
            api_server(folder, Path(state)) as kubeconfig,
        ):
            return _pytest(folder, str(kubeconfig))
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1


def _pytest(folder: Path, kubeconfig: str) -> int:
    environment = {**os.environ, "KUBECONFIG": kubeconfig, SWITCH: str(folder / "kubectl")}
    command = [sys.executable, "-m", "pytest", "tests/kubernetes", *sys.argv[1:]]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
