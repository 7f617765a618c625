"""A status leads to one reason, in the SMTP dialogue as in a bounce."""

import pytest

from contracts.events import FailureReason
from services.notification.bounces.diagnosis import diagnose
from services.notification.deliveries.reasons import reason_of
from services.notification.sending.email.smtp_replies import read_reply


def test_a_status_names_its_reason() -> None:
    assert reason_of("5.1.1") is reason_of("5.1.6") is FailureReason.UNKNOWN_USER
    assert reason_of("4.2.2") is FailureReason.MAILBOX_FULL
    assert reason_of("5.4.4") is reason_of("5.1.2") is FailureReason.HOST_UNKNOWN
    assert reason_of("4.4.7") is FailureReason.EXPIRED
    assert reason_of("5.0.0") is reason_of("2.1.5") is reason_of(None) is None


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        (550, "5.1.10 rejected", FailureReason.UNKNOWN_USER),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; not found", FailureReason.UNKNOWN_USER),
        (556, "5.1.10 rejected", FailureReason.HOST_UNKNOWN),
        (556, "5.1.10 Recipient address has null MX", FailureReason.HOST_UNKNOWN),
        (550, "5.1.10 Recipient address has null MX", FailureReason.HOST_UNKNOWN),
        (550, "5.1.10 Domain patient.example does not accept mail", FailureReason.HOST_UNKNOWN),
        (550, "5.1.10 Domain patient.example does not accept mail (nullMX)", "host_unknown"),
        (550, "5.1.1 rejected", FailureReason.UNKNOWN_USER),
        (550, "5.1.2 rejected", FailureReason.HOST_UNKNOWN),
        (552, "5.2.2 rejected", FailureReason.MAILBOX_FULL),
    ],
)
def test_the_same_reply_means_the_same_in_the_dialogue_and_as_a_bounce(
    code: int, text: str, reason: FailureReason
) -> None:
    assert read_reply(code, text).reason == reason
    assert diagnose(f"{code} {text}").reason == reason
    status, _, words = text.partition(" ")
    assert diagnose(f"{code} {words}", status=status).reason == reason


def test_a_bare_status_of_two_meanings_is_an_unknown_user() -> None:
    assert reason_of("5.1.10") is FailureReason.UNKNOWN_USER
    assert diagnose(status="5.1.10").reason is FailureReason.UNKNOWN_USER
