"""Bounces in words alone, as many servers and gateways write them, in several languages."""

import pytest

from contracts.events import FailureReason
from services.notification.bounces import EvidenceKind, read, texts

ADDRESS = "erika@patient.example"
RETURNED = """
Received: from praxis.example by mx.example; Mon, 2 Nov 2026 10:00:00 +0100
Message-ID: <1@praxis.example>
From: einladung@praxis.example
To: Liste <liste@else.example>
Subject: Einladung

Guten Tag
"""

# The subject, the text, and what it means.
WORDS: dict[str, tuple[str, str, EvidenceKind, FailureReason | None]] = {
    "list of failed recipients": (
        "Returned mail",
        (
            "Hallo,\n"
            "\n"
            "here is your list of failed recipients:\n"
            "\n"
            "<{A}>: unknown\n"
            "\n"
            "here is your returned mail:\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "expanded": (
        "Returned mail: User unknown",
        (
            "   ----- The following addresses had permanent fatal errors -----\n"
            "    {A}\n"
            "    (expanded from: <x@y.example>)\n"
            "\n"
            "   ----- Transcript of session follows -----\n"
            "550 {A}... User unknown\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "turnpike": (
        "Mail failure",
        (
            "This message was created automatically by mail delivery software (Turn"
            "pike).\n"
            "\n"
            "Message could not be delivered\n"
            " RCPT TO:<{A}>\n"
            " 550 unknown user\n"
            "\n"
            "original message follows\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "virus wall": (
        "Delivery failure",
        (
            "Message from InterScan E-Mail VirusWall NT\n"
            "\n"
            ">>> RCPT TO:<{A}>\n"
            "<<< 550 unknown\n"
            "\n"
            "** End of message **\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "smail": (
        "mail failed, returning to sender",
        (
            "|------------------------- Failed addresses follow: ------------------"
            "---|\n"
            " {A} ... unknown user\n"
            "|------------------------- Message text follows: ---------------------"
            "---|\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "newmail": (
        "failure notice",
        (
            "This is the machine generated message from mail service.\n"
            "Unable to deliver message to the following addresses.\n"
            "\n"
            "<{A}>:\n"
            "--User's Disk Quota Exceeded.\n"
            "Sorry, your intended recipient has too much mail.\n"
            "\n"
            "--- Below the next line is a copy of the message.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "mdaemon": (
        "Permanent Delivery Failure",
        (
            "The following addresses did NOT receive a copy of your message:\n"
            "\n"
            "> {A}\n"
            "\n"
            "--- Session Transcript ---\n"
            " Mon: <-- 550 unknown user\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "intended recipient": (
        "Undelivered message",
        (
            "Intended recipient:  {A}\n"
            "Reason: mailbox full\n"
            "\n"
            "--------RETURNED MAIL FOLLOWS--------\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "undeliverable address": (
        "Undeliverable mail",
        ("Undeliverable Address:  {A}\nOver quota\n\nOriginal message attached\n"),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "returned message starts": (
        "Mail failure",
        (
            "This message was created automatically by mail delivery software.\n"
            "Your mail addressed to '{A}' could not be delivered\n"
            "---- START OF RETURNED MESSAGE ----\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "prodigy": (
        "Mail failure",
        ("User's mailbox is full: <{A}>\nUnable to deliver mail.\n"),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "smtpsvc": (
        "Undelivered mail",
        ("The email below could not be delivered to the following user:\n<{A}>\n\nOld message:\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "message from": (
        "Delivery failure",
        (
            "Message from sbc.example.\n"
            "Unable to deliver message to the following address(es).\n"
            "\n"
            "<{A}>:\n"
            "no such user\n"
            "\n"
            "--- Original message follows.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "more recipients": (
        "Mail delivery failed",
        (
            "A message that you sent could not be delivered to one or more recipients\n"
            "\n"
            "{A}: mailbox full\n"
            "\n"
            "--- The header\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "smtpsvc aborted": (
        "Delivery Status",
        ("Delivery to the following recipients failed.\n\n       {A}\n\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "smtp protocol error": (
        "Undeliverable mail",
        (
            "Your message\n"
            "\n"
            "  Subject: foo\n"
            "\n"
            "was not delivered to:\n"
            "\n"
            "  {A}\n"
            "\n"
            "because:\n"
            "\n"
            "  Error transferring to MX; SMTP Protocol Returned a Permanent Error 5"
            "50 unknown user\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "stars at the end": (
        "Delivery failure",
        ("Unable to deliver message to <{A}>.\n************ End of message *********\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "earthlink": (
        "failure",
        (
            "Sorry, unable to deliver your message to {A} for the following reason:\n"
            "552 Quota violation for x\n"
            "\n"
            "A copy of the original message below this line:\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "not delivered to": (
        "Delivery error",
        ("A message could not be delivered to:\n\n  {A}\n\nSubject: foo\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "userid": (
        "Undeliverable Mail",
        ("Invalid final delivery userid:\n {A}\n\nOriginal message follows.\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "failed recipients": (
        "Returned mail",
        ("------ Failed Recipients ------\n <{A}>: 550 unknown\n-------- Returned Mail --------\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "lsmtp": (
        "Undelivered",
        (
            "--> Error description:\n"
            "Error-for:  {A}\n"
            "Error-Code: 3\n"
            "Error-Text: no such user\n"
            "Error-End: One error reported.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "in one line": (
        "Delivery failure",
        ("Your message could not be delivered to {A}\n\nreason\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "reads in part": (
        "Delivery problems",
        (
            "Your message has encountered delivery problems\n"
            "to the following recipients:\n"
            "\n"
            "(addressed to {A})\n"
            "mailbox full\n"
            "\n"
            "Your message reads (in part):\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "did not reach": (
        "Undeliverable",
        ("Did not reach the following recipient:\n {A}\n\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "eyou": (
        "Delivery failure",
        ("This is the deliver program at eyou.example.\n{A}\nuser is overquota\n"),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "mail server speaks": (
        "failure notice",
        (
            "Hi. this is the email server at ieo.example\n"
            "We could not deliver to {A}, sorry\n"
            "--- Below\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "no such user here": (
        "Permanent Delivery Failure",
        (
            "The attached message had PERMANENT fatal delivery errors!\n"
            "{A} - no such user here.\n"
            "\n"
            "There is no user by that name at this server.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "error type": (
        "Delivery failure",
        (
            "The following recipient(s) could not be reached:\n"
            "\n"
            "{A}\n"
            "   Error Type: SMTP\n"
            "   Error Description: No mail servers appear to exist for the recipien"
            "ts address.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.HOST_UNKNOWN,
    ),
    "failed recipient": (
        "Undeliverable",
        (
            "Could not deliver message to the following recipient(s):\n"
            "\n"
            "Failed Recipient: {A}\n"
            "Reason: Remote host said: 553 sorry no mailbox\n"
            "\n"
            " -- The header\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "error detail": (
        "Mail not delivered",
        (
            "Message not delivered to the following addresses:\n"
            "\n"
            "  {A}\n"
            "\n"
            "Error detail:\n"
            " mailbox full\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "mailenable": (
        "Message delivery failure",
        (
            "Message could not be delivered to some recipients.\n"
            "The following recipient(s) could not be reached:\n"
            "\n"
            "\tRecipient: [SMTP:{A}]\n"
            "\tReason:    Remote SMTP Server Returned: 550 User unknown\n"
            "\n"
            "Message headers follow:\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "problem appears": (
        "Delivery failure",
        (
            "This is a delivery failure notification message indicating that\n"
            "an email you addressed to email address :\n"
            "-- {A}\n"
            "\n"
            "could not be delivered. The problem appears to be :\n"
            "-- Recipient email server rejected the message\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "enclosed message": (
        "Delivery failed",
        (
            "Delivery has failed on the enclosed message for the following reasons:\n"
            "[{A}] mailbox quota\n"
            "Original message details:\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "warning": (
        "Warning: delayed",
        (
            "The address to which the message has not yet been delivered is:\n"
            "\n"
            " {A}\n"
            "\n"
            "No action is required on your part.\n"
        ),
        EvidenceKind.DELAYED,
        None,
    ),
    "just a warning": (
        "Delivery warning",
        (
            "Your message to:\n"
            "\n"
            "    {A}\n"
            "\n"
            "has not been delivered yet. This is just a warning, you do not need to"
            " take any action.\n"
        ),
        EvidenceKind.DELAYED,
        None,
    ),
    "netscape": (
        "Undeliverable Message",
        (
            "This Message was undeliverable due to the following reason:\n"
            "\n"
            "The user(s) account is temporarily over quota.\n"
            "\n"
            "<{A}>\n"
            "\n"
            "Please reply to <postmaster@x.example> if you feel this message to be "
            "in error.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "aol": (
        "Returned mail",
        (
            "The mail you sent could not be delivered to:\n"
            "550 {A} is not a known user\n"
            "\n"
            "The text you sent follows:\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "listserv": (
        "Delivery error",
        (
            "The enclosed message could not be delivered to {A} because the mailbox"
            " is unavailable.\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "rejected": (
        "Mail undeliverable",
        ("Your mail to {A} was rejected. 554 spam\n"),
        EvidenceKind.FAILED,
        FailureReason.BLOCKED,
    ),
    "mercury": (
        "Your mail to unknown user",
        ("Your message could not be sent to the following address(es):\n   {A}\nNo such user.\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "xmail": (
        "Error sending message [1.2] from [x]",
        (
            "[<01>] XMail bounce: Rcpt=[{A}];Error=[550 5.1.1 User unknown]\n"
            "\n"
            "[<02>] The following is a copy\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "mimesweeper": (
        "Mail delivery failed",
        ("Your message was not delivered because it contains a virus.\nTo: {A}\n"),
        EvidenceKind.FAILED,
        FailureReason.BLOCKED,
    ),
    "ntmail": (
        "Delivery failure",
        ("The following recipients could not be found: {A}\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "merak": (
        "Mail delivery failure",
        ("Message delivery failed.\nTo: <{A}>\nRemote host said: 550 mailbox not found\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "kerio": (
        "Undeliverable mail",
        ("Your message could not be delivered to recipient:\n\n<{A}>\n\n550 5.1.1 User unknown\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "hmail": (
        "Message undeliverable: x",
        (
            "Your message did not reach some or all of the intended recipients.\n"
            "\n"
            "   Sent: now\n"
            "   Subject: x\n"
            "\n"
            "The following recipient(s) could not be reached:\n"
            "\n"
            "{A}\n"
            "   Error Type: SMTP\n"
            "   Remote server replied: 550 Unknown user\n"
            "\n"
            "hMailServer\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "postini": (
        "Delivery Status Notification",
        (
            "This is an automatically generated Delivery Status Notification.\n"
            "\n"
            "Delivery to the following recipients failed.\n"
            "\n"
            "       {A}\n"
        ),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "proofpoint": (
        "Undeliverable: x",
        ("Your message was not delivered to the following recipients:\n\n{A}: 550 5.1.1 unknown\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "barracuda": (
        "Undelivered Mail",
        ("Message from barracuda.example\nUnable to deliver message to: <{A}>\n"),
        EvidenceKind.FAILED,
        FailureReason.OTHER,
    ),
    "french": (
        "Message non remis",
        ("Votre message n'a pas pu être remis à {A}\nBoîte pleine\n"),
        EvidenceKind.FAILED,
        FailureReason.MAILBOX_FULL,
    ),
    "italian": (
        "Mancato recapito",
        ("Il messaggio per {A} non è stato recapitato: utente sconosciuto\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "portuguese": (
        "Falha na entrega",
        ("A mensagem para {A} não foi entregue: usuário desconhecido\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "dutch": (
        "Onbestelbaar: x",
        ("Uw bericht aan {A} kon niet worden bezorgd. Onbekende ontvanger\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "polish": (
        "Niedostarczona wiadomość",
        ("Wiadomość do {A} nie została dostarczona. Użytkownik nie istnieje\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "chinese": (
        "退信",
        ("无法投递到 {A}\n用户不存在\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
    "korean": (
        "반송 메일",
        ("{A} 전송 실패\n받는사람이 없습니다\n"),
        EvidenceKind.FAILED,
        FailureReason.UNKNOWN_USER,
    ),
}


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@mx.example", "Postmaster <postmaster@mx.example>"]
)
@pytest.mark.parametrize("returned", ["", RETURNED], ids=["alone", "with the message"])
@pytest.mark.parametrize("name", WORDS)
def test_words_name_the_recipient(name: str, returned: str, sender: str) -> None:
    subject, body, kind, reason = WORDS[name]
    head = f"From: {sender}\nTo: einladung@praxis.example\nSubject: {subject}\n"
    text = f"{head}Content-Type: text/plain; charset=utf-8\n\n{body}{returned}"
    reading = read(text.replace("{A}", ADDRESS).encode())
    assert (reading.kind, reading.recipients, reading.reason) == (kind, (ADDRESS,), reason)


def test_a_mail_is_read_where_flufl_bounce_fails_and_its_failure_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise ValueError(ADDRESS)

    monkeypatch.setattr(texts, "all_failures", fail)
    head = "From: MAILER-DAEMON@mx.example\nSubject: Undelivered mail\n\n"
    body = f"This is the mail system.\nI could not deliver to:\n{ADDRESS} no such user\n"
    reading = read((head + body).encode())
    assert (reading.kind, reading.recipients) == (EvidenceKind.FAILED, (ADDRESS,))
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("ERROR", "flufl.bounce failed")
    ]
