"""How often patients' links may be opened, from one address and from everywhere."""

from dataclasses import dataclass

from chassis.throttle import Throttle


@dataclass(frozen=True, slots=True)
class PageThrottle:
    """Slows guessing of links and keeps one address from taking everybody's place."""

    per_address: Throttle
    in_all: Throttle

    def wait(self, address: str) -> float:
        """Count a request, if it may be made now; the seconds to wait if it may not."""
        # What one address has too much of takes nothing of what everybody shares.
        return self.per_address.wait(address) or self.in_all.wait("")
