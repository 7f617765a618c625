"""Latency as those feel it who do not wait for each other (open loop). Pure.

A request is due at its moment whether or not the ones before it are answered, and its latency
counts from then. Asking only once the answer before is there would leave out just the requests
that a slow moment holds up („coordinated omission").
"""

import math
import random
from collections.abc import Sequence
from itertools import accumulate

PERCENTILES = (50, 95, 99)


def due_times(count: int, per_second: float, seed: int) -> list[float]:
    """Seconds from the beginning at which requests are due: as of many who know nothing of each
    other (a Poisson process).
    """
    chance = random.Random(seed)
    return list(accumulate(chance.expovariate(per_second) for _ in range(count)))


def percentile(seconds: Sequence[float], percent: float, *, missing: int = 0) -> float:
    """By nearest rank; `missing` never came and count as longer than all others: then infinity."""
    ordered = sorted(seconds)
    rank = math.ceil((len(ordered) + missing) * percent / 100)
    return ordered[rank - 1] if 0 < rank <= len(ordered) else math.inf
