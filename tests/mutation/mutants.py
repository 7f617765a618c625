"""Every way in which one line of a module can be a little wrong. Pure.

What no test is to notice is left alone: annotations, docstrings, texts for people (strings with
spaces), logs, metrics and imports.
"""

import ast
import copy
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SEED = 16
LONGEST = 70  # characters of code in a description

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
_CALLED = {"min": "max", "max": "min", "any": "all", "all": "any"}
# What is told to people or to operations.
_UNTESTED_CALLS = {"Gauge", "Counter", "Histogram", "get_logger", "TypeVar", "namedtuple"}
_UNTESTED_OBJECTS = {"log"}
_UNTESTED_NAMES = {"__all__", "__slots__", "title", "description"}


Enums = Mapping[str, Sequence[str]]
_Path = tuple[tuple[str, int | None], ...]  # from the module: fields, and places in lists


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong module. `line` and `change` name it, for as long as its line stays what it is."""

    number: int  # of the line
    line: str
    change: str
    tree: ast.Module = field(repr=False, compare=False)  # of the right module
    path: _Path = field(repr=False)
    replacement: ast.AST = field(repr=False, compare=False)

    def wrong(self) -> ast.Module:
        """The module with the change made."""
        tree = copy.deepcopy(self.tree)
        parent: Any = tree
        for name, at in self.path[:-1]:
            parent = getattr(parent, name)
            parent = parent if at is None else parent[at]
        name, at = self.path[-1]
        if at is None:
            setattr(parent, name, self.replacement)
        else:
            getattr(parent, name)[at] = self.replacement
        return ast.fix_missing_locations(tree)


def mutants(source: str, enums: Enums) -> list[Mutant]:
    """All of a module; `enums` are those that it knows, with their members."""
    tree, lines = ast.parse(source), source.splitlines()
    optional = set(_optional(tree))
    seen: Counter[tuple[str, str]] = Counter()
    found: list[Mutant] = []
    for path, node in _walk(tree, ()):
        line = lines[node.lineno - 1].strip()
        for change, replacement in _changes(node, enums, optional):
            seen[line, change] += 1
            nth = seen[line, change]
            ast.copy_location(replacement, node)
            called = change + f" (#{nth})" * (nth > 1)
            found.append(Mutant(node.lineno, line, called, tree, path, replacement))
    return found


def sample(found: list[Mutant], size: int) -> list[Mutant]:
    """A random choice that a change to other lines of the module hardly alters."""

    def weight(mutant: Mutant) -> bytes:
        return hashlib.sha256(f"{SEED}\n{mutant.line}\n{mutant.change}".encode()).digest()

    return sorted(sorted(found, key=weight)[:size], key=lambda each: each.number)


# --- where a change is made -----------------------------------------------------------------------


def _optional(tree: ast.Module) -> Iterator[str]:
    """Parameters by keyword that the module's own functions have a default for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for each, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
                if default is not None:
                    yield each.arg


def _walk(node: ast.AST, path: _Path) -> Iterator[tuple[_Path, Any]]:
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params", "bases"}:
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for at, child in children:
            if isinstance(child, ast.AST) and not _untested(child):
                here = (*path, (name, at))
                if hasattr(child, "lineno"):
                    yield here, child
                yield from _walk(child, here)


def _untested(node: ast.AST) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.keyword(arg=name):
            return name in _UNTESTED_NAMES or _untested_call(getattr(node, "value", None))
        case ast.Expr(value=ast.Call() as call):
            return _untested_call(call)
    return False


def _untested_call(node: ast.AST | None) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _UNTESTED_CALLS
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=name)):
            return owner in _UNTESTED_OBJECTS or name in _UNTESTED_CALLS
    return False


# --- what is changed ------------------------------------------------------------------------------

_Changes = Iterator[tuple[str, ast.AST]]  # in words, and what stands there instead


def _changes(node: Any, enums: Enums, optional: set[str]) -> _Changes:
    for replacement in (*_values(node, enums), *_operators(node), *_statements(node)):
        yield f"{_code(node)} -> {_code(replacement)}", replacement
    yield from _losses(node, optional)


def _values(node: Any, enums: Enums) -> Iterator[ast.AST]:
    match node:
        case ast.Constant(value=bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(value=int() as value):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float() as value):
            yield ast.Constant(value * 2 + 1)
        case ast.Constant(value=bytes() as value):
            yield ast.Constant(value + b"X")
        case ast.Constant(value=str() as value) if " " not in value:
            yield ast.Constant(value + "X")
        case ast.Attribute(value=ast.Name(id=owner), attr=member, ctx=ast.Load()):
            members = enums.get(owner, ())
            if member in members and len(members) > 1:
                other = members[(members.index(member) + 1) % len(members)]
                yield ast.Attribute(ast.Name(owner, ast.Load()), other, ast.Load())


def _operators(node: Any) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left=left, ops=operators, comparators=right):
            for at, operator in enumerate(operators):
                for other in _COMPARED[type(operator)]:
                    yield ast.Compare(left, [*operators[:at], other(), *operators[at + 1 :]], right)
        case ast.BoolOp(op=operator, values=values):
            yield ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for at in range(len(values)):
                rest = values[:at] + values[at + 1 :]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(operator, rest)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _RECKONED:
            if not _is_text(left) and not _is_text(right):
                yield ast.BinOp(left, _RECKONED[type(operator)](), right)
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in _CALLED:
            yield ast.Call(ast.Name(_CALLED[name], ast.Load()), args, keywords)


def _statements(node: Any) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse) if not isinstance(test, ast.Compare):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.Return(value=value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case (
            ast.Expr(value=ast.Call() | ast.Await())
            | ast.AugAssign()
            | ast.Raise()
            | ast.Continue()
            | ast.Break()
        ):
            yield ast.Pass()


def _losses(node: Any, optional: set[str]) -> _Changes:
    """Entries of tables and sets, and fields that have a value without it."""
    match node:
        case ast.Set(elts=parts) if len(parts) > 1:
            for at, part in enumerate(parts):
                yield f"without {_code(part)}", ast.Set(parts[:at] + parts[at + 1 :])
        case ast.List(elts=parts, ctx=ast.Load()) if len(parts) > 1:
            for at, part in enumerate(parts):
                yield f"without {_code(part)}", ast.List(parts[:at] + parts[at + 1 :], ast.Load())
        case ast.Tuple(elts=parts, ctx=ast.Load()) if all(map(_is_choice, parts)):
            for at, part in enumerate(parts):
                yield f"without {_code(part)}", ast.Tuple(parts[:at] + parts[at + 1 :], ast.Load())
        case ast.Dict(keys=keys, values=values) if len(keys) > 1:
            for at, (key, value) in enumerate(zip(keys, values, strict=True)):
                rest = ast.Dict(keys[:at] + keys[at + 1 :], values[:at] + values[at + 1 :])
                yield f"without {_code(value if key is None else key)}", rest
        case ast.Call(func=function, args=args, keywords=keywords):
            replaces = isinstance(function, ast.Name) and function.id == "replace"
            for at, each in enumerate(keywords):
                if each.arg is not None and (replaces or each.arg in optional):
                    fewer = ast.Call(function, args, keywords[:at] + keywords[at + 1 :])
                    yield f"without {_code(each)}", fewer


def _is_choice(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute | ast.Starred)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)


def _is_none(node: ast.AST | None) -> bool:
    return node is None or (isinstance(node, ast.Constant) and node.value is None)


def _code(node: Any) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
