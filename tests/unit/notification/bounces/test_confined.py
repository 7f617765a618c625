"""Reading in a process of its own: what it may not do, and what becomes of mail that makes it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from services.notification.bounces import confined, read
from services.notification.bounces.confined import (
    Cause,
    ConfinedReader,
    ReaderNotStarted,
    ReadingFailed,
)
from tests.support import PATIENCE, eventually
from tests.support.misled_reader import mislead

SAMPLES = sorted((Path(__file__).parents[3] / "bounces").rglob("*.eml"))
BOUNCE = (
    b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered mail\r\n\r\n"
    b"Hi. This is the qmail-send program\r\n<a@b.example>:\r\n550 5.1.1 user unknown\r\n"
)


@pytest_asyncio.fixture
async def reader() -> AsyncIterator[ConfinedReader]:
    one = ConfinedReader()
    yield one
    await one.close()


async def cause(reader: ConfinedReader, content: bytes = BOUNCE) -> Cause:
    with pytest.raises(ReadingFailed) as failed:
        await reader.read(content)
    return failed.value.cause


async def test_every_sample_is_read_as_it_is_read_here(reader: ConfinedReader) -> None:
    """Also those in charsets whose codecs can't be loaded any more."""
    assert len(SAMPLES) > 50
    for sample in SAMPLES:
        content = sample.read_bytes()
        here = read(content)
        expected = replace(here, recipients=(), original_recipients=())
        assert await reader.read(content) == expected, sample.name


async def test_a_mail_that_takes_too_long_is_given_up_and_the_next_is_read(
    reader: ConfinedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "WALL_SECONDS", 60)
    with monkeypatch.context() as patched:
        mislead(tmp_path, patched, "while True: pass")
        assert await cause(reader) is Cause.CPU
    assert (await reader.read(BOUNCE)).kind == "failed"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return bytearray(1 << 30)", Cause.MEMORY),
        ("time.sleep(600)", Cause.TIME),
        ("os.abort()", Cause.DIED),
        ("raise ValueError('erika@example.org')", Cause.ERROR),
        ("os.write(answers(), b'x' * 100); time.sleep(600)", Cause.ANSWER),
        ("open('/etc/hostname')", Cause.ERROR),
        ("os.fork()", Cause.ERROR),
        ("import socket; socket.socket()", Cause.ERROR),
    ],
)
async def test_what_a_mail_may_not_do(
    reader: ConfinedReader,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    expected: Cause,
) -> None:
    if body == "os.fork()" and os.geteuid() == 0:
        pytest.skip("root may start as many processes as it likes")
    monkeypatch.setattr(confined, "WALL_SECONDS", 3 if expected is Cause.TIME else 60)
    mislead(tmp_path, monkeypatch, body)
    assert await cause(reader) is expected


async def test_where_the_reader_fails_is_told_and_nothing_of_the_mail(
    reader: ConfinedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mislead(tmp_path, monkeypatch, "raise ValueError('erika@example.org')")
    with pytest.raises(ReadingFailed) as failed:
        await reader.read(BOUNCE)
    assert failed.value.where.startswith("ValueError child.py:")
    assert "erika" not in failed.value.where


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": "accepted"}',
        b'{"kind": "unreadable"}',
        b'{"kind": "failed", "status": "5.1.1; drop"}',
        b'{"kind": "failed", "permanent": "yes"}',
        b'{"kind": "failed", "recipients": []}',
        b'{"kind": "failed", "envelope_id": "%s"}' % (b"x" * 1_001),
        b'{"failed": "erika@example.org"}',
    ],
)
def test_an_answer_that_is_no_reading_is_not_taken(answer: bytes) -> None:
    with pytest.raises(ReadingFailed) as failed:
        confined._reading(answer)
    assert failed.value.cause is Cause.ANSWER


async def test_what_is_written_behind_an_answer_holds_up_no_end(
    reader: ConfinedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = b'{"kind": "not_a_bounce"}'
    flood = f"os.write(answers(), {len(answer).to_bytes(4) + answer!r} + b'x' * 1_000_000)"
    mislead(tmp_path, monkeypatch, flood)
    assert (await reader.read(BOUNCE)).kind == "not_a_bounce"
    process = reader._process
    assert process is not None

    async def nobody_reads_on() -> bool:
        return bool(vars(process.stdout)["_paused"])

    await eventually(nobody_reads_on, "the pipe is full")
    async with asyncio.timeout(PATIENCE):
        await reader.close()
    assert process.returncode is not None


async def test_it_has_no_secret_in_its_environment(
    reader: ConfinedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFICATION_SMTP_PASSWORD", "geheim")
    await reader.read(BOUNCE)
    assert reader._process is not None
    environment = await asyncio.to_thread(Path(f"/proc/{reader._process.pid}/environ").read_bytes)
    assert b"PYTHONPATH" in environment
    assert b"NOTIFICATION" not in environment


async def test_who_ends_the_process_ends_no_reading_but_one(
    reader: ConfinedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        mislead(tmp_path, patched, "os.kill(os.getpid(), 9)")
        assert await cause(reader) is Cause.DIED
    assert (await reader.read(BOUNCE)).kind == "failed"


async def test_who_ends_the_process_between_two_mails_ends_no_reading(
    reader: ConfinedReader,
) -> None:
    await reader.read(BOUNCE)
    assert reader._process is not None
    os.kill(reader._process.pid, signal.SIGKILL)
    await reader._process.wait()
    assert (await reader.read(BOUNCE)).kind == "failed"


async def test_a_reading_that_is_cancelled_leaves_no_half_of_it(
    reader: ConfinedReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        mislead(tmp_path, patched, "time.sleep(600)")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(BOUNCE), 3)
    assert (await reader.read(BOUNCE)).kind == "failed"


async def test_that_none_can_be_started_is_told(
    reader: ConfinedReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "CHILD", "no.such.module")
    with pytest.raises(ReaderNotStarted):
        await reader.read(BOUNCE)
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(ReaderNotStarted):
        await reader.read(BOUNCE)
