"""A watch that a test moves."""

from dataclasses import dataclass


@dataclass
class Watch:
    """A monotonic clock that stands still until it is moved."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time
