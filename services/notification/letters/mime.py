"""A mail with text, HTML and a calendar file, for every reader to take what it can show.

    multipart/mixed
        multipart/alternative
            text/plain, text/html
            text/calendar; method=…     what Gmail, Outlook and Apple Mail make an invitation of
        application/ics                 the same as a file, for readers that know attachments only

Writes RFC 5322 and MIME directly: much faster than `email.message`, which would be most of the
work of sending. The tests read every mail back with the standard library's parser.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import datetime
from email.utils import format_datetime

from services.notification.letters.calendar_file import Method

FILE_NAME = "einladung.ics"


def message(
    headers: Iterable[str],
    *,
    text: str,
    html: str,
    calendar: bytes,
    method: Method,
    boundary: str,
) -> bytes:
    """The whole message with CRLF line ends.

    The headers are complete and encoded; `boundary` needs letters and digits only.
    """
    # "=_" can't occur in quoted-printable or base64, so no part can hold a boundary.
    mixed, alternative = f"=_m{boundary}", f"=_a{boundary}"
    # Outlook refuses a file whose METHOD is not that of its content type.
    kind = f"text/calendar; method={method}; charset=utf-8"
    attached = (
        f'application/ics; name="{FILE_NAME}"\r\n'
        f'Content-Disposition: attachment; filename="{FILE_NAME}"'
    )
    encoded = base64.encodebytes(calendar).replace(b"\n", b"\r\n")
    head = "".join(f"{header}\r\n" for header in headers)
    return b"".join(
        (
            head.encode(),
            f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{mixed}"\r\n\r\n'
            f"--{mixed}\r\n"
            f'Content-Type: multipart/alternative; boundary="{alternative}"\r\n\r\n'.encode(),
            _part(alternative, "text/plain; charset=utf-8", "quoted-printable", _printable(text)),
            _part(alternative, "text/html; charset=utf-8", "quoted-printable", _printable(html)),
            _part(alternative, kind, "base64", encoded),
            f"--{alternative}--\r\n\r\n".encode(),
            _part(mixed, attached, "base64", encoded),
            f"--{mixed}--\r\n".encode(),
        )
    )


def letter(headers: Iterable[str], *, text: str, html: str, boundary: str) -> bytes:
    """The same without a calendar file: text and HTML alone."""
    alternative = f"=_a{boundary}"
    head = "".join(f"{header}\r\n" for header in headers)
    return b"".join(
        (
            head.encode(),
            "MIME-Version: 1.0\r\n"
            f'Content-Type: multipart/alternative; boundary="{alternative}"\r\n\r\n'.encode(),
            _part(alternative, "text/plain; charset=utf-8", "quoted-printable", _printable(text)),
            _part(alternative, "text/html; charset=utf-8", "quoted-printable", _printable(html)),
            f"--{alternative}--\r\n".encode(),
        )
    )


def standing_headers(message_id: str, now: datetime, *, language: str) -> tuple[str, ...]:
    """Those that every mail of ours has."""
    return (
        f"Date: {format_datetime(now)}",
        f"Message-ID: {message_id}",
        "Auto-Submitted: auto-generated",
        f"Content-Language: {language}",
    )


def boundary_of(message_id: str) -> str:
    """The same for every copy, and nothing of the delivery that the mail does not tell anyway."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _part(boundary: str, kind: str, encoding: str, content: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def _printable(content: str) -> bytes:
    return binascii.b2a_qp(content.replace("\n", "\r\n").encode(), istext=True)
