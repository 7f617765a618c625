"""Scheduling, status and dashboard behind mutual TLS, on the running stack."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from chassis.probe import healthy
from chassis.tls import TlsFiles
from local.processes import Child
from tests.conftest import Stack
from tests.support import PATIENCE, Practice
from tests.support.certificates import self_signed
from tests.support.keys import bearer, new_key
from tests.support.visitor import new_visitor

REPLICA = 7
OURS = ("TLS_CERTIFICATE_FILE", "TLS_CLIENT_CA_FILE", "TLS_CA_FILE")
PEERS: dict[str, dict[str, str]] = {
    "scheduling": {},
    "status": {"STATUS_API_KEYS_JWKS": "{scheduling}/v1/jwks"},
    "dashboard": {"DASHBOARD_SCHEDULING_URL": "{scheduling}", "DASHBOARD_STATUS_URL": "{status}"},
}


def secure(stack: Stack, name: str) -> str:
    """Where the replica of a service is reached."""
    return stack.url(f"{name}-{REPLICA}").replace("http:", "https:")


@pytest_asyncio.fixture
async def tls(stack: Stack, tmp_path: Path) -> AsyncIterator[ssl.SSLContext]:
    """A client's side of TLS, while a replica of each speaks mutual TLS and nothing else."""
    file = str(self_signed(tmp_path / "ours.pem"))
    started: list[Child] = []
    try:
        for name, peers in PEERS.items():
            urls = {each: secure(stack, each) for each in ("scheduling", "status")[: len(started)]}
            own = {f"{name.upper()}_{variable}": file for variable in OURS}
            own |= {variable: place.format(**urls) for variable, place in peers.items()}
            with stack.configured(name, **own):
                started.append(await stack.start_service(name, replica=REPLICA))
        yield TlsFiles(certificate=file, peers_ca=file).for_peers()
    finally:
        for replica in started:
            await replica.stop()


async def test_services_and_dashboard_speak_mutual_tls(
    stack: Stack, demo_practice: Practice, tls: ssl.SSLContext
) -> None:
    created = await demo_practice.create()
    await demo_practice.shows(created["id"], "delivered")
    key = await bearer(stack, await new_key(stack, demo_practice.id, "status:read"))
    asked = {"appointment_id": created["id"]}
    async with httpx.AsyncClient(verify=tls, timeout=PATIENCE) as client:
        # Checked with scheduling's keys, which status reads over TLS with its own certificate.
        url = f"{secure(stack, 'status')}/v1/indicators/{created['id']}"
        assert (await client.get(url, headers=key)).json()["overall"] == "delivered"
        async with new_visitor(stack) as visitor:
            await visitor.log_in()
            client.cookies = visitor.http.cookies
        through = f"{secure(stack, 'dashboard')}/api/status/indicators"
        answer = await client.get(through, params=asked)
        assert (answer.status_code, created["id"] in answer.text) == (200, True)


@pytest.mark.parametrize("name", PEERS)
async def test_without_a_certificate_only_operations_are_answered(
    stack: Stack, tls: ssl.SSLContext, tmp_path: Path, name: str
) -> None:
    nobody = TlsFiles(peers_ca=str(tmp_path / "ours.pem")).for_peers()
    async with httpx.AsyncClient(verify=nobody, timeout=PATIENCE) as client:
        with pytest.raises(httpx.TransportError):
            await client.get(secure(stack, name))
        with pytest.raises(httpx.TransportError):
            await client.get(stack.url(f"{name}-{REPLICA}"))
        url = stack.operations_url(f"{name}-{REPLICA}")
        answer = await client.get(f"{url.replace('http:', 'https:')}/metrics")
        assert "python_info" in answer.text
        assert await asyncio.to_thread(healthy, httpx.URL(url).port or 0, "/health/live")
