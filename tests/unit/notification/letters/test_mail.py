"""The invitation mail: read back with the standard library's parser."""

import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from chassis.wording import wordings
from contracts.languages import LANGUAGES
from services.notification.letters.letter import Letter, LetterKind, UnusableLetter
from services.notification.letters.mail import InvitationMail
from services.notification.letters.names_and_links import clean_name, shown_name

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LETTER = Letter(
    recipient="juergen@example.org",
    patient_name="Jürgen Müßig",
    sender_name="Praxis Dr. Weiß & Töchter",
    link="https://video.example/t/abc-DEF_123?x=1&y=2",
    locale="de",
    appointment_version=3,
    start=datetime(2026, 12, 1, 13, 30, tzinfo=UTC),
    duration_minutes=20,
    time_zone="Europe/Berlin",
)
APPOINTMENT = UUID("0193a0de-7a1c-7cc3-98c4-dc0c0c07398f")
MAIL = InvitationMail("einladung@praxis.example")


REACHED = replace(
    LETTER,
    phone="+49301234567",
    reply_to="praxis@weiss.example",
    postal_address="Hauptstraße 1\n12345 Berlin",
    asks_for_answer=True,
)


def compose(
    letter: Letter = LETTER,
    recipient: str = "juergen@example.org",
    organizer: str | None = None,
) -> bytes:
    return MAIL.compose(
        letter,
        appointment_id=APPOINTMENT,
        recipient=recipient,
        message_id="<id-1@praxis.example>",
        boundary="0123456789abcdef",
        organizer=organizer,
        now=NOW,
    )


def read(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=policy.default)
    assert not message.defects
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content(), html.get_content()


def test_headers_and_both_bodies() -> None:
    message = read(compose())
    sender = message["From"].addresses[0]
    assert sender.display_name == "Praxis Dr. Weiß & Töchter"
    assert sender.addr_spec == "einladung@praxis.example"
    assert [each.addr_spec for each in message["To"].addresses] == ["juergen@example.org"]
    when = "Dienstag, 1. Dezember 2026, 14:30 Uhr"
    assert message["Subject"] == f"Einladung zur Videosprechstunde am {when}"
    assert message["Message-ID"] == "<id-1@praxis.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    assert message["Date"].datetime == NOW
    text, html = bodies(message)
    for part in (text, html):
        assert "Jürgen Müßig" in part
        assert when in part
        assert "20 Minuten" in part
    assert LETTER.link in text
    assert "Praxis Dr. Weiß &amp; Töchter" in html
    assert html.count('href="https://video.example/t/abc-DEF_123?x=1&amp;y=2"') == 2
    assert "<img" not in html
    assert "http://" not in html


