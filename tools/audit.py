"""Asks whether pinned packages have known vulnerabilities: `make audit`.

    python -m tools.audit [--required] [--database FILE]

Exits with 1 if one has, with 0 if none has, and with 0 and a sentence that says so when no
database could be asked; with --required that is 1 as well. pip-audit by itself would end well then,
with each package skipped. FILE is a database as OSV gives it (`tools/vulnerabilities.py`); it alone
is asked.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tools import vulnerabilities
from tools.pinned import FILES, REQUIREMENTS, pinned

SERVICES = ("pypi", "osv")
# Whether a service answers at all is asked with one package, so that it is soon known if none does.
PROBE = "pip==24.0\n"
PROBE_WITHIN = 15.0  # seconds for each service
WITHIN = 300.0  # seconds for all packages, where it has answered


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.audit", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--required", action="store_true", help="fail when nothing can be said")
    parser.add_argument("--database", type=Path, metavar="FILE", help="ask this, and nobody else")
    options = parser.parse_args()
    found = _in_file(options.database) if options.database else _over_the_network()
    if found is None:
        return 1 if options.required else 0
    who, vulnerable, many = found
    for line in vulnerable:
        print(line)
    print(f"{many} packages audited ({who}), {len(vulnerable)} with known vulnerabilities.")
    return 1 if vulnerable else 0


Found = tuple[str, list[str], int]


def _in_file(path: Path) -> Found | None:
    """Whom it was asked, what is vulnerable, and of how many. None, and why, where it can't be."""
    try:
        database = vulnerabilities.load(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"Dependencies NOT audited: {path} is no vulnerability database ({error}).")
        return None
    packages = {(pin.name, pin.version): pin for file in FILES for pin in pinned(file)}
    bad = [
        f"{pin.name} {pin.version}: {', '.join(ids)}"
        for _, pin in sorted(packages.items())
        if (ids := database.of(pin))
    ]
    return f"{path.name} of {database.modified[:10]}", bad, len(packages)


def _over_the_network() -> Found | None:
    """As `_in_file`."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as probe:
        probe.write(PROBE)
        probe.flush()
        answering = [
            each
            for each in SERVICES
            if _ask(each, [Path(probe.name)], "--no-deps", within=PROBE_WITHIN) is not None
        ]
    files = [REQUIREMENTS / f"{name}.txt" for name in FILES]
    for service in answering:
        found = _ask(service, files, "--require-hashes", within=WITHIN)
        if found is not None:
            return service, found[0], found[1]
    print("Dependencies NOT audited: no vulnerability database could be asked from here.")
    return None


def _ask(
    service: str, files: Iterable[Path], *how: str, within: float
) -> tuple[list[str], int] | None:
    """What is vulnerable, of how many; None unless all packages could be asked about."""
    try:
        done = subprocess.run(  # noqa: S603 - pip-audit
            [
                *(sys.executable, "-m", "pip_audit", f"--vulnerability-service={service}"),
                *("--disable-pip", "--progress-spinner=off", "--timeout=10", "--format=json"),
                *how,
                *(f"--requirement={file}" for file in files),
            ],
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )
        found = json.loads(done.stdout)["dependencies"]
        if not found or any("skip_reason" in each for each in found):
            return None
        return [
            f"{each['name']} {each['version']}: {', '.join(one['id'] for one in each['vulns'])}"
            for each in found
            if each["vulns"]
        ], len(found)
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


if __name__ == "__main__":
    sys.exit(main())
