"""„Live" is told while it is so, and what changes at another desk shows at once."""

from playwright.async_api import Page, expect

from tests.browser.page import row, show_day, unique
from tests.support import Practice

SOON = 30_000  # milliseconds; before the page looks by itself, a minute after it was opened


async def test_a_move_at_another_desk_shows_over_the_stream(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Umzug")
    created = await demo_practice.create(patient_name=name, date=tomorrow, time="10:00")
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await row(page, name).click()
    dialog = page.get_by_test_id("appointment-dialog")
    await expect(dialog).to_contain_text("10:00 Uhr")
    moved = await demo_practice.scheduling.patch(
        f"/v1/appointments/{created['id']}",
        json={"date": tomorrow, "time": "11:30", "notify": False},
    )
    assert moved.status_code == 200
    await expect(dialog).to_contain_text("11:30 Uhr", timeout=SOON)
    await expect(row(page, name).locator(".time")).to_have_text("11:30", timeout=SOON)


async def test_who_types_while_another_moves_is_told_first(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Doppelt")
    created = await demo_practice.create(patient_name=name, date=tomorrow, time="10:00")
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await row(page, name).click()
    await page.get_by_test_id("move-open").click()
    form = page.get_by_test_id("form-move")
    await form.locator("[name=time]").fill("15:00")
    await demo_practice.scheduling.patch(
        f"/v1/appointments/{created['id']}",
        json={"date": tomorrow, "time": "11:30", "notify": False},
    )
    await expect(page.get_by_test_id("appointment-dialog")).to_contain_text("11:30 Uhr")
    await expect(form.locator("[name=time]")).to_have_value("15:00")
    await page.get_by_test_id("move-submit").click()
    await expect(form).to_contain_text("Der Termin wurde inzwischen geändert.")
    await expect(form.locator("[name=time]")).to_have_value("11:30")
