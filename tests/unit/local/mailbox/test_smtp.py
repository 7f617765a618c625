"""A mail that the mailbox has kept was taken, once, whatever the disk has no room for behind it."""

import asyncio
import os
from pathlib import Path

import aiosmtplib
import pytest

from local import journal
from local.journal import Journal
from local.mailbox import smtp
from local.mailbox.reports import Postman
from local.mailbox.store import Store
from reliability.faults.doing import small_files

SENDER, RECIPIENT = "rueck+1@praxis.example", "spaeter-unbekannt@example.org"
MAIL = b"Message-ID: <1@praxis.example>\r\n\r\nhello\r\n"
ROOM = 600  # bytes of a file: for that mail, and not for what comes back of it


@pytest.mark.parametrize("journal_bytes", [0, ROOM], ids=["no room to report", "nor to note it"])
async def test_a_mail_is_taken_once_though_the_disk_is_full_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal_bytes: int
) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0.01)
    lines, reports = tmp_path / journal.NAME, tmp_path / "reports"
    Journal(lines).write("refused", to="x" * journal_bytes)
    store, postman = Store(tmp_path / "mails"), Postman("127.0.0.1", 1, reports)
    server = await asyncio.get_running_loop().create_server(
        smtp.protocol(store, postman, journal=Journal(lines)), "127.0.0.1", 0
    )
    async with server, asyncio.timeout(10):
        port = server.sockets[0].getsockname()[1]
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
            with small_files(os.getpid(), ROOM):
                sending = asyncio.create_task(client.sendmail(SENDER, [RECIPIENT], MAIL))
                while not store.newest_first():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            await sending
    assert [line["event"] for line in journal.read(lines)] == ["refused", "taken"]
    assert len(store.newest_first()) == len(list(reports.iterdir())) == 1
