"""How often somebody may ask: token buckets in this process's memory, of which there are few.

Each process counts for itself, so N replicas let N times as much through. What has to hold exactly
is not limited here; this keeps guessing slow and one caller from taking everybody's place.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from fastapi_problem.error import StatusProblem

MOST_CALLERS = 10_000  # remembered at once; who came longest ago is forgotten first


class TooManyRequests(StatusProblem):
    """429, with the seconds to wait (RFC 6585, section 4)."""

    status = 429
    type_ = "too-many-requests"
    title = "Too many requests; come back later."

    def __init__(self, seconds: float) -> None:
        super().__init__(headers={"Retry-After": str(math.ceil(seconds))})


class Throttle:
    """Lets each caller ask `per_minute` times at once, and as often again in every minute."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self._capacity = per_minute
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, at

    def take(self, caller: str) -> None:
        """Count one request. Raises TooManyRequests."""
        wait = self.wait(caller)
        if wait > 0:
            raise TooManyRequests(wait)

    def wait(self, caller: str) -> float:
        """Count one request, if it may be made now; the seconds to wait if it may not."""
        now = self._now()
        tokens, at = self._buckets.pop(caller, (float(self._capacity), now))
        rate = self._capacity / 60
        tokens = min(self._capacity, tokens + (now - at) * rate)
        allowed = tokens >= 1
        self._buckets[caller] = (tokens - allowed, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate


def address_of(request: Request) -> str:
    """Where a request comes from: the address, or of IPv6 the network that one client has.

    Behind a proxy this is the client's address only if uvicorn trusts it (FORWARDED_ALLOW_IPS).
    """
    return one_client(request.client.host if request.client else "")


def one_client(host: str) -> str:
    """An address, or of IPv6 the network that one client has; what is neither as it is."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
