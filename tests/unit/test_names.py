"""A class name means one thing within a service."""

import ast
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = (
    "services/scheduling",
    "services/notification",
    "services/status",
    "services/webhooks",
    "services/fhir",
    "dashboard",
    "chassis",
    "contracts",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_class_name_is_given_once(program: str) -> None:
    names = Counter(
        node.name
        for path in (ROOT / program).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, times in names.items() if times > 1]
