"""A name is found however it or the search for it is written, and by nothing else."""

import unicodedata
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.name_search import Named, NameSearch, folded, written

AT = datetime(2026, 11, 28, 9, tzinfo=UTC)


def named(name: str) -> Named:
    return folded(name), AT, uuid4()


def finds(query: str, name: str) -> bool:
    one = named(name)
    return NameSearch.of(query).among([named(""), one]) == [one]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Müller", "Erika Müller"),
        ("muller", "Erika Müller"),
        ("Mueller", "Erika Müller"),
        ("müller", "Erika Mueller"),
        ("MÜLLER", "Erika Muller"),
        ("mu", "Erika Müller"),
        ("mü er", "Erika Müller"),
        ("müller, erika", "Erika Müller"),
        ("u\u0308nal", "Ünal Öz"),
        ("oez", "Ünal Öz"),
        ("Strauß", "Anna Strauss"),
        ("strauss", "Anna STRAUẞ"),
        ("Weisse", "Anna Weiße"),
        ("schmidt-r", "Eva Schmidt-Rottluff"),
        ("rottluff", "Eva Schmidt-Rottluff"),
        ("schmidt rott", "Eva Schmidt-Rottluff"),
        ("schmidtrott", "Eva Schmidt-Rottluff"),
        ("oneill", "Sean O’Neill"),
        ("o'neill", "Sean O’Neill"),
        ("neill", "Sean O’Neill"),
        ("jose", "José García"),
        ("garcia", "José García"),
        ("soren", "Søren Ærø"),
        ("soeren", "Søren Ærø"),
        ("aero", "Søren Ærø"),
        ("lodz", "Jan Łódź"),
        ("istanbul", "İstanbul Işık"),
        ("isik", "İstanbul Işık"),
        ("олена", "ОЛЕНА Ковальчук"),
        ("علي", "علیرضا علي"),
        ("مي\u200cخواهم", "مي\u200cخواهم"),
        ("ميخواهم", "مي\u200cخواهم"),
        ("क्षमा", "क्\u200dषमा"),
        ("baer", "Ute Bär"),
        ("aagaard", "Lars Ågaard"),
        ("agaard", "Lars Ågaard"),
        ("dorde", "Đorđe Petrović"),
        ("gudrun", "Guðrún Jónsdóttir"),
        ("oeuvre", "Œuvre Coeur"),
        ("王小", "王小明"),
        ("प्रिया", "प्रिया शर्मा"),
        ("\u200emüller\u00ad", "Erika Müller"),
        ("3", "Anna Müller 3"),
        ("müller", "Erika ᵐüller"),
        ("erika mᵘller", "Erika Mᵘller"),
    ],
)
def test_it_is_found(query: str, name: str) -> None:
    assert finds(query, name)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("Müllner", "Erika Müller"),
        ("üller", "Erika Müller"),
        ("erika maier", "Erika Müller"),
        ("miller", "Erika Müller"),
        ("rika", "Erika Müller"),
        ("al", "Ünal Öz"),
        ("erikamüller", "Erika Müller"),
    ],
)
def test_it_is_not_found(query: str, name: str) -> None:
    assert not finds(query, name)


@given(
    st.text(st.characters(categories=["L", "Mn", "Mc", "Nd"]), min_size=1).filter(str.strip),
    st.data(),
)
def test_every_beginning_of_a_name_finds_it_in_any_normal_form(
    word: str, data: st.DataObject
) -> None:
    apart = data.draw(st.booleans())
    assert finds(unicodedata.normalize("NFD" if apart else "NFC", word), f"Erika {word}")


@given(
    st.lists(st.sampled_from("aEzß9 '’-äöüåÅøłıéñçŁĩạÑǆŉﬁᴬᵐÄ\u0308\u0301中ي한\u200c.,"), max_size=9)
)
def test_what_is_written_in_latin_letters_is_so_in_words_of_any(letters: list[str]) -> None:
    """The two ways to fold come to the same: another letter takes a name the longer one."""
    name = "".join(letters)
    assert {*written(name), "中"} == {*written(f"{name} 中")} - {""}


def test_latin_words_are_written_all_at_once() -> None:
    assert written("Jürgen Bär") == ["jurgen", "bar", "juergen", "baer"]
    assert written("Jürgen Bär 中") == ["jurgen", "juergen", "bar", "baer", "中"]


def test_those_that_are_found_stay_in_their_order() -> None:
    two, other, one = named("Erika Müller 2"), named("Hans Maier"), named("Mueller, Erika")
    assert NameSearch.of("er mü").among([two, other, one]) == [two, one]


@pytest.mark.parametrize(
    ("text", "letters"), [("", 0), (" - ’ ", 0), ("m", 1), ("m ü", 2), ("ß", 2), ("ü\u0308", 1)]
)
def test_letters_are_counted(text: str, letters: int) -> None:
    assert NameSearch.of(text).letters == letters


def test_a_search_for_nothing_names_no_word() -> None:
    assert NameSearch.of(" \u200b ").words == ()
