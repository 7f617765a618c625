"""From samples to what is judged: what grows with the data kept is divided by it. Pure.

A sample is one line of JSON with raw figures by group and name; `series_of` turns a run of them
into series that have to be flat.
"""

from collections.abc import Iterator, Mapping, Sequence
from operator import truediv

from contracts.topics import REQUESTED
from reliability.soak.flat import (
    COUNT,
    DEAD,
    JAVA,
    MEGABYTES,
    PER_RECORD,
    PER_ROW,
    QUEUE,
    WRITE_AHEAD,
    Series,
    Unit,
)

Sample = Mapping[str, Mapping[str, float]]  # group, name, figure

MEGA = 1_000_000
# What was read of requests goes segment by segment, by the hour: their space is a saw, whose peak
# of the last 65 samples, one a minute, has to be flat.
SAW = 65
MANY = 1_000  # rows or records from which on the space of each says something
PLAIN: Mapping[str, Unit] = {
    "memory": MEGABYTES,
    "descriptors": COUNT,
    "threads": COUNT,
    "connections": COUNT,
    "time series": COUNT,
    "queues": QUEUE,
}


def series_of(samples: Sequence[Sample]) -> list[Series]:
    """Everything that has to be flat."""
    return [*_plain(samples), *_kept(samples)]


def _plain(samples: Sequence[Sample]) -> Iterator[Series]:
    for group, unit in PLAIN.items():
        for name in samples[-1][group]:
            values = tuple(sample[group].get(name, 0.0) for sample in samples)
            if group == "memory":
                values = tuple(value / MEGA for value in values)
            if (group, name) == ("descriptors", "PostgreSQL"):
                # Of each process: the pools' connections come and go.
                processes = (sample["threads"][name] for sample in samples)
                values = tuple(map(truediv, values, processes))
            yield Series(
                group, name, JAVA if (group, name) == ("memory", "Kafka") else unit, values
            )
    wal = tuple(sample["space"]["write-ahead log"] / MEGA for sample in samples)
    yield Series("space", "PostgreSQL's write-ahead log", WRITE_AHEAD, wal)


def _kept(samples: Sequence[Sample]) -> Iterator[Series]:
    """Tables by row and topics by record; small ones, as queues are, by their whole size."""
    for group, by, what, unit in (
        ("tables", "rows", "table bytes", PER_ROW),
        ("topics", "records", "topic bytes", PER_RECORD),
    ):
        middle = samples[len(samples) // 2]
        for name in samples[-1][group]:
            count = [sample[by].get(name, 0.0) for sample in samples]
            size = [sample[group].get(name, 0.0) for sample in samples]
            if name == REQUESTED.name:
                peaks = (max(size[max(0, at - SAW) : at + 1]) for at in range(len(size)))
                yield Series(what, name, MEGABYTES, tuple(peak / MEGA for peak in peaks))
            elif middle[by].get(name, 0.0) >= MANY:
                each = tuple(
                    space / max(number, 1.0) for space, number in zip(size, count, strict=True)
                )
                yield Series(what, name, unit, each)
            else:
                yield Series(what, name, MEGABYTES, tuple(space / MEGA for space in size))
    for name in samples[-1]["dead"]:
        dead = (
            sample["dead"].get(name, 0.0) / max(sample["rows"].get(name, 0.0), MANY)
            for sample in samples
        )
        yield Series("dead rows", name, DEAD, tuple(dead))
