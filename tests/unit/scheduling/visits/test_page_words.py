"""Day and time on the patient's page, in the patient's language and across daylight saving."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from services.scheduling.visits.page_words import (
    accepted_language,
    choose,
    day_text,
    moment_text,
    place_text,
    time_text,
)

BERLIN = ZoneInfo("Europe/Berlin")
GERMAN, ENGLISH = choose("de"), choose("en")


def test_each_language_writes_day_and_time_its_own_way() -> None:
    start = datetime(2026, 11, 30, 14, 5, tzinfo=BERLIN)
    assert (day_text(start, GERMAN), time_text(start, GERMAN)) == (
        "Montag, 30. November 2026",
        "14:05 Uhr",
    )
    assert (day_text(start, ENGLISH), time_text(start, ENGLISH)) == (
        "Monday, 30 November 2026",
        "14:05",
    )
    assert (place_text(BERLIN, GERMAN), place_text(BERLIN, ENGLISH)) == (
        "Ortszeit Berlin",
        "Berlin time",
    )


def test_day_and_time_as_the_language_puts_them_together() -> None:
    start = datetime(2026, 11, 30, 14, 5, tzinfo=BERLIN)
    assert [moment_text(start, choose(code)) for code in ("de", "fr", "ar")] == [
        "Montag, 30. November 2026, 14:05 Uhr",
        "lundi 30 novembre 2026 à 14:05",
        "الاثنين، 30 نوفمبر 2026، الساعة 14:05",
    ]


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert time_text(first, GERMAN) == "02:30 Uhr (Sommerzeit)"
    assert time_text(first.replace(fold=1), GERMAN) == "02:30 Uhr (Winterzeit)"
    assert time_text(first.replace(fold=1), ENGLISH) == "02:30 (winter time)"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("nl,de;q=0.8,en;q=0.7", "de"),
        ("de;q=0.1, en;q=0.5", "en"),
        ("en;q=0, tlh", None),
        ("tlh, tr;q=0.9, de;q=0.8", "tr"),
        ("ar-SY,ar;q=0.9,en;q=0.8", "ar"),
        ("de-DE-simple, de;q=0.9", "de-simple"),
        ("en;q=x,,;;q=1,*", None),
    ],
)
def test_the_browsers_language(header: str, language: str | None) -> None:
    assert accepted_language(header) == language


def test_the_first_known_wish_holds_and_german_is_for_the_rest() -> None:
    assert choose(None, "en") is ENGLISH
    assert choose("de", "en") is GERMAN
    assert choose("<script>", "tlh", None) is GERMAN
