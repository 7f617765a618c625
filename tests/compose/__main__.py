"""docker-compose.yml for real: `make test-compose`, or `python -m tests.compose [--suite]`.

Gets an engine if none answers, images or stand-ins of them, builds ours, and runs the tests of
this folder. With `--suite` the integration tests run instead, with Kafka and PostgreSQL in
containers (testcontainers). What we started is ended and removed.
"""

import argparse
import subprocess
import sys

from local.processes import REPOSITORY
from tests.compose import images
from tests.compose.engine import Environment, Unavailable, engine

BUILD_TIMEOUT = 1800.0  # seconds
SWITCH = "EINLADUNG_COMPOSE"  # set while the tests may use the engine
SUITE = ("tests/integration", "tests/faults")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.compose")
    parser.add_argument("--suite", action="store_true", help="the integration tests instead")
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
            return pytest({**environment, SWITCH: "1"}, "tests/compose", *more)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 1


def pytest(environment: Environment, *arguments: str) -> int:
    """Run tests in the engine's environment."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
