"""Child processes: started, waited for by condition, watched, stopped, never left behind.

Start them from a thread that lives as long as they shall: the kernel ends them with it.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from local.errors import LocalFailure

REPOSITORY = Path(__file__).resolve().parent.parent
POLL = 0.03  # seconds between two looks at whether a process is ready
ANSWER_TIMEOUT = 5.0  # seconds for one such look
KILLED_TIMEOUT = 10.0  # seconds for the kernel to end what was killed

Ready = Callable[[], Awaitable[bool]]


class Running(Protocol):
    """A process, as asyncio's."""

    @property
    def pid(self) -> int:
        """Process id."""

    @property
    def returncode(self) -> int | None:
        """How it ended, a signal as its negative number; None while it runs."""

    async def wait(self) -> int:
        """Until it has ended; how."""

    def send_signal(self, number: int, /) -> None:
        """Raises ProcessLookupError when it has ended."""


class Forks(Protocol):
    """Starts programs of ours without executing them (local/fork_server.py)."""

    async def fork(
        self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None
    ) -> Running | None:
        """As `spawn`; None where it can't."""


async def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    passed: Sequence[int] = (),
) -> Process:
    """Start a program in its own session and process group; it ends when this process does.

    The file descriptors `passed` are its own, too.
    """
    shim = Path(__file__).with_name("child.py")
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", shim, str(os.getpid()), str(int(death_signal)),
            user or "-", *command,
            stdin=DEVNULL, stdout=output, stderr=output, cwd=REPOSITORY, env=env,
            start_new_session=True, pass_fds=passed,
        )  # fmt: skip


async def run(
    what: str,
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    user: str | None = None,
    within: float,
    speaks_for_itself: bool = False,
) -> None:
    """Run a program to its end. Raises LocalFailure „`what` failed" with the place of its log.

    `within` is its time-out in seconds. What `speaks_for_itself` is a program of ours, whose last
    line is the sentence for the user.
    """
    process = await spawn(command, log=log, env=env, user=user)
    try:
        async with asyncio.timeout(within):
            code = await process.wait()
    except TimeoutError:
        raise LocalFailure(f"{what} took longer than {within:.0f} s; its log is {log}.") from None
    finally:
        kill_group(process)
    if code != 0:
        if speaks_for_itself:
            raise LocalFailure(f"{_last_line(log)}.")
        raise LocalFailure(f"{what} failed ({_last_line(log)}); its log is {log}.")


class Child:
    """A server process of the stack. `command` and `env` are asked for at each start."""

    def __init__(
        self,
        name: str,
        command: Callable[[], Sequence[str | Path]],
        *,
        log: Path,
        ready: Ready,
        env: Callable[[], Mapping[str, str]] | None = None,
        user: str | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        death_signal: signal.Signals = signal.SIGKILL,
        start_timeout: float = 180,
        stop_timeout: float = 30,
        on_death: Callable[[str], None] = lambda _: None,
        forks: Forks | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._env = env
        self._command = command
        self._ready = ready
        self._user = user
        self._stop_signal = stop_signal
        self._death_signal = death_signal
        self._start_timeout = start_timeout
        self._stop_timeout = stop_timeout
        self._on_death = on_death
        self._forks = forks
        self._process: Running | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._ending = False

    @property
    def running(self) -> bool:
        """True from start to end of the process."""
        return self._process is not None and self._process.returncode is None

    @property
    def exit_code(self) -> int | None:
        """How it ended last, a signal as its negative number; None while it runs."""
        return None if self._process is None else self._process.returncode

    @property
    def pid(self) -> int:
        """Process id; raises LocalFailure when it does not run."""
        if self._process is None or self._process.returncode is not None:
            raise LocalFailure(f"{self.name} does not run.")
        return self._process.pid

    async def start(self) -> None:
        """Start and wait until ready. Raises LocalFailure when it ends or is not ready in time."""
        if self.running:
            raise LocalFailure(f"{self.name} runs already.")
        self._ending = False
        self._process = await self._spawn()
        try:
            await self.wait_ready()
        except LocalFailure:
            kill_group(self._process)
            raise
        self._watcher = asyncio.create_task(self._watch(self._process))

    async def _spawn(self) -> Running:
        command, env = self._command(), None if self._env is None else self._env()
        if self._forks is not None:
            forked = await self._forks.fork(command, log=self.log, env=env)
            if forked is not None:
                return forked
        return await spawn(
            command, log=self.log, env=env, user=self._user, death_signal=self._death_signal
        )

    async def wait_ready(self) -> None:
        """Wait until it answers, as after a pause. Raises LocalFailure as `start` does."""
        deadline = time.monotonic() + self._start_timeout
        while True:
            if not self.running:
                raise LocalFailure(self._obituary("while it started"))
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWER_TIMEOUT):
                    if await self._ready():
                        return
            if time.monotonic() > deadline:
                raise LocalFailure(
                    f"{self.name} was not ready after {self._start_timeout:.0f} s; "
                    f"its log is {self.log}."
                )
            await asyncio.sleep(POLL)

    async def stop(self) -> None:
        """End it the orderly way; kill it when that takes too long. Fine when it does not run."""
        await self._end(self._stop_signal)

    async def kill(self) -> None:
        """End it and all it started at once, as `kill -9` does."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        """Stop and start."""
        await self.stop()
        await self.start()

    async def _end(self, how: signal.Signals) -> None:
        process, self._ending = self._process, True
        if process is None:
            return
        try:
            if process.returncode is None and how is not signal.SIGKILL:
                process.send_signal(how)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._stop_timeout):
                        await process.wait()
        finally:  # also when we are cancelled while we wait
            kill_group(process)
        async with asyncio.timeout(KILLED_TIMEOUT):
            await process.wait()
        if self._watcher is not None:
            await self._watcher

    async def _watch(self, process: Running) -> None:
        await process.wait()
        if not self._ending:
            kill_group(process)
            self._on_death(self._obituary("unexpectedly"))

    def _obituary(self, circumstances: str) -> str:
        code = self._process.returncode if self._process is not None else None
        how = f"exit code {code}"
        if code is not None and code < 0:
            how = signal.Signals(-code).name
        return f"{self.name} ended {circumstances} ({how}); its log is {self.log}."


def kill_group(process: Running) -> None:
    """Kill what is left of a child and what it started. Fine when nothing is."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def http_ok(port: int, path: str) -> bool:
    """Whether 127.0.0.1 answers a GET with 200."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    try:
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        status = await reader.readline()
    except OSError:
        return False
    finally:
        writer.close()
    return b" 200 " in status


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1].strip().rstrip(".")[:300] if lines else "no output"
