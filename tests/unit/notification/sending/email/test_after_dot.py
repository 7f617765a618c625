"""After the final dot: a clean reply in time decides, everything else is an unknown end."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.notification.sending.email.smtp_pool import Envelope, SmtpPool, SmtpServer
from services.notification.sending.sender import LeaseLost, SendResult, Verdict
from tests.servers.after_dot import AfterDot

MAIL = Envelope(
    id="1",
    sender="rueck@praxis.example",
    recipient="patient@example.org",
    message=b"Message-ID: <1@praxis.example>\r\n\r\n.\r\n..\r\n",
    utf8=False,
)


async def send(server: SmtpServer, hand_over: Callable[[], None] = lambda: None) -> SendResult:
    pool = SmtpPool(server)
    try:
        return await pool.send(MAIL, hand_over)
    finally:
        await pool.close()


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ([b"250 ok\r\n"], Verdict.ACCEPTED),
        ([0.3, b"250 ok\r\n"], Verdict.ACCEPTED),
        ([b"\r\n250 ok\r\n"], Verdict.ACCEPTED),
        ([b"\r\n", 0.05, b"\r\n", 0.05, b" \n", 0.05, b"250 ok\r\n"], Verdict.ACCEPTED),
        ([b"2", 0.05, b"50 o", 0.05, b"k\r", 0.05, b"\n"], Verdict.ACCEPTED),
        ([b"250-queued\r\n\r\n250 as 4F\r\n"], Verdict.ACCEPTED),
        ([b"250\r\n"], Verdict.ACCEPTED),
        ([b"250 ok\n"], Verdict.ACCEPTED),
        ([b"251 will forward\r\n"], Verdict.ACCEPTED),
        ([b"252 can not verify\r\n"], Verdict.ACCEPTED),
        ([b"299 something good\r\n"], Verdict.ACCEPTED),
        ([b"250 \xe4\xf6\xfc\r\n"], Verdict.ACCEPTED),
        ([b"\r\n451 4.3.0 later\r\n"], Verdict.TEMPORARY),
        ([b"\r\n554 5.6.0 content\r\n"], Verdict.PERMANENT),
        ([b"", b""], Verdict.REPLY_LOST),
        ([b"\r\n", b""], Verdict.REPLY_LOST),
        ([b"25", b""], Verdict.REPLY_LOST),
        ([b"250", b""], Verdict.REPLY_LOST),
        ([b"250-ok\r\n", b""], Verdict.REPLY_LOST),
        ([b"354 go on\r\n"], Verdict.REPLY_LOST),
        ([b"ok\r\n"], Verdict.REPLY_LOST),
        ([b"HTTP/1.1 200 OK\r\n"], Verdict.REPLY_LOST),
        ([b"2500 ok\r\n"], Verdict.REPLY_LOST),
        ([b"\xff\xfb\x01\r\n"], Verdict.REPLY_LOST),
        ([b"250-" + b"x" * 100_000], Verdict.REPLY_LOST),
        ([b"250-x\r\n" * 20_000], Verdict.REPLY_LOST),
        ([b"\r\n" * 100_000], Verdict.REPLY_LOST),
    ],
)
async def test_the_reply_decides(answer: list[bytes | float], verdict: Verdict) -> None:
    mail = AfterDot([answer])
    async with mail.listening() as server:
        assert (await send(server)).verdict is verdict
    assert mail.message_ids == ["<1@praxis.example>"]


async def test_silence_is_waited_for_as_long_as_it_is_set() -> None:
    mail = AfterDot([[30.0]])
    async with mail.listening() as server:
        assert await send(replace(server, message_timeout=0.1)) == SendResult(Verdict.REPLY_LOST)


def test_ten_minutes_are_waited_for() -> None:
    """RFC 5321 section 4.5.3.2.6."""
    assert SmtpServer(host="mail.example", port=25, tls="none").message_timeout == 600


@pytest.mark.parametrize("code", [250, 251, 252, 254])
async def test_the_first_digit_decides_about_a_recipient(code: int) -> None:
    """RFC 5321 section 4.3.2."""
    mail = AfterDot([[b"250 ok\r\n"]], rcpt=b"%d ok\r\n" % code)
    async with mail.listening() as server:
        assert (await send(server)).verdict is Verdict.ACCEPTED


async def test_what_may_not_be_handed_over_is_not_ended_by_the_dot() -> None:
    mail = AfterDot([[b"250 ok\r\n"]])

    def refuse() -> None:
        raise LeaseLost

    async with mail.listening() as server:
        with pytest.raises(LeaseLost):
            await send(server, refuse)
        await asyncio.sleep(0.05)
    assert mail.message_ids == []


async def test_a_connection_is_good_for_more_after_a_late_reply_with_a_blank_line() -> None:
    mail = AfterDot([[0.05, b"\r\n250 ok\r\n"]])
    async with mail.listening() as server:
        pool = SmtpPool(server)
        for _ in range(3):
            assert (await pool.send(MAIL, lambda: None)).verdict is Verdict.ACCEPTED
        await pool.close()
    assert len(mail.message_ids) == 3
