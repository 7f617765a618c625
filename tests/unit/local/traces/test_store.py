"""Memory is bounded, and each span stands once in its tree, in whatever order they came."""

from hypothesis import given
from hypothesis import strategies as st

from local.traces import tree
from local.traces.store import Span, Store, Trace


def span(named: str, parent: str = "", *, trace: str = "t", begin: int = 0, end: int = 10) -> Span:
    return Span(
        trace_id=trace, id=named, parent_id=parent, service="status", name=f"step {named}",
        begin=begin, end=end, failed=False, attributes={},
    )  # fmt: skip


def shown(*spans: Span) -> list[tuple[str, int]]:
    store = Store()
    store.add(spans)
    trace = store.trace("t")
    assert trace is not None
    return [(step.span.id, step.depth) for step in tree.steps(trace)]


def test_the_trace_that_was_left_alone_longest_makes_room() -> None:
    store = Store(most=3, most_of_a_trace=2)
    store.add([span("a", trace="1"), span("a", trace="2", begin=1), span("b", trace="1")])
    store.add([span("a", trace="3", begin=2)])
    assert [trace.id for trace in store.newest_first()] == ["3", "1"]


def test_a_trace_keeps_its_first_spans_and_repeats_count_once() -> None:
    store = Store(most=3, most_of_a_trace=2)
    store.add([span("a"), span("a"), span("b"), span("c"), span("d")])
    trace = store.trace("t")
    assert trace is not None
    assert [each.id for each in trace.spans] == ["a", "b"]


def test_children_stand_under_their_parents_by_their_begins() -> None:
    spans = [
        *(span("late", "root", begin=5), span("root"), span("leaf", "early", begin=2)),
        *(span("early", "root", begin=1), span("lost", "away", begin=9)),
    ]
    assert shown(*spans) == [("root", 0), ("early", 1), ("leaf", 2), ("late", 1), ("lost", 0)]


ids = st.sampled_from("abcdef")


@given(st.lists(st.tuples(ids, st.sampled_from(["", *"abcdefx"]), st.integers(0, 2**64 - 1))))
def test_every_span_is_shown_once_with_a_bar_in_its_place(
    drawn: list[tuple[str, str, int]],
) -> None:
    spans = {one: span(one, parent, begin=at, end=at + 7) for one, parent, at in drawn}
    if not spans:
        return
    trace = Trace("t", sorted(spans.values(), key=lambda each: each.begin))
    steps = tree.steps(trace)
    assert sorted(step.span.id for step in steps) == sorted(spans)
    for step in steps:
        assert 0 <= step.left < step.left + step.width <= tree.SCALE


def test_durations_are_spelled() -> None:
    spelled = [tree.spelled(int(seconds * 1e9)) for seconds in (0.0004, 0.023, 1.25, 185, 7800)]
    assert spelled == ["0.4 ms", "23 ms", "1.25 s", "3 min 5 s", "2 h 10 min"]
