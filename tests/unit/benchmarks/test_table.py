"""The table shows what was measured, and docs/performance that of its result.json."""

from pathlib import Path

from benchmarks import table
from benchmarks.result import Latency, Measured, Result
from benchmarks.system import Run

DOCS = Path(__file__).parents[3] / "docs" / "performance"


def run(milliseconds: float, *, missing: int = 0) -> Run:
    return Run(
        per_second=100,
        processor={"web": milliseconds, "PostgreSQL": 1.0, "sink": 0.2},
        clients=0.5,
        answered=[0.01] * 100,
        ticked=[0.02] * (100 - missing),
        missing=missing,
    )


def test_the_sink_is_not_counted_and_ratios_are_of_the_same_turn() -> None:
    ours = Measured.of([run(2), run(5), run(8)], idle=[0.1] * 3)
    peer = Measured.of([run(5), run(11), run(17)], idle=[0.1] * 3)
    assert ours.all.each == [3, 6, 9]
    shown = table.cost(ours, peer)
    assert "| **all** | **6.0 (3.0 to 9.0)** | **12.0 (6.0 to 18.0)** " in shown
    assert "**ours / peer 0.50 (0.50 to 0.50)**" in shown
    assert "| 5.0 (2.0 to 8.0) | 11.0 (5.0 to 17.0) | ours / peer 0.45 (0.40 to 0.47) |" in shown
    assert "no |" in shown, "what the peer does not promise has to be said"


def test_percentiles_of_what_never_ticked_are_a_dash() -> None:
    latency = Latency.of([run(1, missing=3)], share=0.5, per_second=50)
    assert (latency.samples, latency.tick.p95, latency.tick.p99) == (100, 20.0, None)
    ours = Measured.of([run(1)])
    ours.latency = [latency]
    assert "| ours, 50% | 50 | 10 | 10 | 10 | 20 | 20 | – | 100, 3 never ticked |" in (
        table.latency(ours, None)
    )


def test_the_document_shows_its_result() -> None:
    result = Result.model_validate_json((DOCS / "result.json").read_text())
    text = (DOCS / "README.md").read_text()
    assert table.shown_in(text, table.tables(result)) == text
