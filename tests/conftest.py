"""The stack that all tests share: real Kafka, PostgreSQL, SMTP and services, started once."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
import structlog
import uvloop
from hypothesis import settings
from uuid_utils.compat import uuid7

from local.ports import free_base
from local.practice import DEMO_PRACTICE
from local.practice import Practice as PracticeRow
from local.stack import Stack
from tests import containers
from tests.support import Practice, http_client

__all__ = ["Stack"]

# How long an example takes depends on what else the machine does.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
# The renderer's own traceback, with every local variable, takes seconds.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# Limits that tests of other things would run into.
UNLIMITED = "1000000"
# Short waits, so that a test sees within a second what takes half a minute in production. What ends
# something is as patient as in production, or a slow machine would see ends that are none.
HURRIED = {
    "scheduling": {
        "SCHEDULING_NOTICE_POLL_SECONDS": "0.5",
        "SCHEDULING_DAILY_MAIL_POLL_SECONDS": "0.5",
        # until a test lets the notice be due: no two moves are too far apart to be one
        "SCHEDULING_NOTICE_SETTLE_SECONDS": "3600",
        "SCHEDULING_WRITES_PER_MINUTE": UNLIMITED,
        "SCHEDULING_TOKENS_PER_MINUTE": UNLIMITED,
        "SCHEDULING_SEARCHES_PER_MINUTE": UNLIMITED,
        "SCHEDULING_PAGE_REQUESTS_PER_MINUTE": UNLIMITED,
    },
    "dashboard": {"DASHBOARD_LOGINS_PER_MINUTE": UNLIMITED},
    "notification": {
        "NOTIFICATION_POLL_SECONDS": "0.5",
        "NOTIFICATION_RETRY_FIRST_SECONDS": "1",
        # at the start only: tests read what was requested
        "NOTIFICATION_KAFKA_ERASURE_POLL_SECONDS": "3600",
    },
    "status": {"STATUS_HEARTBEAT_SECONDS": "2", "STATUS_POLL_SECONDS": "1"},
}


# Few tests need them, and each costs two seconds and its memory: their fixtures start them.
ON_DEMAND = ("webhooks", "fhir")

CHOICE = pytest.StashKey[containers.Choice]()


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The loop that the services run on, which fails otherwise than Python's own."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_addoption(parser: pytest.Parser) -> None:
    """What else can be asked of a run."""
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="what each browser test ends with, in test-results/; else of those that fail",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Say in the first line of the run what Kafka and PostgreSQL it is on."""
    # Looking at every test and module again and again was a third of collecting them.
    gc.set_threshold(100_000, 20, 50)
    config.stash[CHOICE] = choice = containers.choose()
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(choice.line)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Let the garbage collector look at what tests make alone; the thousands of tests stay."""
    gc.freeze()


@pytest_asyncio.fixture(scope="session")
async def stack(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[Stack]:
    """The whole product, for the whole run."""
    folder: Path = tmp_path_factory.mktemp("stack")
    running = Stack(
        folder,
        base_port=free_base(),
        fsync=False,
        env=HURRIED,
        later=ON_DEMAND,
        servers=pytestconfig.stash[CHOICE].servers,
        journals=True,
    )
    try:
        async with running:
            yield running
    finally:
        containers.remove(running.kafka, running.postgres)


@asynccontextmanager
async def changed(stack: Stack, name: str, **variables: str) -> AsyncIterator[None]:
    """Let a service run with other settings meanwhile."""
    before = {each: stack.setting(name, each) for each in variables}
    stack.configure(name, **variables)
    try:
        await stack.service(name).restart()
        yield
    finally:
        stack.configure(name, **before)
        await stack.service(name).restart()


@asynccontextmanager
async def at_the_desk(stack: Stack, row: PracticeRow) -> AsyncIterator[Practice]:
    headers = {"Authorization": f"Bearer {stack.token(row.id)}"}
    async with AsyncExitStack() as clients:

        async def client(name: str) -> httpx.AsyncClient:
            return await clients.enter_async_context(
                http_client(base_url=stack.url(name), headers=headers)
            )

        yield Practice(
            row.id,
            await client("scheduling"),
            await client("status"),
            await client("mailbox"),
            await client("phones"),
        )


@asynccontextmanager
async def new_practice(stack: Stack, tariff: str = "standard") -> AsyncIterator[Practice]:
    row = PracticeRow(uuid7(), f"Praxis {uuid4().hex[:6]}", "Europe/Berlin", tariff)
    await stack.add_practice(row)
    async with at_the_desk(stack, row) as practice:
        yield practice


@pytest_asyncio.fixture
async def practice(stack: Stack) -> AsyncIterator[Practice]:
    """A practice of the test's own."""
    async with new_practice(stack) as fresh:
        yield fresh


@pytest_asyncio.fixture
async def other_practice(stack: Stack) -> AsyncIterator[Practice]:
    """Another practice."""
    async with new_practice(stack) as fresh:
        yield fresh


@pytest_asyncio.fixture
async def demo_practice(stack: Stack) -> AsyncIterator[Practice]:
    """The practice whose dashboard the browser shows."""
    async with at_the_desk(stack, DEMO_PRACTICE) as practice:
        yield practice
