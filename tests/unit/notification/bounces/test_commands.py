"""Before RCPT nothing is about a recipient, also where only a report's words tell the command."""

from collections.abc import Callable

import pytest

from contracts.events import FailureReason
from services.notification.bounces import read
from services.notification.bounces.commands import refused_commands
from services.notification.refusals.refusal import Stage

ERIKA, OTTO = "erika@patient.example", "otto@patient.example"
GMX = (
    "550-Requested action not taken: mailbox unavailable\n"
    "    550-invalid DNS MX or A/AAAA resource record\n"
    "    550 For explanation visit https://postmaster.gmx.net/en/error-messages?c=dns"
)
UNKNOWN = "550 5.1.1 <post@q.example>: User unknown"
SENDER = "MAIL FROM:<post@q.example> SIZE=3210"


def report(words: str, *fields: str) -> bytes:
    """A report (RFC 3464) whose words and whose fields on each recipient are these."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.q.example (Mail Delivery System)
To: post@q.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

{words}

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.q.example

{"".join(fields)}
--b--
""".encode()


def fields(said: str, recipient: str = ERIKA, status: str = "5.0.0") -> str:
    """What a report's fields say of a recipient: never the command."""
    return f"""Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: failed
Status: {status}
Diagnostic-Code: smtp; {said}

"""


def postfix(said: str, command: str, recipient: str = ERIKA) -> str:
    return (
        f"<{recipient}>: host mx.p.example[192.0.2.1] said:\n    {said} (in reply\n"
        f"    to {command} command)\n\n"
    )


def exim(said: str, command: str, recipient: str = ERIKA) -> str:
    return (
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {recipient}\n    host mx.p.example [192.0.2.1]\n"
        f"    SMTP error from remote mail server after {command}:\n    {said}\n"
    )


def sendmail(said: str, *dialogue: str) -> str:
    return (
        "   ----- The following addresses had permanent fatal errors -----\n"
        f"<{ERIKA}>\n    (reason: {said})\n\n"
        "   ----- Transcript of session follows -----\n"
        "... while talking to mx.p.example.:\n" + "\n".join(dialogue)
    )


@pytest.mark.parametrize("said", [GMX, UNKNOWN, "550 mailbox unavailable", "552 mailbox full"])
@pytest.mark.parametrize(
    "words",
    [
        lambda said: postfix(said, "MAIL FROM"),
        lambda said: postfix(said, "EHLO"),
        lambda said: postfix(said, "initial server greeting"),
        lambda said: exim(said, SENDER),
        lambda said: exim(said, f"pipelined {SENDER}"),
        lambda said: sendmail(said, ">>> MAIL From:<post@q.example> SIZE=3210", f"<<< {said}"),
    ],
    ids=["Postfix", "Postfix, EHLO", "Postfix, greeting", "Exim", "Exim, pipelined", "sendmail"],
)
def test_what_is_refused_before_the_recipient_is_named_is_not_about_one(
    words: Callable[[str], str], said: str
) -> None:
    found = read(report(words(said), fields(said)))
    assert (found.reason, found.permanent) == (FailureReason.POLICY, True)
    assert found.recipients == (ERIKA,)


@pytest.mark.parametrize(
    "words",
    [
        lambda said: postfix(said, "RCPT TO"),
        lambda said: postfix(said, "end of DATA"),
        lambda said: exim(said, f"RCPT TO:<{ERIKA}>"),
        lambda said: sendmail(said, f">>> RCPT To:<{ERIKA}>", f"<<< {said}"),
        # The first host wanted no mail of us, the second one said why.
        lambda said: sendmail(
            said, f">>> {SENDER}", "<<< 451 later", f">>> RCPT To:<{ERIKA}>", f"<<< {said}"
        ),
        lambda said: f"<{ERIKA}>: {said}",
    ],
    ids=["Postfix", "Postfix, data", "Exim", "sendmail", "sendmail, two hosts", "unsaid"],
)
def test_what_is_refused_of_a_recipient_is_about_it(words: Callable[[str], str]) -> None:
    said = f"550 5.1.1 <{ERIKA}>: User unknown"
    found = read(report(words(said), fields(said, status="5.1.1")))
    assert found.reason is FailureReason.UNKNOWN_USER


@pytest.mark.parametrize("status", ["5.1.1", "5.0.0"])
def test_fields_without_a_diagnosis_are_read_with_the_command_of_the_words(status: str) -> None:
    told = fields("", status=status).replace("Diagnostic-Code: smtp; \n", "")
    found = read(report(postfix(UNKNOWN, "MAIL FROM"), told))
    assert found.reason is FailureReason.POLICY


@pytest.mark.parametrize("write", [postfix, exim])
def test_each_recipient_has_the_command_that_stands_beside_it(
    write: Callable[[str, str, str], str],
) -> None:
    words = write(GMX, "MAIL FROM", ERIKA) + write(UNKNOWN, "RCPT TO", OTTO)
    commands = refused_commands(words.split("\n"), [ERIKA, OTTO])
    assert commands == {ERIKA: Stage.MAIL, OTTO: Stage.RCPT}
    of_erika, of_otto = fields(GMX, ERIKA), fields(UNKNOWN, OTTO, "5.1.1")
    assert read(report(words, of_erika)).reason is FailureReason.POLICY
    assert read(report(words, of_otto)).reason is FailureReason.UNKNOWN_USER
    assert read(report(words, of_erika, of_otto)).reason is FailureReason.POLICY
    assert read(report(words, of_otto, of_erika)).reason is FailureReason.UNKNOWN_USER


def test_a_recipient_beside_whom_nothing_stands_has_none_of_another() -> None:
    words = f"<{OTTO}>: unknown user\n{postfix(UNKNOWN, 'MAIL FROM')}"
    assert refused_commands(words.split("\n"), [ERIKA, OTTO]) == {ERIKA: Stage.MAIL}
