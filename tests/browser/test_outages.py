"""The page says what is away, keeps what it shows, and recovers by itself."""

from playwright.async_api import Page, expect

from tests.browser.page import row, show_day, unique
from tests.conftest import Stack
from tests.support import Practice

SOON = 40_000  # milliseconds; before the page looks by itself, a minute after it was opened


async def test_the_database_goes_and_comes_back(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Ausfall")
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await expect(row(page, name)).to_be_visible()
    banner = page.get_by_test_id("outage-banner")
    await expect(banner).to_be_empty()
    await stack.postgres.kill()
    try:
        await expect(banner).to_contain_text(
            "gerade nicht verfügbar"
        )  # status gives it half a minute
        await expect(banner).to_contain_text("Es wird von selbst weiter versucht")
        await expect(row(page, name)).to_be_visible()
        another = await page.context.new_page()
        await another.goto(stack.url("dashboard"))
        await expect(another.get_by_test_id("notice-page")).to_contain_text(
            "gerade nicht verfügbar"
        )
    finally:
        await stack.postgres.start()
    await expect(banner).to_be_empty(timeout=SOON)
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell", timeout=SOON)
    await expect(another.locator("#main")).to_be_visible(timeout=SOON)
    later = unique("Erika Danach")
    await demo_practice.create(patient_name=later, date=tomorrow)
    await expect(row(page, later)).to_be_visible(timeout=SOON)


async def test_one_service_away_is_told_for_what_it_does(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Ohne Status")
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await expect(row(page, name)).to_be_visible()
    banner = page.get_by_test_id("outage-banner")
    await stack.service("status").kill()
    try:
        await expect(banner).to_contain_text("Ob Einladungen angekommen sind", timeout=SOON)
    finally:
        await stack.service("status").start()
    await expect(banner).to_be_empty(timeout=SOON)
