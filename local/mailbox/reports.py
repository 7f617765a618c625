"""What comes back from simulated recipients after the message was taken (RFC 3464, RFC 3834)."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from pathlib import Path

import aiosmtplib

from local import journal
from local.journal import Journal
from local.mailbox.store import header, message_id, parse

HOST = "mailbox.localhost"
MOST_WAITING = 1_000
TRIES = 120  # one a second: the service that takes bounces may be starting
A_MOMENT = 1.0  # seconds, so that the tick is seen before it goes


@dataclass(frozen=True, slots=True)
class Mail:
    """A message that was taken for one recipient, with what RFC 3461 asked for."""

    sender: str
    recipient: str
    content: bytes
    envelope_id: str | None = None
    notify: frozenset[str] = frozenset()
    original_recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What to say of it."""

    action: str  # failed, delayed, delivered; or „away"
    status: str = ""
    diagnostic: str = ""
    text: str = ""


REPORTS = {
    "spaeter-unbekannt": Report(
        "failed",
        "5.1.1",
        "smtp; 550 5.1.1 <{}>: Recipient address rejected: User unknown",
        "The message could not be delivered: there is no such mailbox.",
    ),
    "spaeter-voll": Report(
        "failed",
        "5.2.2",
        "smtp; 552 5.2.2 <{}>: Mailbox full",
        "The message could not be delivered: the mailbox is full.",
    ),
    "verzoegert": Report(
        "delayed",
        "4.4.1",
        "smtp; 451 4.4.1 Connection timed out",
        "The message has not been delivered yet. It will be tried again.",
    ),
    "zugestellt": Report(
        "delivered", "2.0.0", "smtp; 250 2.0.0 OK", "The message was delivered to the mailbox."
    ),
    "abwesend": Report("away", text="Ich bin bis Montag nicht im Haus."),
}
NEEDS = {"failed": "FAILURE", "delayed": "DELAY", "delivered": "SUCCESS"}


def compose(mail: Mail, report: Report) -> bytes | None:
    """The message that goes back; None where it was not asked for or nobody is to be told."""
    if not mail.sender:
        return None
    if report.action == "away":
        return _away(mail, report).as_bytes(policy=SMTP)
    # Without NOTIFY failures and delays are told, success is not (RFC 3461 section 4.1).
    if NEEDS[report.action] not in (mail.notify or {"FAILURE", "DELAY"}):
        return None
    return _status(mail, report).as_bytes(policy=SMTP)


def _status(mail: Mail, report: Report) -> Message:
    message = MIMEMultipart("report")
    message.set_param("report-type", "delivery-status")
    message["From"] = f"Mail Delivery System <MAILER-DAEMON@{HOST}>"
    message["To"] = mail.sender
    message["Subject"] = f"Delivery Status Notification ({report.action})"
    message["Date"] = formatdate()
    message["Message-ID"] = make_msgid(domain=HOST)
    message["Auto-Submitted"] = "auto-replied"
    message.attach(MIMEText(f"{report.text}\n\n<{mail.recipient}>\n"))
    of_message = [("Reporting-MTA", f"dns; {HOST}"), ("Arrival-Date", formatdate())]
    if mail.envelope_id:
        of_message.insert(0, ("Original-Envelope-Id", mail.envelope_id))
    of_recipient = [
        ("Final-Recipient", f"rfc822; {mail.recipient}"),
        ("Action", report.action),
        ("Status", report.status),
        ("Diagnostic-Code", report.diagnostic.format(mail.recipient)),
    ]
    if mail.original_recipient:
        of_recipient.insert(0, ("Original-Recipient", mail.original_recipient))
    status = Message()
    status["Content-Type"] = "message/delivery-status"
    status.set_payload([_fields(of_message), _fields(of_recipient)])
    message.attach(status)
    head = mail.content.partition(b"\r\n\r\n")[0].decode("ascii", "replace")
    message.attach(MIMEText(head.replace("\r\n", "\n") + "\n", "rfc822-headers"))
    return message


def _fields(fields: Sequence[tuple[str, str]]) -> Message:
    group = Message()
    for name, value in fields:
        group[name] = value
    return group


def _away(mail: Mail, report: Report) -> Message:
    original = parse(mail.content)
    answer = MIMEText(report.text)
    answer["From"] = mail.recipient
    answer["To"] = mail.sender
    answer["Subject"] = "Abwesenheitsnotiz"
    answer["Date"] = formatdate()
    answer["Message-ID"] = make_msgid(domain=HOST)
    answer["In-Reply-To"] = header(original, "Message-ID")
    answer["Auto-Submitted"] = "auto-replied"
    return answer


class Postman:
    """Takes reports back to `port` on `host`, a moment after the mail was taken.

    Each waits in `folder`, so that it goes out also when we are killed before.
    """

    def __init__(self, host: str, port: int, folder: Path, kept: Journal | None = None) -> None:
        self._host = host
        self._port = port
        self._folder = folder
        self._journal = kept or Journal()
        folder.mkdir(parents=True, exist_ok=True)
        waiting = sorted(folder.glob("[0-9]*.json"))
        self._next = int(waiting[-1].stem) + 1 if waiting else 1
        self._queue: asyncio.Queue[Path] = asyncio.Queue(MOST_WAITING)
        for file in waiting[:MOST_WAITING]:
            self._queue.put_nowait(file)

    def post(self, mail: Mail, report: Report) -> None:
        """Queue a report; beyond the limit it is lost. Raises OSError when it can't be kept."""
        content = compose(mail, report)
        if content is None or self._queue.full():
            return
        waiting = {
            "due": time.time() + A_MOMENT,
            "to": mail.sender,
            "of": mail.recipient,
            "action": report.action,
            "message_id": message_id(mail.content),
            "content": content.decode("latin-1"),
        }
        file = self._folder / f"{self._next:010d}.json"
        journal.replace(file, json.dumps(waiting))
        self._next += 1
        self._queue.put_nowait(file)

    async def run(self) -> None:
        """Carry for ever."""
        while True:
            file = await self._queue.get()
            waiting = json.loads(file.read_text())
            await asyncio.sleep(waiting["due"] - time.time())
            if await self._carry(waiting["to"], waiting["content"].encode("latin-1")):
                await self._journal.keep(
                    "sent back",
                    to=waiting["of"],
                    message_id=waiting["message_id"],
                    action=waiting["action"],
                )
            file.unlink(missing_ok=True)

    async def _carry(self, recipient: str, content: bytes) -> bool:
        """Whether it was taken."""
        for _ in range(TRIES):
            try:
                await hand_over(self._port, recipient, content, host=self._host)
            except aiosmtplib.SMTPRecipientsRefused:
                return False
            except (aiosmtplib.SMTPException, OSError):
                await asyncio.sleep(1)
            else:
                return True
        return False


async def hand_over(
    port: int, recipient: str, content: bytes, *, host: str = "127.0.0.1", sender: str = ""
) -> None:
    """Send; with a null sender a report, which nobody is to answer (RFC 3464 section 2)."""
    client = aiosmtplib.SMTP(hostname=host, port=port, start_tls=False, timeout=10)
    async with client:
        await client.sendmail(sender, [recipient], content)
