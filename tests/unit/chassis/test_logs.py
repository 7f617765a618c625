"""Logs tell what went wrong and where, never a value."""

import asyncio
import gc
import io
import json
import logging
import os
import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
import structlog

from chassis import logs


def logged(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().out
    assert all(isinstance(json.loads(line), dict) for line in text.splitlines())
    return text


def fail() -> None:
    try:
        raise ValueError("erika@example.org")
    except ValueError as error:
        raise RuntimeError("Erika Mustermann") from error


def test_an_exception_is_logged_by_type_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    try:
        fail()
    except RuntimeError as error:
        structlog.get_logger("einladung").error("failed", exc_info=error)
        logging.getLogger("library").exception("failed")
    text = logged(capsys)
    assert text.count("RuntimeError") == 2
    assert "test_logs.py" in text
    assert "rika" not in text


def test_a_traceback_that_a_library_prints_is_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    logging.getLogger("uvicorn.error").error(
        "Traceback (most recent call last):\n"
        '  File "app.py", line 1, in start\n    connect(secret)\n'
        "asyncpg.exceptions.InvalidPasswordError: password of Erika failed\n"
    )
    text = logged(capsys)
    assert "asyncpg.exceptions.InvalidPasswordError" in text
    assert "app.py" in text
    assert "Erika" not in text
    assert "secret" not in text


async def test_a_task_whose_exception_nobody_took_is_logged_without_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("test")

    async def work() -> None:
        raise ValueError("erika@example.org")

    task = asyncio.create_task(work())
    await asyncio.wait([task])
    del task
    gc.collect()
    text = logged(capsys)
    assert "Task exception was never retrieved" in text
    assert "ValueError" in text
    assert "erika" not in text


def test_what_a_library_says_without_end_is_said_now_and_then(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("test")
    library, missing = logging.getLogger("aiokafka.cluster"), "Topic %s not found"
    for topic in ("a", "b") * 100:
        library.error(missing, topic)
    told = [json.loads(line)["event"] for line in logged(capsys).splitlines()]
    assert told == ["Topic a not found", "Topic b not found"]
    moments = iter([0.0, 9.9, 10.0, 10.1])
    news = logs.NotAgain(10, lambda: next(moments))
    record = logging.makeLogRecord({"msg": missing, "args": ("a",)})
    assert [news.filter(record) for _ in range(4)] == [True, False, True, False]


def test_a_signal_has_our_own_code_tell_more_and_libraries_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.configure("test", "WARNING")
    logs.follow_signals("WARNING")
    ours, theirs = structlog.get_logger("services.status"), logging.getLogger("library")
    try:
        ours.info("before")
        os.kill(os.getpid(), signal.SIGUSR1)
        ours.debug("meanwhile")
        theirs.debug("of a library")
        os.kill(os.getpid(), signal.SIGUSR2)
        ours.info("after")
        ours.warning("always")
    finally:
        for number in (signal.SIGUSR1, signal.SIGUSR2):
            signal.signal(number, signal.SIG_DFL)
        logs.configure("test")
    told = [json.loads(line)["event"] for line in logged(capsys).splitlines()]
    assert told == ["meanwhile", "always"]


def test_whatever_is_said_is_a_line_and_fails_nobody(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("test")
    log = structlog.get_logger("einladung")
    log.info("said", half="\ud83d", unknown=object(), at=datetime(2026, 1, 2, tzinfo=UTC))
    log.info("said", names={1: "Ärztin"}, account=Account("praxis", "geheim"))
    first, second = logged(capsys).splitlines()
    assert "ud83d" in first
    assert '"Ärztin"' in second
    assert "praxis" in second
    assert "geheim" not in second
    log.info("said", it=Unspeakable())
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BufferedWriter(Gone())))
    log.info("nobody reads any more")
    lost = capsys.readouterr().err.splitlines()
    assert [line.rpartition(" ")[0] for line in lost] == ["a line of the log was lost:"] * 2


@dataclass
class Account:
    """Says of itself what may be read."""

    name: str
    password: str = field(repr=False)


class Unspeakable:
    """Has no words for itself."""

    def __repr__(self) -> str:
        raise RuntimeError


class Gone(io.RawIOBase):
    """A pipe that nobody reads."""

    def writable(self) -> bool:
        return True

    def write(self, _content: object) -> int:
        raise BrokenPipeError
