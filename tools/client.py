"""What the Python client (clients/python) has of the contracts: event models and versions.

`events.py` is contracts/events.py, as far as the topics that other systems read need it, so that
both mean the same by construction; the client itself imports nothing of ours.
"""

import ast
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from contracts import channels, events, version
from contracts.topics import TOPICS
from tools.product import PRODUCT, ROOT

PACKAGE = ROOT / "clients" / "python" / "einladung_client"
MODULES: tuple[ModuleType, ...] = (channels, events)

HEAD = '''"""The events of the topics that other systems read; made of contracts/events.py.

They pass over fields that they do not know. All times are aware and in UTC.
"""
'''


@dataclass(frozen=True, slots=True)
class Statement:
    """One of a module's, with the comment before it."""

    defines: frozenset[str]
    uses: frozenset[str]
    text: str
    stands_apart: bool  # a class or a function, with two blank lines around


def files() -> dict[Path, str]:
    """Each generated file of the package with its content."""
    return {PACKAGE / "events.py": event_models(), PACKAGE / "version.py": versions()}


def versions() -> str:
    """The package's, which is the product's, and that of the contracts it speaks."""
    return (
        '"""Versions; by `make generate`."""\n\n'
        f'VERSION = "{PRODUCT}"  # of this package and of the product it was released with\n'
        f'CONTRACTS = "{version.VERSION}"  # of the APIs and events, as their info.version says\n'
    )


def event_models() -> str:
    """The classes of all events without patient data, and what these are made of."""
    public = [topic for topic in TOPICS if not topic.patient_data]
    names = [event.__name__ for topic in public for event in topic.events]
    statements = [each for module in MODULES for each in _statements(module)]
    needed = _needed(statements, names)
    used = frozenset[str]().union(*(each.uses for each in needed))
    imports = [line for module in MODULES for line in _imports(module, used)]
    imports += ["from collections.abc import Mapping", "from typing import ClassVar"]
    return "".join(
        [
            HEAD,
            "\n",
            _merged(imports),
            _joined(needed),
            "\n\n\nTOPICS = (\n",
            *(f'    "{topic.name}",\n' for topic in public),
            ")\nEVENTS: Mapping[str, type[Event]] = {  # by ce_type\n    event.type: event\n",
            "    for event in (\n",
            *(f"        {name},\n" for name in names),
            "    )\n}\n",
        ]
    )


def _statements(module: ModuleType) -> Iterator[Statement]:
    source = inspect.getsource(module)
    lines = source.splitlines()
    end = 0
    for node in ast.parse(source).body:
        begin, end = end, node.end_lineno or 0
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            defines = {node.name}
        elif isinstance(node, ast.Assign):
            defines = {each.id for each in node.targets if isinstance(each, ast.Name)}
        else:  # the module's docstring, imports
            continue
        yield Statement(
            frozenset(defines),
            frozenset(each.id for each in ast.walk(node) if isinstance(each, ast.Name)),
            "\n".join(lines[begin:end]).strip("\n"),
            isinstance(node, ast.ClassDef | ast.FunctionDef),
        )


def _needed(statements: list[Statement], names: Iterable[str]) -> list[Statement]:
    """Those that define these names or what they need, in their order."""
    wanted, known = set(names), set[str]()
    while wanted - known:
        known |= wanted
        wanted = known.union(*(each.uses for each in statements if each.defines & known))
    return [each for each in statements if each.defines & known]


def _imports(module: ModuleType, used: frozenset[str]) -> Iterator[str]:
    """Of others than us, what is used."""
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and not str(node.module).startswith("contracts"):
            names = [each.name for each in node.names if each.name in used]
            if names:
                yield f"from {node.module} import {', '.join(names)}"


def _merged(lines: Iterable[str]) -> str:
    """Sorted, the standard library's first, each module once."""
    found: dict[str, list[str]] = {}
    for line in lines:
        module, _, names = line.removeprefix("from ").partition(" import ")
        found.setdefault(module, []).extend(names.split(", "))
    told = [
        f"from {module} import {', '.join(sorted({*names}, key=_order))}\n"
        for module, names in sorted(found.items(), key=lambda each: (each[0] == "pydantic", each))
    ]
    told.insert(-1, "\n")
    return "".join(told)


def _order(name: str) -> tuple[int, str]:
    """As isort: constants, classes, the rest."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def _joined(statements: list[Statement]) -> str:
    told, apart = "", True
    for each in statements:
        gap = 2 if apart or each.stands_apart else 0
        told += "\n" + "\n" * gap + each.text if told else "\n\n" + each.text
        apart = each.stands_apart
    return told
