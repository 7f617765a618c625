"""SMTP in, with the extension DSN (RFC 3461), which aiosmtpd doesn't have."""

from email.errors import MessageError
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from local.journal import Journal, once_written
from local.mailbox.copies import Copies
from local.mailbox.recipients import ACCEPTED, Recipients
from local.mailbox.reports import Mail, Postman
from local.mailbox.store import Store, message_id

LARGEST = 10_000_000  # bytes of a message
IDLE_TIMEOUT = 300.0  # seconds, as RFC 5321 section 4.5.3.2.7 wants
DSN_OF_MAIL = ("RET=", "ENVID=")
DSN_OF_RCPT = ("NOTIFY=", "ORCPT=")


class Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(
        self, store: Store, postman: Postman, copies: Copies | None, journal: Journal
    ) -> None:
        self._journal = journal
        self._store = store
        self._postman = postman
        self._copies = copies
        self._recipients = Recipients()

    async def handle_EHLO(  # noqa: N802
        self,
        _server: SMTP,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        """Offer DSN."""
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_RCPT(  # noqa: N802
        self, server: Any, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept or refuse one recipient."""
        reply = self._recipients.reply(address)
        if reply == ACCEPTED:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
            server.dsn_of_rcpts[address] = server.dsn_of_rcpt
        else:
            try:
                self._journal.write("refused", to=address, reply=reply[:9])
            except OSError:
                return "452 4.3.1 Insufficient system storage"
        return reply

    async def handle_DATA(self, server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message, then say so; what is to come back is on its way."""
        content = envelope.original_content or b""
        try:
            self._store.add(envelope.mail_from or "", envelope.rcpt_tos, content)
        except OSError:
            return "452 4.3.1 Insufficient system storage"
        except MessageError:
            return "550 5.6.0 The message can't be read"
        # It is taken, whether the disk has room for what follows at once or later.
        await self._follow(server, envelope, content)
        return "250 2.0.0 Kept"

    async def _follow(self, server: Any, envelope: Envelope, content: bytes) -> None:
        named = message_id(content)
        for address in envelope.rcpt_tos:
            await self._journal.keep("taken", to=address, message_id=named)
            mail = _mail(server, envelope, address, content)
            report = self._recipients.report(address)
            if report is not None:
                await once_written(partial(self._postman.post, mail, report))
            if self._copies is not None:
                self._copies.post(mail)


def _mail(server: "_WithDsn", envelope: Envelope, address: str, content: bytes) -> Mail:
    asked = server.dsn_of_rcpts.get(address, {})
    return Mail(
        sender=envelope.mail_from or "",
        recipient=address,
        content=content,
        envelope_id=server.dsn_of_mail.get("ENVID"),
        notify=frozenset(filter(None, asked.get("NOTIFY", "").upper().split(","))),
        original_recipient=asked.get("ORCPT"),
    )


class _WithDsn(SMTP):
    """Takes the parameters of RFC 3461 out of MAIL and RCPT before aiosmtpd refuses them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.dsn_of_mail: dict[str, str] = {}
        self.dsn_of_rcpt: dict[str, str] = {}
        self.dsn_of_rcpts: dict[str, dict[str, str]] = {}

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        """With RET and ENVID."""
        rest, self.dsn_of_mail = _taken(arg, DSN_OF_MAIL)
        self.dsn_of_rcpts = {}
        await super().smtp_MAIL(rest)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        """With NOTIFY and ORCPT."""
        rest, self.dsn_of_rcpt = _taken(arg, DSN_OF_RCPT)
        await super().smtp_RCPT(rest)


def _taken(arg: str | None, names: tuple[str, ...]) -> tuple[str | None, dict[str, str]]:
    if arg is None:
        return None, {}
    words = arg.split(" ")
    ours = [word for word in words[1:] if word.upper().startswith(names)]
    pairs = (word.partition("=") for word in ours)
    return " ".join(word for word in words if word not in ours), {
        name.upper(): value for name, _, value in pairs
    }


def protocol(
    store: Store,
    postman: Postman,
    copies: Copies | None = None,
    journal: Journal | None = None,
) -> Any:
    """A factory of connections for `loop.create_server`, all over one store."""
    handler = Handler(store, postman, copies, journal or Journal())
    return lambda: _WithDsn(
        handler,
        hostname="mailbox.localhost",
        ident="local mailbox",
        data_size_limit=LARGEST,
        enable_SMTPUTF8=True,
        timeout=IDLE_TIMEOUT,
    )
