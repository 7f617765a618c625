"""A mail server of a test's own, whose reply to a message comes when the test lets it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from tests.support import eventually


class MailServer:
    """Takes mail to `recipients`, others are to come later; replies after `before_reply`."""

    def __init__(
        self, recipients: Collection[str], before_reply: Callable[[], Awaitable[object]]
    ) -> None:
        self.message_ids: list[str] = []
        self._recipients = recipients
        self._before_reply = before_reply

    async def taken(self, number: int) -> None:
        """Wait until it has so many messages, answered or not."""

        async def enough() -> bool:
            return len(self.message_ids) >= number

        await eventually(enough, f"{number} messages at the mail server")

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address not in self._recipients:
            return "451 4.3.0 not in this test"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Any
    ) -> str:
        self.message_ids.append(message_from_bytes(envelope.original_content)["Message-ID"])
        await self._before_reply()
        return "250 2.0.0 OK"

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(self), "127.0.0.1", port)
        try:
            yield
        finally:
            server.close()
