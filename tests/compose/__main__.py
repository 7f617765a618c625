"""docker-compose.yml for real: `make test-compose`, or `python -m tests.compose [--suite]`.

Gets an engine if none answers, images or stand-ins of them, builds ours, and runs the tests of
this folder. With `--slow 0.1` the start, an appointment and two kills are tried with so much of a
processor for each container. With `--suite` the integration tests run instead, with Kafka and
PostgreSQL in containers (testcontainers). What we started is ended and removed.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from local.processes import REPOSITORY
from tests.compose import images
from tests.compose.engine import Environment, Unavailable, engine

BUILD_TIMEOUT = 1800.0  # seconds
SWITCH = "EINLADUNG_COMPOSE"  # set while the tests may use the engine
PATIENCE_OF_START = "EINLADUNG_COMPOSE_START"  # seconds
SLOW_START = 1500
SLOW = ("-s", "-k", "its_tick or kafka_killed or postgres_killed")
SUITE = ("tests/integration", "tests/faults")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose")
    parser.add_argument("--suite", action="store_true", help="the integration tests instead")
    parser.add_argument(
        "--slow",
        metavar="CPUS",
        type=float,
        help="for each container, e.g. 0.1; the start and kills",
    )
    options, more = parser.parse_known_args()
    try:
        with engine() as environment:
            stand_ins = images.have(environment)
            if stand_ins:
                print(f"Stand-ins, as no registry gave them: {', '.join(stand_ins)}", flush=True)
            if options.suite:
                return pytest({**environment, "EINLADUNG_STACK": "containers"}, *SUITE, *more)
            print("Building our images ...", flush=True)
            build = ["docker", "compose", "--progress", "quiet", "build"]
            subprocess.run(
                build, cwd=REPOSITORY, env=environment, timeout=BUILD_TIMEOUT, check=True
            )
            tested = {**environment, SWITCH: "1"}
            if options.slow is None:
                return pytest(tested, "tests/compose", *more)
            with tempfile.TemporaryDirectory(prefix="einladung-slow-") as scratch:
                slowed = {**tested, **slow(Path(scratch), options.slow)}
                return pytest(slowed, "tests/compose", *SLOW, *more)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1


def slow(scratch: Path, cpus: float) -> Environment:
    """What lets compose give each container so much of a processor, and the tests wait for it."""
    own = REPOSITORY / "docker-compose.yml"
    services = yaml.safe_load(own.read_text())["services"]
    file = scratch / "slow.yaml"
    file.write_text(yaml.safe_dump({"services": {name: {"cpus": cpus} for name in services}}))
    return {"COMPOSE_FILE": f"{own}:{file}", PATIENCE_OF_START: str(SLOW_START)}


def pytest(environment: Environment, *arguments: str) -> int:
    """Run tests in the engine's environment."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
