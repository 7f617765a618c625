"""What a status alone says."""

import pytest

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.statuses import Weight, meaning_of, reason_of


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


UNKNOWN_USER = (About.RECIPIENT, FailureReason.UNKNOWN_USER, Weight.TELLING)
NOT_FROM_US = (About.RECIPIENT, FailureReason.POLICY, Weight.CERTAIN)
OURS = (About.ALL_MAIL, FailureReason.POLICY, Weight.CERTAIN)
NOT_SUPPORTED = (About.MESSAGE, FailureReason.OTHER, Weight.TELLING)
SYSTEM = (About.SYSTEM, FailureReason.SYSTEM, Weight.GENERAL)
# As registered (RFC 3463, 5248, 6531, 7293, 7372, 7505, 8617) and as Microsoft documents its own.
REGISTRY = {
    "1.1 1.3 1.4 1.6 1.10 2.1": UNKNOWN_USER,
    "1.2": (About.RECIPIENT, FailureReason.HOST_UNKNOWN, Weight.CERTAIN),
    "2.2": (About.RECIPIENT, FailureReason.MAILBOX_FULL, Weight.CERTAIN),
    "2.0 2.4 2.9": (About.RECIPIENT, FailureReason.OTHER, Weight.GENERAL),
    "2.3 3.4": (About.MESSAGE, FailureReason.MESSAGE_TOO_BIG, Weight.CERTAIN),
    "3.1": (About.SYSTEM, FailureReason.SYSTEM, Weight.CERTAIN),
    "3.0 3.2 3.5 4.0 4.1 4.2 4.3 5.0 5.1 5.2": SYSTEM,
    "4.4 4.310": (About.RECIPIENT, FailureReason.HOST_UNKNOWN, Weight.GENERAL),
    "4.7": (About.SYSTEM, FailureReason.EXPIRED, Weight.TELLING),
    "6.0 6.5": (About.MESSAGE, FailureReason.OTHER, Weight.GENERAL),
    "6.1 6.2 6.3 6.7 6.9": NOT_SUPPORTED,
    "7.0 7.1 7.5 7.606": (About.US, FailureReason.POLICY, Weight.GENERAL),
    "7.25": (About.ALL_MAIL, FailureReason.BLOCKED, Weight.CERTAIN),
    "1.7 1.8 1.90 5.3 7.8 7.9 7.11 7.12 7.13 7.14": OURS,
    "7.20 7.21 7.22 7.23 7.24 7.26 7.27 7.28 7.29 7.57 7.60 7.64": OURS,
    "2.121 2.122 7.2 7.17 7.18": NOT_FROM_US,
    "7.124 7.129 7.133 7.134 7.135 7.136": NOT_FROM_US,
}


@pytest.mark.parametrize(
    ("detail", "expected"),
    [(detail, expected) for details, expected in REGISTRY.items() for detail in details.split()],
)
@pytest.mark.parametrize("of_class", ["4", "5"])
def test_each_status_as_it_is_registered(
    of_class: str, detail: str, expected: tuple[About, FailureReason, Weight]
) -> None:
    meaning = meaning_of(f"{of_class}.{detail}")
    assert meaning is not None
    assert (meaning.about, meaning.reason, meaning.weight) == expected
    assert meaning_of(f"2.{detail}") is None


def test_what_is_certain_weighs_more_than_what_is_telling() -> None:
    assert Weight.GENERAL < Weight.TELLING < Weight.CERTAIN


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
