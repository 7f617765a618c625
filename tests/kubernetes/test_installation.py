"""The chart installed for real, used through its Services, and changed while it is in use.

The tests go on where the one before has left it.
"""

import json
import os
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from local.modules import MODULES
from tests.kubernetes import images
from tests.kubernetes.installation import (
    CODE,
    COMPONENTS,
    OURS,
    OUTSIDE,
    RELEASE,
    Made,
    driver,
    evict,
    install,
    logs_of_everything,
    make_key,
    pods,
    prepare,
    remove,
    rolled_out,
)
from tests.kubernetes.kubectl import ENFORCED, RUNNING, apply, attempt, got, kubectl
from tests.kubernetes.load import traffic
from tests.support import helm, unknown_address

DATABASE, KAFKA, MAIL = (
    (f"{name}.{OUTSIDE}", port)
    for name, port in (("postgres", 5432), ("kafka", 9093), ("mail", 465))
)
SCHEDULING, NOTIFICATION, METRICS = (
    (f"{RELEASE}-{name}.{OURS}", port)
    for name, port in (("scheduling", 8401), ("notification", 8402), ("notification", 8412))
)
ADDRESSES = (DATABASE, KAFKA, MAIL, SCHEDULING, NOTIFICATION, METRICS)
UNANSWERED = 5.0  # seconds until a packet counts as dropped
RENEWED = 240.0  # seconds for the kubelet, and then for the process, to see it

pytestmark = pytest.mark.skipif(RUNNING not in os.environ, reason="make test-kubernetes runs these")


@pytest.fixture(scope="module", autouse=True)
def installed() -> Iterator[Made]:
    """Everything is there, with a practice; and nothing of it afterwards."""
    remove()
    try:
        began = time.monotonic()
        made = prepare()
        print(f"What is elsewhere is ready after {time.monotonic() - began:.0f} s.", flush=True)
        began = time.monotonic()
        install("install")
        print(f"The chart is installed after {time.monotonic() - began:.0f} s.", flush=True)
        make_key()
        yield made
    except BaseException:
        print(logs_of_everything())
        raise
    finally:
        remove()


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is to be seen after a test that failed."""
    failed = request.session.testsfailed
    yield
    if request.session.testsfailed > failed:
        print(logs_of_everything())


def reaches(component: str, host: str, port: int) -> bool:
    """Whether a connection from there comes about."""
    outside = component == "driver"
    namespace, name = (OUTSIDE, "driver") if outside else (OURS, f"{RELEASE}-{component}")
    trying = f"import socket; socket.create_connection(({host!r}, {port}), {UNANSWERED})"
    place = ("exec", f"--namespace={namespace}", f"deployment/{name}", "--")
    tried = attempt(*place, "python", "-c", trying)
    assert tried.returncode == 0 or "TimeoutError" in tried.stderr, tried.stderr
    return tried.returncode == 0


def desk(address: str, overall: str) -> dict[str, object]:
    """What an appointment shows that somebody made at the dashboard."""
    shown: dict[str, object] = json.loads(driver("python", "-m", f"{CODE}.desk", address, overall))
    return shown


def restarts() -> dict[str, int]:
    """Of containers that did not stay up."""
    found = got("pods", f"--namespace={OURS}")["items"]
    counts = {
        pod["metadata"]["name"]: sum(
            each["restartCount"] for each in pod["status"].get("containerStatuses", ())
        )
        for pod in found
    }
    return {name: count for name, count in counts.items() if count}


def versions() -> set[str]:
    """What the API says which version it is, asked often enough to reach every pod."""
    asking = (
        "import httpx, ssl\n"
        "context = ssl.create_default_context(cafile='/etc/einladung/authorities/ca.crt')\n"
        "place = 'https://einladung-scheduling.einladung-test:8401/openapi.json'\n"
        "for _ in range(12): print(httpx.get(place, verify=context).json()['info']['version'])\n"
    )
    return set(driver("python", "-c", asking).split())


def shown() -> set[str]:
    """Certificates of scheduling's that a few connections meet."""
    asking = (
        "import hashlib, ssl\n"
        "place = ('einladung-scheduling.einladung-test', 8401)\n"
        "for _ in range(8):\n"
        "    shown = ssl.get_server_certificate(place)\n"
        "    print(hashlib.sha256(shown.encode()).hexdigest())\n"
    )
    return set(driver("python", "-c", asking).split())


