"""Whom a refusal is about and why, and that the dialogue and bounces agree on it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import FailureReason
from services.notification.bounces import read
from services.notification.refusals.codes import find_status
from services.notification.refusals.reading import read_refusal
from services.notification.refusals.refusal import About, Stage
from services.notification.sending.email.smtp_replies import classify, read_reply
from services.notification.sending.sender import Verdict

WORDINGS = [
    (said.replace("\\n", "\n"), FailureReason(reason), About(about))
    for line in (Path(__file__).parent / "wordings.txt").read_text().splitlines()
    if line and not line.startswith("#")
    for reason, about, said in [line.split(maxsplit=2)]
]
INDEPENDENT = [
    (line, *line.split("\t", maxsplit=3))
    for line in (Path(__file__).parent / "independent.txt").read_text().splitlines()
    if not line.startswith("#")
]
# What we read otherwise, knowingly: docs/adr/0018 says why.
OTHERWISE = {
    "Recipient address rejected: Access denied": "unknown_user",
    "Requested action not taken: mailbox unavailable": "unknown_user",
    "Mailbox unavailable": "unknown_user",
    "We do not accept mail for this domain": "policy",
    "VS99-IP1 deferred": "expired",
}
DEAD = {FailureReason.UNKNOWN_USER, FailureReason.HOST_UNKNOWN}
LATER = [Stage.RCPT, Stage.DATA, Stage.MESSAGE]
BEFORE = [Stage.CONNECT, Stage.TLS, Stage.AUTH, Stage.MAIL]


@pytest.mark.parametrize(
    ("said", "reason", "about"), WORDINGS, ids=[said[:60] for said, _, _ in WORDINGS]
)
def test_what_servers_say(said: str, reason: FailureReason, about: About) -> None:
    from_ours = read_refusal(said, stage=Stage.RCPT)
    assert (from_ours.reason, from_ours.about) == (reason, about)
    from_theirs = read_refusal(said)
    assert from_theirs.reason == reason
    assert from_theirs.about == (About.US if about is About.ALL_MAIL else about)


def test_refusals_written_by_others_are_understood() -> None:
    wrong = []
    for line, right, code, status, said in INDEPENDENT:
        found = read_refusal(
            said.replace("\\n", "\n"),
            code=None if code == "-" else int(code),
            status=None if status == "-" else status,
        )
        reason = str(found.reason or FailureReason.OTHER)
        known = [other for words, other in OTHERWISE.items() if words in said]
        if reason not in right.split(",") and reason not in known:
            wrong.append((line, reason))
    assert wrong == []


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
def test_for_how_long_and_by_which_status(
    said: str, reason: FailureReason | None, permanent: bool | None, status: str | None
) -> None:
    found = read_refusal(said)
    assert (found.reason, found.permanent, found.status) == (reason, permanent, status)


OURS = (
    "relay not permitted",
    "Relay access denied",
    "Unable to relay for a@p.example",
    "we do not relay",
    "Sender verify failed",
    "Sender callout verification failed",
    "Could not complete sender verify callout",
    "Sender address rejected: User unknown in virtual mailbox table",
    "Sender address rejected: Domain not found",
    "Domain of sender address a@q.example does not exist",
    "sender domain does not exist",
    "unknown sender",
    "Sender address has null MX",
    "The sender's mailbox does not exist",
    "Return path user unknown",
    "no MX records found for return path",
    "Your domain has no MX record",
    "Your email address does not exist",
    "Adres nadawcy nie istnieje",
    "SPF check failed",
    "rejected due to DKIM failure",
    "does not pass DMARC verification",
    "Reverse DNS lookup failed, host not found",
    "no PTR record found",
    "Client host rejected: cannot find your hostname",
    "Helo command rejected: Host not found",
    "Authentication required",
    "Client host [192.0.2.9] blocked using bl.spamcop.net",
    "your IP is on our block list",
    "too many messages from your IP",
    "too many connections",
    "too many recipients",
    "sending rate limit exceeded",
    "Sender quota exceeded",
    "You have exceeded your sending quota",
    "Ihr Versandkontingent ist erschöpft",
    "Your account has been suspended for sending spam",
    "User account is locked for sending",
    "Ihr Postfach wurde für den Versand gesperrt",
    'Outgoing mail from "praxis@q.example" has been suspended',
)
# They say that it was refused, and nothing else.
EMPTY = (
    "",
    "rejected",
    "Access denied",
    "Recipient address rejected: Access denied",
    "refused",
    "Command rejected",
    "Transaction failed",
    "Recipient address rejected",
    "no",
)
TELLING = ("5.1.1", "5.1.2", "5.2.2", "5.1.10", "5.4.4", "4.1.1", "5.2.1")
VAGUE = (None, "5.0.0", "5.1.0", "5.2.0", "5.7.1", "5.7.0", "5.5.0", "5.3.0", "4.7.1")
CODES = st.sampled_from([421, 450, 451, 452, 550, 551, 552, 553, 554, 556, 571])
WORDS = st.sampled_from([*OURS, *EMPTY, *(said.partition(" ")[2] for said, _, _ in WORDINGS)])


def reply(code: int, status: str | None, words: str) -> str:
    return " ".join(filter(None, [str(code), status, words]))


@given(CODES, st.sampled_from([*TELLING, *VAGUE]), st.sampled_from(OURS))
def test_what_speaks_of_us_never_calls_the_address_unknown_or_full(
    code: int, status: str | None, words: str
) -> None:
    of_the_recipient = {*DEAD, FailureReason.MAILBOX_FULL}
    assert read_refusal(reply(code, status, words)).reason not in of_the_recipient
    said = read_reply(Stage.RCPT, code, reply(code, status, words)[4:])
    assert said.reason not in of_the_recipient


@pytest.mark.parametrize("words", OURS)
@pytest.mark.parametrize("code", [550, 553, 554, 571])
def test_what_speaks_of_us_is_about_all_mail_and_for_operations(code: int, words: str) -> None:
    said = read_reply(Stage.RCPT, code, words)
    assert said.about is About.ALL_MAIL
    assert said.reason in {FailureReason.POLICY, FailureReason.BLOCKED}
    assert classify(Stage.RCPT, code, said.about) is Verdict.TECHNICAL


@pytest.mark.parametrize("words", EMPTY)
@pytest.mark.parametrize("status", [None, "5.0.0", "5.1.0"])
@pytest.mark.parametrize("code", [550, 551, 553, 554])
def test_a_bare_refusal_is_no_word_about_the_address(
    code: int, status: str | None, words: str
) -> None:
    found = read_refusal(reply(code, status, words))
    assert (found.reason, found.about) == (FailureReason.OTHER, About.NOBODY)
    assert classify(Stage.RCPT, code, found.about) is Verdict.PERMANENT


@given(CODES, st.sampled_from([None, *VAGUE, *TELLING]), WORDS, st.sampled_from(LATER))
def test_the_same_words_mean_the_same_in_the_dialogue_and_in_a_bounce(
    code: int, status: str | None, words: str, stage: Stage
) -> None:
    text = reply(code, status, words)
    reason = read_reply(stage, code, text[4:]).reason
    assert read_refusal(text).reason == reason
    assert read_refusal(text, status=status).reason == reason
    assert read(bounce(text, find_status(text) or f"{code // 100}.0.0")).reason == reason


def bounce(said: str, status: str) -> bytes:
    """A report as Postfix writes it (RFC 3464)."""
    lines = said.replace("\n", "\n    ")
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.q.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system at host mx.q.example.

<e@p.example>: host mx.p.example[192.0.2.1] said: {lines}
    (in reply to RCPT TO command)

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.q.example

Final-Recipient: rfc822; e@p.example
Action: failed
Status: {status}
Diagnostic-Code: smtp; {lines}

--b--
""".encode()


