"""Takes mail and forgets it: Debian's smtp-sink where it is installed, else a few lines of ours."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from local.ports import free_port, is_free

GREETING = b"220 sink\r\n"
OFFERS = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
REPLIES = {b"EHLO": OFFERS, b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}


@asynccontextmanager
async def sink() -> AsyncIterator[tuple[int, int]]:
    """A server's port and process id, while the context lasts."""
    port = free_port()
    program = shutil.which("smtp-sink", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    as_nobody = ("-u", "nobody") if os.geteuid() == 0 else ()
    command = (
        (program, *as_nobody, f"127.0.0.1:{port}", "200")
        if program
        else (sys.executable, "-m", "benchmarks.sink", str(port))
    )
    process = await asyncio.create_subprocess_exec(*command)
    try:
        while is_free(port):  # noqa: ASYNC110 - another program's
            await asyncio.sleep(0.02)
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(GREETING)
    while line := await reader.readline():
        verb = line[:4].upper()
        writer.write(REPLIES.get(verb, b"250 2.0.0 Ok\r\n"))
        if verb == b"DATA":
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 2.0.0 Ok\r\n")
        elif verb == b"QUIT":
            break
    writer.close()


async def _serve(port: int) -> None:
    server = await asyncio.start_server(_take, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
