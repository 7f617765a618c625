"""What `make bench` has measured, as it is kept: result.json, from which table and picture come."""

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Self

from pydantic import BaseModel

from benchmarks.latency import PERCENTILES, percentile
from benchmarks.system import Run


class Spread(BaseModel):
    """A figure of several runs."""

    each: list[float]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.each)


class Percentiles(BaseModel):
    """Milliseconds; None where too many never came."""

    p50: float | None
    p95: float | None
    p99: float | None

    @classmethod
    def of(cls, seconds: Sequence[float], missing: int = 0) -> Self:
        """Of all samples together."""
        cuts = (percentile(seconds, percent, missing=missing) for percent in PERCENTILES)
        p50, p95, p99 = (None if cut == math.inf else round(cut * 1000, 1) for cut in cuts)
        return cls(p50=p50, p95=p95, p99=p99)


class Latency(BaseModel):
    """At one rate. `share` is of the rate at saturation; None: as fast as it is answered."""

    share: float | None
    per_second: float
    samples: int
    missing: int
    answer: Percentiles
    tick: Percentiles

    @classmethod
    def of(cls, runs: Sequence[Run], *, share: float | None, per_second: float) -> Self:
        """Of some runs at the same rate."""
        missing = sum(run.missing for run in runs)
        return cls(
            share=share,
            per_second=round(per_second, 1),
            samples=sum(len(run.ticked) for run in runs) + missing,
            missing=missing,
            answer=Percentiles.of([each for run in runs for each in run.answered]),
            tick=Percentiles.of([each for run in runs for each in run.ticked], missing),
        )


class Measured(BaseModel):
    """Of one system. Processor time in milliseconds for an invitation, without sink and clients."""

    processor: dict[str, Spread]
    sink: Spread
    clients: Spread
    per_second: Spread  # at saturation
    idle: Spread | None  # shares of a processor that it takes while the other is measured
    latency: list[Latency] = []

    @classmethod
    def of(cls, runs: Sequence[Run], *, idle: Sequence[float] = ()) -> Self:
        """Of runs at saturation; with a peer, `idle` is what it took in each of the peer's."""
        parts = [name for name in runs[0].processor if name != "sink"]
        return cls(
            processor={name: spread(run.processor[name] for run in runs) for name in parts},
            sink=spread(run.processor["sink"] for run in runs),
            clients=spread(run.clients for run in runs),
            per_second=spread((run.per_second for run in runs), digits=1),
            idle=spread(idle, digits=4) if idle else None,
        )

    @property
    def all(self) -> Spread:
        """Processor time of all parts together, run by run."""
        each = zip(*(part.each for part in self.processor.values()), strict=True)
        return spread(sum(run) for run in each)

    @property
    def beyond_idle(self) -> Spread | None:
        """The same without what it would have taken meanwhile, had nobody invited anyone.

        On a machine with other work, where each invitation takes longer, that is much.
        """
        if self.idle is None:
            return None
        each = zip(self.all.each, self.idle.each, self.per_second.each, strict=True)
        return spread(used - 1000 * idle / per_second for used, idle, per_second in each)


class Click(BaseModel):
    """In a real browser; `share` of the rate at saturation that others invite at meanwhile."""

    share: float
    clicks: int
    created: Percentiles
    tick: Percentiles


class Stage(BaseModel):
    """Two ways of doing the same, how often a second."""

    name: str
    ours: float
    other: float
    other_is: str


class Circumstances(BaseModel):
    """When something was measured, of what and on what."""

    day: str
    commit: str
    processors: int
    load: list[float]  # of the machine: before, after; over a minute, 1 is a processor


class Result(Circumstances):
    """One run of `make bench`."""

    versions: dict[str, str]
    invitations: int  # of each run at saturation
    connections: int
    seconds: float  # of each run at a rate
    ours: Measured
    peer: Measured | None
    browser: list[Click] = []
    stages: list[Stage] = []


def spread(values: Iterable[float], digits: int = 3) -> Spread:
    """Rounded, as it is kept."""
    return Spread(each=[round(value, digits) for value in values])
