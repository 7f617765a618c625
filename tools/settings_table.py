"""docs/settings.md: every variable of every service and the dashboard, from their settings."""

import importlib
import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from local.modules import PROGRAMS, title

_UNITS = {"seconds", "minutes", "hours", "days"}
_NAMES_OF_DURATIONS = _UNITS | {"age", "delay", "interval", "retention", "timeout", "wait"}

HEAD = """\
# Settings

Written by `make generate` from the code; `make check` tells when it is stale.

Every process reads its settings from environment variables, or from files of the same names (in
any case) in `/run/secrets`; a variable wins over a file. What has no default has to be set. With a
bad value a process does not start; it says which one in one line of its log. `ENVIRONMENT` is
`production` unless it is set: then whatever is for one machine alone, as plain HTTP or mail
without encryption, is refused too.
"""


def settings_of(module: str) -> type[BaseSettings]:
    """The settings class of a service or the dashboard."""
    found: type[BaseSettings] = importlib.import_module(f"{module}.settings").Settings
    return found


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for program, module in PROGRAMS.items():
        settings = settings_of(module)
        prefix = settings.model_config.get("env_prefix", "")
        rows = [
            f"| `{(prefix + name).upper()}` | {_kind(field)} | {_default(field)} "
            f"| {_cell(field.description or '')} |"
            for name, field in settings.model_fields.items()
        ]
        head = "| variable | values | default | meaning |\n|---|---|---|---|"
        parts.append(f"## {title(program)}\n\n" + "\n".join([head, *rows]) + "\n")
    return "\n".join(parts)


def _kind(field: FieldInfo) -> str:
    words = [_name(field.annotation)]
    for bound in field.metadata:
        match bound:
            case Ge(ge=least):
                words.append(f"from {least}")
            case Gt(gt=least):
                words.append(f"more than {least}")
            case Le(le=most):
                words.append(f"to {most}")
    return _cell(" ".join(words))


def _name(annotation: Any) -> str:
    arguments = get_args(annotation)
    origin = get_origin(annotation)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if type(None) in arguments:
        return " or ".join(_name(each) for each in arguments if each is not type(None))
    if origin is list or origin is dict:
        return f"JSON {'list' if origin is list else 'object'}"
    names = {int: "whole number", float: "number", str: "text", SecretStr: "secret", bool: "yes/no"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value is PydanticUndefined or value in ("", [], {}):
        return "none"
    if not isinstance(value, str):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return f"`{_cell(value)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def undescribed() -> Iterator[str]:
    """Variables that say nothing of what they mean."""
    return (name for name, field in _fields() if not field.description)


def without_unit() -> Iterator[str]:
    """Durations whose names do not end in their unit."""
    for name, field in _fields():
        words = name.lower().split("_")
        fraction = float in {field.annotation, *get_args(field.annotation)}
        if (fraction or not _NAMES_OF_DURATIONS.isdisjoint(words)) and not (
            words[-1] in _UNITS or "per" in words
        ):
            yield name


def _fields() -> Iterator[tuple[str, FieldInfo]]:
    """Every variable and its field."""
    for module in PROGRAMS.values():
        settings = settings_of(module)
        prefix = settings.model_config.get("env_prefix", "")
        for name, field in settings.model_fields.items():
            yield (prefix + name).upper(), field
