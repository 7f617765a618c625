"""A message that is kept goes its way, whatever can't be written beside it."""

import asyncio
import errno
from pathlib import Path

import pytest

from local import journal
from local.journal import Journal
from local.sms_gateway.front import Front
from local.sms_gateway.network import Network, Weather
from local.sms_gateway.receipts import Receipts
from local.sms_gateway.signing import new_secret
from local.sms_gateway.store import Store


async def test_a_message_is_on_its_way_once_the_journal_has_room_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0)
    full, lines = iter([True, True]), list[str]()

    class Disk(Journal):
        def write(self, event: str, **_said: object) -> None:
            if next(full, False):
                raise OSError(errno.ENOSPC, "No space left on device")
            lines.append(event)

    store = Store(tmp_path)
    network = Network(store, new_secret(), Weather(delay=0), Receipts(tmp_path / "receipts"))
    front = Front(store, network, (), Disk())
    async with asyncio.timeout(10):
        message = await front.take(
            api="webhook",
            reference="r",
            to="+4915100000001",
            sender="Praxis",
            text="hello",
            receipts_url="",
        )
        while (kept := store.get(message.id)) and kept.state != "delivered":  # noqa: ASYNC110
            await asyncio.sleep(0)
    await network.close()
    assert lines == ["taken"]
