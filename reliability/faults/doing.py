"""Does to a running stack what a plan says, and brings back what it took."""

import asyncio
import os
import resource
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local.errors import LocalFailure
from local.processes import Child
from local.stack import Stack
from reliability.faults.plan import Fault, Kind
from reliability.faults.proxy import Mode, Proxy

MODES: Mapping[Kind, Mode] = {
    Kind.CUT: Mode.CUT,
    Kind.DELAY: Mode.DELAY,
    Kind.HOLD: Mode.HOLD,
    Kind.HALF_CLOSE: Mode.HALF_CLOSE,
    Kind.MUTE: Mode.MUTE,
}
# Seconds that a connection lasts, and that none is let through, while they are cut again and again.
FLAP_UP, FLAP_DOWN = 0.5, 0.02
SERVERS = ("PostgreSQL", "Kafka")
HELPERS = ("mailbox", "phones")
# As whoever runs them does it: what can't start, since its database is away or its predecessor's
# lock is still there, is started again.
START_TRIES = 60
DYING = 3.0  # seconds for a server that found its disk full to end


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault that was done, on the clock of time.monotonic."""

    fault: Fault
    began: float
    ended: float


class Doing:
    """Works on one stack. `quotas` are folders on small file systems, by server."""

    def __init__(
        self,
        stack: Stack,
        *,
        replicas: Sequence[str],
        links: Mapping[str, Proxy] | None = None,
        quotas: Mapping[str, Path] | None = None,
        faketime: Path | None = None,
    ) -> None:
        self._stack = stack
        self._replicas = replicas
        self._links = links or {}
        self._quotas = quotas or {}
        self._faketime = faketime
        self._busy: dict[str, asyncio.Lock] = {}

    def targets(self) -> Mapping[Kind, Sequence[str]]:
        """What each kind can hit here."""
        processes = [*self._replicas, *SERVERS, *HELPERS]
        services = sorted({_service(name) for name in self._replicas})
        return {
            Kind.KILL: processes,
            Kind.PAUSE: processes,
            Kind.LONG_PAUSE: processes,
            Kind.ROLLING: services,
            Kind.DISK: [*HELPERS, *self._quotas],
            Kind.CLOCK: self._replicas if self._faketime else (),
            **{kind: sorted(self._links) for kind in (*MODES, Kind.FLAP)},
        }

    async def run(self, plan: Sequence[Fault], say: Callable[[str], None]) -> Sequence[Happened]:
        """The whole plan; returns when all is back."""
        began = time.monotonic()

        async def one(fault: Fault) -> Happened:
            await asyncio.sleep(max(0.0, began + fault.at - time.monotonic()))
            async with self._alone(fault.target):
                at = time.monotonic()
                say(f"[{at - began:5.0f} s] {fault}")
                await self._do(fault)
                if fault.target not in self._links and not self._process(fault.target).running:
                    await self._start(fault.target)  # it gave up a little later
                return Happened(fault, at, time.monotonic())

        return await asyncio.gather(*(one(fault) for fault in plan))

    @asynccontextmanager
    async def _alone(self, target: str) -> AsyncIterator[None]:
        """One fault of a target after the other; of a whole service after those of its replicas.

        The first replica is called as its service, and counts as the whole.
        """
        names = sorted(name for name in self._replicas if _service(name) == target) or [target]
        async with AsyncExitStack() as held:
            for name in names:
                await held.enter_async_context(self._busy.setdefault(name, asyncio.Lock()))
            yield

    async def _do(self, fault: Fault) -> None:
        match fault.kind:
            case Kind.KILL:
                await self._process(fault.target).kill()
                await asyncio.sleep(fault.seconds)
                await self._start(fault.target)
            case Kind.PAUSE | Kind.LONG_PAUSE:
                with _paused(self._process(fault.target).pid):
                    await asyncio.sleep(fault.seconds)
            case Kind.ROLLING:
                for name in self._replicas:
                    if _service(name) == fault.target:
                        await self._process(name).stop()
                        await self._start(name)
            case Kind.DISK:
                await self._full(fault)
            case Kind.CLOCK:
                await self._wrong_clock(fault)
            case Kind.FLAP:
                await self._flap(fault)
            case _:
                with self._links[fault.target].behaving(MODES[fault.kind]):
                    await asyncio.sleep(fault.seconds)

    async def _full(self, fault: Fault) -> None:
        if fault.target in HELPERS:
            with small_files(self._process(fault.target).pid, 0):
                await asyncio.sleep(fault.seconds)
            return
        with _filled(self._quotas[fault.target]):
            await asyncio.sleep(fault.seconds)
        # Somebody made room; whoever has given up is started again.
        await asyncio.sleep(DYING)
        if fault.target == "Kafka" or not self._process(fault.target).running:
            await self._process(fault.target).kill()
            await self._start(fault.target)

    async def _flap(self, fault: Fault) -> None:
        until = time.monotonic() + fault.seconds
        while time.monotonic() < until:
            with self._links[fault.target].behaving(Mode.CUT):
                await asyncio.sleep(FLAP_DOWN)
            await asyncio.sleep(FLAP_UP)

    async def _wrong_clock(self, fault: Fault) -> None:
        child = self._process(fault.target)
        await child.stop()
        with self._stack.configured(
            _service(fault.target),
            LD_PRELOAD=str(self._faketime),
            FAKETIME=f"{fault.clock:+.0f}",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            DONT_FAKE_MONOTONIC="1",
        ):
            starting = asyncio.create_task(child.start())
            await asyncio.sleep(0)  # its environment is read at once
        with suppress(LocalFailure):  # as of a database that is away
            await starting
            await asyncio.sleep(fault.seconds)
        await child.stop()
        await self._start(fault.target)

    def _process(self, name: str) -> Child:
        own: Mapping[str, object] = {
            "PostgreSQL": getattr(self._stack.postgres, "process", None),
            "Kafka": getattr(self._stack.kafka, "process", None),
            "mailbox": self._stack.mailbox,
            "phones": self._stack.phones,
        }
        found = own.get(name) or self._stack.service(name)
        if not isinstance(found, Child):
            raise LocalFailure(f"{name} is no process of ours.")
        return found

    async def _start(self, name: str) -> None:
        for _ in range(START_TRIES):
            try:
                await self._process(name).start()
                return
            except LocalFailure:
                await self._process(name).kill()
                await asyncio.sleep(1)
        await self._process(name).start()


def _service(name: str) -> str:
    return name.partition("-")[0]


@contextmanager
def _paused(pid: int) -> Iterator[None]:
    """A process and all it has started stand still."""
    stopped: list[psutil.Process] = []
    try:
        parent = psutil.Process(pid)
        parent.suspend()  # first, so that it starts no more
        stopped.append(parent)
        for child in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.suspend()
                stopped.append(child)
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


@contextmanager
def small_files(process_id: int, size: int) -> Iterator[None]:
    """Of a process, no file grows beyond `size` bytes: its disk seems to be full."""
    process = psutil.Process(process_id)
    before = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        process.rlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Not a byte is free there."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        for size in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)
    try:
        yield
    finally:
        ballast.unlink()


@asynccontextmanager
async def small_disk(folder: Path, size: str) -> AsyncIterator[bool]:
    """A file system of its own (tmpfs) in `folder`; False where we may not make one."""
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    options = ("-t", "tmpfs", "-o", f"size={size},mode=0755")
    may = os.geteuid() == 0 and shutil.which("mount") is not None
    made = may and await _ran("mount", *options, "tmpfs", str(folder))
    try:
        yield made
    finally:
        if made:
            await _ran("umount", "-l", str(folder))


async def _ran(*command: str) -> bool:
    process = await asyncio.create_subprocess_exec(*command)
    return await process.wait() == 0
