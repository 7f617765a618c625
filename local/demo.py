"""The whole product on this machine: `python -m local.demo [--once]`, or `make demo`."""

import os
import signal

os.umask(0o077)  # before anything is written
# Ctrl-C while Python still imports ends it without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from local.demonstration import main  # noqa: E402

if __name__ == "__main__":
    main()
