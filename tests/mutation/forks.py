"""Runs tests against a module, each time in a fork of a process that has all but ours imported."""

import ast
import importlib
import importlib.util
import os
import pickle
import resource
import select
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import EnumMeta
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import IO, NoReturn, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests.mutation.mutants import Enums

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
OURS = {"contracts", "chassis", "services", "dashboard", "local", "tools", "benchmarks", "tests"}
# The same examples in each run, and no time for finding the smallest that fails.
settings.register_profile(
    "mutation",
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[*HealthCheck],
)
OPTIONS = ["-q", "-x", "--tb=line", "--noconftest", "-p", "no:cacheprovider", "-p", "no:xdist"]
LONGEST_WAIT = 300.0  # seconds, for what only waits
CANNOT_RUN = {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED}


@dataclass(frozen=True, slots=True)
class Job:
    """Tests to be run against a module, the right one or a wrong one.

    `processor_seconds` bound a loop without end: they do not grow with what else the machine does.
    """

    module: str  # its path
    tests: Sequence[str]
    wrong: Callable[[], ast.Module] | None = None
    processor_seconds: int = 600


@dataclass(frozen=True, slots=True)
class Result:
    """Whether the tests failed, as they should on a mistake; too long a time is a failure too."""

    failed: bool
    processor_seconds: float
    output: str


class CannotRun(Exception):
    """The tests were not run at all."""


def preload(tests: Iterable[str]) -> None:
    """Import what these tests import that is not ours."""
    for name in _asked(lambda: _imported(tests)):
        with warnings.catch_warnings(), suppress(ImportError):
            warnings.simplefilter("ignore")
            importlib.import_module(name)


def enums_of(path: str) -> Enums:
    """The enums that a module knows, by the names that it has for them."""
    return _asked(lambda: _enums(importlib.import_module(_name(path))))


def run(jobs: Sequence[Job], workers: int) -> Iterator[tuple[int, Result]]:
    """The number of each job and what came of it, as they end. Raises CannotRun."""
    waiting = list(enumerate(jobs))[::-1]
    running: dict[int, _Child] = {}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                child = _Child(*waiting.pop())
                running[child.ended] = child
            soonest = min(child.deadline for child in running.values())
            ended, _, _ = select.select([*running], [], [], max(soonest - time.monotonic(), 0))
            late = [each for each, child in running.items() if child.deadline <= time.monotonic()]
            for each in {*ended, *late}:
                child = running.pop(each)
                yield child.number, child.result()
    finally:
        for child in running.values():
            child.result()


class _Child:
    """A process that runs a job's tests."""

    def __init__(self, number: int, job: Job) -> None:
        self.number = number
        self._output = tempfile.TemporaryFile()  # noqa: SIM115
        self.deadline = time.monotonic() + LONGEST_WAIT
        self._pid = os.fork()
        if not self._pid:
            _end(lambda: _tested(job, self._output.fileno()))
        self.ended = os.pidfd_open(self._pid)

    def result(self) -> Result:
        """What came of it; if it still runs, that was too long."""
        late = not select.select([self.ended], [], [], 0)[0]
        os.close(self.ended)
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)
        _, status, usage = os.wait4(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        with self._output:
            self._output.seek(0)
            output = self._output.read().decode(errors="replace")
        if code in CANNOT_RUN:
            raise CannotRun(output)
        return Result(late or code != 0, usage.ru_utime + usage.ru_stime, output)


def _asked(question: Callable[[], T]) -> T:
    """The answer of a fork, so that what it imports for it is not imported here."""
    with tempfile.TemporaryFile() as answer:
        if not (child := os.fork()):
            _end(lambda: _answered(question(), answer))
        if os.waitpid(child, 0)[1]:
            raise CannotRun
        answer.seek(0)
        found: T = pickle.load(answer)
        return found


def _answered(found: object, answer: IO[bytes]) -> int:
    pickle.dump(found, answer)
    answer.flush()
    return 0


def _end(work: Callable[[], int]) -> NoReturn:
    """What a fork does, and nothing after it."""
    code = 1
    try:
        code = work()
    finally:
        os._exit(code)


def _tested(job: Job, output: int) -> int:
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CPU, (job.processor_seconds, job.processor_seconds))
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    if job.wrong is not None:
        sys.meta_path.insert(0, _Finder(job.module, job.wrong()))
    settings.load_profile("mutation")
    return int(pytest.main([*OPTIONS, *job.tests]))


def _imported(tests: Iterable[str]) -> list[str]:
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        before = set(sys.modules)
        if pytest.main([*OPTIONS, "--collect-only", *tests]):
            raise CannotRun
    return [
        name
        for name, module in sys.modules.items()
        if name not in before
        and name.partition(".")[0] not in OURS
        and getattr(module, "__spec__", None)
    ]


def _enums(module: ModuleType) -> Enums:
    return {
        name: [*kind.__members__]
        for name, kind in vars(module).items()
        if isinstance(kind, EnumMeta)
    }


def _name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


class _Finder(MetaPathFinder):
    """Finds the wrong module in the right one's place."""

    def __init__(self, path: str, tree: ast.Module) -> None:
        self._name, self._path, self._tree = _name(path), path, tree

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the wrong module alone."""
        if fullname != self._name:
            return None
        file = ROOT / self._path
        loader = _Loader(fullname, str(file), self._tree)
        return importlib.util.spec_from_file_location(fullname, file, loader=loader)


class _Loader(SourceFileLoader):
    """Loads a tree instead of the file, and keeps nothing compiled of it."""

    def __init__(self, fullname: str, path: str, tree: ast.Module) -> None:
        super().__init__(fullname, path)
        self._tree = tree

    def get_code(self, fullname: str) -> CodeType:
        """The tree's."""
        return compile(self._tree, self.path, "exec", dont_inherit=True)
