"""Gets the tools: `python -m tests.clients`."""

import sys

from local.errors import LocalFailure
from tests.clients import java, programs

if __name__ == "__main__":
    programs.install()
    try:
        java.install()
    except LocalFailure as failure:
        sys.exit(str(failure))
