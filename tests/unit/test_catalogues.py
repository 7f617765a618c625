"""The catalogues: each says everything, in its own words, with the same values; SMS are short."""

import re
import tomllib
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from chassis.wording import FORMATS, OWN_NAME, wordings
from contracts.languages import DEFAULT, LANGUAGES, SOURCE, TEXTS, find, nearest
from services.notification.letters import sms_segments as segments
from services.notification.letters.letter import Letter, LetterKind
from services.notification.letters.moments import long_moment
from services.notification.letters.sms import compose
from services.notification.letters.sms_segments import Encoding
from services.notification.letters.wordings import wording

ROOT = Path(__file__).parents[2]
TRANSLATED = [each for each in LANGUAGES if each != SOURCE]
FOREIGN = [each for each in TRANSLATED if each.partition("-")[0] != DEFAULT]
KEYWORDS = {"say": None, "gettext_noop": None, "_": None}
PATTERN = "d MMM y, HH:mm"
START = datetime(2026, 9, 30, 13, 30, tzinfo=UTC)
VALUE = re.compile(r"%\(\w+\)s")
WORD = re.compile(r"[^\W\d_]{4,}")
ALSO_GERMAN = {"kamera", "mikrofon", "telefon", "termin"}


def messages() -> set[str]:
    """What the services' code and templates say, and what all services share."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    return {
        message
        for folder in ("services", "chassis")
        for _, _, message, _, _ in extract_from_dir(
            ROOT / folder,
            [(each["pattern"], each["method"]) for each in tables],
            {each["pattern"]: {"extensions": each.get("extensions", "")} for each in tables},
            keywords=KEYWORDS,
        )
        if isinstance(message, str)
    }


def catalogue(code: str) -> Catalog:
    with (TEXTS / f"{code}.po").open("rb") as source:
        return read_po(source, locale=code.partition("-")[0], abort_invalid=True)


def texts(code: str) -> dict[str, str]:
    """What is read as words: neither names nor patterns."""
    read = {str(each.id): str(each.string) for each in catalogue(code) if each.id}
    return {
        message: text
        for message, text in read.items()
        if message not in {OWN_NAME, FORMATS, PATTERN} and WORD.search(VALUE.sub("", message))
    }


def words(text: str) -> set[str]:
    return set(WORD.findall(VALUE.sub("", text).casefold()))


def script(text: str) -> str:
    """LATIN, CYRILLIC, ARABIC …: that of the first letter."""
    letter = next(each for each in VALUE.sub("", text) if each.isalpha())
    return unicodedata.name(letter).partition(" ")[0]


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_catalogue_is_complete_and_fills_in_the_same_values(code: str) -> None:
    read = catalogue(code)
    translated = {each.id for each in read if each.id and each.string and not each.fuzzy}
    assert translated == messages(), "run `make texts` and translate"
    for each in read:
        if each.id:
            assert sorted(VALUE.findall(str(each.id))) == sorted(VALUE.findall(str(each.string)))
    assert not [error for _, errors in read.check() for error in errors]


@pytest.mark.parametrize("code", TRANSLATED)
def test_nothing_is_left_in_english(code: str) -> None:
    same = {message for message, text in texts(code).items() if message == text}
    assert same <= {"E-mail:"}


@pytest.mark.parametrize("code", FOREIGN)
def test_no_german_is_left_over(code: str) -> None:
    german = {word for text in texts("de").values() for word in words(text)}
    german -= {word for message in texts("de") for word in words(message)}
    german -= ALSO_GERMAN
    assert not {word for text in texts(code).values() for word in words(text)} & german


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_text_is_in_the_script_of_the_language(code: str) -> None:
    own = script(wordings()[code].own_name)
    assert {script(text) for text in texts(code).values()} == {own}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("month", range(1, 13))
def test_sms_take_as_few_segments_as_the_script_allows(
    code: str, kind: LetterKind, month: int
) -> None:
    letter = Letter(
        recipient="",
        patient_name="",
        sender_name="Praxis Dr. Weiß",
        link="https://praxis.example/besuch/" + "Ab-_5" * 10,
        locale=code,
        appointment_version=1,
        start=START.replace(month=month, day=28),
        duration_minutes=20,
        time_zone="Europe/Berlin",
        kind=kind,
    )
    latin = script(wordings()[code].own_name) == "LATIN"
    encoding = Encoding.GSM7 if latin else Encoding.UCS2
    text = compose(letter)
    assert segments.encoding_of(text) is encoding
    # The link alone takes more than one segment of UCS-2.
    assert segments.count(text) == (1 if latin or kind is LetterKind.CANCELLED else 2)
    doubled = replace(letter, start=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert segments.encoding_of(compose(doubled)) is encoding


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_writes_day_and_time(code: str) -> None:
    text = long_moment(START, "Europe/Berlin", wording(code))
    assert "2026" in text
    assert "15:30" in text


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("de", "Mittwoch, 30. September 2026"),
        ("de-simple", "Mittwoch, 30. September 2026"),
        ("en", "Wednesday, 30 September 2026"),
        ("fr", "mercredi 30 septembre 2026"),
        ("pl", "środa, 30 września 2026"),
        ("tr", "30 Eylül 2026 Çarşamba"),
        ("ru", "среда, 30 сентября 2026\u202fг."),
        ("uk", "середа, 30 вересня 2026\u202fр."),
        ("ar", "الأربعاء، 30 سبتمبر 2026"),
    ],
)
def test_the_day_as_the_language_writes_it(code: str, day: str) -> None:
    assert wording(code).date(START) == day


@pytest.mark.parametrize(
    ("code", "one", "few", "many"),
    [
        ("de", "1 Minute", "3 Minuten", "480 Minuten"),
        ("pl", "21 minut", "22 minuty", "25 minut"),
        ("ru", "21 минута", "22 минуты", "25 минут"),
        ("uk", "21 хвилина", "22 хвилини", "25 хвилин"),
        ("ar", "5 دقائق", "10 دقائق", "20 دقيقة"),
        ("tr", "21 dakika", "22 dakika", "25 dakika"),
    ],
)
def test_minutes_in_the_plural_of_the_number(code: str, one: str, few: str, many: str) -> None:
    numbers = [int(each.split()[0]) for each in (one, few, many)]
    assert [wording(code).minutes(each) for each in numbers] == [one, few, many]


def test_languages_stand_in_the_order_of_their_names() -> None:
    assert wordings().keys() == set(LANGUAGES)
    names = [each.own_name for each in wordings().values()]
    assert names == sorted(names, key=str.casefold)
    assert {"Deutsch", "Deutsch (einfache Sprache)", "English", "Українська", "العربية"} < {*names}


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("de-simple", "de-simple"),
        ("de_AT-Simple", "de-simple"),
        ("de-x-simple", "de"),
        ("de-u-co-phonebk", "de"),
        ("en-GB", "en"),
        ("EN_us", "en"),
        ("en-simple", "en"),
        ("ar-SY", "ar"),
        ("tlh", "de"),
        ("simple", "de"),
        ("", "de"),
    ],
)
def test_the_nearest_language(tag: str, code: str) -> None:
    assert nearest(tag) == code
    assert (find(tag) or DEFAULT) == code
