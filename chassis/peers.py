"""Who is at the other end: what is reached over verified TLS, and which proxies are believed.

Pure rules for settings. Verified means that nobody between, or in the place of, a peer can be taken
for it: an encrypted connection whose certificate is not checked is not.
"""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import TypeAlias
from urllib.parse import parse_qs, unquote, urlsplit

Network: TypeAlias = IPv4Network | IPv6Network

# A network of proxies is no wider: callers in it choose the address that limits count.
WIDEST_V4 = 8
WIDEST_V6 = 32
_MAPPED = IPv6Network("::ffff:0:0/96")  # IPv4 as a socket for both shows it


def verified_place(place: str) -> bool:
    """Whether what is at this URL or in this file can't be a stranger's.

    A scheme is read as clients read it: in any case (RFC 3986, section 3.1), after blanks.
    """
    return not place.lstrip().lower().startswith("http:")


def verified_database(url: str) -> bool:
    """Whether a postgresql:// URL leads to the server it names, or stays on this machine.

    Read as asyncpg does: the last of several parameters counts, and the authority before `host`.
    Without a host asyncpg tries localhost as well, so the socket's folder has to be named.
    """
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if query.get("sslmode") == "verify-full":
        return True
    before, at, after = parts.netloc.partition("@")
    named = unquote(after if at else before) or query.get("host", "")
    return all(host.startswith("/") for host in named.split(","))


def networks(listed: str) -> list[Network]:
    """The addresses and networks of a list with commas; what is none is passed over."""
    return [network for _, network in _parsed(listed) if network is not None]


def faults_of_proxies(listed: str) -> list[str]:
    """What can't stand in FORWARDED_ALLOW_IPS: what is no address or network, or too wide a one."""
    return [
        *(f"{name} is no address and no network" for name, found in _parsed(listed) if not found),
        *too_wide(networks(listed)),
    ]


def too_wide(named: Iterable[Network]) -> list[str]:
    """Of networks of peers, those that hold strangers too.

    Networks count together, so that many narrow ones make no wide one.
    """
    v4: list[IPv4Network] = []
    v6: list[IPv6Network] = []
    for network in named:
        if isinstance(network, IPv4Network):
            v4.append(network)
        elif network.subnet_of(_MAPPED):
            v4.append(_unmapped(network))
        else:
            v6.append(network)
    return [
        *_wider(collapse_addresses(v4), WIDEST_V4),
        *_wider(collapse_addresses(v6), WIDEST_V6),
    ]


def _parsed(listed: str) -> Iterator[tuple[str, Network | None]]:
    for name in filter(None, (each.strip() for each in listed.split(","))):
        try:
            yield name, ip_network(name)
        except ValueError:
            yield name, None


def _unmapped(network: IPv6Network) -> IPv4Network:
    start = int(network.network_address) & 0xFFFF_FFFF
    return IPv4Network((start, network.prefixlen - _MAPPED.prefixlen))


def _wider(networks: Iterable[Network], widest: int) -> list[str]:
    return [f"{each} is wider than /{widest}" for each in networks if each.prefixlen < widest]
