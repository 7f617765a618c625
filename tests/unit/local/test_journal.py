"""A journal has every line that was written, and files are whole or as they were."""

import asyncio
import os
from pathlib import Path

import pytest

from local import journal
from local.journal import Journal
from reliability.faults.doing import small_files


def test_lines_come_back_in_their_order_after_a_second_start_too(tmp_path: Path) -> None:
    path = tmp_path / "mailbox" / journal.NAME
    Journal(path).write("taken", to="erika@example.org", message_id="<1>")
    Journal(path).write("refused", to="ü@example.org")
    lines = list(journal.read(path))
    assert [(line["event"], line["to"]) for line in lines] == [
        ("taken", "erika@example.org"),
        ("refused", "ü@example.org"),
    ]


def test_without_a_file_nothing_is_kept(tmp_path: Path) -> None:
    Journal().write("taken", to="erika@example.org")
    assert not list(journal.read(tmp_path / journal.NAME))


def test_what_does_not_fit_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "message.json"
    journal.replace(path, "before")
    with small_files(os.getpid(), 0), pytest.raises(OSError, match="too large"):
        journal.replace(path, "after")
    assert path.read_text() == "before"


async def test_a_line_of_what_has_happened_is_kept_once_the_disk_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0)
    path = tmp_path / journal.NAME
    kept = Journal(path)
    with small_files(os.getpid(), 0):
        keeping = asyncio.create_task(kept.keep("sent back", to="erika@example.org"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not keeping.done()
    await keeping
    assert [line["to"] for line in journal.read(path)] == ["erika@example.org"]
