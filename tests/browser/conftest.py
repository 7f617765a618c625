"""A real headless Chromium at the dashboard's page."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.page import enter
from tests.conftest import Stack
from tests.support import PATIENCE, berlin_day

# Without windows of its own, each of which is a page to draw, a context costs a third.
CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
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
CLOSES_WITHIN = 15  # seconds
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
    found = [path for each in CHROMIUMS if (path := shutil.which(each))]
    assert found, "The browser tests need Chromium: make browser"
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=found[0], args=list(QUIET), timeout=MILLISECONDS
        )
        yield chromium
        await _closed(chromium)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixtures know at their end whether the test failed."""
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@asynccontextmanager
async def opened(browser: Browser, **options: Any) -> AsyncIterator[Page]:
    """A page in a context of its own, with the `options` of one, on a German desk otherwise."""
    desk: dict[str, Any] = {
        "locale": "de-DE",
        "timezone_id": "Europe/Berlin",
        "viewport": {"width": 1280, "height": 800},
    }
    context = await browser.new_context(**desk | options)
    context.set_default_timeout(MILLISECONDS)
    try:
        yield await context.new_page()
    finally:
        for page in context.pages:  # an answer still on its way to it is nobody's fault
            await page.unroute_all(behavior="ignoreErrors")
        await _closed(context)


async def _closed(what: Browser | BrowserContext) -> None:
    """Close it, if it can be: one whose page is just leaving for another address may hang for ever.

    Others, and the browser, can be used all the same (seen with Chromium 156, one time in thirty).
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(CLOSES_WITHIN):
            await what.close()


@pytest_asyncio.fixture
async def page(visitor: Page, stack: Stack) -> Page:
    """The page, open for somebody who may do everything."""
    await enter(visitor, stack)
    return visitor


@pytest_asyncio.fixture
async def visitor(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Somebody who is not logged in; nothing may be logged as an error in the console."""
    async with opened(browser) as page:
        await page.context.add_init_script(RECORD_NOTICES)
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
        failed = request.node.stash.get(FAILED, False) or bool(errors)
        if failed or request.config.getoption("--screenshots"):
            await page.screenshot(path=SCREENSHOTS / f"{request.node.name}.png", full_page=True)
    assert errors == []


@pytest.fixture
def tomorrow() -> str:
    return berlin_day(1).isoformat()
