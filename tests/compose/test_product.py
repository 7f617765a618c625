"""The compose file brought up, used through its published ports, hurt, scaled, taken down."""

import asyncio
import json
import os
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.topics import ALL_TOPICS
from local.containers.made_secrets import kafka_password_file
from local.kafka_setup import ADMIN, login
from local.practice import DEMO_PRACTICE
from tests.compose.__main__ import PATIENCE_OF_START, SWITCH
from tests.compose.product import (
    DASHBOARD,
    MAILBOX,
    MAILPIT,
    OURS,
    PROJECT,
    SCHEDULING,
    SERVICES,
    Desk,
    compose,
    docker,
    inspected,
    mails,
)
from tests.support import eventually, unknown_address

pytestmark = pytest.mark.skipif(SWITCH not in os.environ, reason="make test-compose runs these")

START = int(os.environ.get(PATIENCE_OF_START, "240"))  # seconds
UP = ("up", "--detach", "--wait", "--wait-timeout", str(START), "--no-build")
LONG = START * 3 / 8  # seconds, after something was killed


@pytest.fixture(scope="module", autouse=True)
def product() -> Iterator[None]:
    """Everything up, and everything removed at the end."""
    compose("down", "--volumes", "--remove-orphans", "--timeout", "5")
    try:
        began = time.monotonic()
        compose(*UP)
        print(f"All containers are healthy after {time.monotonic() - began:.0f} s.")
        yield
    except BaseException:
        print(compose("ps", "--all"), compose("logs", "--tail", "30"))
        raise
    finally:
        compose("down", "--volumes", "--remove-orphans", "--timeout", "20")


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with httpx.AsyncClient(base_url=DASHBOARD, timeout=30) as http:
        at_work = Desk(http)
        await at_work.log_in()
        yield at_work


@contextmanager
def away(service: str) -> Iterator[None]:
    """Killed meanwhile, as by a power cut."""
    compose("kill", service)
    try:
        yield
    finally:
        compose(*UP, "--no-deps", "--no-recreate", service)


async def test_one_appointment_gets_its_tick(desk: Desk) -> None:
    created = await desk.create(patient_name="Wilhelmine Geheim")
    await desk.shows(created, "delivered")
    [mail] = await mails(created["email"])
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{MAILBOX}/api/messages/{mail['id']}")).json()["text"]
        link = re.search(rf"{SCHEDULING}/besuch/[\w-]+", text)
        assert link is not None
        assert (await http.get(link[0])).status_code == 200

        async def copied() -> bool:
            caught = (await http.get(f"{MAILPIT}/api/v1/messages")).json()["messages"]
            return any(created["email"] in str(each["To"]) for each in caught)

        await eventually(copied, "a copy in Mailpit")


async def test_one_appointment_gets_its_mark(desk: Desk) -> None:
    created = await desk.create(email=unknown_address())
    shown = await desk.shows(created, "failed")
    assert shown["channels"]["email"]["status_code"] == "5.1.1"


async def test_a_bounce_turns_the_tick_into_the_mark(desk: Desk) -> None:
    created = await desk.create(email=f"spaeter-unbekannt+{uuid4().hex[:8]}@example.org")
    await desk.shows(created, "delivered")
    shown = await desk.shows(created, "failed")
    assert shown["channels"]["email"]["late"] is True


async def test_a_text_message_is_confirmed_by_its_receipt(desk: Desk) -> None:
    sms = {"channels": ["sms"], "email": None}
    arrives = await desk.create(**sms, phone="0171 3920001")
    unknown = await desk.create(**sms, phone="0171 3920002")
    shown = await desk.shows(arrives, "delivered")
    assert shown["channels"]["sms"]["evidence"] == "confirmed"
    await desk.shows(unknown, "failed")


async def test_the_operator_s_command_line_makes_a_key_that_opens_the_apis() -> None:
    practice = str(DEMO_PRACTICE.id)
    told = compose(
        *("run", "--rm", "--no-TTY", "admin", "key", "create", "--practice", practice),
        *("--name", "Kliniksystem", "--scope", "appointments:read"),
    )
    key, secret = (re.search(rf"{name}: +(\S+)", told) for name in ("id", "secret"))
    assert key is not None
    assert secret is not None
    async with httpx.AsyncClient(base_url=SCHEDULING) as http:
        answer = await http.post(
            "/v1/tokens", auth=(key[1], secret[1]), data={"grant_type": "client_credentials"}
        )
        bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        day = await http.get("/v1/appointments", params={"date": "2030-01-01"}, headers=bearer)
        assert (day.status_code, day.json()["appointments"]) == (200, [])