def test_every_pod_is_ready_and_stays_up() -> None:
    for component in COMPONENTS:
        for pod in pods(component):
            ready = {each["type"]: each["status"] for each in pod["status"]["conditions"]}
            assert ready["Ready"] == "True"
    assert not restarts()


def test_one_appointment_gets_its_tick_and_one_its_mark() -> None:
    shown = desk(f"erika+{uuid4().hex[:8]}@example.org", "delivered")
    assert shown["overall"] == "delivered", shown
    shown = desk(unknown_address(), "failed")
    assert shown["overall"] == "failed", shown


def test_only_what_must_talk_talks() -> None:
    if ENFORCED not in os.environ and reaches("dashboard", *KAFKA):
        pytest.skip("this cluster enforces no NetworkPolicies")
    allowed = {
        (component, address)
        for component in ("dashboard", "scheduling", "notification", "status", "driver")
        for address in ADDRESSES
        if reaches(component, *address)
    }
    assert allowed == {
        ("dashboard", SCHEDULING),
        ("dashboard", NOTIFICATION),
        ("dashboard", DATABASE),
        ("scheduling", DATABASE),
        ("scheduling", KAFKA),
        ("notification", DATABASE),
        ("notification", KAFKA),
        ("notification", MAIL),
        ("status", SCHEDULING),
        ("status", DATABASE),
        ("status", KAFKA),
        # an Ingress controller's place, and that of monitoring
        ("driver", SCHEDULING),
        ("driver", METRICS),
        # what is outside talks among itself
        ("driver", DATABASE),
        ("driver", KAFKA),
        ("driver", MAIL),
    }


def test_notification_is_scaled_while_in_use() -> None:
    with traffic("scaled") as meanwhile:
        for replicas in (3, 1):
            name = f"{RELEASE}-notification"
            kubectl("scale", f"deployment/{name}", f"--namespace={OURS}", f"--replicas={replicas}")
            rolled_out(OURS, name)
            meanwhile.more()
    assert not restarts()


def test_a_pod_of_each_is_evicted_while_in_use() -> None:
    with traffic("evicted") as meanwhile:
        for component in COMPONENTS:
            before = pods(component)
            evict(before[0])
            meanwhile.more()
            rolled_out(OURS, f"{RELEASE}-{component}")
            assert len(pods(component)) == len(before)


def test_a_renewed_certificate_is_shown_without_a_restart(installed: Made) -> None:
    before = shown()
    with traffic("renewed"):
        apply(OURS, [installed.certificate("scheduling")])
        deadline = time.monotonic() + RENEWED
        while shown() & before:
            assert time.monotonic() < deadline
            time.sleep(2)  # the kubelet tells nobody
    assert not restarts()


def test_an_upgrade_with_another_schema_and_its_rollback() -> None:
    [before] = versions()
    with traffic("upgraded") as meanwhile:
        began = time.monotonic()
        install("upgrade", f"--set-string=image.tag={images.NEXT_RELEASE}")
        print(f"Upgraded after {time.monotonic() - began:.0f} s.", flush=True)
        assert versions() == {images.NEXT_VERSION}
        meanwhile.more()
        began = time.monotonic()
        helm.helm(
            *("rollback", RELEASE, f"--namespace={OURS}", "--wait", "--timeout=900s"), timeout=960
        )
        print(f"Rolled back after {time.monotonic() - began:.0f} s.", flush=True)
        assert versions() == {before}
        meanwhile.more()
    for service in MODULES:  # the schema stays, and the code of before goes on with it
        assert added_columns(service) > 0
    assert not restarts()


def added_columns(database: str) -> int:
    """How many columns of the next release's there are."""
    counting = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'added'"
    command = (
        "psql",
        "--host=/var/run/postgresql",
        "--username=postgres",
        f"--dbname={database}",
        "-Atc",
        counting,
    )
    return int(kubectl("exec", f"--namespace={OUTSIDE}", "deployment/postgres", "--", *command))


def test_what_is_uninstalled_leaves_nothing_running() -> None:
    helm.helm("uninstall", RELEASE, f"--namespace={OURS}", "--wait", timeout=300)
    ended = attempt(
        *("wait", "--for=delete", "pod", "--all", f"--namespace={OURS}", "--timeout=120s")
    )
    assert ended.returncode == 0, ended.stderr
