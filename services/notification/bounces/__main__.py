"""`python -m services.notification.bounces FILE...`: what each mail means, as JSON."""

import argparse
import json
import sys
from pathlib import Path

from services.notification.bounces import read


def main() -> int:
    """Print one JSON object per file; 1 if any can't be read."""
    parser = argparse.ArgumentParser(
        prog="python -m services.notification.bounces", description=main.__doc__
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a mail, as bytes on the wire")
    code = 0
    for name in parser.parse_args().files:
        try:
            content = Path(name).read_bytes()
        except OSError as error:
            print(f"{name}: {error.strerror}", file=sys.stderr)
            code = 1
            continue
        try:
            reading = read(content)
        except Exception as error:  # the other files are read all the same
            print(f"{name}: the reader failed ({type(error).__qualname__})", file=sys.stderr)
            code = 1
            continue
        print(
            json.dumps(
                {
                    "file": name,
                    "kind": reading.kind,
                    "permanent": reading.permanent,
                    "status": reading.status,
                    "recipients": reading.recipients,
                    "reason": reading.reason,
                },
                ensure_ascii=False,
            )
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
