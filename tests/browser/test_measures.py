"""„Zustellung in Zahlen" as the practice reads it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import cut, enter, measured_week, tab_to
from tests.conftest import Stack
from tests.support import Json, Practice

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640)]
MONDAY = date(2026, 11, 23)

NOTHING: Json = {
    "days": 30,
    "ticks": 0,
    "proven_wrong": 0,
    "share_proven_wrong": None,
    "request_to_tick_ms_p50": None,
    "request_to_tick_ms_p95": None,
}
SOME: Json = NOTHING | {
    "ticks": 1234,
    "proven_wrong": 19,
    "share_proven_wrong": 19 / 1234,
    "request_to_tick_ms_p50": 1040.0,
    "request_to_tick_ms_p95": 252_000.0,
}


async def test_by_keyboard_from_the_link_to_the_figures_and_back(
    page: Page, demo_practice: Practice
) -> None:
    created = await demo_practice.create()
    await demo_practice.shows(created["id"], "delivered")
    await page.get_by_test_id("nav-termine").click()
    link = page.get_by_role("button", name="Zustellung in Zahlen")
    await link.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_test_id("measures-dialog")
    await expect(dialog.get_by_role("heading", name="Zustellung in Zahlen")).to_be_focused()
    await expect(page.get_by_test_id("measures-shown")).to_contain_text("Sekunde")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(link).to_be_focused()


async def test_figures_are_told_in_plain_german(page: Page) -> None:
    answer = SOME

    async def measured(route: Route) -> None:
        asked.append(route.request.url.partition("?")[2])
        await route.fulfill(json=answer)

    asked: list[str] = []
    await page.route("**/api/status/measures*", measured)
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_role("button", name="Zustellung in Zahlen").click()
    shown = page.get_by_test_id("measures-shown")
    for text in ("1.234", "1 Sekunde", "4,2 Minuten", "19 (1,5\u00a0%)"):
        await expect(shown).to_contain_text(text)
    answer = NOTHING
    await page.get_by_label("Zeitraum").select_option("7")
    await expect(shown).to_contain_text("keine Einladung zugestellt")
    assert asked == ["days=30", "days=7"]
    await page.route("**/api/status/measures*", lambda route: route.fulfill(status=503))
    await page.get_by_label("Zeitraum").select_option("90")
    await expect(shown).to_contain_text("gerade nicht abrufbar")


@pytest_asyncio.fixture
async def desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A desk whose policy lets axe's script in."""
    async with opened(browser, bypass_csp=True, reduced_motion="reduce") as page:
        await enter(page, stack)
        yield page


def week(back: int, *counts: int, p50: float | None = None) -> Json:
    """So many weeks before KW 48: at once, corrected, failed, open."""
    monday = MONDAY - timedelta(weeks=back)
    return measured_week(monday, *counts, p50=p50, p95=p50 and 10 * p50)


WEEKS = [
    week(3, 0, 0, 0, 0),
    week(2, 1000, 40, 20, 1, p50=4200.0),
    week(1, 0, 0, 0, 0),
    week(0, 120, 4, 0, 25, p50=252_000.0),
]


async def show(page: Page, weeks: list[Json]) -> Locator:
    answer = {"time_zone": "Europe/Berlin", "weeks": weeks}
    await page.route("**/api/status/measures*", lambda route: route.fulfill(json=SOME))
    await page.route("**/api/status/measures/weeks?*", lambda route: route.fulfill(json=answer))
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_role("button", name="Zustellung in Zahlen").click()
    await expect(page.get_by_test_id("measures-shown")).to_contain_text("1.234")
    return page.get_by_test_id("measures-weeks")


