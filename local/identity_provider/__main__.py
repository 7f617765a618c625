"""Run the identity provider: `python -m local.identity_provider --help`."""

import argparse
from ipaddress import IPv4Address
from pathlib import Path

import uvicorn

from local import listening
from local.identity import Identity
from local.identity_provider.web import Client, create_app


def main() -> None:
    """Read the command line, then serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m local.identity_provider",
        description="Logs in whoever asks, without a password: for demo and tests alone.",
    )
    parser.add_argument("--host", type=_loopback, default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8427)
    parser.add_argument("--folder", type=Path, required=True, help="where the keys are kept")
    parser.add_argument("--dashboard", default="http://127.0.0.1:8400", help="its address")
    parser.add_argument("--issuer", help="its own address, as browsers see it")
    parser.add_argument("--client-secret-file", type=Path, help="instead of one made in the folder")
    listening.add_option(parser)
    options = parser.parse_args()
    client = Client(
        redirect_uri=f"{options.dashboard}/login/callback",
        after_logout=f"{options.dashboard}/abgemeldet",
    )
    at = listening.Listening.of(options.container)
    issuer = options.issuer or f"http://{options.host}:{options.port}"
    secret = options.client_secret_file and options.client_secret_file.read_text().strip()
    uvicorn.run(
        create_app(Identity(options.folder, issuer, secret), client, names=at.names),
        host=at.host if options.container else options.host,
        port=options.port,
        log_level="warning",
        **listening.SERVED,
    )


def _loopback(host: str) -> str:
    try:
        if IPv4Address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise argparse.ArgumentTypeError("a loopback address only: this provider asks no password")


if __name__ == "__main__":
    main()
