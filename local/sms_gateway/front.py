"""What both APIs have in common: a message comes in, and the phone decides about the answer."""

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from local.journal import Journal
from local.sms_gateway.network import Network
from local.sms_gateway.phones import Reply, phone
from local.sms_gateway.store import LONGEST_TEXT, Message, Store

LARGEST = 64 * 1024  # bytes of a request
REMEMBERED = 10_000  # references that were told to come later once
RECEIPT_FIRST_TIMEOUT = 5.0  # seconds that a receipt may take before the reply goes out after all


class Cut(Response):
    """Breaks the connection: promises an answer and ends without it."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """The head alone."""
        head = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})


class Front:
    """Takes messages for both APIs."""

    def __init__(
        self, store: Store, network: Network, receivers: Collection[str], journal: Journal
    ) -> None:
        self._journal = journal
        self._store = store
        self._network = network
        self._receivers = receivers
        self._put_off: OrderedDict[str, None] = OrderedDict()

    def reply(self, to: str, reference: str) -> Reply:
        """How the sending is to be answered; „once" is once for each reference."""
        if self._network.full:
            return Reply.DOWN_ONCE
        reply = phone(to).reply
        if reply in {Reply.INVALID, Reply.TEXT_REFUSED}:
            self._journal.write("refused", reference=reference, to=to)
        if reply not in {Reply.BUSY_ONCE, Reply.DOWN_ONCE}:
            return reply
        if reference in self._put_off:
            return Reply.TAKEN
        self._put_off[reference] = None
        if len(self._put_off) > REMEMBERED:
            self._put_off.popitem(last=False)
        return reply

    async def take(
        self, *, api: str, reference: str, to: str, sender: str, text: str, receipts_url: str
    ) -> Message:
        """Keep the message and send it on its way."""
        message = self._store.add(
            api=api,
            reference=reference,
            to=to,
            sender=sender,
            text=text[:LONGEST_TEXT],
            receipts_url=receipts_url,
        )
        # It is taken, whether the disk has room for this line at once or later.
        await self._journal.keep("taken", reference=reference, to=to)
        behaviour = phone(to)
        life = self._network.carry(message, behaviour)
        if behaviour.reply is Reply.RECEIPT_FIRST:
            await asyncio.wait({life}, timeout=RECEIPT_FIRST_TIMEOUT)
        return message

    def stays_here(self, url: str) -> bool:
        """Whether a URL is one of the demo's own: the simulator calls no other."""
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in self._receivers