@given(st.sampled_from(BEFORE), CODES, st.sampled_from([None, *VAGUE, *TELLING]), WORDS)
def test_before_rcpt_nothing_is_about_a_recipient(
    stage: Stage, code: int, status: str | None, words: str
) -> None:
    said = read_reply(stage, code, reply(code, status, words)[4:])
    assert said.reason not in {*DEAD, FailureReason.MAILBOX_FULL, FailureReason.OTHER}
    assert said.about in {About.ALL_MAIL, About.MESSAGE}
    assert classify(stage, code, said.about) in {Verdict.TECHNICAL, Verdict.TEMPORARY}


@pytest.mark.parametrize(
    "command",
    ["(in reply to MAIL FROM command)", "(in reply to initial server greeting)"],
)
def test_a_bounce_tells_which_command_was_refused(command: str) -> None:
    found = read_refusal(f"host mx.p.example[192.0.2.1] said: 550 5.1.1 Unknown user {command}")
    assert (found.reason, found.about) == (FailureReason.POLICY, About.US)


def test_what_another_server_says_of_us_is_not_about_all_mail() -> None:
    found = read_refusal(
        "550 5.1.1 host mx.p.example[192.0.2.1] said: 550 Relay access denied", stage=Stage.RCPT
    )
    assert (found.reason, found.about) == (FailureReason.POLICY, About.US)


@given(st.text(max_size=300), st.none() | CODES)
def test_any_text_is_read(text: str, code: int | None) -> None:
    found = read_refusal(text, code=code)
    unsaid = {None, FailureReason.SYSTEM}  # what is out of order may be mended, or not
    assert found.permanent is not None or found.reason in unsaid
    assert found.permanent is None or found.reason is not None
