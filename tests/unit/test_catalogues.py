"""The catalogues: each says everything, with the same values, and in one SMS where that can be."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir, extract_from_file
from babel.messages.pofile import read_po

from contracts.languages import DEFAULT, ENGLISH, LANGUAGES, nearest
from services.notification.letters import sms_segments as segments
from services.notification.letters.letter import Letter, LetterKind
from services.notification.letters.moments import long_moment
from services.notification.letters.sms import compose
from services.notification.letters.wordings import wording

ROOT = Path(__file__).parents[2]
SERVICES = sorted(each.parent for each in ROOT.glob("services/*/locale"))
TRANSLATED = sorted(LANGUAGES.keys() - {ENGLISH.code})
KEYWORDS = {"say": None, "gettext_noop": None, "_": None}
SHARED = ROOT / "chassis/doubled_hour.py"
START = datetime(2026, 9, 30, 13, 30, tzinfo=UTC)


def messages(service: Path) -> set[str]:
    """What the service's code and templates say, and what all services share."""
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["babel"]["mappings"]
    found = extract_from_dir(
        service,
        [(each["pattern"], each["method"]) for each in tables],
        {each["pattern"]: {"extensions": each.get("extensions", "")} for each in tables},
        keywords=KEYWORDS,
    )
    shared = extract_from_file("python", SHARED, keywords=KEYWORDS)
    messages = [each[2] for each in found] + [each[1] for each in shared]
    return {message for message in messages if isinstance(message, str)}


def catalogue(service: Path, code: str) -> Catalog:
    with (service / "locale" / code / "LC_MESSAGES" / "messages.po").open("rb") as source:
        return read_po(source, locale=code, abort_invalid=True)


@pytest.mark.parametrize("code", TRANSLATED)
@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_every_catalogue_is_complete_and_fills_in_the_same_values(service: Path, code: str) -> None:
    read = catalogue(service, code)
    translated = {each.id for each in read if each.id and each.string and not each.fuzzy}
    assert translated == messages(service), "run `make texts` and translate"
    assert not [error for _, errors in read.check() for error in errors]


def test_there_is_a_catalogue_for_every_language_and_no_other() -> None:
    for service in SERVICES:
        assert sorted(each.name for each in (service / "locale").iterdir()) == TRANSLATED


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("month", range(1, 13))
def test_sms_fit_one_segment(code: str, kind: LetterKind, month: int) -> None:
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
    )
    text = compose(replace(letter, kind=kind))
    assert segments.encoding_of(text) is segments.Encoding.GSM7
    assert segments.count(text) == 1
    doubled = replace(letter, start=datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    assert segments.encoding_of(compose(replace(doubled, kind=kind))) is segments.Encoding.GSM7


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_writes_day_and_time(code: str) -> None:
    text = long_moment(START, "Europe/Berlin", wording(code))
    assert "2026" in text
    assert "15:30" in text


@pytest.mark.parametrize(
    ("tag", "code"), [("de", "de"), ("en-GB", "en"), ("EN_us", "en"), ("tlh", "de"), ("", "de")]
)
def test_the_nearest_language(tag: str, code: str) -> None:
    assert nearest(tag).code == code
    assert DEFAULT.code == "de"
