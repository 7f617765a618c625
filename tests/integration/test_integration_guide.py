"""docs/integration.md, typed as it stands there, leads from a key to a tick."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

from local.key import keep_places
from tests.conftest import Stack
from tests.support import PATIENCE

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "integration.md").read_text()


def typed(script: str) -> str:
    """What bash says to it, without a proxy; it has to end well."""
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command = ("bash", "-euc", script)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_from_a_key_to_a_tick(stack: Stack) -> None:
    keep_places(stack)
    script = "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL))
    key = f'"{sys.executable}" -m local.key "{stack.folder.path}"'
    assert script.count("make --silent key") == 1
    told = await asyncio.wait_for(
        asyncio.to_thread(typed, script.replace("make --silent key", key)), PATIENCE
    )
    assert told.startswith(f"{stack.url('scheduling')} {stack.url('status')}, Kafka at 127.0.0.1:")
    shown = re.findall(r'"overall":"(failed|delivered)"', told)
    assert (shown[0], shown[-1]) == ("failed", "delivered")


def test_without_a_demo_there_is_a_sentence(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "local.key", tmp_path], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("The demo does not run")
