"""Puts mistakes into modules, one at a time, and counts those that the modules' tests notice.

    python -m tests.mutation                       all of modules.toml
    python -m tests.mutation links.py throttle.py  those whose path ends so
    python -m tests.mutation links.py --sample 0   with every mistake instead of a fixed sample

Ends with 1 where the tests of a module notice less than they have to. A mistake that makes no
difference is listed with the reason in equivalent.toml; it does not count, and that it really goes
unnoticed is checked. Nothing is written; Hypothesis draws the same examples in each run.
"""

import argparse
import os
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation.forks import ROOT, Job, enums_of, preload, run
from tests.mutation.mutants import Mutant, mutants, sample

HERE = Path(__file__).parent
NOTICED_AT_LEAST = 0.92
SAMPLE = 40  # mistakes of a module
# A mistake may make a loop without end: it has so many times what the tests take by themselves.
PATIENCE = 5
SHORTEST = 10  # seconds of a processor


@dataclass
class Module:
    """A module, its mistakes, and what became of them."""

    path: str
    tests: list[str]
    all: list[Mutant] = field(default_factory=list)
    chosen: list[Mutant] = field(default_factory=list)
    equivalent: list[Mutant] = field(default_factory=list)
    missed: list[Mutant] = field(default_factory=list)
    wrong_entries: list[str] = field(default_factory=list)
    patience: int = SHORTEST

    @property
    def score(self) -> float:
        """The share of the mistakes that were noticed."""
        return 1 - len(self.missed) / len(self.chosen) if self.chosen else 1.0

    @property
    def good(self) -> bool:
        """Whether the tests notice enough."""
        return self.score >= NOTICED_AT_LEAST and not self.wrong_entries

    def prepare(self, listed: list[dict[str, str]], size: int) -> None:
        """Find the mistakes, and choose."""
        self.all = mutants((ROOT / self.path).read_text(), enums_of(self.path))
        by_name = {(each.line, each.change): each for each in self.all}
        names = [(each["line"], each["change"]) for each in listed]
        self.equivalent = [by_name[name] for name in names if name in by_name]
        self.wrong_entries = [
            f"is not there: {line}   {change}"
            for line, change in names
            if (line, change) not in by_name
        ]
        counted = [each for each in self.all if each not in self.equivalent]
        self.chosen = sample(counted, size or len(counted))

    def record(self, mutant: Mutant, noticed: bool) -> None:
        """What became of one."""
        if mutant in self.equivalent and noticed:
            self.wrong_entries.append(f"is noticed: {mutant.line}   {mutant.change}")
        elif mutant in self.chosen and not noticed:
            self.missed.append(mutant)


def main() -> None:
    """Run it, and end with 1 where too much was missed."""
    options = arguments()
    began = time.monotonic()
    modules = chosen_modules(options.modules)
    preload(sorted({test for each in modules for test in each.tests}))
    listed = tomllib.loads((HERE / "equivalent.toml").read_text())
    for each in modules:
        each.prepare(listed.get(each.path, []), options.sample)
    check_tests(modules, options.workers)
    try_all(modules, options.workers)
    conclude(modules)
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(0 if all(each.good for each in modules) else 1)


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("modules", nargs="*")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="of each module; 0: all")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def chosen_modules(names: list[str]) -> list[Module]:
    """Those of modules.toml whose path ends in one of the names; without names all."""
    known = tomllib.loads((HERE / "modules.toml").read_text())
    found = [
        Module(path, entry["tests"])
        for path, entry in known.items()
        if not names or any(f"/{path}".endswith(f"/{name}") for name in names)
    ]
    if not found:
        sys.exit("No such module in modules.toml.")
    return found


def check_tests(modules: list[Module], workers: int) -> None:
    """The tests pass on the modules as they are, and how long that takes."""
    jobs = [Job(each.path, each.tests) for each in modules]
    for number, result in run(jobs, workers):
        if result.failed:
            sys.exit(f"{result.output}\n{modules[number].path}: its tests fail as it is.")
        modules[number].patience = max(SHORTEST, round(PATIENCE * result.processor_seconds))


def try_all(modules: list[Module], workers: int) -> None:
    """Each chosen mistake, and each that is said to make no difference; tells of each module."""
    tries = [(each, mutant) for each in modules for mutant in (*each.chosen, *each.equivalent)]
    jobs = [Job(each.path, each.tests, mutant.wrong, each.patience) for each, mutant in tries]
    left = Counter(each.path for each, _ in tries)
    width = max(len(each.path) for each in modules)
    print(f"{'module':{width}}  mistakes  tried  noticed  equivalent   score")
    for number, result in run(jobs, workers):
        module, mutant = tries[number]
        module.record(mutant, result.failed)
        left[module.path] -= 1
        if not left[module.path]:
            report(module, width)


def report(module: Module, width: int) -> None:
    """A module's line of the table, and what was missed."""
    noticed = len(module.chosen) - len(module.missed)
    print(
        f"{module.path:{width}}  {len(module.all):8}  {len(module.chosen):5}  {noticed:7}  "
        f"{len(module.equivalent):10}  {module.score:6.1%}{'' if module.good else '  too little'}"
    )
    for entry in module.wrong_entries:
        print(f"    in equivalent.toml, but {entry}")
    for mutant in sorted(module.missed, key=lambda mutant: mutant.number):
        print(f"    {mutant.number}: {mutant.line}\n        {mutant.change}")
    sys.stdout.flush()


def conclude(modules: list[Module]) -> None:
    """How much was noticed in all."""
    tried = sum(len(each.chosen) for each in modules)
    missed = sum(len(each.missed) for each in modules)
    print(f"{tried - missed} of {tried} noticed ({1 - missed / max(tried, 1):.1%})")


if __name__ == "__main__":
    main()
