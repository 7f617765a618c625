"""What a server's codes and words say of a failure."""

import pytest

from contracts.events import FailureReason
from services.notification.bounces.diagnosis import diagnose


@pytest.mark.parametrize(
    ("said", "reason", "permanent", "status"),
    [
        ("550 5.1.1 User unknown", "unknown_user", True, "5.1.1"),
        ("#5.1.1 no mailbox here", "unknown_user", True, "5.1.1"),
        ("550 no such user", "unknown_user", True, None),
        ("554 5.0.0 but 550 5.1.1 user unknown", "unknown_user", True, "5.1.1"),
        ("552 5.2.2 mailbox full", "mailbox_full", True, "5.2.2"),
        ("452 4.2.2 over quota", "mailbox_full", False, "4.2.2"),
        ("the mailbox is full", "mailbox_full", False, None),
        ("Das Postfach ist voll", "mailbox_full", False, None),
        ("550 5.1.1 mailbox full", "mailbox_full", True, "5.1.1"),
        ("552 5.3.4 message too big", "message_too_big", True, "5.3.4"),
        ("554 5.7.1 listed at dnsbl.example", "blocked", True, "5.7.1"),
        ("451 4.7.1 Greylisted, come back later", "policy", False, "4.7.1"),
        ("550 5.7.1 relaying denied", "policy", True, "5.7.1"),
        ("550 5.1.8 sender address rejected: domain not found", "policy", True, "5.1.8"),
        ("550 5.1.2 unknown host", "host_unknown", True, "5.1.2"),
        ("Host or domain name not found", "host_unknown", True, None),
        ("550 4.4.7 QUEUE.Expired; message expired", "expired", False, "4.4.7"),
        ("connection timed out", "expired", False, None),
        ("550 5.4.6 mail loops back to myself", "system", True, "5.4.6"),
        ("Exchange 5.5.2657.72 at 192.5.1.1 said nothing", None, None, None),
    ],
)
def test_codes_and_words(
    said: str, reason: FailureReason | None, permanent: bool | None, status: str | None
) -> None:
    found = diagnose(said)
    assert (found.reason, found.permanent, found.status) == (reason, permanent, status)
