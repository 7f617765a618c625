"""What is never called, whatever a practice or a name server says."""

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.webhooks.addresses import Reach, RefusedUrl

STRICT = Reach()
# From IANA's registries of special-purpose addresses, read apart from the code.
INSIDE_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
]
INSIDE_V6 = [
    "::/128",
    "::1/128",
    "::/96",
    "100::/64",
    "2001::/32",
    "2001:10::/28",
    "2001:20::/28",
    "2001:db8::/32",
    "2002::/16",
    "3fff::/20",
    "5f00::/16",
    "64:ff9b:1::/48",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]


def within(networks: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(networks).flatmap(
        lambda network: st.integers(
            int(ip_network(network).network_address), int(ip_network(network).broadcast_address)
        ).map(lambda number: str(type(ip_network(network).network_address)(number)))
    )


@given(within(INSIDE_V4))
def test_no_special_ipv4_address_is_called_however_it_is_written(text: str) -> None:
    number = int(IPv4Address(text))
    assert not STRICT.allows(ip_address(text))
    for wrapped in ("::ffff:0:0", "64:ff9b::", "::", "2002::"):
        shift = 80 if wrapped == "2002::" else 0
        assert not STRICT.allows(IPv6Address(int(IPv6Address(wrapped)) | number << shift))
    with pytest.raises(RefusedUrl, match="address"):
        STRICT.check_url(f"https://{text}/hook")


@given(within(INSIDE_V6))
def test_no_special_ipv6_address_is_called(text: str) -> None:
    assert not STRICT.allows(ip_address(text))
    with pytest.raises(RefusedUrl, match="address"):
        STRICT.check_url(f"https://[{text}]/hook")


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_is_called_is_what_python_too_calls_global(address: IPv4Address | IPv6Address) -> None:
    if STRICT.allows(address):
        mapped = getattr(address, "ipv4_mapped", None)
        assert (mapped or address).is_global
        assert not (mapped or address).is_multicast


@pytest.mark.parametrize(
    "text",
    ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450:4001::1", "64:ff9b::808:808"],
)
def test_public_addresses_are_called(text: str) -> None:
    assert STRICT.allows(ip_address(text))


def test_a_hospital_may_name_networks_of_its_own() -> None:
    reach = Reach(networks=(ip_network("10.7.0.0/16"), ip_network("fd00:7::/32")))
    for text in ("10.7.1.2", "::ffff:10.7.1.2", "fd00:7::1"):
        assert reach.allows(ip_address(text))
    assert Reach(networks=(ip_network("10.7.0.1/32"),)).allows(ip_address("64:ff9b::10.7.0.1"))
    for text in ("10.8.0.1", "127.0.0.1", "fd00:8::1", "169.254.169.254"):
        assert not reach.allows(ip_address(text))


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://clinic.example/hook", "scheme"),
        ("ftp://clinic.example/", "scheme"),
        ("//clinic.example/", "scheme"),
        ("https://", "syntax"),
        ("https:///hook", "syntax"),
        ("https://clinic.example/#part", "syntax"),
        ("https://clinic.example/a b", "syntax"),
        ("https://clinic.example\\@127.0.0.1/", "syntax"),
        ("https://clinic.example/\n", "syntax"),
        ("https://klinik-ü.example/", "syntax"),
        ("https://[::1/", "syntax"),
        ("https://clinic.example:99999/", "syntax"),
        ("https://clinic.example:0/", "port"),
        ("https://clinic.example:22/", "port"),
        ("https://clinic.example:5432/", "port"),
        ("https://user@clinic.example/", "credentials"),
        ("https://user:password@clinic.example/", "credentials"),
        ("https://127.0.0.1/", "address"),
        ("https://[::ffff:127.0.0.1]/", "address"),
        ("https://[fe80::1%25eth0]/", "address"),
        ("https://169.254.169.254/latest/meta-data/", "address"),
        ("https://clinic.example/" + "a" * 2000, "syntax"),
    ],
)
def test_urls_that_are_refused(url: str, fault: str) -> None:
    with pytest.raises(RefusedUrl) as refused:
        STRICT.check_url(url)
    assert str(refused.value) == fault


@pytest.mark.parametrize(
    "url",
    [
        "https://clinic.example",
        "https://clinic.example:8443/hook?key=value",
        "HTTPS://Clinic.Example:443/",
        "https://8.8.8.8/",
        "https://xn--klinik-kva.example/",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    STRICT.check_url(url)


def test_a_url_is_as_long_as_it_may_be() -> None:
    url = "https://clinic.example/"
    STRICT.check_url(url + "a" * (2000 - len(url)))
    with pytest.raises(RefusedUrl, match="syntax"):
        STRICT.check_url(url + "a" * (2001 - len(url)))


def test_where_it_is_tried_out_http_and_every_port_will_do() -> None:
    lax = Reach(ports=frozenset(), plain_http=True)
    for url in (
        "http://clinic.example:8080/",
        "https://clinic.example:22/",
        "http://clinic.example",
    ):
        lax.check_url(url)
    for url in ("ftp://clinic.example/", "ws://clinic.example/"):
        with pytest.raises(RefusedUrl, match="scheme"):
            lax.check_url(url)
    with pytest.raises(RefusedUrl, match="port"):
        lax.check_url("http://clinic.example:0/")
    with pytest.raises(RefusedUrl, match="port"):
        Reach(plain_http=True).check_url("http://clinic.example/")  # which is 80


@given(st.text(max_size=60) | st.from_regex(r"https://[\[\]:.@\w%-]{0,30}/?", fullmatch=True))
def test_whatever_is_written_there_is_an_answer(text: str) -> None:
    with suppress(RefusedUrl):
        STRICT.check_url(text)
        assert text.lower().startswith("https://")
