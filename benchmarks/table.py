"""A result as Markdown, for the terminal and for docs/performance. Pure."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from benchmarks.result import (
    Circumstances,
    Click,
    Latency,
    Measured,
    Percentiles,
    Result,
    Spread,
    Stage,
)

BEGIN, END = "<!-- measured -->", "<!-- until here -->"
PROMISES = (
    "| an invitation is never lost: outbox, inbox, leases | yes | no |",
    "| „sent“ is not „delivered“: bounces are read, and shown | yes | no |",
    "| audit, sealed at rest, practices apart in the database, history | yes | no |",
    "| open dashboards are told at once | yes | no: the table is read when all is over |",
)


def tables(result: Result) -> str:
    """All there is to show of it."""
    parts = [cost(result.ours, result.peer), latency(result.ours, result.peer)]
    if result.browser:
        parts.append(clicks(result.browser))
    if result.stages:
        parts.append(stages(result.stages))
    return "\n".join((*parts, _circumstances(result)))


def shown_in(text: str, shown: str) -> str:
    """A document with the tables between its marks; one without marks stays as it is."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{begin}\n{shown}{end}{tail}" if end else text


def cost(ours: Measured, peer: Measured | None) -> str:
    """Processor time by process, and the rate."""
    lines = [
        "| processor milliseconds for an invitation | ours | peer | |",
        "|---|---|---|---|",
    ]
    others = () if peer is None else peer.processor.items()
    for mine, other in zip_longest(ours.processor.items(), others):
        lines.append(f"| {_name(mine)} | {_spread(mine)} | {_spread(other)} | {_name(other)} |")
    if peer is None:
        lines.append(f"| **all** | **{ours.all.median:.1f}** | | |")
        lines.append(f"| invitations a second at saturation | {_rate(ours.per_second)} | | |")
        return "\n".join((*lines, ""))
    ratios = [mine / other for mine, other in zip(ours.all.each, peer.all.each, strict=True)]
    lines += [
        f"| **all** | **{figures(ours.all)}** | **{figures(peer.all)}** "
        f"| **ours / peer {figures(Spread(each=ratios), 2)}** |",
        _line("of it beyond what it takes idle", ours.beyond_idle, peer.beyond_idle),
        f"| mail sink, not counted | {figures(ours.sink)} | {figures(peer.sink)} | |",
        f"| clients, not counted | {figures(ours.clients)} | {figures(peer.clients)} | |",
        f"| invitations a second at saturation | {_rate(ours.per_second)} "
        f"| {_rate(peer.per_second)} | |",
        *(f"{line} |" for line in PROMISES),
    ]
    return "\n".join((*lines, ""))


def latency(ours: Measured, peer: Measured | None) -> str:
    """Milliseconds from the moment a request is due, at rates that are shares of each's own."""
    lines = [
        "| at | a second | answer p50 | p95 | p99 | tick p50 | p95 | p99 | samples |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, system in (("ours", ours), ("peer", peer)):
        lines += [
            f"| {name}, {_share(each)} | {each.per_second:.0f} | {cells(each.answer)} "
            f"| {cells(each.tick)} | {_samples(each)} |"
            for each in (system.latency if system else ())
        ]
    return "\n".join((*lines, ""))


def clicks(measured: Sequence[Click]) -> str:
    """In a real browser."""
    lines = [
        "| in Chromium, milliseconds from the click | row p50 | p95 | p99 | tick p50 | p95 | p99 |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in measured:
        meanwhile = f"others invite at {each.share:.0%}" if each.share else "nothing else asked"
        lines.append(
            f"| {each.clicks} clicks, {meanwhile} | {cells(each.created)} | {cells(each.tick)} |"
        )
    return "\n".join((*lines, ""))


def stages(measured: Sequence[Stage]) -> str:
    """Each for itself."""
    head = ("| stage | a second | other | ratio | other is |", "|---|---|---|---|---|")
    lines = (
        f"| {each.name} | {each.ours:,.0f} | {each.other:,.0f} "
        f"| {each.ours / each.other:.2f} | {each.other_is} |"
        for each in measured
    )
    return "\n".join((*head, *lines, ""))


def where(measured: Circumstances) -> str:
    """When, of what, on what."""
    before, after = measured.load
    return (
        f"{measured.day}, commit {measured.commit}; {measured.processors} processors, "
        f"load {before:.1f} before and {after:.1f} after."
    )


def _circumstances(result: Result) -> str:
    idle = " and ".join(
        f"{name} {system.idle.median:.1%} of a processor"
        for name, system in (("ours", result.ours), ("the peer", result.peer))
        if system is not None and system.idle is not None
    )
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    return (
        f"{where(result)} {len(result.ours.per_second.each)} runs of "
        f"{result.invitations} invitations over {result.connections} connections, medians with "
        f"the least and most; at rates {result.seconds:.0f} s a run. "
        f"{f'While the other was measured: {idle}. ' if idle else ''}{versions}.\n"
    )


def _line(name: str, ours: Spread | None, peer: Spread | None) -> str:
    if ours is None or peer is None:
        return f"| {name} | | | |"
    ratios = [mine / other for mine, other in zip(ours.each, peer.each, strict=True)]
    return (
        f"| {name} | {figures(ours)} | {figures(peer)} "
        f"| ours / peer {figures(Spread(each=ratios), 2)} |"
    )


def _name(part: tuple[str, Spread] | None) -> str:
    return "" if part is None else part[0]


def _spread(part: tuple[str, Spread] | None) -> str:
    return "" if part is None else figures(part[1], 2)


def figures(spread: Spread, digits: int = 1) -> str:
    """The median, the least and the most."""
    least, most = min(spread.each), max(spread.each)
    return f"{spread.median:.{digits}f} ({least:.{digits}f} to {most:.{digits}f})"


def _rate(spread: Spread) -> str:
    return figures(spread, 0)


def _share(latency: Latency) -> str:
    return "saturated" if latency.share is None else f"{latency.share:.0%}"


def _samples(latency: Latency) -> str:
    missing = f", {latency.missing} never ticked" if latency.missing else ""
    return f"{latency.samples}{missing}"


def cells(percentiles: Percentiles) -> str:
    """Three of a row."""
    return " | ".join(_cut(each) for each in _each(percentiles))


def _each(percentiles: Percentiles) -> Iterator[float | None]:
    yield from (percentiles.p50, percentiles.p95, percentiles.p99)


def _cut(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:,.0f}"
