"""What an SMTP reply means for an invitation (RFC 5321 section 4.2, RFC 3463, RFC 4954).

The same code means different things at different stages: 550 for the sender is our fault, 550
for the recipient is a wrong address.
"""

import re
from enum import StrEnum

from services.notification.deliveries.events import Reply
from services.notification.deliveries.reasons import reason_of
from services.notification.sending.sender import Contact, Verdict


class Stage(StrEnum):
    """The command whose reply, or silence, ended the try."""

    CONNECT = "connect"  # banner and EHLO
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command
    MESSAGE = "message"  # after the final dot


# Login needed, refused or too weak (RFC 4954 section 6).
_LOGIN = {530, 534, 535, 538}
# Command unknown, out of order, or parameters not known: client and server don't fit.
_PROTOCOL = {500, 502, 503, 504}
_ABOUT_THE_RECIPIENT = {Stage.RCPT, Stage.DATA, Stage.MESSAGE}

_ABOUT_THIS_MESSAGE = {"5.2.3", "5.3.4", "5.6.7"}  # too big, or SMTPUTF8

_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


def classify(stage: Stage, code: int | None, status: str | None = None) -> Verdict:
    """The verdict for a reply `code` at `stage`; None when no reply came."""
    if stage is Stage.MESSAGE and (code is None or code // 100 not in {2, 4, 5}):
        return Verdict.REPLY_LOST
    if code is None:
        return Verdict.TEMPORARY
    if stage is Stage.MESSAGE and 200 <= code < 300:
        return Verdict.ACCEPTED
    if 500 <= code < 600:
        return _classify_refusal(stage, code, status)
    # 4xx, and answers that make no sense where they came: nothing was accepted, try again.
    return Verdict.TEMPORARY


def _classify_refusal(stage: Stage, code: int, status: str | None) -> Verdict:
    if stage not in _ABOUT_THE_RECIPIENT or code in _LOGIN or code in _PROTOCOL:
        return Verdict.TECHNICAL
    # X.7: security or policy. We are not allowed to send; another address would not help.
    if status is not None and status.startswith("5.7."):
        return Verdict.TECHNICAL
    # A full mailbox (552, X.2.2) among them: the practice can ask for another address at once,
    # which beats waiting up to three days.
    return Verdict.PERMANENT


def contact_of(stage: Stage, code: int | None, status: str | None = None) -> Contact:
    """What a reply, or its want, says of the server: whether it is about this message or all mail.

    Before a recipient is named a refusal can only be about us, unless it is about the size or the
    script of this one. 421 closes the connection whatever it answers (RFC 5321 section 3.8).
    """
    if code is None or code == 421 or (stage is Stage.MESSAGE and code // 100 not in {2, 4, 5}):
        return Contact.SILENT
    if stage in _ABOUT_THE_RECIPIENT or code // 100 == 2:
        return Contact.GOOD
    if code // 100 != 5:
        return Contact.SILENT
    if stage is Stage.MAIL and (code == 552 or status in _ABOUT_THIS_MESSAGE):
        return Contact.GOOD
    return Contact.REFUSES_US


def read_reply(code: int, text: str) -> Reply:
    """What is kept of a reply: its code, status and reason. Never its text, that has addresses."""
    status = enhanced_status(code, text)
    return Reply(code, status, reason_of(status, code, text))


def enhanced_status(code: int, text: str) -> str | None:
    """The RFC 3463 status at the start of a reply's text (RFC 2034), or None.

    A status whose class contradicts the reply code is ignored (RFC 2034 section 4).
    """
    found = _STATUS.match(text)
    if found is None or int(found[1]) != code // 100:
        return None
    return f"{found[1]}.{int(found[2])}.{int(found[3])}"
