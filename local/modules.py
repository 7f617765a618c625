"""The programs that the product is made of, by the names of their databases."""

import sys
from pathlib import Path

from local.processes import REPOSITORY

SERVICES = ("scheduling", "notification", "status", "webhooks")
MODULES = {**{name: f"services.{name}" for name in SERVICES}, "dashboard": "dashboard"}


def migrations(name: str) -> Path:
    """Where the migrations of a service or the dashboard are."""
    return REPOSITORY.joinpath(*MODULES[name].split("."), "migrations")


def command(name: str) -> tuple[str, ...]:
    """How to start a service or the dashboard."""
    return (sys.executable, "-m", MODULES[name])
