"""Entry point: `python -m services.scheduling.admin`."""

import asyncio
import os
import sys

from services.scheduling.admin.program import run

sys.exit(asyncio.run(run(sys.argv[1:], os.environ)))
