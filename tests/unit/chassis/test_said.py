"""A sentence is said in the language that is asked for, and in German where nobody asks."""

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chassis.said import Said, for_operators, in_english, prefers_english

HELLO = Said("Guten Tag", "Good day")


@pytest.mark.parametrize(
    "asked",
    ["en", "EN", "en-GB", "en-GB,en;q=0.9,de;q=0.8", "fr, en", "de;q=0.1, *", "de;q=0,en;q=.5"],
)
def test_english(asked: str) -> None:
    assert prefers_english(asked) is (";q=." not in asked)  # which is no weight


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "de",
        "de-AT",
        "fr",
        "*",
        "en;q=0",
        "de,en",
        "en;q=0.5,de;q=0.7",
        "en,de;q=1",
        "en;x",
        ";",
        "en-",
    ],
)
def test_german(asked: str) -> None:
    assert not prefers_english(asked)


@given(st.text("deDEn-*;q=0.1, \t", max_size=40))
def test_whatever_is_asked_there_is_an_answer(asked: str) -> None:
    assert prefers_english(asked) in {True, False}


def test_it_is_german_itself_and_stays_both() -> None:
    assert json.dumps(HELLO) == '"Guten Tag"'
    assert deepcopy([HELLO])[0].english == "Good day"


def test_all_of_a_content_is_put_into_english() -> None:
    content = {"title": HELLO, "errors": [{"message": HELLO, "field": "x"}], "status": 422}
    assert in_english(content) == {
        "title": "Good day",
        "errors": [{"message": "Good day", "field": "x"}],
        "status": 422,
    }


def test_in_descriptions_it_is_a_text() -> None:
    assert TypeAdapter(Said).json_schema() == {"type": "string"}


def test_operators_read_english_alone() -> None:
    assert in_english(for_operators("Good day")) == for_operators("Good day") == "Good day"
