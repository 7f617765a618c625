"""`make bench`: from the request to the tick beside a peer, in a browser, then single stages.

    python -m benchmarks [end-to-end] [browser] [stages] [--without-peer] [--repeats 3]
        [--invitations 4000] [--seconds 10] [--out bench]

Writes result.json and result.svg to the folder `--out`, and the tables into its README.md, if it
has one: `--out docs/performance` is what is shown.

What takes longer has a command of its own, with `--help`: `growth`, `replicas`, `catch-up` and
`dashboards`. Clients run on uvloop, as they take of the processors that are measured.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from benchmarks import catch_up, dashboards, growth, kept, replicas, stages, table
from benchmarks.compared import Plan, both, compare
from benchmarks.result import Result
from local.errors import LocalFailure

PARTS = ("end-to-end", "browser", "stages")
LONG = {
    "growth": growth.report,
    "replicas": replicas.report,
    "catch-up": catch_up.report,
    "dashboards": dashboards.report,
}
BUSY = 0.5  # of the rate at saturation, while somebody clicks
PICTURE = "result.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments and (long := LONG.get(arguments[0])):
        uvloop.run(long(arguments[1:]))
        return 0
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=(*PARTS, []), metavar="|".join(PARTS))
    parser.add_argument("--without-peer", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--invitations", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("bench"))
    options = parser.parse_args(arguments)
    parts = options.parts or PARTS
    if "browser" in parts and "end-to-end" not in parts:
        parser.error("browser goes with end-to-end, whose rate it takes")
    plan = Plan(options.repeats, options.invitations, options.seconds, not options.without_peer)
    try:
        single = stages.report_all() if "stages" in parts else []
        if "end-to-end" in parts:
            result = uvloop.run(_end_to_end(plan, clicked="browser" in parts))
            keep(result.model_copy(update={"stages": single}), options.out)
    except LocalFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


async def _end_to_end(plan: Plan, *, clicked: bool) -> Result:
    async with both(plan) as (ours, peer):
        result = await compare(ours, peer, plan)
        if clicked:
            from benchmarks.browser import clicks  # noqa: PLC0415

            rate = result.ours.per_second.median
            result.browser = [
                await clicks(ours),
                await clicks(ours, share=BUSY, per_second=BUSY * rate),
            ]
        return result


def keep(result: Result, out: Path) -> None:
    """Write and print it, with its picture."""
    kept.keep(out, "result", result, document="README.md", tables=table.tables(result))
    try:
        from benchmarks.picture import draw  # noqa: PLC0415
    except ImportError:
        print("Without matplotlib there is no picture: make bench installs it.", file=sys.stderr)
    else:
        (out / PICTURE).write_text(draw(result))


if __name__ == "__main__":
    sys.exit(main())
