"""Mail: composes the invitation and hands it to the mail server."""

from collections.abc import Callable
from uuid import UUID

from chassis.clock import Clock
from contracts.mailboxes import Mailbox, parse_mailbox
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import Reply
from services.notification.letters.mail import InvitationMail
from services.notification.letters.mime import boundary_of
from services.notification.sending.email.smtp_pool import Envelope, SmtpPool
from services.notification.sending.sender import Outgoing, SendResult, Verdict

# RFC 3463 X.1.3: bad destination mailbox address syntax.
INVALID_ADDRESS = SendResult(Verdict.PERMANENT, Reply(status="5.1.3"))


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
            boundary=boundary_of(outgoing.delivery.message_id),
            now=self._now(),
        )
        return await self.post(outgoing.delivery.id, mailbox, message, outgoing.hand_over)

    async def post(
        self, reference: UUID, mailbox: Mailbox, message: bytes, hand_over: Callable[[], None]
    ) -> SendResult:
        """Try once to hand a whole message over; what comes back names it by `reference`."""
        return await self._pool.send(
            Envelope(
                id=self._envelope_id(reference),
                sender=self._envelope_sender(reference),
                recipient=mailbox.address,
                message=message,
                utf8=mailbox.utf8,
            ),
            hand_over,
        )

    def _organizer_of(self, delivery: Delivery) -> str | None:
        if self._organizer is None or delivery.organizer is None:
            return None
        return self._organizer(delivery.organizer)

    async def close(self) -> None:
        """Close idle connections."""
        await self._pool.close()
