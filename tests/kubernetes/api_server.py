"""A Kubernetes API server of our own, on loopback addresses and free ports, for a while.

It validates and admits as any other; nothing runs on it, since it has no controllers and no node.
"""

import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from local.ports import free_port
from tests.kubernetes.programs import Unavailable

START_TIMEOUT = 180.0  # seconds
STOP_TIMEOUT = 30.0  # seconds

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{{name: it, cluster: {{server: "{server}", certificate-authority: "{authority}"}}}}]
users: [{{name: admin, user: {{token: "{token}"}}}}]
contexts: [{{name: it, context: {{cluster: it, user: admin}}}}]
current-context: it
"""


@contextmanager
def api_server(programs: Path, folder: Path) -> Iterator[Path]:
    """The file by which it is reached as an administrator. Raises Unavailable."""
    port, store, peers = free_port(), free_port(), free_port()
    token = secrets.token_hex(16)
    tokens = folder / "tokens.csv"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},admin,admin,system:masters\n")
    key = folder / "accounts.key"
    _openssl("genrsa", "-out", str(key), "2048")
    public = folder / "accounts.pub"
    _openssl("rsa", "-in", str(key), "-pubout", "-out", str(public))
    kubeconfig = folder / "kubeconfig"
    authority = folder / "apiserver" / "apiserver.crt"
    kubeconfig.write_text(
        KUBECONFIG.format(server=f"https://127.0.0.1:{port}", authority=authority, token=token)
    )
    with ExitStack() as stack:
        etcd = _run(
            *(programs / "etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync"),
            *("--listen-client-urls", f"http://127.0.0.1:{store}"),
            *("--advertise-client-urls", f"http://127.0.0.1:{store}"),
            *("--listen-peer-urls", f"http://127.0.0.1:{peers}"),
            *("--initial-advertise-peer-urls", f"http://127.0.0.1:{peers}"),
            *("--initial-cluster", f"default=http://127.0.0.1:{peers}", "--log-level", "warn"),
            log=folder / "etcd.log",
        )
        stack.callback(_stop, etcd)
        server = _run(
            *(programs / "kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{store}"),
            *("--cert-dir", folder / "apiserver", "--secure-port", str(port)),
            *("--bind-address", "127.0.0.1", "--service-cluster-ip-range", "10.96.0.0/16"),
            *("--service-account-issuer", "https://kubernetes.default.svc"),
            *("--service-account-key-file", public),
            *("--service-account-signing-key-file", key),
            *("--token-auth-file", tokens, "--authorization-mode", "RBAC"),
            *("--disable-admission-plugins", "ServiceAccount"),
            log=folder / "kube-apiserver.log",
        )
        stack.callback(_stop, server)
        _await_ready(programs, kubeconfig, server)
        yield kubeconfig


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], capture_output=True, timeout=60, check=True)


def _run(*command: str | Path, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as out:
        return subprocess.Popen(list(map(str, command)), stdout=out, stderr=out, cwd=log.parent)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _await_ready(programs: Path, kubeconfig: Path, server: "subprocess.Popen[bytes]") -> None:
    ask = [str(programs / "kubectl"), f"--kubeconfig={kubeconfig}", "get", "--raw", "/readyz"]
    deadline = time.monotonic() + START_TIMEOUT
    while subprocess.run(ask, capture_output=True, timeout=60, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"The API server did not start; see {kubeconfig.parent}.")
        time.sleep(0.5)
