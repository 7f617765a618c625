"""A real headless Chromium at the dashboard's page."""

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.page import log_in
from tests.conftest import Stack
from tests.support import PATIENCE

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENSHOTS = Path("test-results")
MILLISECONDS = 1000 * PATIENCE
# What was shown and went by itself is asked for here: [{where, text}], each once.
RECORD_NOTICES = """
    window.noticed = [];
    const every = { subtree: true, childList: true, characterData: true, attributes: true };
    addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
      for (const shown of document.querySelectorAll("[data-testid=infobox], #center-notice")) {
        const text = shown.innerText.trim(), where = shown.dataset.testid;
        const known = noticed.some((one) => one.where === where && one.text === text);
        if (text && !known && shown.checkVisibility()) noticed.push({ where, text });
      }
    }).observe(document, every));
"""
expect.set_options(timeout=MILLISECONDS)


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "The browser tests need Chromium: make browser"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=executable, args=list(QUIET), timeout=MILLISECONDS
        )
        yield chromium
        await chromium.close()


@pytest_asyncio.fixture
async def page(visitor: Page, stack: Stack) -> Page:
    """The page, open for somebody who may do everything."""
    await log_in(visitor, stack)
    return visitor


@pytest_asyncio.fixture
async def visitor(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Somebody who is not logged in; nothing may be logged as an error in the console."""
    context = await browser.new_context(
        locale="de-DE", timezone_id="Europe/Berlin", viewport={"width": 1280, "height": 800}
    )
    context.set_default_timeout(MILLISECONDS)
    await context.add_init_script(RECORD_NOTICES)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png", full_page=True)
    await context.close()
    assert errors == []


@pytest.fixture
def tomorrow() -> str:
    return (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
