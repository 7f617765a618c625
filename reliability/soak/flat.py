"""What „flat" means: the rule by which a soak is judged. Pure.

The first half of a run is the warm-up: caches fill, Java compiles, shared memory is touched. Over
the second half a line is laid through each series, by the median of the slopes between all pairs of
its samples (Theil and Sen), so that single peaks don't turn it. Its rise from the first to the last
sample must stay below a twentieth of the series' median, or below what its unit forgives.

What grows because data is kept is not measured as it is: it is divided by the rows or records that
it keeps. What stands in a queue has an upper bound too.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

SHARE = 0.05  # of its median, that a series may rise in the second half
FEWEST = 4  # samples of the second half


@dataclass(frozen=True, slots=True)
class Unit:
    """How much rise is forgiven, in the unit itself, and what no sample may be above."""

    name: str
    forgiven: float
    most: float | None = None


MEGABYTES = Unit("MB", 2.0)
JAVA = Unit("MB", 10.0)  # a heap of fixed size, touched little by little
COUNT = Unit("", 3.0)
QUEUE = Unit("waiting", 3.0, most=100.0)
PER_ROW = Unit("bytes a row", 20.0)
PER_RECORD = Unit("bytes a record", 20.0)
# An outbox has no live rows, and is vacuumed at 2,000 dead ones (its migration), within a minute.
DEAD = Unit("dead rows for each live one", 0.5, most=3.0)
WRITE_AHEAD = Unit("MB", 1100.0, most=1100.0)  # it is reused up to max_wal_size


@dataclass(frozen=True, slots=True)
class Series:
    """One thing measured, sample by sample."""

    group: str
    name: str
    unit: Unit
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a series: its median and its rise over the second half, and the worst sample."""

    series: Series
    median: float
    rise: float
    forgiven: float
    worst: float

    @property
    def flat(self) -> bool:
        """Whether it keeps the rule."""
        most = self.series.unit.most
        return self.rise <= self.forgiven and (most is None or self.worst <= most)


def judge(series: Series) -> Verdict:
    """Apply the rule. Raises ValueError where the second half has too few samples."""
    half = series.values[len(series.values) // 2 :]
    if len(half) < FEWEST:
        raise ValueError(f"{series.name}: {len(half)} samples are too few to judge.")
    median = statistics.median(half)
    return Verdict(
        series,
        median=median,
        rise=slope(half) * (len(half) - 1),
        forgiven=max(series.unit.forgiven, SHARE * abs(median)),
        worst=max(half),
    )


def slope(values: Sequence[float]) -> float:
    """The median of the slopes between all pairs, for one step."""
    return statistics.median(
        (later - earlier) / (at_later - at_earlier)
        for (at_earlier, earlier), (at_later, later) in combinations(enumerate(values), 2)
    )
