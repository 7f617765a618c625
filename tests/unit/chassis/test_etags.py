"""Whether a reader has it already: If-None-Match compares weakly; what is no list says nothing."""

import pytest

from chassis import etags


@pytest.mark.parametrize(
    "lines", [["*"], ['"3"'], ['W/"3"'], ['"1", W/"3"'], ['"1"', '"3"'], [' , "3" ,']]
)
@pytest.mark.parametrize("etag", ['"3"', 'W/"3"'])
def test_it_is_known(etag: str, lines: list[str]) -> None:
    assert etags.known(etag, lines)


@pytest.mark.parametrize("lines", [['"4"'], ["3"], ['"3'], [""], ['*, "3"'], ['w/"3"']])
def test_it_is_not(lines: list[str]) -> None:
    assert not etags.known('"3"', lines)


def test_of_a_body_it_is_always_the_same_and_of_another_one_another() -> None:
    assert etags.of("x") == '"LXEWQrcmsEQBYnyp-6wy9chT"' != etags.of("y")
    assert etags.members([etags.of("x")]) == [(False, etags.of("x").strip('"'))]
