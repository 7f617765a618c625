"""Who may bring returned mail, and how many of them at a time. No input or output."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from chassis.throttle import networks_around

Network: TypeAlias = IPv4Network | IPv6Network

MAX_CONNECTIONS = 50
# As many as Postfix opens to one destination (default_destination_concurrency_limit).
MAX_CONNECTIONS_OF_ONE = 20  # of one address, or of one IPv6 network of /64

NOT_YOU = "554 5.7.1 No access from here"  # RFC 5321 section 3.1
TOO_MANY = "421 4.3.2 Too many connections, please try again later"


class Door:
    """Counts who is in; everybody who was let in has to leave."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._inside: Counter[str] = Counter()

    def enter(self, host: str) -> str | None:
        """Let in whoever connects from `host`; or what to answer instead."""
        if not self._may_enter(host):
            return NOT_YOU
        one = networks_around(host)[0]
        if self._inside.total() >= MAX_CONNECTIONS or self._inside[one] >= MAX_CONNECTIONS_OF_ONE:
            return TOO_MANY
        self._inside[one] += 1
        return None

    def leave(self, host: str) -> None:
        """Whoever was let in goes."""
        one = networks_around(host)[0]
        self._inside[one] -= 1
        if self._inside[one] <= 0:
            del self._inside[one]

    def _may_enter(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed)
