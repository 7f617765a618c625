"""From the click to the tick in a real Chromium, at rest and while others invite."""

import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, async_playwright

from benchmarks.end_to_end import EndToEnd
from benchmarks.result import Click, Percentiles
from local.errors import LocalFailure
from local.stack import Stack

CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")
QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 60_000  # milliseconds
CLICKS = 20
# `clicked`, and when the patient's row and its tick were there, in milliseconds of the page's clock
WATCH = """
    window.moments = {};
    addEventListener("click", (event) => {
      if (event.target.closest("[data-testid=submit-invite]")) moments.clicked = performance.now();
    }, { capture: true });
    const look = () => {
      if (!moments.clicked) return;
      for (const row of document.querySelectorAll("[data-testid=appointment-row]")) {
        if (!row.textContent.includes(window.patient) || !row.checkVisibility()) continue;
        moments.row ??= performance.now();
        if (row.querySelector("[data-testid=indicator][data-state=delivered]"))
          moments.tick ??= performance.now();
      }
    };
    const every = { subtree: true, childList: true, characterData: true, attributes: true };
    addEventListener("DOMContentLoaded", () => new MutationObserver(look).observe(document, every));
"""


async def clicks(measured: EndToEnd, *, share: float = 0, per_second: float = 0) -> Click:
    """Invite by the page, one after the other; meanwhile others at `per_second`, if not 0."""
    rows: list[float] = []
    ticks: list[float] = []
    load = measured.under_load(per_second) if per_second else nullcontext()
    async with _page(measured.stack) as page, load:
        for number in range(CLICKS):
            row, tick = await _click(page, f"Erika Klick {share:.0%} {number}", number)
            rows.append(row / 1000)
            ticks.append(tick / 1000)
            print(f"click at {share:.0%}: tick after {tick:.0f} ms", file=sys.stderr, flush=True)
    return Click(
        share=share, clicks=CLICKS, created=Percentiles.of(rows), tick=Percentiles.of(ticks)
    )


async def _click(page: Page, name: str, number: int) -> tuple[float, float]:
    day = datetime.now(UTC).date() + timedelta(days=40 + number)
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").click()
    form = page.get_by_test_id("form-appointment")
    await form.get_by_label("Vorname Nachname").fill(name)
    address = "".join(letter for letter in name.lower() if letter.isalnum())
    await form.locator("[name=email]").fill(f"{address}@example.org")
    await form.locator("[name=date]").fill(day.isoformat())
    await form.locator("[name=time]").fill("10:00")
    await form.locator("[name=duration_minutes]").fill("20")
    await form.locator("[name=consent]").check()
    await page.evaluate("(name) => { window.moments = {}; window.patient = name; }", name)
    await page.get_by_test_id("submit-invite").click()
    shown = await page.wait_for_function("() => moments.tick && moments", timeout=PATIENCE)
    moments: dict[str, float] = await shown.json_value()
    return moments["row"] - moments["clicked"], moments["tick"] - moments["clicked"]


@asynccontextmanager
async def _page(stack: Stack) -> AsyncIterator[Page]:
    chromium = next((path for each in CHROMIUMS if (path := shutil.which(each))), None)
    if chromium is None:
        raise LocalFailure("The clicks need Chromium: make browser")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(QUIET))
        context = await browser.new_context(locale="de-DE", timezone_id="Europe/Berlin")
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        await page.add_init_script(WATCH)
        await page.goto(stack.url("dashboard"))
        await page.get_by_role("button", name="Praxisleitung").click()
        live = "[data-testid=stream-state]"
        await page.wait_for_selector(f"{live}:has-text('Anzeige aktuell')")
        yield page
        await browser.close()
