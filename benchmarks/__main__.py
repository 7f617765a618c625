"""`make bench`: from the request to the tick, then each stage for itself.

`ARGS=end-to-end` or `ARGS=stages` does the one alone. What takes longer has a command of its own:
`ARGS=growth`, `catch-up`, `dashboards` and `replicas`, each with `--help`.
"""

import asyncio
import sys

from benchmarks import end_to_end, growth, stages

LONG = {"growth": growth.report}

if __name__ == "__main__":
    wanted = sys.argv[1:] or ["end-to-end", "stages"]
    if wanted[0] in LONG:
        asyncio.run(LONG[wanted[0]](wanted[1:]))
    if "end-to-end" in wanted:
        asyncio.run(end_to_end.report())
    if "stages" in wanted:
        stages.report_all()
