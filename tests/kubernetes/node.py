"""A Kubernetes of one node for as long as something runs on it: node.sh, and what it needs."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from local.processes import REPOSITORY
from tests.kubernetes.kubectl import ENFORCED, SWITCH
from tests.kubernetes.programs import Unavailable

SCRIPT = Path(__file__).with_name("node.sh")
# Debian's packages, by a file of each.
PACKAGES = {
    "/usr/bin/containerd": "containerd",
    "/usr/sbin/runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "/usr/sbin/iptables": "iptables",
}


def have() -> None:
    """Have what runs containers: Debian's, where we are root. Raises Unavailable."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        raise Unavailable(
            "A node of our own needs root on a Linux (or KUBECONFIG names a cluster)."
        )
    missing = [package for file, package in PACKAGES.items() if not Path(file).exists()]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise Unavailable(f"For a node of our own {', '.join(missing)} is missing.")
    print(f"Installing {', '.join(missing)} ...", flush=True)
    # RUNLEVEL: so that none of them is started.
    quiet = {**os.environ, "RUNLEVEL": "1", "DEBIAN_FRONTEND": "noninteractive"}
    for step in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing],
    ):
        subprocess.run(step, env=quiet, stdout=subprocess.DEVNULL, check=True)


def run(command: Sequence[str], *, programs: Path, archive: Path, state: Path) -> int:
    """Run it in the node's namespaces, with its KUBECONFIG; the exit code."""
    environment = {
        **os.environ,
        "PROGRAMS": str(programs),
        "IMAGES": str(archive),
        "STATE": str(state),
        SWITCH: str(programs / "kubectl"),
        ENFORCED: "1",
    }
    done = subprocess.run([SCRIPT, *command], cwd=REPOSITORY, env=environment, check=False)
    return done.returncode
