"""Who may bring returned mail, and how many of them at a time. No input or output."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address

from chassis.connections import Places
from chassis.peers import Network

MAX_CONNECTIONS = 50
# As many as Postfix opens to one destination (default_destination_concurrency_limit).
MAX_CONNECTIONS_OF_ONE = 20  # of one address, or of one IPv6 network of /64

NOT_YOU = "554 5.7.1 No access from here"  # RFC 5321 section 3.1
TOO_MANY = "421 4.3.2 Too many connections, please try again later"


class Door:
    """Counts who is in; everybody who was let in has to leave."""

    def __init__(self, allowed: Sequence[Network]) -> None:
        self._allowed = allowed
        self._places = Places(MAX_CONNECTIONS_OF_ONE)
        self._inside = 0

    def enter(self, host: str) -> str | None:
        """Let in whoever connects from `host`; or what to answer instead."""
        if not self._may_enter(host):
            return NOT_YOU
        if self._inside >= MAX_CONNECTIONS or not self._places.take(host):
            return TOO_MANY
        self._inside += 1
        return None

    def leave(self, host: str) -> None:
        """Whoever was let in goes."""
        self._places.give_back(host)
        self._inside -= 1

    def _may_enter(self, host: str) -> bool:
        try:
            address = ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._allowed)
