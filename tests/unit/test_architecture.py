"""The map holds: who may import whom."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "contracts": set[str](),
    "chassis": {"contracts"},
    "services/scheduling": {"contracts", "chassis", "services.scheduling"},
    "services/notification": {"contracts", "chassis", "services.notification"},
    "services/status": {"contracts", "chassis", "services.status"},
    "services/fhir": {"chassis", "services.fhir"},
    "dashboard": {"chassis"},
    "clients": set(),
    "examples": set(),
}
OWN = ("contracts", "chassis", "services", "dashboard", "local", "tools")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_what_the_map_allows(room: str) -> None:
    allowed = (room.replace("/", "."), *ALLOWED[room])
    for path in (ROOT / room).rglob("*.py"):
        for name in imports(path):
            assert not name.startswith("importlib"), f"{path} imports what nobody can see"
            if name.split(".")[0] in OWN:
                assert any(f"{name}.".startswith(f"{one}.") for one in allowed), f"{path}: {name}"


def test_tests_of_one_module_stand_in_a_folder_called_as_its_own() -> None:
    unit = ROOT / "tests" / "unit"
    for folder in {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}:
        there = [(root / folder).is_dir() for root in (ROOT, ROOT / "services")]
        assert any(there), f"tests/unit/{folder} is of nothing"


def test_nothing_is_borrowed_from_a_test_file() -> None:
    """What several tests need is in tests/support, or beside them under a name of its own."""
    for path in (ROOT / "tests").rglob("*.py"):
        for name in imports(path):
            room, *rest = name.split(".")
            if room == "tests":
                assert not any(one.startswith("test_") for one in rest), f"{path}: {name}"


def test_tests_know_no_private_names() -> None:
    for path in (ROOT / "tests").rglob("*.py"):
        for name in imports(path):
            if name.split(".")[0] in OWN:
                assert not name.rpartition(".")[2].startswith("_"), f"{path}: {name}"


def test_tests_ask_for_the_days_of_practices() -> None:
    """With UTC's days they fail between midnight in Berlin and midnight in Greenwich."""
    of_greenwich = re.compile(r"(now\(UTC\)|utc_now\(\)|moment).*\.date\(\)")
    files = (ROOT / "tests").rglob("*.py")
    assert [path for path in files if of_greenwich.search(path.read_text())] == []
