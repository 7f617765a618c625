"""The programs that the product is made of, by name, which is that of their database as well."""

import sys
from pathlib import Path

from local.processes import REPOSITORY

SERVICES = ("scheduling", "notification", "status", "webhooks")
MODULES = {**{name: f"services.{name}" for name in SERVICES}, "dashboard": "dashboard"}
# With those that keep nothing, and so have neither a database nor a login at Kafka.
PROGRAMS = {**MODULES, "fhir": "services.fhir"}


def title(name: str) -> str:
    """What a program is called where people read of it."""
    return "FHIR" if name == "fhir" else name.capitalize()


def migrations(name: str, code: Path = REPOSITORY) -> Path:
    """Where the migrations of a service or the dashboard are; `code`: of which tree."""
    return code.joinpath(*MODULES[name].split("."), "migrations")


def command(name: str, code: Path = REPOSITORY) -> tuple[str, ...]:
    """How to start a service or the dashboard of a tree."""
    started = (sys.executable, "-m", PROGRAMS[name])
    return started if code == REPOSITORY else ("/usr/bin/env", "--chdir", str(code), *started)
