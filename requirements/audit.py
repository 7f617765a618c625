"""Asks whether pinned packages have known vulnerabilities: `make audit`.

Exits with 1 if one has, with 0 if none has, and with 0 and a sentence that says so when the
database could not be asked; with --required that is 1 as well. pip-audit by itself would end well
then, with each package skipped.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

SERVICES = ("pypi", "osv")
WITHIN = 300  # seconds


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--required", action="store_true", help="fail when nothing can be said")
    required = parser.parse_args().required
    for service in SERVICES:
        found = _ask(service)
        if found is None:
            continue
        bad = [each for each in found if each["vulns"]]
        for each in bad:
            ids = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
            print(f"{each['name']} {each['version']}: {ids}")
        print(f"{len(found)} packages audited ({service}), {len(bad)} with known vulnerabilities.")
        return 1 if bad else 0
    print("Dependencies NOT audited: no vulnerability database could be asked from here.")
    return 1 if required else 0


def _ask(service: str) -> list[dict[str, object]] | None:
    """Every package with its vulnerabilities; None unless all of them could be asked about."""
    here = Path(__file__).parent
    files = [f"--requirement={here / name}.txt" for name in ("runtime", "local", "dev", "tools")]
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", f"--vulnerability-service={service}"),
                *("--require-hashes", "--disable-pip", "--progress-spinner=off"),
                *("--timeout=10", "--format=json", *files),
            ],
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )
        found: list[dict[str, object]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    return found if found and not any("skip_reason" in each for each in found) else None


if __name__ == "__main__":
    sys.exit(main())
