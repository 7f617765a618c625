"""A copy of every mail that was taken, for a mail catcher whose page shows more than ours."""

import asyncio
from contextlib import suppress

import aiosmtplib

from local.mailbox.reports import Mail, hand_over

MOST_WAITING = 1_000


class Copies:
    """Carries copies to a mail server; what it does not take, or not in time, is lost."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._queue: asyncio.Queue[Mail] = asyncio.Queue(MOST_WAITING)

    def post(self, mail: Mail) -> None:
        """Queue a copy."""
        with suppress(asyncio.QueueFull):
            self._queue.put_nowait(mail)

    async def run(self) -> None:
        """Carry for ever."""
        while True:
            mail = await self._queue.get()
            with suppress(aiosmtplib.SMTPException, OSError):
                await hand_over(
                    self._port, mail.recipient, mail.content, host=self._host, sender=mail.sender
                )
