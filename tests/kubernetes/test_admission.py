"""What the chart renders is taken by a real API server: schemas, defaults, Pod Security, CRDs.

Every request is a dry run: nothing is stored but namespaces and operators' definitions.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tests.kubernetes import programs
from tests.kubernetes.kubectl import SWITCH
from tests.kubernetes.kubectl import attempt as kubectl
from tests.support import helm
from tests.support.helm import EVERYTHING, PRODUCTION, Resource

pytestmark = pytest.mark.skipif(SWITCH not in os.environ, reason="make test-kubernetes runs these")

NOT_DEFINED = {"KafkaTopic", "KafkaUser"}  # Strimzi's definitions are in no module


@pytest.fixture(scope="module")
def cluster() -> None:
    """Where pods of the namespace have to be as restricted as Kubernetes knows how to ask."""
    for folder in programs.definitions():
        done = kubectl("apply", "--server-side", "--force-conflicts", f"--filename={folder}")
        # a README among them, and samples, are no resources
        assert "customresourcedefinition" in done.stdout, done.stderr
    security = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    for name in ("praxis", "kafka"):
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": security},
        }
        done = kubectl("apply", "--server-side", "--filename=-", given=json.dumps(namespace))
        assert done.returncode == 0, done.stderr
    crds = kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    assert crds.returncode == 0, crds.stderr


def dry_run(resources: Iterable[Resource]) -> subprocess.CompletedProcess[str]:
    # In the namespace of the release unless a resource says otherwise.
    given = yaml.safe_dump_all(
        [{**each, "metadata": {"namespace": "praxis", **each["metadata"]}} for each in resources]
    )
    how = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "--filename=-")
    return kubectl(*how, given=given)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("values", [(PRODUCTION,), (PRODUCTION, EVERYTHING)])
def test_every_resource_is_admitted_without_a_warning(values: tuple[Path, ...]) -> None:
    resources = [each for each in helm.render(*values) if each["kind"] not in NOT_DEFINED]
    done = dry_run(resources)
    assert done.stderr == ""
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == len(resources)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("Deployment", {"strategy": {"type": "Sometimes"}}, "spec.strategy: Unsupported value"),
        ("ScaledObject", {"maxReplicaCount": "many"}, "maxReplicaCount"),
        ("PrometheusRule", {"groups": [{"rules": []}]}, "name"),
        ("Certificate", {"dnsNames": 7}, "dnsNames"),
        ("HTTPRoute", {"hostnames": ["no host"]}, "hostnames"),
    ],
)
def test_what_is_wrong_would_be_refused(kind: str, change: dict[str, object], reason: str) -> None:
    wrong = next(each for each in helm.render(PRODUCTION, EVERYTHING) if each["kind"] == kind)
    done = dry_run([{**wrong, "spec": {**wrong["spec"], **change}}])
    assert done.returncode != 0
    assert reason in done.stderr
