"""Bounces as mail servers compose them from another server's reply (RFC 3464, RFC 6522)."""

import re
import textwrap
from collections.abc import Callable

_STATUS = re.compile(r"\d{3}[ -](([245])\.\d{1,3}\.\d{1,3})\b")
_POSTFIX = {"mail": "MAIL FROM", "rcpt": "RCPT TO", "data": "DATA", "dot": "end of DATA"}
_EXIM = {
    "greeting": "initial connection",
    "ehlo": "EHLO out.praxis.example",
    "starttls": "STARTTLS",
    "auth": "AUTH PLAIN",
    "mail": "MAIL FROM:<rueck@praxis.example>",
    "rcpt": "RCPT TO:<{recipient}>",
    "data": "DATA",
    "dot": "end of data",
}


def status_of(reply: str) -> str:
    """What the sending server reports: the reply's own status, or else the class of its code."""
    found = _STATUS.match(reply)
    return found[1] if found and found[2] == reply[0] else f"{reply[0]}.0.0"


def _postfix(reply: str, recipient: str, stage: str) -> str:
    said = " ".join(reply.splitlines())
    host = "host mx.example.org[192.0.2.25]"
    if stage in _POSTFIX:
        told = f"{host} said: {said} (in reply to {_POSTFIX[stage]} command)"
    elif stage == "auth":
        told = f"SASL authentication failed; server mx.example.org[192.0.2.25] said: {said}"
    else:
        told = f"{host} refused to talk to me: {said}"
    return (
        "This is the mail system at host out.praxis.example.\n\n"
        "I'm sorry to have to inform you that your message could not\n"
        "be delivered to one or more recipients. It's attached below.\n\n"
        "For further assistance, please send mail to postmaster.\n\n"
        "If you do so, please include this problem report. You can\n"
        "delete your own text from the attached returned message.\n\n"
        "                   The mail system\n\n"
        + textwrap.fill(
            f"<{recipient}>: {told}", 72, subsequent_indent="    ", break_on_hyphens=False
        )
    )


def _exim(reply: str, recipient: str, stage: str) -> str:
    lines = "\n".join(f"    {line}" for line in reply.splitlines())
    command = _EXIM[stage].format(recipient=recipient)
    return (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n"
        f"  {recipient}\n    host mx.example.org [192.0.2.25]\n"
        f"    SMTP error from remote mail server after {command}:\n"
        f"{lines}"
    )


def _plain(_reply: str, recipient: str, _stage: str) -> str:
    return f"Your message to {recipient} was not delivered."


STYLES: dict[str, Callable[[str, str, str], str]] = {
    "postfix": _postfix,
    "exim": _exim,
    "plain": _plain,
}


def bounce(reply: str, *, recipient: str, stage: str, style: str, width: int = 72) -> bytes:
    """The bounce that `reply`, as it was said at `stage` of our own server's dialogue, leads to."""
    diagnosis = textwrap.fill(
        f"Diagnostic-Code: smtp; {' '.join(reply.splitlines())}",
        width,
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    text = f"""\
Return-Path: <>
Date: Tue, 24 Nov 2026 10:00:00 +0100
From: MAILER-DAEMON@out.praxis.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: rueck@praxis.example
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="part"
Message-Id: <20261124090000.4F2Q@out.praxis.example>

--part
Content-Type: text/plain; charset=utf-8

{STYLES[style](reply, recipient, stage)}

--part
Content-Type: message/delivery-status

Reporting-MTA: dns; out.praxis.example
Arrival-Date: Tue, 24 Nov 2026 09:59:58 +0100

Final-Recipient: rfc822; {recipient}
Action: failed
Status: {status_of(reply)}
Remote-MTA: dns; mx.example.org
{diagnosis}

--part
Content-Type: text/rfc822-headers

From: Praxis Dr. Weiss <einladung@praxis.example>
To: {recipient}
Subject: Ihr Termin
Message-ID: <1@praxis.example>

--part--
"""
    return text.replace("\n", "\r\n").encode()
