"""What is heard over one connection, and of whom."""

import asyncio
import ssl
from typing import Any, cast

import pytest

from services.notification.sending.email.smtp_wire import SmtpWire, WholeReplies


class Line(asyncio.Transport):
    """A connection that carries nothing."""

    def write(self, data: Any) -> None:
        """Nobody is there."""

    def is_closing(self) -> bool:
        """Never."""
        return False


@pytest.mark.parametrize("injected", [b"250-AUTH LOGIN\r\n", b"250-AUTH LOGIN\r\n250-DS", b"25"])
async def test_what_comes_in_plain_is_no_part_of_what_comes_encrypted(
    monkeypatch: pytest.MonkeyPatch, injected: bytes
) -> None:
    loop = asyncio.get_running_loop()
    protocol = WholeReplies(loop)
    protocol.connection_made(Line())

    async def encrypted(*_: object, **__: object) -> asyncio.Transport:
        protocol.data_received(injected)  # a segment of its own, before the handshake begins
        return Line()

    monkeypatch.setattr(loop, "start_tls", encrypted)
    loop.call_soon(protocol.data_received, b"220 ready\r\n")
    wire = SmtpWire(protocol)
    await wire.start_tls(cast(ssl.SSLContext, None), "mx.example.org", 1)
    loop.call_soon(protocol.data_received, b"250-mx.example.org\r\n250 AUTH PLAIN\r\n")
    reply = await wire.command(b"EHLO us", 1)
    assert (reply.code, reply.text) == (250, "mx.example.org\nAUTH PLAIN")
