"""Takes the docs' pictures anew: python -m tests.browser.pictures

With a Chromium that knows German (Debian: chromium-l10n), or dates are shown as in America.
"""

import asyncio
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright, expect

from local.ports import free_base
from local.stack import Stack
from tests.browser.conftest import QUIET
from tests.browser.page import fill, infobox, log_in, measured_week, row
from tests.support import berlin_day

IMAGES = Path(__file__).parents[2] / "docs" / "images"
GERMAN = {"LANGUAGE": "de", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"}
SIZE = (1180, 700)
NO_DEMO = {"dashboard": {"DASHBOARD_DEMO_LINKS": "{}"}}
# Of each week: arrived at once, corrected, failed, open, and milliseconds to the tick.
WEEKS = (
    (141, 6, 3, 0, 2100),
    (152, 9, 2, 0, 1900),
    (137, 4, 1, 0, 2000),
    (149, 12, 5, 1, 2600),
    (98, 3, 1, 0, 1800),
    (155, 7, 2, 1, 2300),
    (61, 2, 2, 9, 2000),
)


async def main() -> None:
    """Start everything, go through the flow, keep what is seen."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Stack(Path(folder), base_port=free_base(), fsync=False, env=NO_DEMO) as stack,
            async_playwright() as playwright,
        ):
            chromium = await playwright.chromium.launch(
                executable_path=executable, args=list(QUIET), env={**os.environ, **GERMAN}
            )
            await _go_through(chromium, stack)
            await chromium.close()


async def _go_through(chromium: Browser, stack: Stack) -> None:
    page = await _new_page(chromium)
    await log_in(page, stack)
    day = berlin_day(1).isoformat()
    await _fill_erika(page, day)
    await page.set_viewport_size({"width": SIZE[0], "height": 1300})
    await page.locator("#create").evaluate("sheet => { sheet.style.maxHeight = 'none'; }")
    await page.locator("#create").screenshot(path=IMAGES / "form.png", animations="disabled")
    await page.locator("#create").evaluate("sheet => { sheet.style.maxHeight = ''; }")
    await page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    await page.get_by_role("button", name="Abbrechen").click()

    await fill(page, "Max Mustermann", "unbekannt@example.org", day, "09:30")
    await page.get_by_test_id("submit-invite").click()
    await expect(infobox(page, "Max Mustermann")).to_contain_text("Adresse unbekannt")
    await page.wait_for_timeout(5000)  # until the row is no longer marked as new
    await _fill_erika(page, day)
    await page.get_by_test_id("submit-invite").click()
    await expect(page.get_by_test_id("center-notice")).to_contain_text("erfolgreich versendet")
    await expect(infobox(page, "SMS erfolgreich zugestellt")).to_be_visible()
    await page.mouse.move(0, 0)
    await page.screenshot(path=IMAGES / "dashboard.png", animations="disabled")

    await page.reload()  # without the boxes
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-row")).to_have_count(1)
    await page.screenshot(path=IMAGES / "offen.png", animations="disabled")
    await page.get_by_test_id("nav-termine").click()
    await _show_weeks(page)
    await row(page, "Max Mustermann").click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.get_by_test_id("appointment-dialog").screenshot(
        path=IMAGES / "resend.png", animations="disabled"
    )


async def _show_weeks(page: Page) -> None:
    """Those of a practice that has been at it for longer than this stack."""
    today = berlin_day(0)
    told = {
        "days": 30,
        "ticks": 541,
        "proven_wrong": 4,
        "share_proven_wrong": 4 / 541,
        "request_to_tick_ms_p50": 2200,
        "request_to_tick_ms_p95": 41_000,
    }
    weeks = [
        measured_week(
            today - timedelta(days=today.weekday(), weeks=back), *counts, p50=time, p95=20 * time
        )
        for back, (*counts, time) in enumerate(reversed(WEEKS))
    ]
    answer = {"time_zone": "Europe/Berlin", "weeks": weeks[::-1]}
    await page.route("**/api/status/measures?*", lambda route: route.fulfill(json=told))
    await page.route("**/api/status/measures/weeks?*", lambda route: route.fulfill(json=answer))
    await page.locator("[data-opens=measures]:visible").click()
    await expect(page.get_by_test_id("weeks")).to_be_visible()
    await page.set_viewport_size({"width": SIZE[0], "height": 1300})
    dialog = page.locator("#measures")
    await dialog.evaluate("sheet => { sheet.style.maxHeight = 'none'; }")
    await dialog.screenshot(path=IMAGES / "zahlen.png", animations="disabled")
    await dialog.evaluate("sheet => { sheet.style.maxHeight = ''; }")
    await page.set_viewport_size({"width": SIZE[0], "height": SIZE[1]})
    await page.keyboard.press("Escape")


async def _fill_erika(page: Page, day: str) -> None:
    await fill(page, "Erika Mustermann", "erika@example.org", day)
    form = page.get_by_test_id("form-appointment")
    await form.locator("[name=channel-sms]").check()
    await form.locator("[name=phone]").fill("0171 3920001")
    await expect(page.locator("#sms-text")).to_be_visible()


async def _new_page(chromium: Browser) -> Page:
    context = await chromium.new_context(
        locale="de-DE",
        timezone_id="Europe/Berlin",
        viewport={"width": SIZE[0], "height": SIZE[1]},
        reduced_motion="reduce",
    )
    return await context.new_page()


if __name__ == "__main__":
    asyncio.run(main())
