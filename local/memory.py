"""How much memory this process and all that it started use, by what it is used for."""

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress

import psutil

REST = "the rest"


def used(parts: Mapping[str, Iterable[int]]) -> Counter[str]:
    """Bytes by part, the largest first in `most_common`; `parts` names processes by their ids.

    What a process has started counts as it does. Pages that several share are shared out among them
    (PSS); where the system doesn't tell, each counts all of its own (RSS).
    """
    part_of = {pid: name for name, pids in parts.items() for pid in pids}
    found: Counter[str] = Counter()
    ours = psutil.Process()
    for process in (ours, *ours.children(recursive=True)):  # parents come before their children
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            part = part_of.setdefault(process.pid, part_of.get(process.ppid(), REST))
            memory = process.memory_full_info()
            found[part] += getattr(memory, "pss", memory.rss)
    return found
