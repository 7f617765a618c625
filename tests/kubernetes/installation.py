"""The chart installed beside stand-ins of what an installation has elsewhere, and used there."""

import base64
import json
import re
import string
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import yaml

from local import kafka_setup
from local.containers import made_secrets
from local.kafka_setup import CONTROLLER, LOGINS, Listener
from local.modules import MODULES
from local.practice import DEMO_PRACTICE
from tests.kubernetes import images
from tests.kubernetes.authority import Authority
from tests.kubernetes.kubectl import Resource, apply, attempt, got, kubectl
from tests.support import helm

OURS, OUTSIDE = "einladung-test", "einladung-outside"  # namespaces
RELEASE = "einladung"
CODE = "tests.kubernetes.driver"  # which pods outside have
HERE = Path(__file__).parent
VALUES = HERE / "values.yaml"
STAND_INS = ("postgres", "kafka", "mail", "login", "driver")
COMPONENTS = ("dashboard", "scheduling", "notification", "status", "webhooks", "fhir")
AUTHORITY = "/etc/einladung/authorities/ca.crt"
SCOPES = ("appointments:read", "appointments:write", "status:read", "links:read")
KEY = "key"  # Secret of whoever makes traffic
READY = 300  # seconds for what is in the cluster already
INSTALLED = 900  # seconds for the chart, on a machine that has other things to do


def secret(name: str, data: Mapping[str, str], kind: str = "Opaque") -> Resource:
    """A Secret."""
    coded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    return _named("Secret", name) | {"type": kind, "data": coded}


def config_map(name: str, data: Mapping[str, str]) -> Resource:
    """A ConfigMap."""
    return _named("ConfigMap", name) | {"data": dict(data)}


def code() -> Resource:
    """What runs in pods outside, of the folder driver."""
    files = (HERE / "driver").glob("*.py")
    return config_map("driver", {file.name: file.read_text() for file in files})


def _named(kind: str, name: str, **metadata: object) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, **metadata}}


def remove() -> None:
    """Take away what a run leaves."""
    with suppress(helm.Refused):  # there is none
        helm.helm(*("uninstall", RELEASE, f"--namespace={OURS}", "--wait"), timeout=INSTALLED + 60)
    kubectl("delete", "namespace", OURS, OUTSIDE, "--ignore-not-found", "--wait")


def prepare() -> "Made":
    """Namespaces, secrets, and all that is elsewhere, up to databases and topics."""
    restricted = {
        f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")
    }
    apply("default", [_named("Namespace", OURS, labels=restricted), _named("Namespace", OUTSIDE)])
    with tempfile.TemporaryDirectory(prefix="einladung-") as scratch:
        made = Made(Path(scratch))
        apply(OURS, made.ours())
        apply(OUTSIDE, [*made.outside(), *stand_ins()])
    for name in STAND_INS:
        rolled_out(OUTSIDE, name)
    for resource in stand_ins():
        if resource["kind"] == "Service":
            reached(resource["metadata"]["name"], resource["spec"]["ports"][0]["port"])
    driver("python", "-m", "local.containers", "databases")
    driver("python", "-m", f"{CODE}.topics")
    return made


class Made:
    """Secrets as compose has them made, for servers that speak TLS under other names."""

    def __init__(self, folder: Path) -> None:
        made_secrets.make(folder)
        self._of = {
            reader.name: {file.name: self._moved(file.read_text()) for file in reader.iterdir()}
            for reader in folder.iterdir()
        }
        self._authority = Authority()

    @staticmethod
    def _moved(text: str) -> str:
        verified = f"sslmode=verify-full&sslrootcert={AUTHORITY}"
        there = f"postgres.{OUTSIDE}:5432"
        return text.replace(made_secrets.POSTGRES, there).replace("sslmode=disable", verified)

    def ours(self) -> list[Resource]:
        """What whoever installs the chart makes before."""
        owners = {f"{name}_owner": self._of["jobs"][f"{name}_owner"] for name in MODULES}
        return [
            config_map("authorities", {"ca.crt": self._authority.pem}),
            secret("owners", owners),
            *(secret(name, self._of[name]) for name in MODULES),
            *map(self.certificate, COMPONENTS),
        ]

    def certificate(self, component: str) -> Resource:
        """A new one of a component, as cert-manager renews it."""
        return self._tls(component, f"{RELEASE}-{component}", OURS)

    def outside(self) -> list[Resource]:
        """What is known elsewhere."""
        return [
            config_map("authorities", {"ca.crt": self._authority.pem}),
            code(),
            secret("jobs", self._of["jobs"]),
            secret("postgres", self._of["postgres"]),
            secret("kafka", self._kafka()),
            secret("identity-provider", self._of["identity-provider"]),
            *(self._tls(name, name, OUTSIDE) for name in ("postgres", "kafka", "mail", "login")),
        ]

    def _tls(self, name: str, service: str, namespace: str) -> Resource:
        names = (f"{service}.{namespace}", service, f"{service}.{namespace}.svc")
        made = self._authority.certificate(*names)
        made["server.pem"] = made["tls.key"] + made["tls.crt"]  # as Kafka wants it
        return secret(f"{name}-tls", made, "kubernetes.io/tls")

    def _kafka(self) -> dict[str, str]:
        jobs = self._of["jobs"]
        passwords = {
            account: jobs[made_secrets.kafka_password_file(account)]
            for account in (*LOGINS, CONTROLLER)
        }
        settings = kafka_setup.properties(
            [
                Listener("INSIDE", "127.0.0.1:9092", "127.0.0.1:9092"),
                Listener("OUTSIDE", ":9093", f"kafka.{OUTSIDE}:9093", "SASL_SSL"),
            ],
            controller_port=9094,
            data="/var/lib/kafka/data",
            passwords=passwords,
            more={
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": "/tls/server.pem",
            },
        )
        return {
            kafka_setup.PROPERTIES_FILE: settings,
            kafka_setup.USERS_FILE: kafka_setup.users(passwords),
            kafka_setup.START_FILE: kafka_setup.start_script("/run/secrets"),
        }


