"""Series over time as an SVG of small panels, written by hand: it needs no library. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

from reliability.soak.flat import Series

WIDTH, HEIGHT = 440, 150  # of one panel's axes, in pixels
MARGIN, HEAD, COLUMNS = 60, 40, 2
LEGEND = 13  # height of one of its lines
COLOURS = (
    "#0b6e99", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#a16207", "#0f766e", "#4b5563",
    "#db2777", "#1d4ed8", "#65a30d", "#78350f",
)  # fmt: skip


def draw(panels: Mapping[str, Sequence[Series]], minutes: Sequence[float], title: str) -> str:
    """The picture. A panel's series share their axes; the warm-up is grey."""
    rows = [list(panels.items())[n : n + COLUMNS] for n in range(0, len(panels), COLUMNS)]
    parts: list[str] = []
    top = 40
    for row in rows:
        for column, (name, series) in enumerate(row):
            left = MARGIN + column * (WIDTH + MARGIN + 20)
            parts += _panel(left, top + HEAD, name, series, minutes)
        top += HEAD + HEIGHT + 30 + LEGEND * max(-(-len(series) // 2) for _, series in row)
    width = COLUMNS * (WIDTH + MARGIN + 20) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top}" '
        f'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{top}" fill="#fff"/>\n'
        f'<text x="{MARGIN}" y="26" font-size="15">{escape(title)}</text>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _panel(
    left: int, top: int, name: str, series: Sequence[Series], minutes: Sequence[float]
) -> Iterable[str]:
    most = max((value for each in series for value in each.values), default=0) * 1.05 or 1.0
    last = minutes[-1] or 1.0
    yield f'<text x="{left}" y="{top - 10}" font-size="13">{escape(name)}</text>'
    yield f'<rect x="{left}" y="{top}" width="{WIDTH / 2}" height="{HEIGHT}" fill="#f1f1f1"/>'
    for share in (0.0, 0.5, 1.0):
        y = top + HEIGHT * (1 - share)
        yield f'<path d="M{left} {y:.1f}h{WIDTH}" stroke="#ccc"/>'
        label = _number(most * share)
        yield f'<text x="{left - 5}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        x = left + WIDTH * share
        yield (
            f'<text x="{x:.1f}" y="{top + HEIGHT + 14}" text-anchor="middle">'
            f"{last * share:.0f} min</text>"
        )
    for number, each in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(
            f"{left + WIDTH * minute / last:.1f},{top + HEIGHT * (1 - value / most):.1f}"
            for minute, value in zip(minutes, each.values, strict=True)
        )
        yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.3"/>'
        x, y = left + (number % 2) * WIDTH / 2, top + HEIGHT + 32 + number // 2 * LEGEND
        yield f'<path d="M{x} {y - 4}h14" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{x + 19}" y="{y}">{escape(each.name)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
