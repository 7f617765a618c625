"""What the proxy does to a connection, on real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from local.ports import free_port
from reliability.faults.proxy import Mode, Proxy
from tests.support import PATIENCE

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that answers each line with itself, and knows what it heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.ended = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self.heard.append(line)
                writer.write(line)
            writer.write(b"bye\n")
        except OSError:
            pass
        finally:
            self.ended.set()
            writer.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Echo, Proxy]]:
    # Longer than is asked for below: uvloop counts in whole milliseconds.
    echo, proxy = Echo(), Proxy(free_port(), [port := free_port()], delay=0.06)
    server = await asyncio.start_server(echo.serve, "127.0.0.1", port)
    await proxy.start()
    try:
        yield echo, proxy
    finally:
        await proxy.stop()
        server.close()


async def connected(proxy: Proxy) -> Streams:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    await said(reader, writer, b"hello\n")
    return reader, writer


async def said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(line)
    assert await asyncio.wait_for(reader.readline(), PATIENCE) == line


async def test_it_passes_on_both_ways_and_to_the_end() -> None:
    async with echoing() as (_, proxy):
        reader, writer = await connected(proxy)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), PATIENCE) == b"bye\n"
        writer.close()


async def test_cut_connections_are_reset_and_new_ones_too_until_it_is_over() -> None:
    async with echoing() as (_, proxy):
        reader, writer = await connected(proxy)
        with proxy.behaving(Mode.CUT):
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(reader.readline(), PATIENCE)
            again, other = await asyncio.open_connection("127.0.0.1", proxy.port)
            other.write(b"x\n")
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(again.readline(), PATIENCE)
        _, writer = await connected(proxy)
        writer.close()


async def test_what_was_held_arrives_in_the_end() -> None:
    async with echoing() as (echo, proxy):
        reader, writer = await connected(proxy)
        with proxy.behaving(Mode.HOLD):
            writer.write(b"held\n")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.readline(), 0.1)
            assert echo.heard == [b"hello\n"]
        assert await asyncio.wait_for(reader.readline(), PATIENCE) == b"held\n"
        writer.close()


async def test_slow_connections_lose_nothing() -> None:
    async with echoing() as (_, proxy):
        reader, writer = await connected(proxy)
        with proxy.behaving(Mode.DELAY):
            began = asyncio.get_running_loop().time()
            await said(reader, writer, b"slow\n")
            assert asyncio.get_running_loop().time() - began >= 2 * 0.05
        writer.close()


async def test_replies_are_lost_though_the_request_was_heard() -> None:
    async with echoing() as (echo, proxy):
        reader, writer = await connected(proxy)
        with proxy.behaving(Mode.MUTE):
            writer.write(b"do it\n")
            async with asyncio.timeout(PATIENCE):
                while b"do it\n" not in echo.heard:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.readline(), PATIENCE)


async def test_half_closed_the_server_hears_the_end_and_its_reply_still_comes() -> None:
    async with echoing() as (echo, proxy):
        reader, _ = await connected(proxy)
        with proxy.behaving(Mode.HALF_CLOSE):
            await asyncio.wait_for(echo.ended.wait(), PATIENCE)
            assert await asyncio.wait_for(reader.readline(), PATIENCE) == b"bye\n"


async def test_with_several_targets_one_that_is_away_is_passed_over() -> None:
    async with echoing() as (_, alive):
        proxy = Proxy(free_port(), [free_port(), alive.port])
        await proxy.start()
        for _ in range(3):
            _, writer = await connected(proxy)
            writer.close()
        await proxy.stop()
