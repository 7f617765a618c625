"""Letters without their marks."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification.refusals.spelling import also_plain


@pytest.mark.parametrize(
    ("pattern", "spellings"),
    [
        ("überschritten", ["überschritten", "ueberschritten", "uberschritten"]),
        ("größe", ["größe", "groesse", "grosse"]),
        ("za du(?:ży|ża)", ["za duży", "za duza"]),
        ("pe[łl]na", ["pełna", "pelna"]),
        ("liste[śé]", ["listeś", "listes", "listee"]),
        (r"caixa \w[ãa]o", ["caixa não", "caixa nao"]),
        ("неизвест", ["неизвест"]),
    ],
)
def test_a_word_is_known_without_its_marks(pattern: str, spellings: list[str]) -> None:
    assert [word for word in spellings if not re.fullmatch(also_plain(pattern), word)] == []


@given(st.text(st.characters(codec="latin-1", categories=["Ll"]), max_size=20))
def test_the_spelling_with_marks_still_matches(word: str) -> None:
    assert re.fullmatch(also_plain(word), word)
    plain = "".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c))
    if "ß" not in word and "µ" not in word:
        assert re.fullmatch(also_plain(word), plain)
