"""Installs pinned requirements with their hashes and tells how far it is.

`python tools/install.py requirements/local.txt`, by the environment's own Python; nothing but the
standard library is there yet.
"""

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

STEP = 10  # packages between two lines where no terminal is
PIP = ("-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--require-hashes")
# pip would compile one file after the other, a third of its time; this takes all processors.
COMPILE = ("-m", "compileall", "-q", "-j", "0")


def main(requirements: Path) -> int:
    """Pip's exit code; what pip said is shown where it failed."""
    total = len(re.findall(r"^[\w.-]+(?:\[.*\])?==", requirements.read_text(), re.MULTILINE))
    begun, said = 0, []
    with subprocess.Popen(  # noqa: S603
        [
            sys.executable,
            "-u",
            *PIP,
            "--no-compile",
            "--progress-bar",
            "off",
            "-r",
            str(requirements),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as pip:
        for line in pip.stdout or ():
            said.append(line)
            if line.startswith("Collecting "):
                begun += 1
                _tell(begun, total, line.split()[1])
            elif line.startswith("Installing collected packages"):
                _tell_line(f"  {begun} packages are here; unpacking them ...")
    if pip.returncode:
        sys.stderr.writelines(said)
    else:
        # What can't be compiled, as a package's templates, is none of ours.
        packages = sysconfig.get_path("purelib")
        subprocess.run([sys.executable, *COMPILE, packages], stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    return pip.returncode


def _tell(begun: int, total: int, package: str) -> None:
    text = f"  {begun} of at most {total} packages: {package.partition('==')[0]}"
    if sys.stdout.isatty():
        print(f"\r{text}\033[K", end="", flush=True)
    elif begun % STEP == 0:
        print(text, flush=True)


def _tell_line(text: str) -> None:
    print(f"\r{text}\033[K" if sys.stdout.isatty() else text, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
