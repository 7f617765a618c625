"""The consumer in Python reads along under an account of its own: all of it, each event once.

Those in Java and TypeScript: tests/clients/test_consumers.py.
"""

import sys
from pathlib import Path

from tests.conftest import Stack
from tests.support import Practice
from tests.support.consumers import CONSUMERS, keeps_each_event_once


async def test_what_happens_is_kept_once_across_ends_and_repeats(
    stack: Stack, practice: Practice, tmp_path: Path
) -> None:
    kept = tmp_path / "events.jsonl"
    command = (sys.executable, CONSUMERS / "python" / "consumer.py", kept)
    await keeps_each_event_once(stack, practice, kept, command)
