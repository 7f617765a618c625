"""How often patients' links may be opened, and guessed at, from one address and from everywhere."""

from dataclasses import dataclass

from fastapi import Request

from chassis.throttle import AddressThrottle, Throttle, address_of


@dataclass(frozen=True, slots=True)
class PageThrottle:
    """Slows strangers, and shuts nobody out who has a link.

    Whoever comes with a signed one counts apart from those who guess, also at one address, which
    may be a whole mobile network's.
    """

    links: Throttle  # by address
    guesses: AddressThrottle
    guesses_in_all: Throttle

    def wait(self, request: Request, *, signed: bool) -> float:
        """Count a request, if it may be made now; the seconds to wait if it may not."""
        if signed:
            return self.links.wait(address_of(request))
        # What one address has too much of takes nothing of what everybody shares.
        return self.guesses.wait(request) or self.guesses_in_all.wait("")
