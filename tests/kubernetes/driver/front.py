"""TLS in front of a server that speaks none, with /tls/tls.crt.

    front [--postgres] PORT PORT-BEHIND

With `--postgres` callers ask for it first, as PostgreSQL's do (SSLRequest, section 55.2.10 of its
manual); whoever does not is let go.
"""

import argparse
import asyncio
import ssl

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """All that comes, to its end."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def main(port: int, behind: int, *, postgres: bool) -> None:
    """Until killed."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if postgres:
                if await reader.readexactly(len(SSL_REQUEST)) != SSL_REQUEST:
                    writer.close()
                    return
                writer.write(b"S")
                await writer.start_tls(context)
            inner = await asyncio.open_connection("127.0.0.1", behind)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        await asyncio.gather(carry(reader, inner[1]), carry(inner[0], writer))

    at_once = None if postgres else context
    async with await asyncio.start_server(meet, "0.0.0.0", port, ssl=at_once) as server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("port", type=int)
    parser.add_argument("behind", type=int)
    options = parser.parse_args()
    asyncio.run(main(options.port, options.behind, postgres=options.postgres))
