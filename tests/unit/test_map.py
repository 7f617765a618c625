"""The map in CONTRIBUTING.md is true: what it names is there, and every room is on it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = (
    *("contracts", "chassis", "services", "dashboard", "local", "tools", "reliability"),
    *("clients", "examples", "benchmarks"),
)


def places() -> set[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    block = re.search(r"## Where things are\n```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return {line.split()[0].rstrip("/") for line in block[1].splitlines()}


def test_what_the_map_names_is_there() -> None:
    assert not [each for each in places() if not (ROOT / each).is_dir()]


def test_every_room_is_on_the_map() -> None:
    rooms = {top for top in TOP if top != "services"}
    for service in (ROOT / "services").glob("*/__init__.py"):
        rooms |= {
            package.parent.relative_to(ROOT).as_posix()
            for package in (service, *service.parent.glob("*/__init__.py"))
        }
    assert rooms == places()


def test_the_glossary_is_short() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    words = text[text.index("## Words") : text.index("## Rules")].strip().splitlines()
    assert len(words) <= 25
