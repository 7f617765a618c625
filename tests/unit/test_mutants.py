"""The mistakes that `make mutation` makes: each is one, and texts for people are left alone."""

import ast
import tomllib

import pytest

from tests.mutation.__main__ import HERE, chosen_modules
from tests.mutation.forks import ROOT
from tests.mutation.mutants import mutants, sample

ENUMS = {"State": ["NEW", "SENT", "LOST"]}


def changes(source: str) -> list[str]:
    return [each.change for each in mutants(source, ENUMS)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a < b -> a <= b", "a < b -> a >= b"}),
        ("a < b < c", {"a < b < c -> a <= b < c", "a < b < c -> a < b >= c"}),
        ("a and b", {"a and b -> a or b", "a and b -> a", "a and b -> b"}),
        ("x = not a", {"not a -> a"}),
        ("x = a + b", {"a + b -> a - b"}),
        ("x = 'a' + b", {"'a' -> 'aX'"}),
        ("x = b'a'", {"b'a' -> b'aX'"}),
        ("x = 3", {"3 -> 4", "3 -> 2"}),
        ("x = True", {"True -> False"}),
        ("x = min(a, b)", {"min(a, b) -> max(a, b)"}),
        ("x = State.LOST", {"State.LOST -> State.NEW"}),
        ("x = {a, b}", {"without a", "without b"}),
        ("x = {a: b, **c}", {"without a", "without c"}),
        ("x = (State.NEW, *more)", {"without State.NEW", "without *more"}),
        ("x = replace(a, b=c)", {"without b=c"}),
        ("def f():\n    return a", {"return a -> return None"}),
        ("if a: b()", {"if a: b() -> if not a: b()", "b() -> pass"}),
        ("x = a if b else c", {"a if b else c -> a", "a if b else c -> c"}),
        ("def f(*, a=b): ...\nf(a=c)", {"without a=c"}),
    ],
)
def test_mistakes(source: str, expected: set[str]) -> None:
    assert expected <= set(changes(source))


@pytest.mark.parametrize(
    "source",
    [
        "'''A docstring.'''",
        "x = 'Bitte füllen Sie dieses Feld aus.'",
        "log.info('token')",
        "import a.b",
        "x: Literal[3]",
        "X: TypeAlias = A | 3",
        "def f(a: Literal[3]) -> Literal[4]: ...",
        "@lru_cache(maxsize=3)\ndef f(): ...",
        "log = get_logger(__name__)",
        "x = f'{a < b}'",
    ],
)
def test_what_no_test_is_to_notice_is_left_alone(source: str) -> None:
    assert changes(source) == []


def test_a_wrong_module_is_the_right_one_but_for_one_place() -> None:
    found = mutants("a = 1\nb = [1, 1]\n", {})
    assert [(each.number, each.line, each.change) for each in found][:4] == [
        (1, "a = 1", "1 -> 2"),
        (1, "a = 1", "1 -> 0"),
        (2, "b = [1, 1]", "without 1"),
        (2, "b = [1, 1]", "without 1 (#2)"),
    ]
    wrong = {ast.unparse(each.wrong()) for each in found}
    assert len(wrong) == 7  # leaving out either is the same
    assert "a = 1\nb = [1, 0]" in wrong
    assert all(ast.unparse(each.tree) == "a = 1\nb = [1, 1]" for each in found)


def test_every_module_that_mistakes_are_made_in_is_there_with_its_tests() -> None:
    modules = chosen_modules([])
    listed = tomllib.loads((HERE / "equivalent.toml").read_text())
    assert [*listed.keys() - {each.path for each in modules}] == []
    for each in modules:
        assert all((ROOT / test).is_file() for test in each.tests), each.path
        each.prepare(listed.get(each.path, []), size=0)
        assert each.wrong_entries == []


def test_a_sample_stays_when_another_line_changes() -> None:
    lines = [f"x{each} = {each}" for each in range(100)]
    before = sample(mutants("\n".join(lines), {}), 40)
    lines[50] = "y = z"
    after = sample(mutants("\n".join(lines), {}), 40)
    names = [{(each.line, each.change) for each in chosen} for chosen in (before, after)]
    assert len(before) == len(after) == 40
    assert len(names[0] & names[1]) >= 38
    assert [each.number for each in before] == sorted(each.number for each in before)