def test_wire_form() -> None:
    raw = compose()
    assert raw.endswith(b"\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


def test_the_calendar_file_is_an_alternative_and_an_attachment() -> None:
    message = read(compose())
    assert message.get_content_type() == "multipart/mixed"
    alternative, attached = message.iter_parts()
    assert isinstance(alternative, EmailMessage)
    assert alternative.get_content_type() == "multipart/alternative"
    plain, html, calendar = alternative.iter_parts()
    assert (plain.get_content_subtype(), html.get_content_subtype()) == ("plain", "html")
    assert calendar.get_content_type() == "text/calendar"
    assert calendar["Content-Type"].params == {"method": "REQUEST", "charset": "utf-8"}
    assert calendar["Content-Disposition"] is None
    assert attached.get_content_type() == "application/ics"
    assert attached["Content-Disposition"].content_disposition == "attachment"
    assert attached.get_filename() == "einladung.ics"
    assert attached.get_payload(decode=True) == calendar.get_payload(decode=True)


def test_the_calendar_file_is_of_this_appointment() -> None:
    (attached,) = read(compose()).iter_attachments()
    calendar: Any = Calendar.from_ical(attached.get_content())
    (event,) = calendar.walk("VEVENT")
    assert event["UID"] == str(APPOINTMENT)
    assert event["SEQUENCE"] == LETTER.appointment_version
    assert event.decoded("DTSTART") == LETTER.start
    assert event["ORGANIZER"] == "mailto:einladung@praxis.example"
    assert event["ATTENDEE"] == "mailto:juergen@example.org"
    assert event["URL"] == LETTER.link


def test_answers_go_to_the_organizer_and_are_asked_for_only_where_somebody_reads_them() -> None:
    (attached,) = read(compose(REACHED, organizer="rueck+x@praxis.example")).iter_attachments()
    content = attached.get_content().decode().replace("\r\n ", "")
    assert "ORGANIZER" in content
    assert "mailto:rueck+x@praxis.example" in content
    assert "RSVP=TRUE" in content
    for letter, organizer in ((REACHED, None), (LETTER, "rueck+x@praxis.example")):
        (attached,) = read(compose(letter, organizer=organizer)).iter_attachments()
        content = attached.get_content().decode().replace("\r\n ", "")
        assert "RSVP=FALSE" in content
        assert "liest" in content


@pytest.mark.parametrize("kind", LetterKind)
def test_how_the_practice_is_reached(kind: LetterKind) -> None:
    message = read(compose(replace(REACHED, kind=kind, previous_start=NOW)))
    assert message["Reply-To"] == "praxis@weiss.example"
    assert message["From"].addresses[0].addr_spec == "einladung@praxis.example"
    text, html = bodies(message)
    assert text.splitlines()[-6:] == [
        "",
        "Praxis Dr. Weiß & Töchter",
        "Hauptstraße 1",
        "12345 Berlin",
        "Telefon: +49 30 1234567",
        "E-Mail: praxis@weiss.example",
    ]
    assert '<a href="tel:+49301234567" dir="ltr">+49 30 1234567</a>' in html
    assert '<a href="mailto:praxis@weiss.example" dir="ltr">' in html
    assert '<span dir="ltr">Hauptstraße 1</span><br><span dir="ltr">12345 Berlin</span>' in html


CALL, REPLY, DO_NOT = (
    "rufen Sie",
    "antworten Sie auf|antworten Sie bitte auf",
    "antworten Sie nicht",
)


@pytest.mark.parametrize("phone", [True, False])
@pytest.mark.parametrize("reply_to", [True, False])
@pytest.mark.parametrize("kind", LetterKind)
def test_nothing_is_offered_that_is_not_there(
    kind: LetterKind, *, phone: bool, reply_to: bool
) -> None:
    letter = replace(
        LETTER,
        kind=kind,
        previous_start=NOW,
        phone="+49301234567" if phone else None,
        reply_to="praxis@weiss.example" if reply_to else None,
    )
    message = read(compose(letter))
    assert ("Reply-To" in message) is reply_to
    for body in bodies(message):
        said = " ".join(body.split())
        assert (re.search(CALL, said) is not None) is phone
        assert (re.search(REPLY, said) is not None) is reply_to
        assert (re.search(DO_NOT, said) is not None) is not reply_to
        assert ("wenden Sie sich bitte direkt an Ihre Praxis" in said) is not (phone or reply_to)


def test_smtputf8_recipient_is_written_as_it_is() -> None:
    assert "To: jürgen@example.org\r\n".encode() in compose(recipient="jürgen@example.org")


def test_english_and_unknown_locales() -> None:
    english = read(compose(replace(LETTER, locale="en-GB")))
    assert english["Subject"] == "Invitation to a video visit on Tuesday, 1 December 2026, 14:30"
    assert "20 minutes" in bodies(english)[0]
    assert read(compose(replace(LETTER, locale="tlh")))["Content-Language"] == "de"


def full(locale: str, kind: LetterKind) -> EmailMessage:
    return read(
        compose(
            replace(REACHED, locale=locale, kind=kind, previous_start=NOW), organizer="a@b.example"
        )
    )


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_says_all_that_german_does(code: str, kind: LetterKind) -> None:
    message, german = full(code, kind), full("de", kind)
    assert message["Content-Language"] == code
    direction = wordings()[code].direction
    assert code != "ar" or direction == "rtl"
    text, html = bodies(message)
    assert html.count(f'dir="{direction}" ') >= 1
    assert f'<html lang="{code}" dir="{direction}">' in html
    assert f'<main lang="{code}" dir="{direction}"' in html
    plain = re.sub("[\u2068\u2069]", "", text)
    for fact in (
        "Jürgen Müßig",
        REACHED.sender_name,
        "2026",
        "14:30",
        "+49 30 1234567",
        "12345 Berlin",
    ):
        assert fact in plain
    assert (LETTER.link in text.splitlines()) is (kind is not LetterKind.CANCELLED)
    assert len(text.split("\n\n")) == len(bodies(german)[0].split("\n\n"))
    assert re.findall("<(/?[a-z0-9]+)", html) == re.findall("<(/?[a-z0-9]+)", bodies(german)[1])


LEFT_TO_RIGHT = re.compile("[A-Za-zÀ-ÿ+]")


@pytest.mark.parametrize("kind", LetterKind)
@pytest.mark.parametrize(
    "code", [code for code, words in wordings().items() if words.direction == "rtl"]
)
def test_what_runs_the_other_way_is_set_apart(code: str, kind: LetterKind) -> None:
    message = full(code, kind)
    (attached,) = message.iter_attachments()
    calendar: Any = Calendar.from_ical(attached.get_content())
    (event,) = calendar.walk("VEVENT")
    text, _ = bodies(message)
    said = [message["Subject"], text, str(event["SUMMARY"]), str(event.get("DESCRIPTION", ""))]
    for line in "\n".join(said).splitlines():
        rest = re.sub("\u2068[^\u2068\u2069]*\u2069", "", line)
        assert not set(rest) & {"\u2068", "\u2069"}
        mixed = any(unicodedata.bidirectional(each) == "AL" for each in rest)
        assert not (mixed and LEFT_TO_RIGHT.search(rest)), line


@pytest.mark.parametrize(
    "letter",
    [
        replace(LETTER, link="javascript:alert(1)"),
        replace(LETTER, link="https://video.example/\r\nBcc: x@example.org"),
        replace(LETTER, link='https://video.example/"onclick="x'),
        replace(LETTER, link="https://video.example/a b"),
        replace(LETTER, time_zone="Europe/Atlantis"),
        replace(LETTER, time_zone="../../etc/passwd"),
        replace(LETTER, patient_name="\r\n"),
        replace(LETTER, phone="+49 30"),
        replace(LETTER, reply_to="a@b.example\r\nBcc: c@d.example"),
        replace(LETTER, reply_to="Praxis <a@b.example>"),
        replace(LETTER, sender_name=" "),
    ],
)
def test_unusable_letters_are_refused_without_their_values(letter: Letter) -> None:
    with pytest.raises(UnusableLetter) as refused:
        compose(letter)
    assert not {"Atlantis", "alert", "video"} & set(str(refused.value).split())


INJECTIONS = [
    "Dr. X\r\nBcc: victim@example.org",
    "Dr. X\nBcc: victim@example.org",
    "Dr. X\u2028Bcc: victim@example.org",
    "Dr. X\x00\x0bBcc: victim@example.org",
    'Dr. "X" <evil@example.org>, "Y',
    "Dr. X =?utf-8?q?=0D=0ABcc=3A_victim=40example.org?=",
    "evil@example.org",
    "Praxis, Dr. X; <a@b.example>",
    "\\",
    '"',
    "<b>Fett</b>",
    "{{ 7 * 7 }}",
    "ä" * 500,
    "a" * 5000,
    "--=_0123456789abcdef--",
    "\r\n.\r\nMAIL FROM:<evil@example.org>",
]
HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
]


