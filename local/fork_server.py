"""Our programs start as forks of one process that has imported what they share.

Ten programs on one machine would spend most of their start importing the same libraries, and each
keep them in memory for itself. Here they are imported once, and their memory is shared as long as
nobody writes to it. On Linux alone: elsewhere a fork without exec is not safe, and `fork` takes
nothing.

    python -m local.fork_server DESCRIPTOR

serves a socket, line by line in JSON: `{"module", "arguments", "environment", "log"}` is answered
by `{"pid"}`, in order; of each that has ended it tells `{"pid", "code"}`. What was forked ends with
the server, and the server with whoever started it.
"""

import asyncio
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from setproctitle import setproctitle

from local.child import PR_SET_PDEATHSIG
from local.processes import Forks, Running, kill_group, spawn

# What several programs import. Nothing of a service: each has metrics of its own, by like names.
SHARED = (
    *(
        "aiosmtpd.smtp",
        "aiosmtplib",
        "babel.dates",
        "httpcore",
        "jinja2",
        "joserfc.jwt",
        "phonenumbers",
        "uvloop",
    ),
    *("chassis.auth", "chassis.consumer", "chassis.database", "chassis.limits", "chassis.outbox"),
    *("chassis.resealing", "chassis.service", "chassis.upstreams", "contracts.events"),
)
# Of these a running process takes no notice any more.
AT_START = ("LD_", "MALLOC_", "PYTHON", "GLIBC_", "OPENSSL_")
LINE = 65_536  # bytes read at once


class Forked:
    """A running program, as `asyncio.subprocess.Process`."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    async def wait(self) -> int:
        """Its exit code, a signal as its negative number, once it has ended."""
        await self._ended.wait()
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError when it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, number)

    def end(self, code: int) -> None:
        """It has ended."""
        self.returncode = code
        self._ended.set()


class ForkServer(Forks):
    """The side of whoever starts programs. Use it from one event loop."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._server: Running | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Forked]] = deque()
        self._running: dict[int, Forked] = {}

    async def start(self) -> None:
        """Start it; what is asked for meanwhile waits until it has imported. Only on Linux."""
        if sys.platform != "linux":
            return
        ours, theirs = socket.socketpair()
        with theirs:
            self._server = await spawn(
                (sys.executable, "-m", "local.fork_server", str(theirs.fileno())),
                log=self._log,
                passed=(theirs.fileno(),),
            )
        reader, self._writer = await asyncio.open_unix_connection(sock=ours)
        self._listening = asyncio.create_task(self._listen(reader))

    async def stop(self) -> None:
        """End it, and what is left of what it started."""
        if self._writer is not None and self._listening is not None:
            self._writer.close()
            await self._listening
        if self._server is not None:
            kill_group(self._server)
            await self._server.wait()

    async def fork(
        self, command: Sequence[str | Path], *, log: Path, env: Mapping[str, str] | None
    ) -> Forked | None:
        """Start one of our programs; None where it has to be executed."""
        python, option, *words = map(str, command)
        env = os.environ if env is None else env
        if self._writer is None or (python, option) != (sys.executable, "-m") or _special(env):
            return None
        module, *arguments = words
        asked = {"module": module, "arguments": arguments, "environment": {**env}, "log": str(log)}
        answer = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._writer.write(json.dumps(asked).encode() + b"\n")
        forked: Forked = await answer
        return forked

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            told = json.loads(line)
            pid: int = told["pid"]
            if "code" in told:
                self._running.pop(pid).end(told["code"])
                continue
            forked = self._running[pid] = Forked(pid)
            asked = self._asked.popleft()
            if asked.cancelled():  # who asked has been told to stop
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
            else:
                asked.set_result(forked)
        self._writer = None
        for forked in self._running.values():
            forked.end(-signal.SIGKILL)
        for asked in self._asked:
            if not asked.cancelled():
                asked.set_exception(ChildProcessError("The fork server has ended."))


def _special(env: Mapping[str, str]) -> bool:
    """Whether something is set that is read at a process's start alone, and is not ours."""
    names = {name for name in (*env, *os.environ) if name.startswith(AT_START)}
    return any(env.get(name) != os.environ.get(name) for name in names)


def main(descriptor: int) -> None:
    """Serve until nobody is at the other end; in each fork, be the program."""
    gc.disable()  # there is no garbage yet, and what is not looked at stays shared
    for name in SHARED:
        importlib.import_module(name)
    gc.freeze()
    with socket.socket(fileno=descriptor) as asking:
        program = _serve(asking)
    if program is not None:
        _become(program)


def _serve(asking: socket.socket) -> dict[str, Any] | None:
    """In a fork what it is to be, in the server None at the end."""
    server = os.getpid()
    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    unread = b""
    while True:
        ready, _, _ = select.select([asking.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, LINE)
            _tell_ended(asking)
        if asking.fileno() not in ready:
            continue
        if not (received := asking.recv(LINE)):
            return None
        *lines, unread = (unread + received).split(b"\n")
        for line in lines:
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(woken)
                os.close(waking)
                _end_with(server)
                program: dict[str, Any] = json.loads(line)
                return program
            with suppress(ProcessLookupError, PermissionError):
                os.setpgid(pid, pid)  # before anybody is told of it
            _tell(asking, pid=pid)


def _tell_ended(asking: socket.socket) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            _tell(asking, pid=ended[0], code=os.waitstatus_to_exitcode(ended[1]))


def _tell(asking: socket.socket, **what: int) -> None:
    with suppress(BrokenPipeError):
        asking.sendall(json.dumps(what).encode() + b"\n")


def _end_with(server: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != server:
        os._exit(1)


def _become(program: Mapping[str, Any]) -> None:
    """Run the module as `python -m` does."""
    os.setpgid(0, 0)
    output = os.open(program["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for own in (1, 2):
        os.dup2(output, own)
    os.close(output)
    words = (sys.executable, "-m", program["module"], *program["arguments"])
    setproctitle(" ".join(words))  # for ps and pkill, in the place of the environment it began with
    os.environ.clear()
    os.environ.update(program["environment"])
    sys.argv = [program["module"], *program["arguments"]]
    gc.enable()
    runpy.run_module(program["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
