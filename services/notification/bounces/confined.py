"""Reads returned mail in a process of its own, with limits on processor and memory (`child`).

A mail that passes them ends that process and nothing else: the next mail gets a new one. Whatever
it was made to do, it has no secret in its environment, and of what it answers only a reading of
the expected types is taken.
"""

import asyncio
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from contracts.events import Answer, FailureReason
from services.notification.bounces.answers import MAX_ORGANIZERS, MAX_SEQUENCE
from services.notification.bounces.child import MAX_LENGTH, OUT_OF_MEMORY
from services.notification.bounces.result import CalendarAnswer, EvidenceKind, Reading

log = structlog.get_logger(__name__)

CHILD = "services.notification.bounces.child"
ROOT = Path(__file__).parents[3]  # where the packages are
WALL_SECONDS = 10.0  # for one mail; several times what it may have of a processor
START_SECONDS = 30.0
END_SECONDS = 10.0  # to be gone, once killed or about to be
STARTS = 3  # one after the other, before it counts as impossible
MAX_ANSWER_BYTES = 64 * 1024
NEVER_READ = {EvidenceKind.ACCEPTED, EvidenceKind.UNREADABLE, EvidenceKind.ANSWER}


class Cause(StrEnum):
    """Why a mail could not be read; each is in the metrics."""

    ERROR = "error"  # a fault of the reader
    CPU = "cpu"
    MEMORY = "memory"
    TIME = "time"  # it took too long, if only because the machine is busy
    DIED = "died"  # the process was ended, by whomever
    ANSWER = "answer"  # what it answered is no reading
    TRIES = "tries"  # no try came to an end

    @property
    def may_pass(self) -> bool:
        """Whether the mail may yet be read another time."""
        return self in {Cause.TIME, Cause.DIED}


class ReadingFailed(Exception):
    """A mail was not read; the next can be."""

    def __init__(self, cause: Cause, where: str = "") -> None:
        super().__init__(cause.value)
        self.cause = cause
        self.where = where  # of a fault: its kind and lines of code, nothing of the mail


class ReaderNotStarted(Exception):
    """No process can be started to read in."""


class _Answer(BaseModel):
    """What is taken of an answer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    kind: EvidenceKind | None = None
    permanent: bool | None = None
    status: str | None = Field(default=None, pattern=r"^\d\.\d{1,3}\.\d{1,3}$")
    reason: FailureReason | None = None
    original_message_id: str | None = Field(default=None, max_length=MAX_LENGTH)
    envelope_id: str | None = Field(default=None, max_length=MAX_LENGTH)
    answer: Answer | None = None
    uid: str | None = Field(default=None, max_length=MAX_LENGTH)
    sequence: int = Field(default=0, ge=0, le=MAX_SEQUENCE)
    organizers: tuple[Annotated[str, Field(max_length=MAX_LENGTH)], ...] = Field(
        default=(), max_length=MAX_ORGANIZERS
    )
    stamp: AwareDatetime | None = None
    failed: str | None = Field(default=None, pattern=r"^[\w.: <>-]+$", max_length=MAX_LENGTH)


class ConfinedReader:
    """One process, started with the first mail, and anew after it was ended. One mail at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._process: Process | None = None

    async def read(self, content: bytes) -> Reading:
        """The meaning of a mail. Raises ReadingFailed, and ReaderNotStarted."""
        async with self._turn:
            process = self._process
            if process is None or _has_ended(process):
                await self._end()
                process = await self._start()
            try:
                async with asyncio.timeout(WALL_SECONDS):
                    answer = await self._ask(process, content)
                return _reading(answer)
            except TimeoutError:
                await self._end()
                raise ReadingFailed(Cause.TIME) from None
            except (asyncio.IncompleteReadError, ConnectionError):
                raise ReadingFailed(await self._died(process)) from None
            except ReadingFailed as failed:
                if failed.cause is Cause.ANSWER:
                    await self._end()
                raise
            except BaseException:  # cancelled in the middle of a frame
                await self._end()
                raise

    async def close(self) -> None:
        """End the process."""
        await self._end()

    async def _ask(self, process: Process, content: bytes) -> bytes:
        mails = cast("StreamWriter", process.stdin)
        mails.write(len(content).to_bytes(4) + content)
        await mails.drain()
        return await self._frame(process)

    async def _frame(self, process: Process) -> bytes:
        answers = cast("StreamReader", process.stdout)
        length = int.from_bytes(await answers.readexactly(4))
        if length > MAX_ANSWER_BYTES:
            raise ReadingFailed(Cause.ANSWER)
        return await answers.readexactly(length)

    async def _start(self) -> Process:
        for _ in range(STARTS):
            try:
                async with asyncio.timeout(START_SECONDS):
                    process = await asyncio.create_subprocess_exec(
                        sys.executable,
                        "-m",
                        CHILD,
                        stdin=PIPE,
                        stdout=PIPE,
                        stderr=DEVNULL,
                        cwd=ROOT,
                        env=_environment(),
                        start_new_session=True,
                    )
                    self._process = process
                    await self._frame(process)
                    return process
            except (OSError, TimeoutError, asyncio.IncompleteReadError, ReadingFailed) as error:
                log.warning("no process to read mail in", error=type(error).__qualname__)
                await self._end()
            except BaseException:
                await self._end()
                raise
        raise ReaderNotStarted

    async def _died(self, process: Process) -> Cause:
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):  # it has closed its end
                await process.wait()
        code = process.returncode
        await self._end()
        if code == -signal.SIGXCPU:
            return Cause.CPU
        return Cause.MEMORY if code == OUT_OF_MEMORY else Cause.DIED

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        # What it has written beyond its answer is read away: asyncio tells of an end only when
        # its pipes are at theirs (python/cpython#119710), and those that are full are not read.
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await process.communicate()


def _has_ended(process: Process) -> bool:
    """Whether it was ended, as when memory was short, while there was nothing to read."""
    return process.returncode is not None or cast("StreamWriter", process.stdin).is_closing()


def _environment() -> dict[str, str]:
    """Of ours only what Python needs to be found and to run: secrets are in the rest."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _reading(answer: bytes) -> Reading:
    """Raises ReadingFailed."""
    try:
        said = _Answer.model_validate_json(answer)
    except ValidationError:
        raise ReadingFailed(Cause.ANSWER) from None
    if said.failed is not None:
        raise ReadingFailed(Cause.ERROR, said.failed)
    if said.kind is None or said.kind in NEVER_READ:
        raise ReadingFailed(Cause.ANSWER)
    return Reading(
        kind=said.kind,
        permanent=said.permanent,
        status=said.status,
        reason=said.reason,
        original_message_id=said.original_message_id,
        envelope_id=said.envelope_id,
        answer=_calendar_answer(said),
    )


def _calendar_answer(said: _Answer) -> CalendarAnswer | None:
    if said.answer is None or said.uid is None:
        return None
    return CalendarAnswer(said.answer, said.uid, said.sequence, said.organizers, said.stamp)
