"""How often somebody may ask: token buckets in this process's memory, of which there are few.

Each process counts for itself, so N replicas let N times as much through. What has to hold exactly
is not limited here; this keeps guessing slow and one caller from taking everybody's place.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from fastapi import Request

from chassis.problems import KnownProblem
from chassis.said import Said

# Prefix lengths of IPv6: a network that one client has; what a household or a site is given, which
# is 256 or 65,536 of them (RFC 6177). With how many clients' worth each may ask together.
NETWORKS = {64: 1, 56: 4, 48: 16}
MOST_CALLERS = 10_000  # remembered at once; who came longest ago is forgotten first


class TooManyRequests(KnownProblem):
    """Too many requests; Retry-After says when to come back (RFC 6585, section 4)."""

    status = 429
    type_ = "too-many-requests"
    title = Said("Zu viele Anfragen; später wieder.", "Too many requests; come back later.")
    advice = Said(
        "Nach `Retry-After` Sekunden wiederholen; es ist nichts geschehen.",
        "Repeat it after `Retry-After` seconds; nothing was done.",
    )

    def __init__(self, seconds: float, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(headers={**(headers or {}), "Retry-After": str(math.ceil(seconds))})


class Throttle:
    """Lets each caller ask `per_minute` times at once, and as often again in every minute."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._capacity = per_minute
        self._per_second = per_minute / 60
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at

    def take(self, caller: str) -> None:
        """Count one request. Raises TooManyRequests."""
        wait = self.wait(caller)
        if wait > 0:
            raise TooManyRequests(wait)

    def standing(self, caller: str, name: str) -> dict[str, str]:
        """What this caller may still do, as headers (draft-ietf-httpapi-ratelimit-headers-10).

        `name` is the quota's. Of w seconds' worth of requests r are left; after t all are again.
        """
        tokens = self._tokens(caller, self._now())
        whole = math.ceil((self._capacity - tokens) / self._per_second)
        return {
            "RateLimit-Policy": f'"{name}";q={self._capacity};w=60',
            "RateLimit": f'"{name}";r={math.floor(tokens)};t={whole}',
        }

    def wait(self, caller: str) -> float:
        """Count one request, if it may be made now; the seconds to wait if it may not."""
        now = self._now()
        tokens = self._tokens(caller, now)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - allowed, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / self._per_second

    def _tokens(self, caller: str, now: float) -> float:
        tokens, at = self._buckets.get(caller, (float(self._capacity), now))
        return min(self._capacity, tokens + (now - at) * self._per_second)


class AddressThrottle:
    """Lets each address ask `per_minute` times, and IPv6 networks as much more as NETWORKS says."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._throttles = [Throttle(per_minute * more, now=now) for more in NETWORKS.values()]

    def take(self, request: Request, what: str = "") -> None:
        """Count one request for `what`, each of which has its own count. Raises TooManyRequests."""
        wait = self.wait(request, what)
        if wait > 0:
            raise TooManyRequests(wait)

    def wait(self, request: Request, what: str = "") -> float:
        """As `take`; the seconds to wait if it may not be made now."""
        # What a smaller network has too much of takes nothing of what the larger one shares.
        for throttle, network in zip(self._throttles, networks_of(request), strict=False):
            if wait := throttle.wait(f"{what} {network}"):
                return wait
        return 0.0


def address_of(request: Request) -> str:
    """Where a request comes from: the address, or of IPv6 the network that one client has."""
    return networks_of(request)[0]


def networks_of(request: Request) -> tuple[str, ...]:
    """The address of a request alone, or of IPv6 its networks of NETWORKS, smallest first.

    Behind a proxy this is the client's address only if uvicorn trusts it (FORWARDED_ALLOW_IPS).
    """
    return networks_around(request.client.host if request.client else "")


def networks_around(host: str) -> tuple[str, ...]:
    """As `networks_of`, of an address; what is none stays as it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return (host,)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return (str(address.ipv4_mapped),)
        return tuple(str(ipaddress.ip_network((address, bits), strict=False)) for bits in NETWORKS)
    return (str(address),)
