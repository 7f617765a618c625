"""Every port of the stack, from one base."""

import asyncio
import random
import socket
import time
from dataclasses import dataclass

from local.errors import LocalFailure
from local.modules import PROGRAMS

DEFAULT_BASE = 8400
PATIENCE = 3.0  # seconds for an earlier stack to let go of its ports
# Below the ephemeral ports: no connection that somebody opens takes one before we listen on it.
BASES = range(10_000, 32_000, 100)
TRIES = 200
SPARE = range(40, 90)  # of each hundred; see Ports

_claims: list[socket.socket] = []  # of bases, until this process ends
_given: set[int] = set()  # single ports, by this process


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on 127.0.0.1, all within a hundred of the base."""

    base: int

    @property
    def dashboard(self) -> int:  # noqa: D102
        return self.base

    @property
    def scheduling(self) -> int:  # noqa: D102
        return self.base + 1

    @property
    def notification(self) -> int:  # noqa: D102
        return self.base + 2

    @property
    def status(self) -> int:  # noqa: D102
        return self.base + 3

    @property
    def webhooks(self) -> int:  # noqa: D102
        return self.base + 4

    @property
    def fhir(self) -> int:  # noqa: D102
        return self.base + 5

    def operations(self, name: str) -> int:
        """Health, metrics and the operators' API of a service or the dashboard."""
        own: int = getattr(self, name)
        return own + 10

    @property
    def bounces(self) -> int:  # noqa: D102
        return self.base + 24

    @property
    def smtp(self) -> int:  # noqa: D102
        return self.base + 25

    @property
    def mailbox(self) -> int:  # noqa: D102
        return self.base + 26

    @property
    def phones(self) -> int:  # noqa: D102
        return self.base + 27

    @property
    def identity(self) -> int:  # noqa: D102
        return self.base + 28

    @property
    def rooms(self) -> int:  # noqa: D102
        return self.base + 29

    @property
    def prometheus(self) -> int:  # noqa: D102
        return self.base + 33

    @property
    def traces(self) -> int:  # noqa: D102
        return self.base + 34

    @property
    def postgres(self) -> int:  # noqa: D102
        return self.base + 32

    @property
    def kafka(self) -> int:  # noqa: D102
        return self.base + 92

    @property
    def kafka_controller(self) -> int:  # noqa: D102
        return self.base + 93

    @property
    def claim(self) -> int:
        """Nothing listens here: who holds it has the base to itself."""
        return self.base + 99

    def observing(self) -> tuple[int, ...]:
        """Those of a stack that is observed."""
        return (self.prometheus, self.traces)

    def all(self) -> tuple[int, ...]:
        """Every port the stack itself listens on; extra replicas take free ones."""
        return (
            self.dashboard,
            self.scheduling,
            self.notification,
            self.status,
            self.webhooks,
            self.fhir,
            *(self.operations(name) for name in PROGRAMS),
            self.bounces,
            self.smtp,
            self.mailbox,
            self.phones,
            self.identity,
            self.rooms,
            self.postgres,
            self.kafka,
            self.kafka_controller,
        )

    async def wait_free(self, *, observed: bool = False) -> None:
        """Return when all are free; raises LocalFailure naming one that stays busy."""
        deadline = time.monotonic() + PATIENCE
        wanted = (*self.all(), *self.observing()) if observed else self.all()
        while (busy := next((port for port in wanted if not is_free(port)), None)) is not None:
            if time.monotonic() > deadline:
                raise LocalFailure(
                    f"Port {busy} is in use: end the program that listens there, "
                    "or choose other ports with --base-port."
                )
            await asyncio.sleep(0.1)


def is_free(port: int) -> bool:
    """Whether one can listen on 127.0.0.1:port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """Any free port, given once; none that a stack on a free base would want."""
    for _ in range(TRIES):
        port = random.choice(BASES) + random.choice(SPARE)  # noqa: S311
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise LocalFailure("No free port was found on 127.0.0.1.")


def free_base() -> int:
    """A base whose ports are all free, and which no other process is given until this one ends."""
    for _ in range(TRIES):
        ports = Ports(random.choice(BASES))  # noqa: S311
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", ports.claim))  # of two who try at once, one can
        except OSError:
            claim.close()
            continue
        if all(is_free(port) for port in ports.all()):
            _claims.append(claim)
            return ports.base
        claim.close()
    raise LocalFailure("No hundred free ports were found on 127.0.0.1.")
