"""Run the view of traces: `python -m local.traces --help`."""

import argparse

import uvicorn

from local import listening
from local.traces.store import Store
from local.traces.web import create_app


def main() -> None:
    """Read the command line, then serve until told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m local.traces",
        description="Takes in traces (OTLP over HTTP) and shows them, for the demo alone.",
    )
    parser.add_argument("--http-port", type=int, default=8434)
    options = parser.parse_args()
    uvicorn.run(
        create_app(Store()),
        host="127.0.0.1",
        port=options.http_port,
        log_level="warning",
        **listening.SERVED,
    )


if __name__ == "__main__":
    main()
