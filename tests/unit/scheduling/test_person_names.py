"""Which spellings are taken for one name."""

import random
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.person_names import alike


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Erika Mustermann", "mustermann,  ERIKA"),
        ("Dr. med. Jürgen Groß", "Juergen Gross"),
        ("Frau Anna-Lena O’Neil", "anna lena o'neil"),
        ("René Müller", "Rene Mueller"),
        ("Στέφανος", "ΣΤΕΦΑΝΟΣ"),
        ("İpek Yılmaz", "ipek yılmaz"),
        ("Dr. Prof", "prof dr"),  # nothing but forms of address
        ("Ａｎｎａ", "anna"),
        ("Jäger", "Jaeger"),
        ("Böhm", "BOEHM"),
        *[
            (f"{title} Anna Muster", "Anna Muster")
            for title in ["dr", "fr", "frau", "herr", "hr", "med", "mr", "mrs", "ms", "prof"]
        ],
    ],
)
def test_the_same_name_otherwise_written(one: str, other: str) -> None:
    assert alike(one) == alike(other) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Erika Mustermann", "Max Mustermann"),
        ("Erika Mustermann", "Erika"),
        ("Muller", "Mueller"),
        ("हरि", "हरा"),  # told apart by a vowel sign alone
        ("محمد علی", "محمد رضا"),
    ],
)
def test_other_names(one: str, other: str) -> None:
    assert alike(one) != alike(other)


words = st.lists(st.text("abcäöüßéñçğйщ", min_size=1, max_size=6), min_size=1, max_size=5)


@given(words, st.randoms(), st.sampled_from([" ", "  ", "-", ", ", "\u00a0", ". "]))
def test_order_case_and_what_stands_between_make_no_difference(
    name: list[str], chance: random.Random, between: str
) -> None:
    shuffled = chance.sample(name, len(name))
    other = unicodedata.normalize("NFD", between.join(shuffled).upper())
    assert alike(" ".join(name)) == alike(other)
    assert alike(alike(other)) == alike(other)


@given(st.text(max_size=40))
def test_anything_can_be_compared(name: str) -> None:
    assert alike(alike(name)) == alike(name)