def check_names(sender_name: str, patient_name: str) -> None:
    letter = replace(LETTER, sender_name=sender_name, patient_name=patient_name)
    try:
        shown_sender = clean_name(sender_name, "sender_name")
        shown_patient = shown_name(patient_name)
    except UnusableLetter:
        with pytest.raises(UnusableLetter):
            compose(letter)
        return
    raw = compose(letter)
    assert raw.isascii()
    message = read(raw)
    assert message.keys() == HEADERS
    (sender,) = message["From"].addresses
    assert sender.addr_spec == "einladung@praxis.example"
    (recipient,) = message["To"].addresses
    assert recipient.addr_spec == "juergen@example.org"
    assert len(list(message.iter_parts())) == 2
    text, html = bodies(message)
    greeting = f"Guten Tag {shown_patient}," if shown_patient else "Guten Tag,"
    assert greeting in text.splitlines()
    assert f"{shown_sender} lädt Sie zu einer Videosprechstunde ein." in text.splitlines()
    body = html.partition("<main")[2]
    assert body.count("<") == REFERENCE.count("<")
    assert body.count('"') == REFERENCE.count('"')


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_a_name_that_leads_elsewhere_is_in_no_part_of_the_mail(
    kind: LetterKind, locale: str
) -> None:
    """The mail goes out all the same, whoever asked for it."""
    name = "Konto gesperrt! https://evil.example/x"
    letter = replace(LETTER, patient_name=name, kind=kind, locale=locale, previous_start=NOW)
    message = read(compose(letter))
    calendar = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    for part in (*bodies(message), calendar.get_content()):
        assert "evil" not in part
        assert "gesperrt" not in part
    assert "ATTENDEE;CUTYPE=" in calendar.get_content()


REFERENCE = bodies(read(compose()))[1].partition("<main")[2]


@pytest.mark.parametrize("name", INJECTIONS)
def test_no_name_gets_out_of_its_place(name: str) -> None:
    check_names(name, name)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_name_stays_in_its_place(sender_name: str, patient_name: str) -> None:
    check_names(sender_name, patient_name)


@given(st.text(alphabet='Dr. "<>@,;:\\()[]=?_X-', min_size=1, max_size=40))
def test_display_name_survives_whatever_its_punctuation(name: str) -> None:
    try:
        shown = clean_name(name, "sender_name")
    except UnusableLetter:
        return
    (sender,) = read(compose(replace(LETTER, sender_name=name)))["From"].addresses
    assert sender.display_name == shown
