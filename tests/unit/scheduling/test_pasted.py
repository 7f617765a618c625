"""What comes along unseen is dropped, and what is spelled is kept."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling import pasted

UNSEEN = "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202c\u202e\u2060\u2066\u2069\ufeff"
SPACES = " \t\n\u00a0\u2003\u2009\u202f\u3000"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("\ufeffErika\u00a0\u200bMuster\u00admann\u200e", "Erika Mustermann"),
        ("\u202bعلی\u202c رضا", "علی رضا"),
        ("\u200dErika\u200c Muster\u200d", "Erika Muster"),
        ("علی\u200cرضا", "علی\u200cرضا"),  # Persian
        ("ශ්\u200dරී", "ශ්\u200dරී"),  # Sinhala
        ("क्\u200dष", "क्\u200dष"),  # Hindi
        ("ত্\u200d", "ত্\u200d"),  # Bengali, at the end of a word
        ("E\u0308va", "\u00cbva"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert pasted.name(text) == name


@given(st.lists(st.text("ab\u00e9 ", max_size=5)), st.text(UNSEEN + SPACES, max_size=5))
def test_what_is_unseen_around_a_word_changes_nothing(words: list[str], around: str) -> None:
    plain = " ".join(" ".join(words).split())
    wrapped = around + f"{around} {around}".join(plain.split(" ")) + around
    assert pasted.line(wrapped) == plain
    assert pasted.name(wrapped) == plain


@given(st.text())
def test_a_second_time_changes_nothing(text: str) -> None:
    for read in pasted.line, pasted.name:
        once = read(text)
        assert read(once) == once
        assert not set(once) & set(UNSEEN)
        assert once == once.strip()
    assert unicodedata.is_normalized("NFC", pasted.name(text))
