"""Where the demo's own servers listen: on this machine, or in a container under its name.

They know no passwords. On one machine they take a loopback address. In a container that can't be
reached from outside, so there they listen everywhere and whoever runs it publishes their ports on
a loopback address of the host alone, as docker-compose.yml does. Either way they answer to their
own names only, so that no page elsewhere can reach them by a name of its own (DNS rebinding).
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from chassis.connections import BoundedProtocol

LOOPBACK = ("127.0.0.1", "localhost")
# uvicorn's options of each of them.
SERVED: Mapping[str, Any] = {
    "access_log": False,
    "http": BoundedProtocol,
    "ws": "none",
    "server_header": False,
    "timeout_graceful_shutdown": 2,
}


@dataclass(frozen=True, slots=True)
class Listening:
    """The address to listen on and the names to answer to."""

    host: str = "127.0.0.1"
    names: Sequence[str] = LOOPBACK

    @classmethod
    def of(cls, container: str | None) -> Self:
        """In the container that others call so, or on this machine."""
        return cls("0.0.0.0", (*LOOPBACK, container)) if container else cls()  # noqa: S104


def add_option(parser: argparse.ArgumentParser) -> None:
    """Take `--container NAME` from the command line."""
    parser.add_argument(
        "--container",
        metavar="NAME",
        help="listen on every address of a container that others reach by this name",
    )