def stand_ins() -> list[Resource]:
    """stand_ins.yaml, with the images."""
    text = (HERE / "stand_ins.yaml").read_text()
    filled = string.Template(text).substitute(
        postgres=images.stand_in("postgres"),
        kafka=images.stand_in("kafka"),
        tools=f"{images.PREFIX}/tools:{images.RELEASE}",
    )
    return list(yaml.safe_load_all(filled))


def driver(*command: str, given: str = "", timeout: float = READY) -> str:
    """Run something in the pod outside, which must succeed."""
    stdin = ("--stdin",) if given else ()
    place = (*stdin, f"--namespace={OUTSIDE}", "deployment/driver", "--")
    return kubectl("exec", *place, *command, given=given, timeout=timeout)


def reached(service: str, port: int) -> None:
    """Wait until a Service leads to its pod, which it does a moment after that is ready."""
    connect = f"import socket; socket.create_connection(({service!r}, {port}), 5)"
    place = (f"--namespace={OUTSIDE}", "deployment/driver", "--")
    until = time.monotonic() + READY
    while (tried := attempt("exec", *place, "python", "-c", connect)).returncode:
        assert time.monotonic() < until, f"{service}:{port}: {tried.stderr[-2000:]}"
        time.sleep(0.5)


def rolled_out(namespace: str, name: str) -> None:
    """Wait until a Deployment is what it is to be."""
    what = ("status", f"deployment/{name}", f"--namespace={namespace}", f"--timeout={READY}s")
    kubectl("rollout", *what, timeout=READY + 30)


def install(how: str, *changes: str) -> None:
    """`install` or `upgrade` the release, and wait until it is there. Raises helm.Refused."""
    helm.helm(
        *(how, RELEASE, str(helm.CHART), f"--namespace={OURS}", f"--values={VALUES}"),
        *("--wait", "--wait-for-jobs", f"--timeout={INSTALLED}s", *changes),
        timeout=INSTALLED + 60,
    )


def secrets_of(name: str) -> dict[str, str]:
    """What is in a Secret outside."""
    found = got("secret", name, f"--namespace={OUTSIDE}")["data"]
    return {key: base64.b64decode(coded).decode() for key, coded in found.items()}


def make_key() -> None:
    """A practice, and a key of its system: a Secret with variables of the traffic."""
    driver("python", "-m", "local.containers", "practice")
    jobs = secrets_of("jobs")
    owner, proofs = jobs["scheduling_owner"], jobs["scheduling_audit_keys"]
    told = kubectl(
        *("exec", f"--namespace={OURS}", f"deployment/{RELEASE}-scheduling", "--"),
        *("env", f"SCHEDULING_ADMIN_DATABASE_URL={owner}", f"SCHEDULING_AUDIT_KEYS={proofs}"),
        *("python", "-m", "services.scheduling.admin", "key", "create"),
        *("--practice", str(DEMO_PRACTICE.id), "--name", "Kliniksystem"),
        *(f"--scope={scope}" for scope in SCOPES),
    )
    id_, secret_ = (re.search(rf"{name}: +(\S+)", told) for name in ("id", "secret"))
    assert id_ is not None
    assert secret_ is not None
    apply(OUTSIDE, [secret(KEY, {"KEY_ID": id_[1], "KEY_SECRET": secret_[1]})])


def pods(component: str) -> list[Resource]:
    """Those of a component that are not ending."""
    selector = f"app.kubernetes.io/component={component}"
    found = got("pods", f"--namespace={OURS}", f"--selector={selector}")["items"]
    return [each for each in found if "deletionTimestamp" not in each["metadata"]]


def evict(pod: Resource) -> None:
    """As draining a node does."""
    name = pod["metadata"]["name"]
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": name, "namespace": OURS},
    }
    path = f"/api/v1/namespaces/{OURS}/pods/{name}/eviction"
    kubectl("create", f"--raw={path}", "--filename=-", given=json.dumps(eviction))


def logs_of_everything() -> str:
    """The last of what is to be seen of a run that failed."""
    told = []
    for namespace in (OURS, OUTSIDE):
        told.append(attempt("get", "pods", f"--namespace={namespace}", "--output=wide").stdout)
        warnings = ("get", "events", "--field-selector=type=Warning", f"--namespace={namespace}")
        told.append(attempt(*warnings).stdout[-4000:])
        for pod in got("pods", f"--namespace={namespace}")["items"]:
            name = pod["metadata"]["name"]
            what = ("logs", f"--namespace={namespace}", name, "--all-containers", "--tail=5")
            told.append(f"--- {name}\n{attempt(*what).stdout}")
    return "\n".join(told)
