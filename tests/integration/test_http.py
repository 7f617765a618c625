"""HTTP as others speak it, at each process of the running stack."""

import asyncio
import re

import pytest

from tests.conftest import Stack
from tests.support import PATIENCE

PROCESSES = (
    "scheduling",
    "notification",
    "status",
    "dashboard",
    "mailbox",
    "phones",
    "identity",
    "rooms",
)
SMUGGLED = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def statuses(stack: Stack, name: str, request: bytes) -> list[int]:
    """The status of each answer, until the server closes."""
    port = getattr(stack.ports, name)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            answered = await reader.read()
    finally:
        writer.close()
    return [int(each) for each in re.findall(rb"HTTP/1\.1 (\d{3}) ", answered)]


@pytest.mark.parametrize("name", PROCESSES)
async def test_a_body_behind_the_offer_of_an_upgrade_is_no_request(stack: Stack, name: str) -> None:
    head = (
        b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade, HTTP2-Settings\r\n"
        b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    )
    # The server closes after what asks it to, which is the second request and not the body.
    assert len(await statuses(stack, name, head + SMUGGLED + SMUGGLED)) == 2


@pytest.mark.parametrize("name", PROCESSES)
async def test_two_hosts_are_none(stack: Stack, name: str) -> None:
    twice = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert await statuses(stack, name, twice) == [400]
