"""What the commands share."""

import argparse
import sys
from typing import TypeAlias

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def fail(sentence: str) -> int:
    """Say on standard error why it can't be done; the exit code for it."""
    print(sentence, file=sys.stderr)
    return 1
