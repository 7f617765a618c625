"""„Zustellung in Zahlen" as the practice reads it."""

from playwright.async_api import Page, Route, expect

from tests.support import Json, Practice

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
