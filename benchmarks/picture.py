"""A result as a picture: what an invitation costs, and how long it takes."""

import io

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.result import Measured, Result

STYLE = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "einladung",  # ids are the same each time
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
PERCENTILES = ("p50", "p95", "p99")


def draw(result: Result) -> str:
    """The SVG."""
    systems = {"ours": result.ours}
    if result.peer is not None:
        systems["peer"] = result.peer
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 7), layout="constrained")
        grid = figure.add_gridspec(2, len(systems), height_ratios=(1, 1.3))
        _cost(figure.add_subplot(grid[0, :]), systems)
        shared: Axes | None = None
        for column, (name, system) in enumerate(systems.items()):
            shared = figure.add_subplot(grid[1, column], sharey=shared)
            _latency(shared, name, system)
        into = io.StringIO()
        figure.savefig(into, format="svg", metadata={"Date": None, "Creator": None})
    return into.getvalue()


def _cost(axes: Axes, systems: dict[str, Measured]) -> None:
    colours = iter(mpl.colormaps["tab10"].colors)
    known: dict[str, object] = {}
    for name, system in reversed(systems.items()):
        left = 0.0
        for part, spread in system.processor.items():
            if part not in known:
                known[part] = next(colours)
            axes.barh(name, spread.median, left=left, color=known[part], label=part)
            left += spread.median
        axes.annotate(f"{left:.1f}", (left, name), (4, 0), textcoords="offset points", va="center")
    axes.set_title("processor milliseconds for an invitation", loc="left")
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    axes.legend(once.values(), once.keys(), ncols=4, frameon=False, loc="upper center",
                bbox_to_anchor=(0.5, -0.12))  # fmt: skip


def _latency(axes: Axes, name: str, system: Measured) -> None:
    width = 0.25
    for number, percent in enumerate(PERCENTILES):
        axes.bar(
            [place + (number - 1) * width for place in range(len(system.latency))],
            [getattr(each.tick, percent) or 0 for each in system.latency],
            width,
            label=percent,
            color=("#9ecae1", "#4292c6", "#084594")[number],
        )
    axes.set_xticks(
        range(len(system.latency)),
        [
            f"{'saturated' if each.share is None else format(each.share, '.0%')}\n"
            f"{each.per_second:.0f} a second"
            for each in system.latency
        ],
    )
    axes.set_yscale("log")
    axes.set_title(f"{name}: milliseconds from request to tick", loc="left")
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
