"""If-Match as RFC 9110 reads it: strong, in lists, over several lines; anything else is refused."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.api.preconditions import etag, versions
from services.scheduling.problems import BadETag


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (['"3"'], {3}),
        (['"1", "3"'], {1, 3}),
        (['"1","3"'], {1, 3}),
        (['"1"', '"3"'], {1, 3}),
        ([' , "1" ,\t, "3",'], {1, 3}),
        (['W/"3"'], set()),
        (['W/"3", "1"'], {1}),
        (['"03"', '"3"'], {3}),
        (['"a,b", "3"'], {3}),
        (['"xyzzy"', '""', '"ü"'], set()),
        (['"1234567890"'], set()),
        ([""], set()),
    ],
)
def test_which_versions_are_named(lines: list[str], named: set[int]) -> None:
    assert versions(lines) == frozenset(named)


@pytest.mark.parametrize("lines", [["*"], [" *\t"]])
def test_any_version_will_do(lines: list[str]) -> None:
    assert versions(lines) is None


@pytest.mark.parametrize(
    "line",
    [
        "3",
        '"3',
        '3"',
        "'3'",
        'w/"3"',
        'W / "3"',
        "W/3",
        '"1" "3"',
        '*, "3"',
        "**",
        '"a b"',
        '"\x7f"',
    ],
)
def test_what_is_no_list_of_etags_is_refused(line: str) -> None:
    with pytest.raises(BadETag):
        versions([line])


@given(st.lists(st.tuples(st.integers(1, 10**9 - 1), st.booleans())))
def test_of_a_list_the_strong_ones_count(tags: list[tuple[int, bool]]) -> None:
    line = " , ".join(("W/" if weak else "") + etag(version) for version, weak in tags)
    assert versions([line]) == frozenset(version for version, weak in tags if not weak)


@given(st.text(alphabet='W/"* ,\t3a\x7fü', max_size=40))
def test_nothing_is_raised_but_the_problem(line: str) -> None:
    with suppress(BadETag):
        versions([line])


@pytest.mark.parametrize("part", [" ", ",", '"3",', '"', "W/", '"a', " ,"])
def test_reading_takes_linear_time(part: str) -> None:
    began = time.process_time()
    for end in ("", "x"):
        with suppress(BadETag):
            versions([part * (300_000 // len(part)) + end])
    assert time.process_time() - began < 2
