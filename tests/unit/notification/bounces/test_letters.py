"""Words as they come out of servers that know nothing of umlauts, or declare another charset."""

import pytest

from contracts.events import FailureReason
from services.notification.bounces import EvidenceKind, read
from services.notification.bounces.mime import decode

ADDRESS = "petra.lang@patient.example"
PLAIN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "é": "e"})
BARE = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "ß": "ss", "é": "e"})

TEXTS = {
    "unknown": (
        f"Ihre Nachricht an {ADDRESS} konnte nicht zugestellt werden: Empfänger unbekannt",
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "delayed": (
        f"Die Zustellung Ihrer Nachricht an {ADDRESS} ist verzögert.",
        EvidenceKind.DELAYED,
        None,
    ),
    "delayed, with a code": (
        f"Zustellung verzögert: Ihre Nachricht an {ADDRESS} verzögert sich (451 4.3.0 später).",
        EvidenceKind.DELAYED,
        FailureReason.SYSTEM,
    ),
    "delayed in French": (f"Votre message pour {ADDRESS} est retardé.", EvidenceKind.DELAYED, None),
    "given up": (
        f"Die Zustellung an {ADDRESS} hat sich verzögert und ist nun endgültig fehlgeschlagen.",
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
}


def told(text: bytes, charset: str) -> tuple[EvidenceKind, FailureReason | None]:
    head = (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: rueck@praxis.example\n"
        f"Subject: Mail delivery\nContent-Type: text/plain{charset}\n\n"
    )
    reading = read(head.encode() + text)
    assert reading.recipients == (ADDRESS,)
    return reading.kind, reading.reason


@pytest.mark.parametrize(
    "charset", ["", *(f"; charset={each}" for each in ("utf-8", "iso-8859-1", "us-ascii", "x-y"))]
)
@pytest.mark.parametrize("written", ["utf-8", "cp1252"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_charset_that_is_declared_wrongly_takes_no_letter(
    name: str, written: str, charset: str
) -> None:
    text, *meaning = TEXTS[name]
    assert told(text.encode(written), charset) == tuple(meaning)


@pytest.mark.parametrize("letters", [PLAIN, BARE], ids=["written out", "left out"])
@pytest.mark.parametrize("name", TEXTS)
def test_letters_without_their_marks_are_read(name: str, letters: dict[int, str]) -> None:
    text, *meaning = TEXTS[name]
    assert told(text.translate(letters).encode("ascii"), "; charset=us-ascii") == tuple(meaning)


@pytest.mark.parametrize(
    ("raw", "charset", "text"),
    [
        ("für".encode("cp1252"), "utf-8", "für"),
        ("„für“ €".encode("cp1252"), "UTF-8", "„für“ €"),
        ("für".encode() + " für".encode("cp1252"), "utf-8", "für für"),
        ("für".encode() + "ü".encode()[:1], "utf-8", "fürÃ"),
        ("für".encode(), "iso-8859-1", "für"),
        ("für €".encode("iso-8859-15"), "iso-8859-15", "für €"),
        ("für".encode("cp1252"), "us-ascii", "für"),
        ("почта".encode("koi8-r"), "koi8-r", "почта"),
        ("łódź".encode("iso-8859-2"), "iso-8859-2", "łódź"),
        (b"\x81\xff", "utf-8", "\ufffdÿ"),
    ],
)
def test_what_is_no_utf_8_is_read_as_windows_wrote_it(raw: bytes, charset: str, text: str) -> None:
    assert decode(raw, charset) == text
