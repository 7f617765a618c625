"""Downloads jars by jgo, which knows from where but checks no digests of ours.

python -m local.jar_download FOLDER              download what is missing of Kafka in FOLDER
python -m local.jar_download --pin VERSION       write its list anew, for that version of Kafka
"""

import argparse
import fcntl
import hashlib
import logging
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from jgo.maven import MavenContext

from local.errors import LocalFailure
from local.jars import KAFKA, Jar, JarList

SERVER = ("org.apache.kafka", "kafka_2.13")
LOGGING = ("org.slf4j", "slf4j-simple", "1.7.36")  # fits Kafka's slf4j-api; else it logs nothing
DOWNLOADS = 12  # at a time
ATTEMPTS = 3
TIMEOUT = 30  # seconds without an answer


def download(wanted: JarList, folder: Path) -> None:
    """Download what is missing. Raises LocalFailure; what arrived by then stays."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        (folder / "lock").open("w") as lock,
        tempfile.TemporaryDirectory(dir=folder, prefix="download-") as scratch,
        ThreadPoolExecutor(DOWNLOADS) as pool,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)  # another stack's download leaves nothing missing
        context = MavenContext(repo_cache=Path(scratch), local_repos=[], timeout=TIMEOUT)
        try:
            for _ in pool.map(lambda jar: _download(context, jar, folder), wanted.missing(folder)):
                pass
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _download(context: MavenContext, jar: Jar, folder: Path) -> None:
    group, artifact, version = jar.path.parts[:-3], *jar.path.parts[-3:-1]
    component = context.project(".".join(group), artifact).at_version(version)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            file = Path(component.artifact().resolve())
            break
        except (requests.RequestException, RuntimeError, AssertionError) as error:
            if attempt == ATTEMPTS:
                raise LocalFailure(
                    f"The jar {jar.path.name} could not be downloaded "
                    f"({type(error).__name__}): check the network and start again."
                ) from None
            Path(context.repo_cache, jar.path).unlink(missing_ok=True)  # a half of one
    jar.check(file)
    file.replace(folder / jar.path.name)  # whole or not at all


def pin(version: str) -> None:
    """Write the list for this version of Kafka, with all it depends on at run time."""
    with tempfile.TemporaryDirectory() as scratch:
        context = MavenContext(repo_cache=Path(scratch), local_repos=[], timeout=TIMEOUT)
        wanted = [(*SERVER, version), LOGGING]
        dependencies = [context.create_dependency(":".join(each)) for each in wanted]
        files = [
            Path(dependency.artifact.resolve())
            for found in context.resolver.resolve(dependencies)
            for dependency in found
        ]
        digests = {
            file.relative_to(scratch).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
        }
    KAFKA.file.write_text("".join(f"{digests[path]}  {path}\n" for path in sorted(digests)))


def main() -> None:
    """Read the command line; one sentence and exit code 1 when it can't be done."""
    parser = argparse.ArgumentParser(prog="python -m local.jar_download")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("folder", type=Path, nargs="?", help="download what is missing there")
    what.add_argument("--pin", metavar="VERSION", help="write the list anew")
    options = parser.parse_args()
    logging.disable()
    try:
        if options.pin:
            pin(options.pin)
        else:
            download(KAFKA, options.folder)
    except LocalFailure as failure:
        sys.exit(str(failure))
    except OSError as error:
        sys.exit(f"{error.filename} can't be written: {error.strerror}.")


if __name__ == "__main__":
    main()
