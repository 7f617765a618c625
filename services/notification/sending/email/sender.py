"""Mail: composes the invitation and hands it to the mail server."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import idna

from chassis.clock import Clock
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import Reply
from services.notification.letters.mail import InvitationMail
from services.notification.sending.email.smtp_pool import Envelope, SmtpPool
from services.notification.sending.sender import Outgoing, SendResult, Verdict

# RFC 3463 X.1.3: bad destination mailbox address syntax.
INVALID_ADDRESS = SendResult(Verdict.PERMANENT, Reply(status="5.1.3"))

# A dot-atom (RFC 5322, with RFC 6532). Quoted local parts are not worth their dangers.
_LOCAL = re.compile(r"[^\s\x00-\x20\x7f-\xa0()<>\[\]:;@\\,.\"\u2000-\u200f\u2028-\u202f]+")
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address fit for the wire; `utf8` when it needs SMTPUTF8 (RFC 6531)."""

    address: str
    utf8: bool


def parse_mailbox(address: str) -> Mailbox | None:
    """The address with its domain in ASCII (IDNA 2008), or None when it is none."""
    local, _, domain = address.strip().rpartition("@")
    if len(local.encode(errors="replace")) > 64:
        return None
    if not all(_LOCAL.fullmatch(atom) for atom in local.split(".")):
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    if not _DOMAIN.fullmatch(domain):
        return None
    try:
        local.encode()
    except UnicodeEncodeError:
        return None
    return Mailbox(f"{local}@{domain}", utf8=not local.isascii())


class EmailSender:
    """Sends invitations from one address over one pool.

    `envelope_sender` gives the return path of a delivery, which is where bounces go, `envelope_id`
    what delivery status notifications name it by. `organizer` gives the address that calendars
    answer to; without it nobody reads answers.
    """

    def __init__(
        self,
        pool: SmtpPool,
        *,
        sender_address: str,
        envelope_sender: Callable[[UUID], str],
        envelope_id: Callable[[UUID], str],
        organizer: Callable[[UUID], str] | None = None,
        now: Clock,
    ) -> None:
        self._pool = pool
        self._envelope_sender = envelope_sender
        self._envelope_id = envelope_id
        self._organizer = organizer
        self._mail = InvitationMail(sender_address)
        self._now = now

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, whatever the server does."""
        return self._pool.longest_send

    async def send(self, outgoing: Outgoing) -> SendResult:
        """Try once. Raises UnusableLetter when the request can't become a mail, and LeaseLost."""
        mailbox = parse_mailbox(outgoing.letter.recipient)
        if mailbox is None:
            return INVALID_ADDRESS
        message = self._mail.compose(
            outgoing.letter,
            appointment_id=outgoing.delivery.appointment_id,
            recipient=mailbox.address,
            message_id=outgoing.delivery.message_id,
            organizer=self._organizer_of(outgoing.delivery),
            boundary=_boundary(outgoing.delivery.message_id),
            now=self._now(),
        )
        return await self._pool.send(
            Envelope(
                id=self._envelope_id(outgoing.delivery.id),
                sender=self._envelope_sender(outgoing.delivery.id),
                recipient=mailbox.address,
                message=message,
                utf8=mailbox.utf8,
            ),
            outgoing.hand_over,
        )

    def _organizer_of(self, delivery: Delivery) -> str | None:
        if self._organizer is None or delivery.organizer is None:
            return None
        return self._organizer(delivery.organizer)

    async def close(self) -> None:
        """Close idle connections."""
        await self._pool.close()


def _boundary(message_id: str) -> str:
    """The same for every copy, and nothing of the delivery that the mail does not tell anyway."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]
