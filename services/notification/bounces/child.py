"""The process in which returned mail is read: `python -m services.notification.bounces.child`.

It is started by `confined`, reads frames from its standard input and answers each on its standard
output: four bytes with the length, most significant first, then as many bytes. A mail is answered
by its reading as JSON, or by where the reader failed. The first frame, empty, says it is ready.

By then it can open no file and no connection, start no process and write no core; for each mail it
has so much of a processor, for all so much memory. The system ends it when it takes more.
"""

import codecs
import json
import os
import resource
import signal
import sys
import traceback
from contextlib import suppress
from encodings.aliases import aliases
from pathlib import Path
from typing import BinaryIO

from services.notification.bounces import read
from services.notification.bounces.result import Reading

CPU_SECONDS = 2  # of a processor, for one mail; the system counts whole seconds
MEMORY_BYTES = 512 * 1024 * 1024  # of addresses, the interpreter's own included
OUT_OF_MEMORY = 71  # the exit status
MAX_FRAME_BYTES = 4 * 1024 * 1024
MAX_LENGTH = 1_000  # characters of what an answer quotes

# Read while files can be opened: a failure in words, read by flufl.bounce as well.
_REHEARSAL = (
    b"Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example\r\nSubject: =?utf-8?q?Undelivered?=\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"WW91ciBtZXNzYWdlIGNvdWxkIG5vdCBiZSBkZWxpdmVyZWQuIDU1MCA1LjEuMSB1c2VyIHVua25vd24=\r\n"
)
_REHEARSED_ANSWER = (
    b"Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n"
    b"BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261124T090000Z\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def main() -> int:
    """Read mail after mail until nobody hands over any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's is meant for who started this
    mails = sys.stdin.buffer
    # Whatever prints, prints nowhere: answers are the only thing that is heard.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _rehearse()
    _confine()
    _send(answers, b"")
    while (content := _receive(mails)) is not None:
        _allow_time()
        try:
            answer = _answer(read(content))
        except MemoryError:
            return OUT_OF_MEMORY
        except Exception as error:
            answer = {"failed": _where(error)}
        _send(answers, json.dumps(answer).encode())
    return 0


def _rehearse() -> None:
    """Load what is loaded when it is first needed: afterwards no file can be opened."""
    for name in {*aliases.values(), "iso2022_jp_ext"}:
        with suppress(LookupError):
            codecs.lookup(name)
    read(_REHEARSAL)
    read(_REHEARSED_ANSWER)


def _confine() -> None:
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_AS, MEMORY_BYTES),
    ):
        resource.setrlimit(limit, (most, most))


def _allow_time() -> None:
    """So much more of a processor than was used so far; then SIGXCPU ends the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    resource.setrlimit(resource.RLIMIT_CPU, (used + 1 + CPU_SECONDS, resource.RLIM_INFINITY))


def _answer(reading: Reading) -> dict[str, str | bool | int | list[str] | None]:
    """What is asked for: whom it speaks of is none of it, nor what a patient wrote."""
    answer: dict[str, str | bool | int | list[str] | None] = {
        "kind": reading.kind,
        "permanent": reading.permanent,
        "status": _plain(reading.status),
        "reason": reading.reason,
        "original_message_id": _plain(reading.original_message_id),
        "envelope_id": _plain(reading.envelope_id),
    }
    if (said := reading.answer) is not None:
        answer |= {
            "answer": said.answer,
            "uid": _plain(said.uid),
            "sequence": said.sequence,
            "organizers": [_plain(each) or "" for each in said.organizers],
            "stamp": None if said.stamp is None else said.stamp.isoformat(),
        }
    return answer


def _plain(text: str | None) -> str | None:
    """As a database takes it: without NUL, and without bytes that are no text."""
    if text is None:
        return None
    return text[:MAX_LENGTH].encode(errors="replace").decode().replace("\0", "")


def _where(error: Exception) -> str:
    """Kind and place of an error. Its own words may hold a patient's address."""
    places = [
        f"{Path(frame.filename).name}:{frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    return " ".join([type(error).__qualname__, *places[-5:]])[:MAX_LENGTH]


def _receive(mails: BinaryIO) -> bytes | None:
    head = mails.read(4)
    if len(head) < 4:
        return None
    length = int.from_bytes(head)
    if length > MAX_FRAME_BYTES:
        return None
    content = mails.read(length)
    return content if len(content) == length else None


def _send(answers: BinaryIO, frame: bytes) -> None:
    answers.write(len(frame).to_bytes(4) + frame)
    answers.flush()


if __name__ == "__main__":
    sys.exit(main())
