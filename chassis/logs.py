"""Structured logs as JSON lines, free of patient data.

Exceptions are logged as their type and the places they passed, never with their text: a
database or mail server quotes values in its messages, and values are patient data.
"""

import json
import logging
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

PRINTED_TRACEBACK = "Traceback (most recent call last):"
EXCEPTION_LINE = re.compile(r"[A-Za-z_][\w.]*(:|$)")


AS_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)
OURS = ("chassis", "contracts", "dashboard", "services")  # what DEBUG is for
SAID_AGAIN_AFTER = 10.0  # seconds


def configure(service: str, level: str = "INFO") -> None:
    """Send the logs of this process, libraries included, to standard output.

    Libraries stay at INFO: what they say at DEBUG may be a patient's.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_exception_text,
        without_printed_traceback,
        without_task_details,
    ]
    structlog.configure(
        # What is not logged costs next to nothing; what is goes past the handlers of libraries.
        processors=[structlog.stdlib.filter_by_level, *shared, write],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    # What no line says: the place of the call, for which the stack would be walked, thread and
    # process (logging's HOWTO, "Optimization").
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            keep_exc_info=False,
        )
    )
    logging.basicConfig(handlers=[handler], level=max(level, "INFO", key=_number), force=True)
    set_level(level)
    for noisy in ("aiokafka", "faststream", "httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # Of a topic that is gone it says so a thousand times a second.
    logging.getLogger("aiokafka.cluster").filters = [NotAgain(SAID_AGAIN_AFTER)]
    for replaced in ("uvicorn", "uvicorn.error"):
        logging.getLogger(replaced).handlers.clear()
        logging.getLogger(replaced).propagate = True
    logging.getLogger("uvicorn.access").disabled = True  # paths and queries hold identifiers
    structlog.contextvars.bind_contextvars(service=service)


def write(_logger: WrappedLogger, _name: str, event: EventDict) -> NoReturn:
    """Write a line, and leave nothing to be done. Nobody fails for what can't be written."""
    try:
        line = AS_JSON.encode(event) + "\n"
        sys.stdout.buffer.write(line.encode(errors="backslashreplace"))
        sys.stdout.flush()
    except Exception as fault:
        with suppress(Exception):
            print("a line of the log was lost:", type(fault).__qualname__, file=sys.stderr)
    raise structlog.DropEvent


class NotAgain(logging.Filter):
    """Keeps back what was said within the last `seconds`."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._seconds = seconds
        self._now = now
        self._said: dict[str, float] = {}  # and until when it is not said again

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is news."""
        now, line = self._now(), record.getMessage()
        self._said = {each: until for each, until in self._said.items() if until > now}
        if line in self._said:
            return False
        self._said[line] = now + self._seconds
        return True


def set_level(level: str) -> None:
    """The least that our own code logs from now on."""
    for name in OURS:
        logging.getLogger(name).setLevel(level)


def follow_signals(level: str) -> None:
    """SIGUSR1 has our own code log at DEBUG, SIGUSR2 at `level` again; in the main thread alone."""
    signal.signal(signal.SIGUSR1, lambda *_: set_level("DEBUG"))
    signal.signal(signal.SIGUSR2, lambda *_: set_level(level))


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level]


def without_exception_text(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Replace exception information by its type and places."""
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if info and info[0] is not None:
        event["exception"] = describe(info[1])
    return event


def without_printed_traceback(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Shorten a traceback that a library logs as its message (uvicorn, when a start fails)."""
    text = str(event.get("event", ""))
    if PRINTED_TRACEBACK not in text:
        return event
    lines = text.splitlines()
    places = [line.strip() for line in lines if line.startswith('  File "')]
    kinds = [line.partition(":")[0] for line in lines if EXCEPTION_LINE.match(line)]
    event["event"] = text.partition(PRINTED_TRACEBACK)[0].strip() or "exception"
    event["exception"] = {"type": kinds[-1] if kinds else "unknown", "at": places[-8:]}
    return event


def without_task_details(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    """Keep asyncio's first line: the next ones show tasks, and with them exceptions' texts."""
    if event.get("logger") == "asyncio":
        event["event"] = str(event.get("event", "")).partition("\n")[0]
    return event


def describe(error: BaseException) -> dict[str, Any]:
    """Type and places of an exception and its causes, without its text."""
    places = [
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__, limit=-8)
    ]
    described: dict[str, Any] = {"type": type(error).__qualname__, "at": places}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        described["cause"] = type(cause).__qualname__
    return described
