"""The metrics that every process shows, and those that a PromQL expression asks for."""

import importlib
import re
from collections.abc import Iterator

from prometheus_client import REGISTRY

from local.modules import MODULES

WORDS = {"and", "or", "unless", "offset", "bool"}
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}


def known() -> set[str]:
    """The names of all samples."""
    for module in MODULES.values():
        importlib.import_module(f"{module}.app")
    return {
        family.name + suffix
        for family in REGISTRY.collect()
        for suffix in SUFFIXES.get(family.type, ())
    }


def named_in(expression: str) -> Iterator[str]:
    """The names of the metrics in it."""
    bare = re.sub(r'\{[^}]*\}|\b(by|on|ignoring) ?\([^)]*\)|\[[^\]]*\]|"[^"]*"', " ", expression)
    for found in re.finditer(r"(?<![\w.$])[a-z_][a-z0-9_]*(?![\w(])(?! *\()", bare):
        if found[0] not in WORDS:
            yield found[0]
