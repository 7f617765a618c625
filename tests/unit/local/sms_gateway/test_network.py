"""What became of a message is told, by the process that follows one that was killed too."""

import asyncio
import errno
import json
from pathlib import Path

import pytest

from local import journal
from local.ports import free_port
from local.sms_gateway.network import Network, Weather
from local.sms_gateway.receipts import Receipt, Receipts
from local.sms_gateway.signing import new_secret
from local.sms_gateway.store import Store

NUMBER = "+491713920009"  # buffered, then delivered


class Receiver:
    """Takes receipts, once it listens."""

    def __init__(self) -> None:
        self.port = free_port()
        self.states: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.states.put_nowait(body["receipts"][0]["state"])
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()


async def test_receipts_and_steps_that_are_left_go_on_after_a_kill(tmp_path: Path) -> None:
    receiver, secret = Receiver(), new_secret()

    def network() -> tuple[Network, Store]:
        store = Store(tmp_path)
        receipts = Receipts(tmp_path / "receipts")
        return Network(store, secret, Weather(delay=0.02), receipts), store

    killed, store = network()
    message = store.add(
        api="webhook",
        reference="r",
        to=NUMBER,
        sender="Praxis",
        text="hello",
        receipts_url=f"http://127.0.0.1:{receiver.port}/v1/receipts/webhook",
    )
    killed.resume()  # which carries what has steps left: nobody answers to its first receipt
    async with asyncio.timeout(10):
        while not list((tmp_path / "receipts").iterdir()):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await killed.close()

    following, store = network()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
    following.resume()
    async with asyncio.timeout(10):
        told = {await receiver.states.get(), await receiver.states.get()}
        while list((tmp_path / "receipts").iterdir()):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    await following.close()
    server.close()
    assert told == {"buffered", "delivered"}
    kept = store.get(message.id)
    assert kept is not None
    assert (kept.state, kept.steps) == ("delivered", 2)


async def test_a_receipt_waits_for_a_disk_that_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "AGAIN", 0)
    receiver, store = Receiver(), Store(tmp_path)
    full = iter([True, True])

    class Disk(Receipts):
        def add(self, **said: str) -> Receipt:
            if next(full, False):
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().add(**said)

    network = Network(store, new_secret(), Weather(delay=0.02), Disk(tmp_path / "receipts"))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", receiver.port)
    store.add(
        api="webhook",
        reference="r",
        to="+4915100000001",
        sender="Praxis",
        text="hello",
        receipts_url=f"http://127.0.0.1:{receiver.port}/v1/receipts/webhook",
    )
    network.resume()
    async with asyncio.timeout(10):
        assert await receiver.states.get() == "delivered"
    await network.close()
    server.close()
