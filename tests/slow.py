"""Runs a command as a slow machine would: with a share of the time of this one's processors.

    python -m tests.slow 1/4 python -m pytest tests/browser tests/faults

As root on a Linux whose control groups can be written; all that the command starts is slow too.
"""

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

PERIOD = 100_000  # microseconds
GROUPS = Path("/sys/fs/cgroup")
JOIN = 'echo 0 >"$0" && exec "$@"'


def main() -> None:
    """Run it in a group with a quota, and end with its exit code."""
    share, *command = sys.argv[1:]
    quota = int(PERIOD * Fraction(share) * len(os.sched_getaffinity(0)))
    try:
        group = v2(quota) if (GROUPS / "cgroup.controllers").exists() else v1(quota)
    except OSError as error:
        sys.exit(f"No control group can be made here: {error}.")
    try:
        code = subprocess.call(["sh", "-c", JOIN, group / "cgroup.procs", *command])
    finally:
        group.rmdir()
    sys.exit(code)


def v2(quota: int) -> Path:
    """A group of the unified hierarchy."""
    (GROUPS / "cgroup.subtree_control").write_text("+cpu")
    group = GROUPS / f"einladung-slow-{os.getpid()}"
    group.mkdir()
    (group / "cpu.max").write_text(f"{quota} {PERIOD}")
    return group


def v1(quota: int) -> Path:
    """A group of the hierarchy that is the processors' own."""
    group = GROUPS / "cpu" / f"einladung-slow-{os.getpid()}"
    group.mkdir()
    (group / "cpu.cfs_period_us").write_text(str(PERIOD))
    (group / "cpu.cfs_quota_us").write_text(str(quota))
    return group


if __name__ == "__main__":
    main()
