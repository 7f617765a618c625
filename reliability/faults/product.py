"""The whole product for a campaign: replicas of each service, and proxies between all that talk."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from local.folder import cache_folder
from local.kafka import Kafka
from local.kafka_setup import Listener
from local.ports import Ports, free_base, free_port
from local.servers import Servers
from local.stack import Stack, embedded
from reliability import SERVICES
from reliability.faults.proxy import Proxy

REPLICAS = 3
MAILBOX, PHONES = "notification to mailbox", "notification to phones"
INTAKE, RECEIPTS = "mailbox to notification", "phones to notification"
# As in production, but for waits that a pause is to outlast, and bounds that load would meet.
SETTINGS = {
    "scheduling": {
        "SCHEDULING_WRITES_PER_MINUTE": "1000000",
        "SCHEDULING_DAILY_MESSAGES": ('{"basic": 100000, "standard": 100000, "premium": 100000}'),
        "SCHEDULING_DAILY_SMS_PER_COUNTRY": "100000",
        "SCHEDULING_DAILY_MESSAGES_PER_ADDRESS": "100000",
    },
    "notification": {
        "NOTIFICATION_LEASE_SECONDS": "10",
        "NOTIFICATION_POLL_SECONDS": "0.5",
        "NOTIFICATION_RETRY_FIRST_SECONDS": "1",
        "NOTIFICATION_RETRY_LONGEST_SECONDS": "10",
        "NOTIFICATION_SMTP_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMTP_MESSAGE_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMS_TIMEOUT_SECONDS": "8",
        "NOTIFICATION_SMS_PER_SECOND": "50",
        "NOTIFICATION_KAFKA_ERASURE_POLL_SECONDS": "3600",
    },
    "status": {"STATUS_POLL_SECONDS": "1"},
}


def replicas(service: str) -> list[str]:
    """As the stack names them."""
    return [service, *(f"{service}-{number}" for number in range(2, REPLICAS + 1))]


@asynccontextmanager
async def product(
    folder: Path, say: Callable[[str], None]
) -> AsyncIterator[tuple[Stack, Mapping[str, Proxy]]]:
    """All of it, running, and its links by name."""
    base = free_base()
    ports = Ports(base)
    links = _links(ports)
    stack = Stack(
        folder,
        base_port=base,
        env=_environment(links),
        servers=_servers(links),
        journals=True,
        later=(*SERVICES, "webhooks", "fhir"),
    )
    try:
        for name, link in links.items():
            if name not in {INTAKE, RECEIPTS}:  # on ports of the stack, or to ones not known yet
                await link.start()
        await stack.start(say)
        await links[INTAKE].start()
        await _by_way_of_proxies(stack, links)
        for number in range(2, REPLICAS + 1):
            await asyncio.gather(*(stack.start_service(name, replica=number) for name in SERVICES))
        links[RECEIPTS].targets = [
            int(stack.url(name).rpartition(":")[2]) for name in replicas("notification")
        ]
        await links[RECEIPTS].start()
        say("Everything is ready.")
        yield stack, links
    finally:
        await stack.stop()
        for link in links.values():
            await link.stop()


def _links(ports: Ports) -> dict[str, Proxy]:
    links = {f"{name} to PostgreSQL": Proxy(free_port(), [ports.postgres]) for name in SERVICES}
    links |= {_to_kafka(name): Proxy(free_port(), [free_port()]) for name in SERVICES}
    return links | {
        MAILBOX: Proxy(free_port(), [ports.smtp]),
        PHONES: Proxy(free_port(), [ports.phones]),
        INTAKE: Proxy(ports.bounces, [free_port()]),
        RECEIPTS: Proxy(free_port(), []),
    }


def _to_kafka(name: str) -> str:
    return f"{name} to Kafka"


def _environment(links: Mapping[str, Proxy]) -> dict[str, dict[str, str]]:
    env = {name: dict(values) for name, values in SETTINGS.items()}
    for name in SERVICES:
        address = f"127.0.0.1:{links[_to_kafka(name)].port}"
        env[name][f"{name.upper()}_KAFKA_BOOTSTRAP"] = address
    env["notification"] |= {
        "NOTIFICATION_SMTP_PORT": str(links[MAILBOX].port),
        "NOTIFICATION_SMS_WEBHOOK_URL": f"http://127.0.0.1:{links[PHONES].port}/v1",
        "NOTIFICATION_INTAKE_PORT": str(links[INTAKE].targets[0]),
        "NOTIFICATION_SMS_RECEIPTS_URL": f"http://127.0.0.1:{links[RECEIPTS].port}",
    }
    return env


def _servers(links: Mapping[str, Proxy]) -> Servers:
    """Kafka tells its clients where to come next: to their own proxy."""
    listeners = [
        Listener(
            name.upper(),
            f"127.0.0.1:{links[_to_kafka(name)].targets[0]}",
            f"127.0.0.1:{links[_to_kafka(name)].port}",
        )
        for name in SERVICES
    ]
    return Servers(
        lambda place: Kafka(
            place.folder / "kafka",
            cache=cache_folder(),
            ports=place.ports,
            logs=place.logs,
            listeners=listeners,
        ),
        embedded(cache=cache_folder(), fsync=False).postgres,
    )


async def _by_way_of_proxies(stack: Stack, links: Mapping[str, Proxy]) -> None:
    """Start the services, with databases by way of proxies: the passwords are there by now."""
    for name in SERVICES:
        direct = f":{stack.ports.postgres}/"
        proxied = f":{links[f'{name} to PostgreSQL'].port}/"
        url = stack.dsn(name).replace(direct, proxied)
        stack.configure(name, **{f"{name.upper()}_DATABASE_URL": url})
    await asyncio.gather(*(stack.service(name).start() for name in SERVICES))
