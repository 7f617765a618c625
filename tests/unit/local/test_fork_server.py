"""Programs that are forked are what they would be if they were executed."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from local.fork_server import ForkServer

COMMAND = (sys.executable, "-m", "tests.support.forked")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")


async def test_a_fork_is_the_program_with_its_environment_log_group_and_end(tmp_path: Path) -> None:
    server = ForkServer(tmp_path / "server.log")
    await server.start()
    async with asyncio.timeout(60):
        env = {**os.environ, "FORKED": "ours"}
        ended = await server.fork((*COMMAND, "one"), log=tmp_path / "one", env=env)
        killed = await server.fork((*COMMAND, "wait"), log=tmp_path / "two", env=None)
        left = await server.fork((*COMMAND, "wait"), log=tmp_path / "three", env=None)
        assert ended is not None
        assert killed is not None
        assert left is not None
        assert await ended.wait() == ended.returncode == 7
        said = json.loads((tmp_path / "one").read_text())
        assert said == {"words": ["one"], "word": "ours", "group": True}
        assert (tmp_path / "one").stat().st_mode & 0o777 == 0o600
        with pytest.raises(ProcessLookupError):
            ended.send_signal(signal.SIGTERM)
        killed.send_signal(signal.SIGKILL)
        assert await killed.wait() == -signal.SIGKILL
        assert left.returncode is None
        while " ".join(psutil.Process(left.pid).cmdline()) != " ".join((*COMMAND, "wait")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await server.stop()
        assert await left.wait() == -signal.SIGKILL
        while psutil.pid_exists(left.pid):  # noqa: ASYNC110 - the kernel ends it
            await asyncio.sleep(0.01)


async def test_what_is_read_at_a_start_alone_is_executed(tmp_path: Path) -> None:
    server = ForkServer(tmp_path / "server.log")
    await server.start()
    try:
        for command, env in (
            (COMMAND, {**os.environ, "LD_PRELOAD": "libfaketime.so.1"}),
            (("/usr/bin/env", "--chdir", "/tmp", *COMMAND), None),
        ):
            assert await server.fork(command, log=tmp_path / "log", env=env) is None
    finally:
        await server.stop()
