"""A process to read mail in that does as a hostile mail might have it do."""

import os
from pathlib import Path

import pytest

from services.notification.bounces import confined


def mislead(folder: Path, monkeypatch: pytest.MonkeyPatch, *body: str) -> None:
    """Let each reading be these lines, of `content` and the `real` reader, behind real frames.

    `answers()` is the descriptor that what is heard is written to.
    """
    lines = "\n    ".join(body)
    (folder / "misled.py").write_text(
        "import os, sys, time\n"
        "from contextlib import suppress\n"
        "from services.notification.bounces import child\n"
        "real, out = child.read, os.fstat(1).st_ino\n"
        "def answers():\n"
        "    for number in range(3, 99):\n"
        "        with suppress(OSError):\n"
        "            if os.fstat(number).st_ino == out: return number\n"
        f"def read(content):\n    {lines}\n"
        "child._rehearse()\n"
        "child.read, child._rehearse = read, lambda: None\n"
        "sys.exit(child.main())\n"
    )
    monkeypatch.setattr(confined, "CHILD", "misled")
    environment = confined._environment()
    path = os.pathsep.join((str(folder), environment["PYTHONPATH"]))
    monkeypatch.setattr(confined, "_environment", lambda: environment | {"PYTHONPATH": path})
