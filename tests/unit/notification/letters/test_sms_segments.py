"""Segments, held against the definitions of 3GPP TS 23.038 and 23.040 rather than the code."""

from itertools import pairwise

import pytest
from gsm0338 import Codec
from hypothesis import example, given
from hypothesis import strategies as st

from services.notification.letters import sms_segments as segments
from services.notification.letters.sms_segments import Encoding

# TS 23.038 section 6.2.1, row by row, and its extension table.
ALPHABET = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = "\f^{}\\[~]|€"

gsm_texts = st.text(st.sampled_from(ALPHABET + EXTENSION), max_size=700)
any_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def long(*pieces: str) -> st.SearchStrategy[str]:
    """Of several parts, which texts that are drawn letter by letter hardly ever come to."""
    letters = st.text(st.sampled_from(ALPHABET + EXTENSION), min_size=1, max_size=9)
    return st.lists(letters | st.sampled_from(pieces), min_size=9, max_size=20).map(
        lambda drawn: "".join([*drawn, *pieces])
    )


long_gsm_texts = long("a" * 152, "€" * 76, "a" * 153, "€a" * 51)
long_texts = long("ł" * 66, "😀" * 33, "a" * 66)


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(ALPHABET) == 127  # and the escape
    found = {chr(code) for code in range(0x3000) if segments.septets(chr(code))}
    assert found == set(ALPHABET + EXTENSION)
    assert all(segments.septets(character) == 2 for character in EXTENSION)
    # Nor is there anything further up. One by one each would be an error, whose garbage takes time.
    everything = "".join(map(chr, range(0x110000)))
    taken, _ = Codec().encode(everything, "ignore")
    assert len(taken) == len(ALPHABET) + len("\x1b") + 2 * len(EXTENSION)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 159 + "€", 2),
        ("a" * 158 + "€", 1),
        ("a" * 152 + "€" + "a" * 152, 3),  # the euro is not torn apart
        ("ł" * 70, 1),
        ("ł" * 71, 2),
        ("ł" * 134, 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("ł" * 135, 3),
        ("\uffff" * 70, 1),
        ("\U00010000" * 35, 1),
        ("\U00010000" * 36, 2),
        ("😀" * 67, 3),  # 33 pairs to a part of 67
    ],
)
def test_counts(text: str, expected: int) -> None:
    assert segments.count(text) == expected


def test_parts_make_up_the_text_and_fit() -> None:
    seen: set[tuple[Encoding, int]] = set()

    @given(any_texts | gsm_texts | long_gsm_texts | long_texts)
    @example("")
    def check(text: str) -> None:
        parts = segments.split(text)
        encoding = segments.encoding_of(text)
        seen.add((encoding, min(len(parts), 3)))
        assert "".join(parts) == text
        assert segments.count(text) == len(parts)
        most = segments.ALONE[encoding] if len(parts) == 1 else segments.PART[encoding]
        for part in parts:
            assert _size(part, encoding) <= most
        for part, following in pairwise(parts):
            assert _size(part + following[0], encoding) > most
        assert segments.units(text) == _size(text, encoding)
        fits = segments.units(text) <= segments.room(encoding, 1)
        assert fits == (len(parts) == 1)

    check()
    assert {(encoding, parts) for encoding in Encoding for parts in (1, 3)} <= seen


def test_room_as_the_standard_has_it() -> None:
    assert [segments.room(Encoding.GSM7, each) for each in (1, 2, 3)] == [160, 306, 459]
    assert [segments.room(Encoding.UCS2, each) for each in (1, 2, 3)] == [70, 134, 201]


@given(gsm_texts)
def test_the_alphabet_goes_in_seven_bits(text: str) -> None:
    assert segments.encoding_of(text) is Encoding.GSM7


@given(gsm_texts, st.sampled_from("łş…„–😀\x1b"))
def test_one_foreign_character_changes_all(text: str, foreign: str) -> None:
    assert segments.encoding_of(text + foreign) is Encoding.UCS2


def _size(text: str, encoding: Encoding) -> int:
    if encoding is Encoding.UCS2:
        return len(text.encode("utf-16-be")) // 2
    return len(text) + sum(character in EXTENSION for character in text)
