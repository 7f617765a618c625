"""Run the SMS gateway: `python -m local.sms_gateway --help`."""

import argparse
import asyncio
from collections.abc import Collection
from pathlib import Path

import uvicorn

from local import journal, listening, secret_files
from local.journal import Journal
from local.listening import LOOPBACK, Listening
from local.sms_gateway.network import Network, Weather
from local.sms_gateway.receipts import Receipts
from local.sms_gateway.signing import new_secret
from local.sms_gateway.store import Store
from local.sms_gateway.web import create_app


async def serve(
    folder: Path,
    *,
    http_port: int,
    secret: str,
    receipts_url: str,
    delay: float,
    at: Listening,
    receivers: Collection[str],
    kept: Journal,
) -> None:
    """Take messages in, send receipts and show the phones, until told to stop."""
    store = Store(folder)
    network = Network(store, secret, Weather(delay=delay), Receipts(folder / "receipts"), kept)
    network.resume()
    config = uvicorn.Config(
        create_app(
            store,
            network,
            secret=secret,
            receipts_url=receipts_url,
            names=at.names,
            receivers=receivers,
            journal=kept,
        ),
        host=at.host,
        port=http_port,
        log_level="critical",  # a connection that is cut on purpose is no error
        **listening.SERVED,
    )
    try:
        await uvicorn.Server(config).serve()
    finally:
        await network.close()


def main() -> None:
    """Read the command line, then serve."""
    parser = argparse.ArgumentParser(prog="python -m local.sms_gateway")
    parser.add_argument("--http-port", type=int, default=8427)
    parser.add_argument("--folder", type=Path, required=True, help="where messages are kept")
    parser.add_argument("--journal", action="store_true", help="keep one of all that happens, too")
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="shared secret; made if it is not there"
    )
    parser.add_argument("--receipts-url", default="", help="for messages over the API of seven.io")
    parser.add_argument("--delay", type=float, default=0.5, help="seconds until a receipt")
    parser.add_argument(
        "--receiver", action="append", default=[], help="one more host that receipts may go to"
    )
    listening.add_option(parser)
    options = parser.parse_args()
    secret = secret_files.keep(options.secret_file, new_secret).strip()
    asyncio.run(
        serve(
            options.folder,
            http_port=options.http_port,
            secret=secret,
            receipts_url=options.receipts_url,
            delay=options.delay,
            at=Listening.of(options.container),
            receivers=(*LOOPBACK, *options.receiver),
            kept=Journal(options.folder / journal.NAME if options.journal else None),
        )
    )


if __name__ == "__main__":
    main()
