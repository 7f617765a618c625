"""The login against a real Keycloak: `make test-provider` downloads it and runs this."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from local.ports import free_base, free_port
from local.practice import DEMO_PRACTICE
from local.stack import Stack
from tests.browser.conftest import browser, tomorrow, visitor
from tests.browser.page import fill, row, state
from tests.providers import keycloak

__all__ = ["browser", "tomorrow", "visitor"]

pytestmark = pytest.mark.skipif(
    not keycloak.archive().exists(), reason="make test-provider downloads Keycloak"
)


@pytest_asyncio.fixture(scope="module")
async def praxis(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """The product with Keycloak as its identity provider."""
    folder: Path = tmp_path_factory.mktemp("keycloak")
    base, port = free_base(), free_port()
    server = keycloak.server(
        folder / "server",
        port=port,
        dashboard=f"http://127.0.0.1:{base}",
        practice_id=DEMO_PRACTICE.id,
    )
    issuer = f"http://127.0.0.1:{port}/realms/praxis"
    trust = {"AUTH_ISSUER": issuer, "AUTH_ROLES_CLAIM": "realm_access.roles"}
    keys = {"AUTH_JWKS": f"{issuer}/protocol/openid-connect/certs"}
    secret = {"OIDC_CLIENT_SECRET": keycloak.CLIENT_SECRET}
    wanted = {
        "dashboard": trust | secret,
        "scheduling": trust | keys,
        "status": trust | keys,
    }
    env = {
        name: {f"{name.upper()}_{key}": value for key, value in values.items()}
        for name, values in wanted.items()
    }
    await server.start()
    try:
        async with Stack(folder / "stack", base_port=base, fsync=False, env=env) as stack:
            yield stack
    finally:
        await server.stop()


async def log_in(page: Page, stack: Stack, name: str) -> None:
    await page.goto(stack.url("dashboard"))
    await page.locator("#username").fill(name)
    await page.locator("#password").fill(keycloak.PASSWORD)
    await page.locator("#kc-login").click()


async def test_login_work_refresh_and_logout(visitor: Page, praxis: Stack, tomorrow: str) -> None:
    await log_in(visitor, praxis, "leitung")
    await expect(visitor.get_by_test_id("user")).to_have_text("Praxis Leitung")
    await expect(visitor.get_by_test_id("practice-name")).to_have_text(DEMO_PRACTICE.name)
    await expect(visitor.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    name = f"Keycloak {uuid4().hex[:6]}"
    await fill(visitor, name, "patientin@example.org", tomorrow)
    await visitor.get_by_test_id("submit-invite").click()
    await expect(state(visitor, name, "delivered")).to_be_visible()

    connection = await asyncpg.connect(praxis.owner_dsn("dashboard"))
    before = await connection.fetchval("SELECT sealed FROM sessions")
    await connection.execute("UPDATE sessions SET refresh_at = now()")
    await visitor.reload()
    await expect(row(visitor, name)).to_be_visible()
    assert await connection.fetchval("SELECT sealed FROM sessions") != before
    await connection.close()

    await row(visitor, name).click()
    await visitor.get_by_test_id("delete-appointment").click()
    await visitor.get_by_test_id("delete-confirm").click()
    await expect(row(visitor, name)).to_have_count(0)

    await visitor.get_by_test_id("log-out").click()
    await expect(visitor.get_by_role("heading", name="Sie sind abgemeldet")).to_be_visible()
    await visitor.get_by_role("link", name="Neu anmelden").click()
    await expect(visitor.locator("#username")).to_be_visible()  # logged out there as well


async def test_who_has_no_practice_can_change_accounts(visitor: Page, praxis: Stack) -> None:
    await log_in(visitor, praxis, "gast")
    await expect(visitor.get_by_role("heading", name="Kein Zugang")).to_be_visible()
    await visitor.get_by_role("link", name="Mit einem anderen Konto anmelden").click()
    await visitor.get_by_role("link", name="Neu anmelden").click()
    await expect(visitor.locator("#username")).to_be_visible()
