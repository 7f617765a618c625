"""What SMTP replies mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import FailureReason
from services.notification.deliveries.events import NO_REPLY
from services.notification.refusals.refusal import About, Stage
from services.notification.sending.email.smtp_replies import (
    classify,
    contact_of,
    enhanced_status,
    read_reply,
)
from services.notification.sending.sender import Contact, Verdict


@pytest.mark.parametrize(
    ("stage", "code", "text", "verdict"),
    [
        (Stage.CONNECT, 421, "", Verdict.TEMPORARY),
        (Stage.CONNECT, 554, "", Verdict.TECHNICAL),
        (Stage.TLS, 454, "", Verdict.TEMPORARY),
        (Stage.AUTH, 454, "4.7.0", Verdict.TEMPORARY),
        (Stage.AUTH, 535, "5.7.8", Verdict.TECHNICAL),
        (Stage.MAIL, 530, "5.7.0", Verdict.TECHNICAL),
        (Stage.MAIL, 550, "", Verdict.TECHNICAL),
        (Stage.MAIL, 452, "4.3.1", Verdict.TEMPORARY),
        (Stage.RCPT, 550, "5.1.1", Verdict.PERMANENT),
        (Stage.RCPT, 501, "5.1.3", Verdict.PERMANENT),
        (Stage.RCPT, 553, "", Verdict.PERMANENT),
        (Stage.RCPT, 556, "5.1.10", Verdict.PERMANENT),
        (Stage.RCPT, 552, "5.2.2", Verdict.PERMANENT),
        (Stage.RCPT, 452, "4.2.2", Verdict.TEMPORARY),
        (Stage.RCPT, 450, "4.2.0", Verdict.TEMPORARY),
        (Stage.RCPT, 421, "", Verdict.TEMPORARY),
        (Stage.RCPT, 530, "", Verdict.TECHNICAL),
        (Stage.RCPT, 550, "5.7.1", Verdict.TECHNICAL),
        (Stage.RCPT, 550, "relay not permitted", Verdict.TECHNICAL),
        (Stage.RCPT, 550, "Sender verify failed", Verdict.TECHNICAL),
        (Stage.RCPT, 550, "5.1.1 Sender address rejected: User unknown", Verdict.TECHNICAL),
        (Stage.RCPT, 550, "5.7.1 only members may post to this list", Verdict.PERMANENT),
        (Stage.DATA, 554, "", Verdict.PERMANENT),
        (Stage.DATA, 503, "5.5.1", Verdict.TECHNICAL),
        (Stage.MESSAGE, 250, "2.0.0", Verdict.ACCEPTED),
        (Stage.MESSAGE, 554, "5.6.0", Verdict.PERMANENT),
        (Stage.MESSAGE, 550, "5.7.1", Verdict.TECHNICAL),
        (Stage.MESSAGE, 554, "spam", Verdict.TECHNICAL),
        (Stage.MESSAGE, 451, "4.3.0", Verdict.TEMPORARY),
        (Stage.MESSAGE, 421, "", Verdict.TEMPORARY),
        (Stage.MESSAGE, -1, "", Verdict.REPLY_LOST),
        (Stage.MESSAGE, 200, "", Verdict.ACCEPTED),
        (Stage.MESSAGE, 299, "", Verdict.ACCEPTED),
        (Stage.MESSAGE, 300, "", Verdict.REPLY_LOST),
        (Stage.MESSAGE, 199, "", Verdict.REPLY_LOST),
        (Stage.MESSAGE, 600, "", Verdict.REPLY_LOST),
        (Stage.RCPT, 250, "", Verdict.TEMPORARY),
        (Stage.RCPT, 499, "", Verdict.TEMPORARY),
        (Stage.RCPT, 600, "", Verdict.TEMPORARY),
        (Stage.MAIL, 599, "", Verdict.TECHNICAL),
        *((Stage.RCPT, each, "", Verdict.TECHNICAL) for each in (500, 502, 503, 504, 555)),
    ],
)
def test_verdicts(stage: Stage, code: int, text: str, verdict: Verdict) -> None:
    assert classify(stage, code, read_reply(stage, code, text).about) is verdict


@pytest.mark.parametrize("stage", Stage)
def test_silence_is_no_refusal(stage: Stage) -> None:
    lost = stage is Stage.MESSAGE
    assert classify(stage, None) is (Verdict.REPLY_LOST if lost else Verdict.TEMPORARY)


@pytest.mark.parametrize(
    ("stage", "code", "text", "contact"),
    [
        (Stage.CONNECT, 421, "4.7.0 later", Contact.SILENT),
        (Stage.CONNECT, 554, "5.7.1 you are on a block list", Contact.REFUSES_US),
        (Stage.TLS, 454, "4.7.0 no TLS now", Contact.SILENT),
        (Stage.AUTH, 454, "4.7.0 later", Contact.SILENT),
        (Stage.AUTH, 535, "5.7.8 wrong password", Contact.REFUSES_US),
        (Stage.MAIL, 530, "5.7.0 log in first", Contact.REFUSES_US),
        (Stage.MAIL, 553, "5.1.8 bad sender domain", Contact.REFUSES_US),
        (Stage.MAIL, 550, "", Contact.REFUSES_US),
        (Stage.MAIL, 452, "4.3.1 no room", Contact.SILENT),
        (Stage.MAIL, 552, "5.3.4 message too big", Contact.GOOD),
        (Stage.RCPT, 550, "5.1.1 unknown user", Contact.GOOD),
        (Stage.RCPT, 450, "4.2.0 greylisted", Contact.GOOD),
        (Stage.RCPT, 550, "relay not permitted", Contact.SEEMS_TO_REFUSE_US),
        (Stage.RCPT, 530, "authentication required", Contact.SEEMS_TO_REFUSE_US),
        (Stage.RCPT, 421, "", Contact.SILENT),
        (Stage.DATA, 554, "", Contact.GOOD),
        (Stage.MESSAGE, 250, "2.0.0 ok", Contact.GOOD),
        (Stage.MESSAGE, 554, "5.6.0 content", Contact.GOOD),
        (Stage.MESSAGE, 354, "go on", Contact.SILENT),
    ],
)
def test_what_a_reply_says_of_the_server(
    stage: Stage, code: int, text: str, contact: Contact
) -> None:
    assert contact_of(stage, read_reply(stage, code, text)) is contact


@pytest.mark.parametrize("stage", Stage)
def test_silence_says_nothing_good_of_the_server(stage: Stage) -> None:
    assert contact_of(stage, NO_REPLY) is Contact.SILENT


CODES = st.none() | st.integers(-1, 999)
ABOUT = st.none() | st.sampled_from(About)


@given(st.sampled_from(Stage), CODES, ABOUT)
def test_only_a_positive_reply_to_the_message_is_acceptance(
    stage: Stage, code: int | None, about: About | None
) -> None:
    accepted = stage is Stage.MESSAGE and code is not None and 200 <= code < 300
    assert (classify(stage, code, about) is Verdict.ACCEPTED) == accepted


@given(st.sampled_from(Stage), CODES, ABOUT)
def test_failures_follow_the_class_of_the_code(
    stage: Stage, code: int | None, about: About | None
) -> None:
    verdict = classify(stage, code, about)
    if verdict in {Verdict.PERMANENT, Verdict.TECHNICAL}:
        assert code is not None
        assert 500 <= code < 600
    if code is not None and 400 <= code < 500:
        assert verdict is Verdict.TEMPORARY
    if verdict is Verdict.PERMANENT:
        assert stage in {Stage.RCPT, Stage.DATA, Stage.MESSAGE}
        assert about not in {About.US, About.ALL_MAIL}
    if verdict is Verdict.REPLY_LOST:
        assert stage is Stage.MESSAGE


@pytest.mark.parametrize(
    ("code", "text", "status"),
    [
        (550, "5.1.1 <x@example.org>: user unknown", "5.1.1"),
        (250, "2.0.0 Ok: queued as 4F", "2.0.0"),
        (550, "5.01.001 x", "5.1.1"),
        (550, "No such user 5.1.1", None),
        (550, "4.2.2 class contradicts code", None),
        (550, "5.1.1.2 an address", None),
        (550, "5.1", None),
        (550, "", None),
        (250, "Ok", None),
        (354, "3.0.0 go", None),
        (552, "5.2.2\nmailbox full", "5.2.2"),
        (550, " 5.1.1 led by a blank", "5.1.1"),
        (550, "5.7.606 Access denied", "5.7.606"),
        (550, "5.7.6060 no status", None),
        (450, "4.2.0.", None),
    ],
)
def test_enhanced_status(code: int, text: str, status: str | None) -> None:
    assert enhanced_status(code, text) == status


@given(st.integers(-1, 999), st.text())
def test_enhanced_status_holds_nothing_but_digits(code: int, text: str) -> None:
    status = enhanced_status(code, text)
    assert status is None or all(part.isdigit() for part in status.split("."))


def test_what_is_kept_of_a_reply() -> None:
    taken = read_reply(Stage.MESSAGE, 250, "2.0.0 mailbox full, by its id")
    assert (taken.code, taken.status, taken.reason, taken.about) == (250, "2.0.0", None, None)
    refused = read_reply(Stage.RCPT, 550, "5.1.1 <x@example.org>: unknown user")
    assert (refused.code, refused.status) == (550, "5.1.1")
    assert (refused.reason, refused.about) == (FailureReason.UNKNOWN_USER, About.RECIPIENT)
    # that the code is known decides what a bare one comes to
    assert read_reply(Stage.RCPT, 452, "").reason is FailureReason.SYSTEM
    assert read_reply(Stage.MAIL, 550, "").about is About.ALL_MAIL
