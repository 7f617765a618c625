"""What a status alone says."""

import pytest

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.statuses import meaning_of, reason_of


def test_a_status_names_its_reason() -> None:
    assert reason_of("5.1.1") is reason_of("5.1.6") is FailureReason.UNKNOWN_USER
    assert reason_of("4.2.2") is FailureReason.MAILBOX_FULL
    assert reason_of("5.4.4") is reason_of("5.1.2") is FailureReason.HOST_UNKNOWN
    assert reason_of("5.2.3") is reason_of("5.3.4") is FailureReason.MESSAGE_TOO_BIG
    assert reason_of("4.4.7") is FailureReason.EXPIRED
    assert reason_of("5.0.0") is reason_of("2.1.5") is reason_of(None) is None


@pytest.mark.parametrize("detail", ["1.7", "1.8", "7.0", "7.1", "7.8", "7.23", "7.606", "5.3"])
@pytest.mark.parametrize("of_class", ["4", "5"])
def test_what_is_said_of_us_is_no_word_about_the_address(of_class: str, detail: str) -> None:
    meaning = meaning_of(f"{of_class}.{detail}")
    assert meaning is not None
    assert (meaning.about in {About.US, About.ALL_MAIL}, meaning.reason) == (True, "policy")


@pytest.mark.parametrize("detail", ["1.0", "1.5", "1.9", "1.20"])
def test_a_subject_of_addresses_says_not_whose(detail: str) -> None:
    assert meaning_of(f"5.{detail}") is None


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (None, "", FailureReason.UNKNOWN_USER),
        (550, "RESOLVER.ADR.RecipientNotFound; not found", FailureReason.UNKNOWN_USER),
        (556, "rejected", FailureReason.HOST_UNKNOWN),
        (550, "Recipient address has null MX", FailureReason.HOST_UNKNOWN),
        (550, "Domain patient.example does not accept mail (nullMX)", FailureReason.HOST_UNKNOWN),
    ],
)
def test_a_status_of_two_meanings(code: int | None, text: str, reason: FailureReason) -> None:
    meaning = meaning_of("5.1.10", code, text)
    assert meaning is not None
    assert meaning.reason is reason
