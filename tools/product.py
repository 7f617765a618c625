"""The product's version, which is in pyproject.toml and nowhere else by hand."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def version_of(tree: Path) -> str:
    """The version of the product in this folder."""
    with (tree / "pyproject.toml").open("rb") as file:
        version: str = tomllib.load(file)["project"]["version"]
    return version


PRODUCT = version_of(ROOT)
