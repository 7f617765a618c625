"""Run the mailbox: `python -m local.mailbox --help`."""

import argparse
import asyncio
from pathlib import Path

import uvicorn

from local.mailbox import smtp, web
from local.mailbox.reports import Postman
from local.mailbox.store import Store


async def serve(folder: Path, *, smtp_port: int, http_port: int, report_port: int) -> None:
    """Take mail in and show it, until told to stop (SIGTERM, SIGINT)."""
    store = Store(folder)
    loop = asyncio.get_running_loop()
    postman = Postman(report_port)
    server = await loop.create_server(smtp.protocol(store, postman), "127.0.0.1", smtp_port)
    config = uvicorn.Config(
        web.create_app(store),
        host="127.0.0.1",
        port=http_port,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    async with server, asyncio.TaskGroup() as tasks:
        carrying = tasks.create_task(postman.run())
        await uvicorn.Server(config).serve()
        carrying.cancel()


def main() -> None:
    """Read the command line, then serve."""
    parser = argparse.ArgumentParser(prog="python -m local.mailbox")
    parser.add_argument("--smtp-port", type=int, default=8425)
    parser.add_argument("--http-port", type=int, default=8426)
    parser.add_argument("--report-port", type=int, default=8424, help="where bounces go")
    parser.add_argument("--folder", type=Path, required=True, help="where messages are kept")
    options = parser.parse_args()
    asyncio.run(
        serve(
            options.folder,
            smtp_port=options.smtp_port,
            http_port=options.http_port,
            report_port=options.report_port,
        )
    )


if __name__ == "__main__":
    main()
