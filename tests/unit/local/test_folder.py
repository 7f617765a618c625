"""What a stack keeps is its owner's alone to read."""

import asyncio
import sys
from pathlib import Path

from local.folder import Folder
from local.processes import spawn


def test_a_data_folder_is_nobody_elses_also_where_it_was_open_before(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    path.mkdir(parents=True, mode=0o755)
    for found in (path, tmp_path / "new" / "data"):
        folder = Folder(found)
        folder.open()
        folder.close()
        assert found.stat().st_mode & 0o777 == 0o700


async def test_what_a_child_writes_is_nobody_elses(tmp_path: Path) -> None:
    made = tmp_path / "made"
    script = f"import pathlib; p = pathlib.Path({str(made)!r}); p.mkdir(); (p / 'mail').touch()"
    child = await spawn((sys.executable, "-I", "-c", script), log=tmp_path / "log")
    async with asyncio.timeout(30):
        assert await child.wait() == 0
    assert [each.stat().st_mode & 0o777 for each in (made, made / "mail")] == [0o700, 0o600]
