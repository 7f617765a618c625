"""A bounce that was still to come goes out from the process that follows one that was killed."""

import asyncio
from pathlib import Path

import pytest

from local import journal
from local.journal import Journal
from local.mailbox import reports
from local.mailbox.reports import REPORTS, Mail, Postman

MAIL = Mail(
    sender="rueck+1@praxis.example",
    recipient="spaeter-unbekannt@example.org",
    content=b"Message-ID: <1@praxis.example>\r\n\r\nhello\r\n",
)


async def test_what_one_process_posted_another_carries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def hand_over(_port: int, recipient: str, content: bytes, **_: str) -> None:
        await carried.put((recipient, content))

    monkeypatch.setattr(reports, "hand_over", hand_over)
    monkeypatch.setattr(reports, "A_MOMENT", 0)
    folder, kept = tmp_path / "reports", tmp_path / journal.NAME
    killed = Postman("127.0.0.1", 1, folder)
    killed.post(MAIL, REPORTS["spaeter-unbekannt"])
    killed.post(MAIL, REPORTS["spaeter-voll"])
    carrying = asyncio.create_task(Postman("127.0.0.1", 1, folder, Journal(kept)).run())
    async with asyncio.timeout(10):
        first, second = await carried.get(), await carried.get()
        while list(folder.iterdir()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    carrying.cancel()
    assert first[0] == second[0] == MAIL.sender
    assert (b"5.1.1" in first[1], b"5.2.2" in second[1]) == (True, True)
    assert [
        (line["event"], line["to"], line["message_id"], line["action"])
        for line in journal.read(kept)
    ] == [("sent back", MAIL.recipient, "<1@praxis.example>", "failed")] * 2
