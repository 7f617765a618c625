"""Traffic from a pod outside, and what became of what was accepted."""

import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kubernetes import images
from tests.kubernetes.installation import CODE, KEY, OUTSIDE, READY, driver, secrets_of
from tests.kubernetes.kubectl import Resource, apply, attempt, kubectl

SETTLED = 240  # seconds until each has its tick or mark
AGAIN = 1.0  # seconds between two looks
JOURNAL = "/data/mail/journal.jsonl"

Line = dict[str, Any]


class Traffic:
    """A pod of driver/traffic.py."""

    def __init__(self, name: str) -> None:
        self._name = name

    def start(self) -> None:
        """Have it running."""
        apply(OUTSIDE, [_pod(self._name)])
        self._kubectl("wait", "--for=condition=Ready", f"--timeout={READY}s", f"pod/{self._name}")

    def more(self, count: int = 20) -> None:
        """Return once so many more have been accepted."""
        wanted = len(self.accepted()) + count
        deadline = time.monotonic() + READY
        while len(self.accepted()) < wanted:
            assert time.monotonic() < deadline, self.lines()[-5:]
            time.sleep(AGAIN)  # kubectl tells nobody

    def end(self) -> None:
        """Let it end what it has begun."""
        self._kubectl("exec", self._name, "--", "sh", "-c", "kill 1")
        ended = "--for=jsonpath={.status.phase}=Succeeded"
        self._kubectl("wait", ended, f"--timeout={READY}s", f"pod/{self._name}")

    def remove(self) -> None:
        """Take it away."""
        attempt(
            "delete", "pod", self._name, f"--namespace={OUTSIDE}", "--now", "--ignore-not-found"
        )

    def lines(self) -> list[Line]:
        """All that happened."""
        return [json.loads(line) for line in self._kubectl("logs", self._name).splitlines()]

    def of(self, event: str) -> list[Line]:
        """Lines of one kind."""
        return [line for line in self.lines() if line["event"] == event]

    def accepted(self) -> list[Line]:
        """Appointments, with what they have to show."""
        return self.of("accepted")

    def _kubectl(self, *arguments: str) -> str:
        return kubectl(f"--namespace={OUTSIDE}", *arguments, timeout=READY + 30)


@contextmanager
def traffic(name: str) -> Iterator[Traffic]:
    """Traffic meanwhile, after which nothing is lost and nobody was answered wrongly."""
    meanwhile = Traffic(name)
    meanwhile.start()
    try:
        meanwhile.more()
        yield meanwhile
        meanwhile.more()
        meanwhile.end()
        accepted = meanwhile.accepted()
        told = Counter(line["event"] for line in meanwhile.lines())
        print(f"{name}: {dict(told)}", flush=True)
        assert not meanwhile.of("wrong"), meanwhile.of("wrong")[:20]
        # A connection that is kept may end with its pod; a new one reaches somebody who answers.
        assert all(line["lasting"] for line in meanwhile.of("broken")), meanwhile.of("broken")
        assert not unsettled(accepted)
        assert not miscounted(accepted)
    finally:
        meanwhile.remove()


def unsettled(accepted: list[Line]) -> list[str]:
    """What does not come to show what it has to."""
    given = "".join(f"{json.dumps(line)}\n" for line in accepted)
    key = (f"{name}={value}" for name, value in secrets_of(KEY).items())
    command = ("env", *key, "python", "-m", f"{CODE}.traffic", "settle", str(SETTLED))
    return driver(*command, given=given, timeout=SETTLED + 60).splitlines()


def miscounted(accepted: list[Line]) -> list[Line]:
    """Whoever did not get the one mail."""
    mail = kubectl("exec", f"--namespace={OUTSIDE}", "deployment/mail", "--", "cat", JOURNAL)
    taken: dict[str, list[str]] = defaultdict(list)
    for line in map(json.loads, mail.splitlines()):
        if line["event"] == "taken":
            taken[line["to"]].append(line["message_id"])
    wanted = {line["email"]: 0 if line["email"].startswith("unbekannt") else 1 for line in accepted}
    return [
        {"email": email, "mails": taken[email]}
        for email, count in wanted.items()
        if len(taken[email]) != count
    ]


def _pod(name: str) -> Resource:
    """One whose end is for its own process to say."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": "traffic"}},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001},
            "containers": [
                {
                    "name": "traffic",
                    "image": f"{images.PREFIX}/tools:{images.RELEASE}",
                    "command": ["python", "-m", f"{CODE}.traffic", "run"],
                    "env": [{"name": "PYTHONPATH", "value": "/app:/"}],
                    "resources": {"requests": {"cpu": "50m"}},
                    "envFrom": [{"secretRef": {"name": KEY}}],
                    "volumeMounts": [
                        {"name": "driver", "mountPath": f"/{CODE.replace('.', '/')}"},
                        {"name": "authorities", "mountPath": "/etc/einladung/authorities"},
                    ],
                }
            ],
            "volumes": [
                {"name": "driver", "configMap": {"name": "driver"}},
                {"name": "authorities", "configMap": {"name": "authorities"}},
            ],
        },
    }
