"""A program for the tests of the fork server: says what it was started as, and waits if told to."""

import json
import os
import signal
import sys

if __name__ == "__main__":
    group = os.getpgid(0) == os.getpid()
    said = {"words": sys.argv[1:], "word": os.environ.get("FORKED"), "group": group}
    print(json.dumps(said), flush=True)
    if "wait" in sys.argv:
        signal.pause()
    sys.exit(7)
