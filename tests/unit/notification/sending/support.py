"""What tests of several modules of sending need."""

from dataclasses import dataclass


@dataclass
class Clock:
    """A monotonic clock that stands still until it is moved."""

    time: float = 1000.0

    def __call__(self) -> float:
        return self.time
