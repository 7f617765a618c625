"""What a machine writes for somebody who is away, and what it writes of a failure."""

import pytest

from services.notification.bounces import EvidenceKind, read

ADDRESS = "petra.lang@patient.example"
MARKED = "Auto-Submitted: auto-replied\n"
GENERATED = "Dies ist eine automatisch generierte Nachricht.\n\n"
FAILED = f"Ihre E-Mail an {ADDRESS} konnte nicht zugestellt werden.\n\n"

FAILURES = {
    "with a status": f"{GENERATED}{FAILED}Grund: 550 5.1.1 Empfänger unbekannt\n",
    "with a code": f"{GENERATED}{FAILED}Grund: 550 Empfänger unbekannt\n",
    "in words": f"Diese E-Mail wurde automatisch erstellt.\n\n{FAILED}Die Adresse gibt es nicht.\n",
    "thanking": f"{FAILED}Grund: 550 5.1.1 Empfänger unbekannt\n\nVielen Dank für Ihre Geduld.\n",
    "in English": "This is an automatically generated message.\n\n"
    f"Your message to {ADDRESS} could not be delivered.\n\nReason: 550 5.1.1 user unknown\n",
}
ANSWERS = {
    "away": "Ich bin bis Montag nicht im Büro. Ihre Nachricht kann nicht zugestellt werden.\n",
    "away, and generated": f"{GENERATED}Ich bin im Urlaub. Ihre Nachricht wird nicht zugestellt.\n",
    "away, with a telephone": "Ich bin bis Montag abwesend, Telefon 0511 550 22. Ihre Nachricht"
    " konnte nicht zugestellt werden.\n",
    "received": f"{GENERATED}Wir haben Ihre Nachricht erhalten und melden uns.\n",
}


def kind_of(text: str, subject: str, mark: str) -> EvidenceKind:
    head = (
        "Return-Path: <>\nFrom: Mailserver <noreply@klinik.example>\nTo: rueck@praxis.example\n"
        f"Subject: {subject}\n{mark}Content-Type: text/plain; charset=utf-8\n\n"
    )
    return read((head + text).encode()).kind


@pytest.mark.parametrize("mark", ["", MARKED], ids=["unmarked", "marked"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_one_by_whomever_its_report_was_generated(name: str, mark: str) -> None:
    subject = "Ihre E-Mail konnte nicht zugestellt werden"
    assert kind_of(FAILURES[name], subject, mark) is EvidenceKind.FAILED


@pytest.mark.parametrize(
    "subject", ["Ihre Nachricht", "Ihre E-Mail konnte nicht zugestellt werden"]
)
@pytest.mark.parametrize("mark", ["", MARKED], ids=["unmarked", "marked"])
@pytest.mark.parametrize("name", ANSWERS)
def test_who_is_away_has_a_mailbox(name: str, mark: str, subject: str) -> None:
    assert kind_of(ANSWERS[name], subject, mark) is EvidenceKind.AUTO_REPLY


@pytest.mark.parametrize("mark", ["", MARKED], ids=["unmarked", "marked"])
def test_what_is_generated_and_speaks_of_no_delivery_is_an_answer(mark: str) -> None:
    assert kind_of(GENERATED, "Ihre Anfrage", mark) is EvidenceKind.AUTO_REPLY
