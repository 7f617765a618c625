"""What the README says to type works as it stands there."""

import asyncio
import json
import os
import re
import sys
from pathlib import Path

from local.practice import DEMO_PRACTICE
from tests.conftest import Stack

README = (Path(__file__).parents[2] / "README.md").read_text()


async def shell(script: str, **env: str) -> str:
    """What a script prints; it has to end well."""
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()


async def test_from_a_key_to_an_indicator(stack: Stack) -> None:
    section = README[README.index("## Call the APIs") : README.index("## Log in with your")]
    make_key, get_token, create = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert str(DEMO_PRACTICE.id) in make_key
    arguments = re.fullmatch(r"make admin ARGS='(.*)'\s*", make_key, re.DOTALL)
    assert arguments is not None
    admin = f'"{sys.executable}" -m services.scheduling.admin'
    printed = await shell(
        f"{admin} {arguments[1]}", SCHEDULING_ADMIN_DATABASE_URL=stack.owner_dsn("scheduling")
    )
    named = dict(re.findall(r"^(\w+):\s+(\S+)", printed, re.MULTILINE))
    typed = get_token.replace("http://127.0.0.1:8401", stack.url("scheduling")).replace(
        "http://127.0.0.1:8403", stack.url("status")
    )
    for name in "id", "secret":
        typed = re.sub(rf"KEY_{name.upper()}=\S+", f"KEY_{name.upper()}={named[name]}", typed)
    booked, _, asked = create.partition("sleep 2")
    ask = "curl -sf " + asked.partition("curl -s ")[2].strip()
    script = f"{typed}{booked}for _ in $(seq 300); do {ask} && break; sleep 0.1; done"
    assert json.loads(await shell(script))["overall"] in {"pending", "delivered"}


async def test_a_wrong_scope_gets_a_sentence() -> None:
    admin = f'"{sys.executable}" -m services.scheduling.admin'
    key = f"{admin} key create --practice {DEMO_PRACTICE.id} --name x --scope everything"
    said = await shell(f"{key} 2>&1 || true")
    assert "'everything' is no scope of a key; there are appointments:" in said
    assert "Traceback" not in said
