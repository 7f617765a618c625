"""„Termin erstellen" as people fill it."""

from playwright.async_api import Page, expect

from tests.browser.page import fill, row, show_day, unique
from tests.support import Practice, berlin_day


async def test_several_faults_are_told_at_once_also_beside_one_in_a_number(page: Page) -> None:
    await fill(page, "", "", "", "")
    form = page.get_by_test_id("form-appointment")
    await form.locator("[name=duration_minutes]").fill("20.5")
    await form.locator("[name=channel-email]").uncheck()
    await page.get_by_test_id("submit-invite").click()
    summary = form.get_by_test_id("error-summary")
    await expect(summary).to_be_focused()
    for said in (
        "Bitte geben Sie Vorname und Nachname an.",
        "Bitte wählen Sie mindestens einen Kanal.",
        "Bitte geben Sie das Datum an",
        "Bitte geben Sie die Uhrzeit an",
        "Bitte geben Sie die Dauer in ganzen Minuten an, von 5 bis 480.",
    ):
        await expect(summary).to_contain_text(said)


async def test_a_typographic_apostrophe_is_offered_as_it_was_meant(
    page: Page, tomorrow: str
) -> None:
    name = unique("Oona O\u2019Brien")
    await fill(page, f"\u200e{name}\ufeff", "oona.o\u2019brien@example.org", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    field = page.locator("#field-email")
    await expect(field).to_contain_text("Meinten Sie oona.o'brien@example.org?")
    await field.get_by_role("button", name="oona.o'brien@example.org").click()
    await expect(field.locator("input")).to_have_value("oona.o'brien@example.org")
    await page.get_by_test_id("submit-invite").click()
    await expect(row(page, name).locator(".name")).to_have_text(name)


async def test_what_is_unusual_about_a_time_is_hinted_at_and_taken(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    taken = unique("Zuerst Da")
    await demo_practice.create(patient_name=taken, date=tomorrow, time="05:10")
    name = unique("Auch Da")
    await fill(page, name, "auch@example.org", tomorrow, "05:20")
    hint = page.get_by_test_id("create-slot-hint")
    await expect(hint).to_contain_text(f"Zur selben Zeit: {taken} (05:10 Uhr, 20 Min.)")
    await expect(hint).to_contain_text("außerhalb üblicher Sprechzeiten")
    form = page.get_by_test_id("form-appointment")
    sunday = next(day for day in map(berlin_day, range(2, 9)) if day.isoweekday() == 7)
    await form.locator("[name=date]").fill(sunday.isoformat())
    await expect(hint).to_contain_text("Sonntag")
    await form.locator("[name=date]").fill(tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await show_day(page, tomorrow)
    await expect(row(page, name)).to_be_visible()
    await row(page, name).click()
    await page.get_by_test_id("move-open").click()
    await page.locator("#move-duration").fill("25")
    moved = page.get_by_test_id("move-slot-hint")
    await expect(moved).to_contain_text(taken)
    await expect(moved).not_to_contain_text(name)


async def test_consent_is_seen_before_the_button_and_the_group_is_described(page: Page) -> None:
    await page.set_viewport_size({"width": 1366, "height": 768})
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").click()
    consent = page.locator("[data-field=consent]")
    await expect(consent).to_be_in_viewport(ratio=1)
    await expect(page.get_by_test_id("submit-invite")).to_be_in_viewport(ratio=1)
    group = page.get_by_role("group", name="Einladung senden per")
    await expect(group).to_have_accessible_description("Wählen Sie mindestens einen Weg.")
