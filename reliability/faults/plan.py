"""From a seed to what goes wrong and when. Pure."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What can go wrong."""

    KILL = "kill -9"
    PAUSE = "pause"
    LONG_PAUSE = "pause beyond every time-out"
    ROLLING = "replicas restarted one by one"
    CUT = "connections cut"
    FLAP = "connections cut again and again"
    DELAY = "connections slow"
    HOLD = "connections still"
    HALF_CLOSE = "connections half closed"
    MUTE = "replies lost"
    DISK = "disk full"
    CLOCK = "clock wrong"


# How long each lasts, in seconds. Leases take 10, sessions of consumers 6, polls less than one.
SECONDS: Mapping[Kind, tuple[float, float]] = {
    Kind.KILL: (0.2, 8.0),
    Kind.PAUSE: (0.5, 5.0),
    Kind.LONG_PAUSE: (12.0, 20.0),
    Kind.ROLLING: (0.0, 0.0),
    Kind.CUT: (0.5, 8.0),
    Kind.FLAP: (5.0, 15.0),
    Kind.DELAY: (4.0, 15.0),
    Kind.HOLD: (2.0, 20.0),
    Kind.HALF_CLOSE: (1.0, 8.0),
    Kind.MUTE: (1.0, 6.0),
    Kind.DISK: (2.0, 8.0),
    Kind.CLOCK: (8.0, 20.0),
}
TOGETHER = 0.25  # of faults begin at the moment of the one before
CLOCKS = (-300.0, -45.0, 45.0, 300.0)  # seconds that a clock is off


@dataclass(frozen=True, slots=True)
class Fault:
    """One, `at` so many seconds after the beginning."""

    number: int
    at: float
    kind: Kind
    target: str
    seconds: float
    clock: float = 0.0  # seconds that it is off

    def __str__(self) -> str:
        off = f" by {self.clock:+.0f} s" if self.clock else ""
        return f"{self.number}: {self.kind}{off}, {self.target}, {self.seconds:.1f} s"


def draw(
    seed: int, targets: Mapping[Kind, Sequence[str]], *, count: int, every: float
) -> Sequence[Fault]:
    """As many faults, one `every` so many seconds or so; kinds without a target are left out.

    Each kind comes up before any comes up again; the same seed draws the same.
    """
    dice = random.Random(seed)
    kinds = _in_turns(dice, [kind for kind in Kind if targets.get(kind)])
    found: list[Fault] = []
    at = 0.0
    for number in range(1, count + 1):
        if not (found and dice.random() < TOGETHER):
            at += dice.uniform(0.5, 1.5) * every / (1 - TOGETHER)
        kind = next(kinds)
        clock = dice.choice(CLOCKS) if kind is Kind.CLOCK else 0.0
        target = dice.choice(targets[kind])
        found.append(Fault(number, at, kind, target, dice.uniform(*SECONDS[kind]), clock))
    return found


def _in_turns(dice: random.Random, kinds: Sequence[Kind]) -> Iterator[Kind]:
    while True:
        yield from dice.sample(kinds, len(kinds))
