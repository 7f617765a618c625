"""kubectl and Helm, on the cluster that KUBECONFIG names."""

import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

Resource = Mapping[str, Any]

SWITCH = "EINLADUNG_KUBECTL"  # set while the tests may use the cluster: the path of kubectl
RUNNING = "EINLADUNG_KUBERNETES_RUNS"  # set while pods run there
ENFORCED = "EINLADUNG_KUBERNETES_POLICIES"  # set where it enforces NetworkPolicies
TIMEOUT = 300.0  # seconds


def attempt(
    *arguments: str, given: str = "", timeout: float = TIMEOUT
) -> subprocess.CompletedProcess[str]:
    """Run kubectl, whatever comes of it."""
    command = [os.environ[SWITCH], *arguments]
    return subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=timeout, check=False
    )


def kubectl(*arguments: str, given: str = "", timeout: float = TIMEOUT) -> str:
    """Run kubectl, which must succeed, and return its output."""
    done = attempt(*arguments, given=given, timeout=timeout)
    assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr[-2000:]}"
    return done.stdout


def apply(namespace: str, resources: Iterable[Resource]) -> None:
    """Have these in a namespace."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(resources)})
    how = ("--server-side", "--force-conflicts", f"--namespace={namespace}", "--filename=-")
    kubectl("apply", *how, given=given)


def got(*arguments: str) -> Any:
    """What `kubectl get` knows, as JSON."""
    return json.loads(kubectl("get", *arguments, "--output=json"))
