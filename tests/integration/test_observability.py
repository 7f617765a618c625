"""What a monitoring system is given: metrics by route, how far behind consumers are, JSON logs."""

import asyncio
import json
import re
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.ports import free_port
from local.processes import REPOSITORY
from tests.conftest import Stack
from tests.support import Practice, eventually, http_client
from tests.support.settings import SERVICE

PROCESSES = ("scheduling", "notification", "status", "dashboard")
TOPICS_OF = {
    "notification": ("clinic.invitations.requested.v1", "clinic.appointments.v1"),
    "status": ("clinic.invitations.outcomes.v1", "clinic.appointments.v1"),
}


async def metrics(stack: Stack, name: str) -> str:
    async with http_client(base_url=stack.operations_url(name)) as client:
        return (await client.get("/metrics")).text


@pytest.mark.parametrize("name", PROCESSES)
async def test_every_process_is_alive_ready_and_measured(stack: Stack, name: str) -> None:
    async with http_client(base_url=stack.operations_url(name)) as client:
        for path in ("/health/live", "/health/ready"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (200, {"faults": []})
    told = await metrics(stack, name)
    assert 'http_requests_total{method="GET",route="/health/live",status="200"}' in told
    assert "process_resident_memory_bytes" in told


@pytest.mark.parametrize("name", PROCESSES)
async def test_garbage_is_looked_for_once_a_process_serves(stack: Stack, name: str) -> None:
    async def looks() -> float:
        told = await metrics(stack, name)
        found = re.search(
            r'^python_gc_collections_total{generation="0"} (\S+)$', told, re.MULTILINE
        )
        assert found is not None
        return float(found[1])

    before = await looks()

    async def looked() -> bool:
        return await looks() > before

    port = urlsplit(stack.url(name)).port
    async with AsyncExitStack() as connections:  # which are kept, so that what each takes adds up
        for _ in range(300):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            connections.callback(writer.close)
        await eventually(looked, "a look for garbage")


async def test_requests_are_counted_by_route_and_never_by_address(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.scheduling.get(f"/v1/appointments/{created['id']}")
    await practice.scheduling.request("BREW", "/no/such/place")
    told = await metrics(stack, "scheduling")
    assert 'method="POST",route="/v1/appointments",status="201"' in told
    assert 'route="/v1/appointments/{appointment_id}",status="200"' in told
    assert created["id"] not in told
    assert "BREW" not in told
    assert "no/such/place" not in told


@pytest.mark.parametrize("name", TOPICS_OF)
async def test_a_consumer_tells_how_far_behind_it_is(
    practice: Practice, stack: Stack, name: str
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")

    async def caught_up() -> bool:
        told = await metrics(stack, name)
        return all(f'consumer_unread{{topic="{topic}"}} 0.0' in told for topic in TOPICS_OF[name])

    await eventually(caught_up, "nothing left to read")


async def test_every_line_of_every_log_is_json_and_says_whose_it_is(
    practice: Practice, stack: Stack
) -> None:
    await practice.create()
    for name in PROCESSES:
        lines = (stack.folder.logs / f"{name}.log").read_text().splitlines()
        assert lines
        for line in lines:
            entry = json.loads(line)
            assert entry["service"] == name
            assert {"event", "level", "timestamp"} <= entry.keys()


COMPLETE = {
    "STATUS_DATABASE_URL": "postgresql://status:geheim@db/status?sslmode=verify-full",
    "STATUS_KAFKA_BOOTSTRAP": "kafka:9093",
    "STATUS_KAFKA_USERNAME": "status",
    "STATUS_KAFKA_PASSWORD": "geheim",
    "STATUS_EVENT_PUBLIC_KEYS": json.dumps(SERVICE["event_public_keys"]),
    "STATUS_AUTH_ISSUER": "https://login.example.org",
    "STATUS_AUTH_JWKS": "https://login.example.org/jwks",
}


def started_with(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A status service that is given these settings alone, when it has ended."""
    return subprocess.run(
        [sys.executable, "-m", "services.status"],
        cwd=REPOSITORY,
        env={"PATH": str(Path(sys.executable).parent)} | settings,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({}, "STATUS_DATABASE_URL: Field required"),
        ({"STATUS_STREAMS": "many"}, "STATUS_STREAMS: "),
        ({"STATUS_KAFKA_SECURITY": "plaintext"}, "production refuses kafka_security=plaintext"),
        ({"STATUS_API_KEYS_JWKS": "http://scheduling:8401/v1/jwks"}, "for api_keys_jwks"),
        ({"STATUS_ENVIRONMENT": "local", "STATUS_HOST": "0.0.0.0"}, "loopback address only"),
    ],
)
def test_refused_settings_are_one_line_of_the_log(settings: dict[str, str], fault: str) -> None:
    ended = started_with(COMPLETE | settings if settings else {})
    assert ended.returncode == 2
    [line] = ended.stdout.splitlines()
    assert json.loads(line)["event"] == "settings refused"
    assert fault in line
    assert "geheim" not in ended.stdout + ended.stderr


def test_a_start_in_a_trusted_network_says_what_is_reached_without_tls() -> None:
    ended = started_with(
        COMPLETE
        | {
            "STATUS_NETWORK": "trusted",
            "STATUS_API_KEYS_JWKS": "http://scheduling:8401/v1/jwks",
            "STATUS_DATABASE_URL": f"postgresql://status:geheim@127.0.0.1:{free_port()}/status",
            "STATUS_PORT": str(free_port()),
            "STATUS_OPERATIONS_PORT": str(free_port()),
        }
    )
    told = [json.loads(line) for line in ended.stdout.splitlines()]
    warnings = [each for each in told if each["event"] == "network trusted"]
    assert len(warnings) == 1, ended
    [warning] = warnings
    assert warning["level"] == "warning"
    assert warning["without_verified_tls"] == ["database_url", "api_keys_jwks"]
    assert "geheim" not in ended.stdout + ended.stderr
