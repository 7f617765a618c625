"""The SMS: one segment where that is possible, the link always whole."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.wording import wordings
from contracts.languages import LANGUAGES
from services.notification.letters import sms as texts
from services.notification.letters import sms_segments as segments
from services.notification.letters.letter import Letter, LetterKind, UnusableLetter
from services.notification.letters.sms import compose
from services.notification.letters.sms_segments import Encoding

LINK = "https://praxis.example/besuch/" + "Ab-_5" * 10
LETTER = Letter(
    recipient="+491713920001",
    patient_name="Erika Mustermann",
    sender_name="Praxis Dr. Weiß",
    link=LINK,
    locale="de",
    appointment_version=3,
    start=datetime(2026, 12, 1, 13, 30, tzinfo=UTC),
    duration_minutes=20,
    time_zone="Europe/Berlin",
)


def test_the_invitation() -> None:
    text = compose(LETTER)
    assert (
        text == f"Praxis Dr. Weiß: Einladung zur Videosprechstunde am 01.12.26, 14:30 Uhr\n{LINK}"
    )
    assert segments.count(text) == 1


def test_in_english() -> None:
    text = compose(replace(LETTER, locale="en-GB", sender_name="Surgery"))
    assert text == f"Surgery: invitation to your video visit on 1 Dec 2026, 14:30\n{LINK}"


def test_other_languages_get_german() -> None:
    assert compose(replace(LETTER, locale="tlh")) == compose(LETTER)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Hausarztpraxis Dr. Weiß", "Hausarztpraxis Dr. Weiß"),
        ("Gemeinschaftspraxis Dr. Weiß & Töchter", "Gemeinschaftspraxis Dr. Weiß & Töchter"),
        ("Gemeinschaftspraxis Dr. Weiß und Dr. Schwarz", "Gemeinschaftspraxis Dr. Weiß"),
        ("Praxis Dr. Łukasz Şahin", "Praxis Dr. Lukasz Sahin"),
        ("Praxis „Am Markt“", 'Praxis "Am Markt"'),
    ],
)
def test_names_in_one_segment(name: str, shown: str) -> None:
    text = compose(replace(LETTER, sender_name=name))
    assert text.partition(":")[0] == shown
    assert segments.count(text) == 1


def test_a_name_is_not_shortened_in_vain() -> None:
    name = "Donaudampfschifffahrtsgesellschaftsbetriebsarztpraxis " + "Mitte " * 9
    text = compose(replace(LETTER, sender_name=name, link=LINK + "x" * 40))
    assert segments.count(text) == 2
    assert text.startswith(name.strip())


def test_other_scripts_are_kept() -> None:
    text = compose(replace(LETTER, sender_name="Praxis Иванов"))
    assert "Praxis Иванов" in text
    assert segments.encoding_of(text) is Encoding.UCS2


def test_the_doubled_hour_names_its_season() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert "25.10.26, 02:30 Uhr (Sommerzeit)" in compose(replace(LETTER, start=first))
    assert "25.10.26, 02:30 Uhr (Winterzeit)" in compose(replace(LETTER, start=second))


PHONE = "+49301234567"


def test_the_practice_s_number_where_it_fits() -> None:
    text = compose(replace(LETTER, sender_name="Praxis Weiß", phone=PHONE))
    assert text.endswith(f"\n{LINK}\nTel. {PHONE}")
    assert text.startswith("Praxis Weiß: Videosprechstunde ")  # the terser wording makes room
    assert segments.count(text) == 1
    cancelled = compose(replace(LETTER, kind=LetterKind.CANCELLED, phone=PHONE))
    assert cancelled.endswith(f"wurde abgesagt.\nTel. {PHONE}")


def test_the_practice_s_number_is_left_out_where_it_costs_a_segment() -> None:
    name = "Gemeinschaftspraxis Dr. Weiß & Töchter"
    letter = replace(LETTER, sender_name=name)
    assert compose(replace(letter, phone=PHONE)) == compose(letter)


@given(
    name=st.text(alphabet="Dr. Weißé Ц", min_size=1, max_size=120).filter(str.strip),
    link=st.from_regex(r"https://[a-z]{1,60}\.example/[A-Za-z0-9_~\-]{1,300}", fullmatch=True),
    kind=st.sampled_from(LetterKind),
)
def test_a_number_never_costs_a_segment(name: str, link: str, kind: LetterKind) -> None:
    letter = replace(LETTER, sender_name=name, link=link, kind=kind)
    with_number = compose(replace(letter, phone=PHONE))
    assert segments.count(with_number) == segments.count(compose(letter))
    assert kind is LetterKind.CANCELLED or link in with_number.splitlines()


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_kind_says_who_and_when(kind: LetterKind, locale: str) -> None:
    text = compose(replace(LETTER, locale=locale, kind=kind))
    if (
        wordings()[locale].direction == "rtl"
    ):  # a line to itself, or the whole text would be shown from left to right
        assert "Praxis Dr. Weiß" in text.splitlines()[1:]
    else:
        assert text.startswith("Praxis Dr. Weiß: ")
    assert "14:30" in text
    assert (LINK in text.splitlines()) is (kind is not LetterKind.CANCELLED)


@pytest.mark.parametrize(
    ("locale", "shown"),
    [
        ("pl", "Lukasz Sahin"),
        ("tr", "Lukasz Sahin"),
        ("uk", "Łukasz Şahin"),
        ("ar", "Łukasz Şahin"),
    ],
)
def test_accents_are_left_out_only_where_they_cost(locale: str, shown: str) -> None:
    assert f"Dr. {shown}" in compose(replace(LETTER, locale=locale, sender_name="Dr. Łukasz Şahin"))


def test_a_number_in_arabic_keeps_its_order() -> None:
    text = compose(
        replace(LETTER, locale="ar", kind=LetterKind.CANCELLED, phone=PHONE, sender_name="Dr. Weiß")
    )
    assert text.endswith(f"\nهاتف \u2068{PHONE}\u2069")


@given(
    name=st.text(min_size=1, max_size=300),
    link=st.from_regex(r"https://[a-z]{1,60}\.example/[A-Za-z0-9_~\-]{1,300}", fullmatch=True),
    locale=st.sampled_from([*LANGUAGES, "tlh", ""]),
    kind=st.sampled_from(LetterKind),
)
def test_whatever_the_name(name: str, link: str, locale: str, kind: LetterKind) -> None:
    letter = replace(LETTER, sender_name=name, link=link, locale=locale)
    try:
        text = compose(replace(letter, kind=kind))
    except UnusableLetter:
        assert not name.strip("\0") or not name.isprintable()
        return
    if kind is not LetterKind.CANCELLED:
        assert text.endswith(f"\n{link}")
    assert "Erika" not in text
    own_script = segments.encoding_of(compose(replace(LETTER, locale=locale))) is Encoding.UCS2
    shown, letter_of_it = (name, "ж") if own_script else (texts.readable(name), "x")
    longest = f"{shown[:200]}: {letter_of_it * 80}\n{link}"
    assert segments.count(text) <= segments.count(longest)


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, sender_name="\x00"),
        replace(LETTER, link="javascript:alert(1)"),
        replace(LETTER, link=LINK + " und mehr"),
        replace(LETTER, time_zone="Europe/Atlantis"),
    ],
)
def test_what_can_not_become_an_sms(letter: Letter) -> None:
    with pytest.raises(UnusableLetter) as refused:
        compose(letter)
    assert LINK not in str(refused.value)