async def test_the_topics_are_those_of_the_contracts() -> None:
    file = f"/run/secrets/{kafka_password_file(ADMIN)}"
    password = compose("run", "--rm", "--no-TTY", "--entrypoint", "cat", "admin", file)
    admin = login("127.0.0.1:8492", ADMIN, password).admin()
    await admin.start()
    try:
        names = [topic.name for topic in ALL_TOPICS]
        described = {each["topic"]: each for each in await admin.describe_topics(names)}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        [answer] = await admin.describe_configs(asked)
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]} for resource in answer.resources
    }
    for topic in ALL_TOPICS:
        assert len(described[topic.name]["partitions"]) == topic.partitions
        assert configs[topic.name]["retention.ms"] == str(topic.retention_ms)


@pytest.mark.parametrize("service", OURS)
def test_our_containers_can_do_little(service: str) -> None:
    [container] = inspected(service)
    assert container["Config"]["User"] == "10001:10001"
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert container["HostConfig"]["CapDrop"] == ["ALL"]
    assert container["State"]["Health"]["Status"] == "healthy"
    for ports in container["NetworkSettings"]["Ports"].values():
        assert all(port["HostIp"] == "127.0.0.1" for port in ports or ())
    tried = "import os; print(os.getuid(), os.access('/app', os.W_OK))"
    said = compose("exec", "-T", service, "python", "-c", tried)
    assert said.split() == ["10001", "False"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_sees_its_own_secrets_only(service: str) -> None:
    names = compose("exec", "-T", service, "ls", "/run/secrets").split()
    assert names
    assert all(name.startswith(f"{service}_") for name in names)


async def test_kafka_killed_in_the_middle(desk: Desk) -> None:
    with away("kafka"):
        meanwhile = [await desk.create() for _ in range(3)]
    after = await desk.create()
    for created in (*meanwhile, after):
        await desk.shows(created, "delivered", LONG)
        assert len(await mails(created["email"])) == 1


async def test_postgres_killed_in_the_middle(desk: Desk) -> None:
    before = [await desk.create() for _ in range(3)]
    with away("postgres"):
        refused = await desk.try_to_create()
        assert refused.status_code in {500, 502, 503, 504}

    async def created_again() -> bool:
        return (await desk.try_to_create()).status_code == 201

    await eventually(created_again, "appointments are taken again", LONG)
    for created in (*before, await desk.create()):
        await desk.shows(created, "delivered", LONG)


async def test_notification_killed_and_restarted_in_the_middle(desk: Desk) -> None:
    with away("notification"):
        waiting = [await desk.create() for _ in range(5)]
    sending = [await desk.create() for _ in range(5)]
    compose("restart", "notification")
    for created in (*waiting, *sending):
        await desk.shows(created, "delivered", LONG)
        assert await mails(created["email"])


async def test_three_of_notification_share_the_work(desk: Desk) -> None:
    compose(*UP, "--no-recreate", "--scale", "notification=3", "notification")
    assert len(inspected("notification")) == 3
    good = await asyncio.gather(*(desk.create() for _ in range(24)))
    late = await desk.create(email=f"spaeter-voll+{uuid4().hex[:8]}@example.org")
    sms = await desk.create(channels=["sms"], email=None, phone="0171 3920001")
    for created in (*good, sms):
        await desk.shows(created, "delivered", LONG)
    await desk.shows(late, "failed", LONG)
    for created in good:
        assert len(await mails(created["email"])) == 1
    counting = (
        "import re, urllib.request as r; "
        "text = r.urlopen('http://127.0.0.1:8412/metrics').read().decode(); "
        "print(sum(map(float, re.findall(r'events_consumed_total{.*} (.*)', text))))"
    )
    consumed = [
        float(
            compose("exec", "-T", "--index", str(number), "notification", "python", "-c", counting)
        )
        for number in (1, 2, 3)
    ]
    assert sum(count > 0 for count in consumed) >= 2, consumed
    compose(*UP, "--scale", "notification=1", "notification")


def test_the_logs_are_json_and_name_nobody() -> None:
    for service in SERVICES:
        lines = compose("logs", "--no-color", "--no-log-prefix", service).splitlines()
        assert lines
        for line in lines:
            assert json.loads(line)["service"] == service
            assert "Geheim" not in line
            assert "@example.org" not in line


@pytest.mark.parametrize("service", SERVICES)
async def test_a_restart_takes_seconds_and_loses_nothing(desk: Desk, service: str) -> None:
    created = [await desk.create() for _ in range(3)]
    began = time.monotonic()
    compose("stop", service)
    assert time.monotonic() - began < 30
    [container] = inspected(service)
    assert container["State"]["ExitCode"] in {0, 143}  # 137 is a kill after the grace period
    compose(*UP, "--no-deps", "--no-recreate", service)
    for each in created:
        await desk.shows(each, "delivered", LONG)


async def test_after_down_and_up_everything_is_still_there(desk: Desk) -> None:
    created = await desk.create()
    await desk.shows(created, "delivered")
    compose("down", "--timeout", "30")
    assert not docker("ps", "--all", "--quiet", "--filter", f"name={PROJECT}").split()
    compose(*UP)
    await desk.shows(created, "delivered")  # the same session, too
