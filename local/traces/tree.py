"""A trace as a tree of steps with their times."""

from collections import defaultdict
from dataclasses import dataclass

from local.traces.store import Span, Trace

SCALE = 1000  # a bar's whole width
DEEPEST = 9  # what is deeper is shown as deep as this
MILLISECOND, SECOND = 1_000_000, 1_000_000_000
MINUTE, HOUR = 60 * SECOND, 3600 * SECOND


@dataclass(frozen=True, slots=True)
class Step:
    """One span in its place: `left` and `width` of its bar are parts of SCALE."""

    span: Span
    depth: int
    orphan: bool  # its parent has not come
    after: int  # nanoseconds since the trace began
    left: int
    width: int

    @property
    def duration(self) -> int:
        """In nanoseconds."""
        return self.span.end - self.span.begin


def steps(trace: Trace) -> list[Step]:
    """Each span under its parent, in the order of their begins; every one once, even of a ring."""
    ids = {span.id for span in trace.spans}
    children: defaultdict[str, list[Span]] = defaultdict(list)
    roots: list[Span] = []
    for span in trace.spans:
        siblings = children[span.parent_id] if span.parent_id in ids else roots
        siblings.append(span)
    shown: list[Step] = []
    seen: set[str] = set()
    # What no root leads to is a ring of spans, each the others' ancestor: it begins somewhere.
    for root in (*roots, *trace.spans):
        waiting = [(root, 0)]
        while waiting:
            span, depth = waiting.pop()
            if span.id in seen:
                continue
            seen.add(span.id)
            shown.append(_step(trace, span, depth, bool(span.parent_id) and depth == 0))
            waiting += [(child, min(depth + 1, DEEPEST)) for child in reversed(children[span.id])]
    return shown


def _step(trace: Trace, span: Span, depth: int, orphan: bool) -> Step:
    whole = max(1, trace.duration)
    after = span.begin - trace.begin
    left = min(SCALE - 2, after * SCALE // whole)
    width = max(2, (span.end - span.begin) * SCALE // whole)
    return Step(span, depth, orphan, after, left, min(width, SCALE - left))


def spelled(nanoseconds: int) -> str:
    """A duration for people: „0.4 ms“, „23 ms“, „1.25 s“, „3 min 5 s“, „2 h 10 min“."""
    if nanoseconds < 10 * MILLISECOND:
        return f"{nanoseconds / MILLISECOND:.1f} ms"
    if nanoseconds < SECOND:
        return f"{nanoseconds / MILLISECOND:.0f} ms"
    if nanoseconds < MINUTE:
        return f"{nanoseconds / SECOND:.2f} s"
    if nanoseconds < HOUR:
        return f"{nanoseconds // MINUTE} min {nanoseconds % MINUTE // SECOND} s"
    return f"{nanoseconds // HOUR} h {nanoseconds % HOUR // MINUTE} min"
