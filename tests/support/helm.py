"""The chart as Helm renders it.

On x86-64 Linux it comes with the requirements. Where it is missing these tests are skipped, and the
run says so.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.processes import REPOSITORY

CHART = REPOSITORY / "deploy" / "helm" / "einladung"
PRODUCTION = CHART / "ci" / "production.yaml"
EVERYTHING = CHART / "ci" / "everything.yaml"
KUBERNETES = "1.37"
TIMEOUT = 60.0  # seconds

Resource = Mapping[str, Any]


class Refused(Exception):
    """What Helm says of values that can't be installed."""


def program(name: str, hint: str) -> str:
    """Its path, beside Python or elsewhere; the test is skipped without it."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=f"{beside}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"NOT checked, {name} is missing: {hint}")
    return found


def helm(*arguments: str | Path, timeout: float = TIMEOUT) -> str:
    """What Helm answers. Raises Refused."""
    command = [program("helm", "https://helm.sh/docs/intro/install"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def render(
    *values: Path, changes: Iterable[str] = (), release: str = "einladung"
) -> list[Resource]:
    """Every resource of a release, hooks included; `changes` as `--set-json` takes them."""
    text = helm(
        *("template", release, CHART, f"--kube-version={KUBERNETES}", "--namespace=praxis"),
        *(f"--values={file}" for file in values),
        *(f"--set-json={change}" for change in changes),
    )
    return [each for each in yaml.safe_load_all(text) if each is not None]
