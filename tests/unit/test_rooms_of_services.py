"""Within a service, too, imports run one way: no room imports one that needs it."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = (
    "services.scheduling",
    "services.notification",
    "services.status",
    "services.webhooks",
    "services.fhir",
    "dashboard",
)


def packages(service: str) -> Iterator[str]:
    folder = ROOT / service.replace(".", "/")
    for found in sorted(folder.rglob("__init__.py")):
        yield ".".join(found.parent.relative_to(ROOT).parts)


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """What a module imports; of `from a import b` both a.b and, for its own sake, a."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def children(package: str) -> set[str]:
    """Modules and packages that stand directly in a package."""
    folder = ROOT / package.replace(".", "/")
    return {
        each.stem
        for each in folder.iterdir()
        if (each.suffix == ".py" and each.stem != "__init__") or (each / "__init__.py").is_file()
    }


def rooms(package: str) -> dict[str, set[str]]:
    """Which children of a package import which others; the package's own code is `__init__`."""
    names, needs = children(package), defaultdict[str, set[str]](set)

    def room(name: str) -> str:
        child = name.removeprefix(f"{package}.").partition(".")[0]
        return child if child in names else "__init__"

    for path in (ROOT / package.replace(".", "/")).rglob("*.py"):
        here = room(module(path))
        for name in imported(path):
            if name.startswith(f"{package}.") and room(name) != here:
                needs[here].add(room(name))
    return needs


@pytest.mark.parametrize("package", [each for service in SERVICES for each in packages(service)])
def test_no_import_runs_back_up(package: str) -> None:
    TopologicalSorter(rooms(package)).prepare()  # raises CycleError, which names the circle


def test_settings_are_known_to_the_wiring_alone() -> None:
    for path in (ROOT / "services/notification").rglob("*/*.py"):
        assert not any("notification.settings" in name for name in imported(path)), path
