"""What keeps data is divided by what it keeps, so only waste counts as growth."""

from typing import Any

from contracts.topics import REQUESTED
from reliability.soak.flat import judge
from reliability.soak.samples import MANY, PLAIN, series_of


def sample(rows: int, bytes_a_row: float, *, dead: int = 0) -> dict[str, Any]:
    nothing: dict[str, Any] = {}
    return {
        **dict.fromkeys(PLAIN, nothing),
        "memory": {"Kafka": 350e6},
        "space": {"write-ahead log": 16e6},
        "tables": {"events": rows * bytes_a_row, "outbox": 80_000},
        "rows": {"events": rows, "outbox": 0},
        "dead": {"events": dead, "outbox": 0},
        "topics": {"outcomes": rows * 300.0},
        "records": {"outcomes": rows},
    }


def not_flat(*samples: dict[str, Any]) -> list[str]:
    verdicts = [judge(each) for each in series_of(samples)]
    return [f"{one.series.group} {one.series.name}" for one in verdicts if not one.flat]


def test_data_may_grow() -> None:
    assert not_flat(*(sample(MANY + 100 * n, 400) for n in range(40))) == []


def test_waste_may_not() -> None:
    bloated = [sample(MANY + 100 * n, 400 + 5 * n) for n in range(40)]
    assert not_flat(*bloated) == ["table bytes events"]


def test_nor_may_dead_rows_stay() -> None:
    dead = [sample(MANY, 400, dead=100 * n) for n in range(40)]
    assert not_flat(*dead) == ["dead rows events"]


def test_a_small_table_is_measured_whole() -> None:
    small = [sample(0, 0) | {"tables": {"outbox": 80_000 + 200_000 * n}} for n in range(40)]
    assert not_flat(*[each | {"rows": {"outbox": 0}, "dead": {}} for each in small]) == [
        "table bytes outbox"
    ]


def saw(tooth: int, *, rising: float) -> list[dict[str, Any]]:
    sizes = [1e6 + 50_000 * (n % tooth) + rising * n for n in range(200)]
    return [
        sample(MANY, 400)
        | {"topics": {REQUESTED.name: size}, "records": {REQUESTED.name: MANY * n}}
        for n, size in enumerate(sizes)
    ]


def test_what_goes_by_the_hour_is_measured_by_its_peaks() -> None:
    assert not_flat(*saw(60, rising=0)) == []
    assert not_flat(*saw(60, rising=40_000)) == [f"topic bytes {REQUESTED.name}"]
