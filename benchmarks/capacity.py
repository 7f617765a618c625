"""What replicas cost, and a model of it that is made of one replica alone. Pure.

Of each part, in milliseconds of processor time a second at a rate of invitations:

    base + replicas * second + rate * each

`base` is what it takes with no service running (0 for services), `each` what an invitation takes
once batches are full, and `second` what a replica takes by being there while something goes on: its
loops, heartbeats, and the batches, of which there are as many a second however little is in them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import linear_regression
from typing import TypeAlias

from pydantic import BaseModel

from benchmarks.result import Circumstances, Measured, Spread
from benchmarks.table import cells, figures, where

SERVERS = ("PostgreSQL", "Kafka")


class Replicas(BaseModel):
    """With so many processes of each service."""

    replicas: int
    idle: dict[str, Spread]  # milliseconds a second of each part, dashboards open
    at: list[Measured]  # at rates, of which the first is the same for any number of replicas
    saturated: Measured
    connections: Spread  # to PostgreSQL, while saturated
    done: dict[str, Spread]  # for an invitation, at the first rate and saturated
    busiest: dict[str, Spread]  # of that, the share of the process that did most


class Capacity(Circumstances):
    """One run of `make bench ARGS=replicas`."""

    invitations: int  # of each run at saturation
    seconds: float  # of each run at a rate, and of each look at what is idle
    without: dict[str, float]  # milliseconds a second of the servers, with no service running
    measured: list[Replicas]


@dataclass(frozen=True, slots=True)
class Part:
    """Of a service or a server, in milliseconds (see above)."""

    base: float
    second: float
    each: float

    def predicted(self, replicas: int, per_second: float) -> float:
        """Milliseconds for an invitation."""
        return (self.base + replicas * self.second) / per_second + self.each


Model: TypeAlias = Mapping[str, Part]


def model(one: Replicas, without: Mapping[str, float]) -> Model:
    """By part, from one replica at several rates."""
    return {name: _part(name, one, without.get(name, 0.0)) for name in one.saturated.processor}


def _part(name: str, one: Replicas, base: float) -> Part:
    seen = [
        (rate, cost * rate)
        for run in (*one.at, one.saturated)
        for rate, cost in zip(run.per_second.each, run.processor[name].each, strict=True)
    ]
    each, beside = linear_regression(*zip(*seen, strict=True))
    return Part(base, beside - base, each)


def tables(capacity: Capacity) -> str:
    """All there is to show of it."""
    one = capacity.measured[0]
    parts = model(one, capacity.without)
    return "\n".join(
        (
            _costs(capacity.measured),
            _others(capacity.measured),
            _modelled(parts),
            _compared(parts, capacity.measured),
            f"{where(capacity)} {len(one.saturated.per_second.each)} turns; {capacity.invitations} "
            f"invitations a run at saturation, {capacity.seconds:.0f} s at a rate. Medians, of all "
            "with the least and most; of what is done the most.\n",
        )
    )


def _costs(measured: Sequence[Replicas]) -> str:
    """Processor time, and the rate."""
    runs = {
        **{f"half load, {each.replicas}": each.at[0] for each in measured},
        **{f"saturated, {each.replicas}": each.saturated for each in measured},
    }
    names = measured[0].saturated.processor
    return _table(
        ("processor milliseconds for an invitation, replicas", *runs),
        *(
            (name, *(f"{run.processor[name].median:.2f}" for run in runs.values()))
            for name in names
        ),
        ("**all**", *(f"**{figures(run.all)}**" for run in runs.values())),
        ("invitations a second", *(f"{run.per_second.median:.0f}" for run in runs.values())),
    )


def _others(measured: Sequence[Replicas]) -> str:
    """What else came of them."""
    one = measured[0]
    return _table(
        ("replicas", *(str(each.replicas) for each in measured)),
        (
            "milliseconds to the tick at half load, p50, p95, p99",
            *(cells(each.at[0].latency[0].tick).replace(" |", ",") for each in measured),
        ),
        *(
            (
                f"idle, milliseconds a second: {name}",
                *(f"{each.idle[name].median:.1f}" for each in measured),
            )
            for name in one.idle
        ),
        (
            "connections to PostgreSQL, saturated",
            *(f"{each.connections.median:.0f}" for each in measured),
        ),
        *(
            (f"for an invitation, {what}", *(_done(each, what) for each in measured))
            for what in one.done
        ),
    )


def _done(replicas: Replicas, what: str) -> str:
    """The most of any turn, so that nothing done twice is hidden; the busiest process's share."""
    busiest = replicas.busiest.get(what)
    share = "" if busiest is None else f", {busiest.median:.0%} by one"
    return f"{max(replicas.done[what].each):.3f}{share}"


def _modelled(parts: Model) -> str:
    """The model."""
    each = parts.values()
    return _table(
        (
            "model, processor milliseconds",
            "a second, no service running",
            "a second, of each replica",
            "of an invitation",
        ),
        *(
            (name, f"{part.base:.1f}", f"{part.second:.1f}", f"{part.each:.2f}")
            for name, part in parts.items()
        ),
        (
            "**all**",
            f"**{sum(part.base for part in each):.1f}**",
            f"**{sum(part.second for part in each):.1f}**",
            f"**{sum(part.each for part in each):.2f}**",
        ),
    )


def _compared(parts: Model, measured: Sequence[Replicas]) -> str:
    """The model beside what was measured."""
    runs = [
        *(("half load", each.replicas, each.at[0]) for each in measured),
        *(("saturated", each.replicas, each.saturated) for each in measured),
    ]
    services = [name for name in parts if name not in SERVERS]
    return _table(
        ("replicas", "predicted", "measured", "measured / predicted", "of the services", *SERVERS),
        *(
            (
                f"{replicas}, {what}",
                f"{_predicted(parts, replicas, run, parts):.2f}",
                f"{_cost(run, parts):.2f}",
                *(
                    f"{_cost(run, some) / _predicted(parts, replicas, run, some):.2f}"
                    for some in (parts, services, *([server] for server in SERVERS))
                ),
            )
            for what, replicas, run in runs
        ),
    )


def _predicted(parts: Model, replicas: int, run: Measured, names: Iterable[str]) -> float:
    return sum(parts[name].predicted(replicas, run.per_second.median) for name in names)


def _cost(run: Measured, names: Iterable[str]) -> float:
    return sum(run.processor[name].median for name in names)


def _table(head: Sequence[str], *rows: Sequence[str]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
