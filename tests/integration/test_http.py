"""HTTP as others speak it, at each process of the running stack."""

import re

import pytest

from tests.conftest import Stack
from tests.support import http_client
from tests.support.raw_http import answered

MODULES = ("scheduling", "notification", "status", "dashboard")
PROCESSES = (
    *MODULES,
    "mailbox",
    "phones",
    "identity",
    "rooms",
)
SMUGGLED = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def statuses(stack: Stack, name: str, request: bytes) -> list[int]:
    """The status of each answer, until the server closes."""
    told = await answered(getattr(stack.ports, name), request)
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", told)]


@pytest.mark.parametrize("name", PROCESSES)
async def test_a_body_behind_the_offer_of_an_upgrade_is_no_request(stack: Stack, name: str) -> None:
    head = (
        b"GET /nothing HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    )
    # The server closes after what asks it to, which is the second request and not the body.
    assert len(await statuses(stack, name, head + SMUGGLED + SMUGGLED)) == 2


@pytest.mark.parametrize("name", PROCESSES)
async def test_two_hosts_are_none(stack: Stack, name: str) -> None:
    twice = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert await statuses(stack, name, twice) == [400]


@pytest.mark.parametrize("name", MODULES)
async def test_callers_of_the_api_reach_nothing_of_operations(stack: Stack, name: str) -> None:
    async with http_client(base_url=stack.url(name)) as client:
        for path in ("/health/live", "/health/ready", "/metrics", "/v1/admin/practices"):
            assert (await client.get(path)).status_code == 404, path


@pytest.mark.parametrize("name", PROCESSES)
async def test_nobody_is_sent_to_a_host_that_the_request_names(stack: Stack, name: str) -> None:
    for path in ("/v1/practice/", "/v1/indicators/", "/health/ready/", "/jwks/", "/static"):
        sent = f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
        assert await statuses(stack, name, sent.encode()) in ([404], [400], [401]), path
