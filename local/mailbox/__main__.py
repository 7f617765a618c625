"""Run the mailbox: `python -m local.mailbox --help`."""

import argparse
import asyncio
from pathlib import Path

import uvicorn

from local import journal, listening
from local.journal import Journal
from local.listening import Listening
from local.mailbox import smtp, web
from local.mailbox.copies import Copies
from local.mailbox.reports import Postman
from local.mailbox.store import Store


async def serve(
    folder: Path,
    *,
    smtp_port: int,
    http_port: int,
    reports_to: tuple[str, int],
    copies_to: tuple[str, int] | None,
    at: Listening,
    kept: Journal,
) -> None:
    """Take mail in and show it, until told to stop (SIGTERM, SIGINT)."""
    store = Store(folder)
    loop = asyncio.get_running_loop()
    postman = Postman(*reports_to, folder / "reports", kept)
    copies = Copies(*copies_to) if copies_to else None
    server = await loop.create_server(
        smtp.protocol(store, postman, copies, kept), at.host, smtp_port
    )
    config = uvicorn.Config(
        web.create_app(store, at.names),
        host=at.host,
        port=http_port,
        log_level="warning",
        **listening.SERVED,
    )
    async with server, asyncio.TaskGroup() as tasks:
        carrying = [tasks.create_task(postman.run())]
        if copies is not None:
            carrying.append(tasks.create_task(copies.run()))
        await uvicorn.Server(config).serve()
        for task in carrying:
            task.cancel()


def main() -> None:
    """Read the command line, then serve."""
    parser = argparse.ArgumentParser(prog="python -m local.mailbox")
    parser.add_argument("--smtp-port", type=int, default=8425)
    parser.add_argument("--http-port", type=int, default=8426)
    parser.add_argument("--report-host", default="127.0.0.1", help="where bounces go")
    parser.add_argument("--report-port", type=int, default=8424)
    parser.add_argument("--copy-host", help="mail server that gets a copy of what is taken")
    parser.add_argument("--copy-port", type=int, default=1025)
    listening.add_option(parser)
    parser.add_argument("--folder", type=Path, required=True, help="where messages are kept")
    parser.add_argument("--journal", action="store_true", help="keep one of all that happens, too")
    options = parser.parse_args()
    asyncio.run(
        serve(
            options.folder,
            smtp_port=options.smtp_port,
            http_port=options.http_port,
            reports_to=(options.report_host, options.report_port),
            copies_to=(options.copy_host, options.copy_port) if options.copy_host else None,
            at=Listening.of(options.container),
            kept=Journal(options.folder / journal.NAME if options.journal else None),
        )
    )


if __name__ == "__main__":
    main()
