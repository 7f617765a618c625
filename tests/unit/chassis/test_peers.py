"""What counts as reached over verified TLS, and as the name of a proxy."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from chassis.peers import faults_of_proxies, networks, verified_database, verified_place


@pytest.mark.parametrize(
    ("place", "verified"),
    [
        ("https://login.example.org/jwks", True),
        ("/etc/einladung/jwks.json", True),
        ("", True),
        ("http://scheduling:8401/v1/jwks", False),
        ("http://127.0.0.1:8401/v1/jwks", False),
        ("HTTP://scheduling:8401", False),
        (" Http://scheduling:8401", False),
    ],
)
def test_places(place: str, verified: bool) -> None:
    assert verified_place(place) == verified


@pytest.mark.parametrize(
    ("url", "verified"),
    [
        ("postgresql://s:x@db/s?sslmode=verify-full", True),
        ("postgresql://s:x@db/s?sslmode=verify-full&sslrootcert=/etc/ca.pem", True),
        ("postgresql://s:x@db/s?sslmode=disable&sslmode=verify-full", True),
        ("postgresql://s:x@/s?host=/run/postgresql", True),
        ("postgresql://s:x@%2Frun%2Fpostgresql/s", True),
        ("postgresql://s:x@db/s", False),
        ("postgresql://s:x@db/s?sslmode=verify-full&sslmode=disable", False),
        ("postgresql://s:x@db/s?sslmode=verify-ca", False),
        ("postgresql://s:x@db/s?sslmode=require", False),
        ("postgresql://s:x@127.0.0.1/s", False),
        ("postgresql://s:x@/s", False),
        ("postgresql://s:x@/s?host=/run/postgresql,db", False),
        ("postgresql://s:x@db/s?host=/run/postgresql", False),
        ("postgresql://s:x@%2Frun%2Fpostgresql,db/s", False),
    ],
)
def test_databases(url: str, verified: bool) -> None:
    assert verified_database(url) == verified


@pytest.mark.parametrize(
    ("listed", "faults"),
    [
        ("10.0.0.0/8, 192.0.2.1,fd00:1::/32", 0),
        ("::ffff:10.0.0.0/104", 0),
        ("0.0.0.0/0", 1),
        ("10.0.0.0/8,11.0.0.0/8", 1),  # together a /7
        ("0.0.0.0/1,128.0.0.0/1", 1),
        ("::ffff:0:0/96", 1),  # all of IPv4
        ("2000::/3,::/0", 1),
        ("10.0.0.1/8", 1),  # has host bits: an address was meant, or a network
        ("*", 1),
        ("proxy", 1),
    ],
)
def test_proxies(listed: str, faults: int) -> None:
    assert len(faults_of_proxies(listed)) == faults


SIZED_V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)).map(
    lambda drawn: ip_network(drawn, strict=False)
)


@given(st.lists(SIZED_V4, max_size=5), st.ip_addresses(v=4))
def test_what_passes_believes_no_more_than_it_names(named: list[object], stranger: object) -> None:
    listed = ",".join(map(str, named))
    believed = str(stranger) in ProxyHeadersMiddleware(None, listed).trusted_hosts  # type: ignore[arg-type]
    found = networks(listed)
    assert believed == any(ip_address(str(stranger)) in network for network in found)
    if not faults_of_proxies(listed):
        assert all(network.prefixlen >= 8 for network in found)
