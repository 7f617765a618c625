"""`make bench`: from the request to the tick, then each stage for itself.

`ARGS=end-to-end` or `ARGS=stages` does the one alone.
"""

import asyncio
import sys

from benchmarks import end_to_end, stages

if __name__ == "__main__":
    wanted = sys.argv[1:] or ["end-to-end", "stages"]
    if "end-to-end" in wanted:
        asyncio.run(end_to_end.report())
    if "stages" in wanted:
        stages.report_all()
