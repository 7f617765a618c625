"""SMTP in."""

from email.errors import MessageError
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.mailbox.recipients import ACCEPTED, Recipients
from local.mailbox.store import Store

LARGEST = 10_000_000  # bytes of a message
IDLE_TIMEOUT = 300.0  # seconds, as RFC 5321 section 4.5.3.2.7 wants


class Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recipients = Recipients()

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse one recipient."""
        reply = self._recipients.reply(address)
        if reply == ACCEPTED:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return reply

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep the message, then say so."""
        content = envelope.original_content or b""
        try:
            self._store.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError:
            return "452 4.3.1 Insufficient system storage"
        except MessageError:
            return "550 5.6.0 The message can't be read"
        return "250 2.0.0 Kept"


def protocol(store: Store) -> Any:
    """A factory of connections for `loop.create_server`, all over one store."""
    handler = Handler(store)
    return lambda: SMTP(
        handler,
        hostname="mailbox.localhost",
        ident="local mailbox",
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        timeout=IDLE_TIMEOUT,
    )
