"""The programs that the product is made of, by name, which is that of their database as well."""

import sys
from pathlib import Path

from local.processes import REPOSITORY

SERVICES = ("scheduling", "notification", "status")
MODULES = {**{name: f"services.{name}" for name in SERVICES}, "dashboard": "dashboard"}
# With those that keep nothing, and so have neither a database nor a login at Kafka.
PROGRAMS = {**MODULES, "fhir": "services.fhir"}


def migrations(name: str) -> Path:
    """Where the migrations of a service or the dashboard are."""
    return REPOSITORY.joinpath(*MODULES[name].split("."), "migrations")


def command(name: str) -> tuple[str, ...]:
    """How to start a service or the dashboard."""
    return (sys.executable, "-m", PROGRAMS[name])