async def test_the_weeks_are_drawn_and_told_at_every_size(desk: Page) -> None:
    shown = await show(desk, WEEKS)
    picture = shown.get_by_role("img", name="Einladungen je Woche")
    await expect(picture).to_be_visible()
    described = await picture.evaluate(
        "one => one.getAttribute('aria-labelledby').split(' ')"
        ".map(id => document.getElementById(id).textContent).join(': ')"
    )
    assert "KW 48, 23.11. bis 29.11.: 149 Einladungen, davon 120 sofort angekommen" in described
    assert "25 offen oder nicht bestätigt" in described
    assert "höchstens 4,2 Minuten" in described
    rows = picture.locator("[data-week]")
    # The newest on top; what was before the first invitation is not there.
    names = await rows.evaluate_all("all => all.map(one => one.dataset.week)")
    assert names == ["2026-W48", "2026-W47", "2026-W46"]
    fills = (
        await rows.nth(2)
        .locator(".fate")
        .evaluate_all("all => all.map(one => one.getAttribute('fill'))")
    )
    assert fills == [f"url(#fate-{one})" for one in ("at-once", "corrected", "failed", "open")]
    widths = (
        await rows.nth(2)
        .locator(".fate")
        .evaluate_all("all => all.map(one => one.getBBox().width)")
    )
    assert widths == sorted(widths, reverse=True)
    assert min(widths) > 3  # one of a thousand is seen

    await tab_to(desk, "[data-testid=weeks-as-table]")
    await desk.keyboard.press("Enter")
    table = desk.get_by_test_id("weeks-table")
    await expect(table.get_by_role("row")).to_have_count(4)
    cells = table.get_by_role("row").filter(has_text="KW 46").get_by_role("cell")
    await expect(cells).to_have_text(["1.000", "40", "20", "1", "4,2 s", "42 s"])
    for width, height in SIZES:
        await desk.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            await desk.emulate_media(color_scheme=scheme)
            assert await violations(desk) == [], (width, scheme)
            assert await contrasts(desk) == {}, (width, scheme)
        assert await cut(desk) == [], width


async def contrasts(page: Page) -> Json:
    """Of the marks those that stand out from the dialog by less than 3 to 1 (WCAG 1.4.11)."""
    found: Json = await page.evaluate(
        r"""() => {
          const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((part) => {
            const each = part / 255;
            return each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4;
          }).reduce((sum, each, at) => sum + each * [0.2126, 0.7152, 0.0722][at], 0);
          const dialog = document.getElementById("measures");
          const ground = light(getComputedStyle(dialog).backgroundColor);
          const low = {};
          const marks = dialog.querySelectorAll(".fate, .time");
          for (const one of marks) {
            const style = getComputedStyle(one);
            const colour = one.matches(".time") ? style.fill : style.stroke;
            const [dark, bright] = [ground, light(colour)].sort((a, b) => a - b);
            const contrast = (bright + 0.05) / (dark + 0.05);
            if (!(contrast >= 3)) low[one.getAttribute("class")] = [colour, contrast];
          }
          return marks.length ? low : { none: true };
        }"""
    )
    return found


async def test_real_invitations_are_counted_in_the_week_of_the_practice(
    page: Page, demo_practice: Practice
) -> None:
    created = await demo_practice.create()
    await demo_practice.shows(created["id"], "delivered")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_role("button", name="Zustellung in Zahlen").click()
    await expect(page.get_by_test_id("weeks").locator(".at-once").first).to_be_visible()
    [weeks] = [url for url in asked if "/measures/weeks" in url]
    assert weeks.endswith("?time_zone=Europe%2FBerlin")


async def test_without_invitations_or_service_it_says_so(page: Page) -> None:
    shown = await show(page, [week(1, 0, 0, 0, 0), week(0, 0, 0, 0, 0)])
    await expect(shown).to_contain_text("wurde niemand eingeladen")
    await page.keyboard.press("Escape")
    await page.unroute("**/api/status/measures/weeks?*")
    await page.route("**/api/status/measures/weeks?*", lambda route: route.fulfill(status=503))
    await page.get_by_role("button", name="Zustellung in Zahlen").click()
    await expect(shown).to_contain_text("gerade nicht abrufbar")
