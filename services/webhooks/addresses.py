"""Where receivers may be: rules of URLs and of addresses, so that nobody has us call what is ours.

Pure. A practice chooses the URL, and whoever owns the name behind it chooses the address, anew at
each call. So the address is judged that is connected to (`sending`), and this module says how.
"""

from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import TypeAlias
from urllib.parse import urlsplit

from chassis.peers import Network

Address: TypeAlias = IPv4Address | IPv6Address

MAX_URL = 2000  # characters
DEFAULT_PORTS = {"https": 443, "http": 80}

# IANA's special-purpose registries (RFC 6890), and what else is nobody's server. Written down, as
# what Python's is_global leaves out differs by its version, and multicast counts as global there.
_NOT_PUBLIC_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",  # and the metadata services of clouds
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/3",
        ),
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")  # all that is given out
_NOT_PUBLIC_V6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # Teredo, benchmarking, ORCHID
            "2001:db8::/32",
            "2002::/16",  # 6to4: the address inside may be anybody's
            "3fff::/20",
        ),
    )
)
_TRANSLATED = IPv6Network("64:ff9b::/96")  # how an IPv6-only network reaches IPv4 (RFC 6052)


class RefusedUrl(ValueError):
    """A URL that is not called; the text is a code: syntax, scheme, port, credentials, address."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be called: these ports (none: every one) at public addresses and these networks."""

    ports: frozenset[int] = frozenset({443, 8443})
    networks: tuple[Network, ...] = ()
    plain_http: bool = False

    def check_url(self, url: str) -> None:
        """Raise RefusedUrl for what is not called, whatever its name leads to."""
        if len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
            raise RefusedUrl("syntax")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise RefusedUrl("syntax") from None
        if "\\" in url or not host or parts.fragment or "#" in url:
            raise RefusedUrl("syntax")
        if parts.scheme != "https" and not (self.plain_http and parts.scheme == "http"):
            raise RefusedUrl("scheme")
        if parts.username is not None or parts.password is not None:
            raise RefusedUrl("credentials")
        if port is None:
            port = DEFAULT_PORTS[parts.scheme]
        if port == 0 or (self.ports and port not in self.ports):
            raise RefusedUrl("port")
        try:
            literal = ip_address(host)
        except ValueError:
            return  # a name: judged by what it leads to, at each call
        if not self.allows(literal):
            raise RefusedUrl("address")

    def allows(self, address: Address) -> bool:
        """Whether this address may be connected to."""
        address = _unwrapped(address)
        if any(address in each for each in self.networks):
            return True
        return _public(address)


def _public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in each for each in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in each for each in _NOT_PUBLIC_V6)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address
