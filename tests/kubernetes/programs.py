"""The programs of a Kubernetes, built as one from Go modules, once: `programs/` and the cache.

About 26 minutes of one processor, 3.3 GB of memory and 4 GB of Go's caches; 160 MB remain.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from local.folder import cache_folder

VERSION = "1.37.2"
FOLDER = "EINLADUNG_KUBERNETES_PROGRAMS"  # variable: where they are already
PARTS = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
)
POLICIES = "kube-network-policies"  # lets no packet through that a NetworkPolicy does not
SOURCES = Path(__file__).parent / "programs"
BUILD_TIMEOUT = 7200.0  # seconds
DOWNLOAD_TIMEOUT = 600.0  # seconds

# Modules with the definitions of operators' resources that the chart can make, and where in them.
# Strimzi's are in no module.
OPERATORS = {
    "github.com/kedacore/keda/v2@v2.21.0": "config/crd/bases",
    "github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd",
    "github.com/cert-manager/cert-manager@v1.21.2": "deploy/crds",
    "sigs.k8s.io/gateway-api@v1.4.1": "config/crd/standard",
}


class Unavailable(Exception):
    """No Kubernetes, and none can be built: a sentence for the user."""


def have() -> Path:
    """The folder with all PARTS, built now if need be. Raises Unavailable."""
    if os.environ.get(FOLDER):
        return Path(os.environ[FOLDER])
    files = sorted(path for path in SOURCES.rglob("*") if path.is_file())
    sources = b"".join(path.read_bytes() for path in files)
    folder = cache_folder() / f"kubernetes-{VERSION}-{hashlib.sha256(sources).hexdigest()[:12]}"
    if not (folder / POLICIES).exists():
        _build(folder)
    for part in PARTS:
        link = folder / part
        if not link.exists():
            link.symlink_to("cluster")
    return folder


def _build(folder: Path) -> None:
    if shutil.which("go") is None:
        raise Unavailable("To build a Kubernetes Go is needed (or KUBECONFIG, which names one).")
    print(f"Building Kubernetes {VERSION}: half an hour, once ...", flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    about = "".join(
        f" -X k8s.io/{package}.gitVersion=v{VERSION} -X k8s.io/{package}.gitTreeState=clean"
        f" -X k8s.io/{package}.gitMajor=1 -X k8s.io/{package}.gitMinor={VERSION.split('.')[1]}"
        for package in ("component-base/version", "client-go/pkg/version")
    )
    _go_build(folder / "cluster", ".", about)
    _go_build(folder / "coredns", "./dns")
    _go_build(folder / POLICIES, "sigs.k8s.io/kube-network-policies/cmd")


def _go_build(program: Path, package: str, flags: str = "") -> None:
    draft = program.with_suffix(".part")
    command = ["go", "build", "-trimpath", "-ldflags", f"-s -w{flags}", "-o", str(draft), package]
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    subprocess.run(command, cwd=SOURCES, env=environment, timeout=BUILD_TIMEOUT, check=True)
    draft.rename(program)


def definitions() -> Iterable[Path]:
    """Folders with the definitions of OPERATORS' resources. Raises Unavailable."""
    if shutil.which("go") is None:
        raise Unavailable("Operators' definitions come as Go modules, and Go is missing.")
    for module, folder in OPERATORS.items():
        done = subprocess.run(
            ["go", "mod", "download", "-json", module],
            cwd=Path("/"),
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_TIMEOUT,
            check=True,
        )
        [place] = [line for line in done.stdout.splitlines() if '"Dir"' in line]
        yield Path(place.split('"')[3]) / folder
