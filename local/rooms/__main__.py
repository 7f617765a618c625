"""Run the video rooms: `python -m local.rooms --help`."""

import argparse
from pathlib import Path

import uvicorn

from local import listening, secret_files
from local.listening import Listening
from local.rooms import new_secret
from local.rooms.web import create_app


def main() -> None:
    """Read the command line, then serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m local.rooms", description="Rooms without video, for the demo alone."
    )
    parser.add_argument("--http-port", type=int, default=8429)
    parser.add_argument(
        "--secret-file", type=Path, required=True, help="Jitsi's app_secret; made if not there"
    )
    listening.add_option(parser)
    options = parser.parse_args()
    at = Listening.of(options.container)
    secret = secret_files.keep(options.secret_file, new_secret)
    uvicorn.run(
        create_app(secret, at.names),
        host=at.host,
        port=options.http_port,
        log_level="warning",
        **listening.SERVED,
    )


if __name__ == "__main__":
    main()
