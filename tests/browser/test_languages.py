"""The language of the invitation, in a real browser."""

from uuid import uuid4

from playwright.async_api import Page, expect

from contracts.languages import LANGUAGES
from tests.browser.page import fill, row, state, unique
from tests.support import Practice


async def test_the_language_is_chosen_by_keyboard_and_shown(
    page: Page, tomorrow: str, demo_practice: Practice
) -> None:
    name, address = unique("Englisch"), f"english-{uuid4().hex[:8]}@example.org"
    await fill(page, name, address, tomorrow)
    choice = page.get_by_test_id("form-appointment").get_by_label("Sprache der Einladung")
    await expect(choice).to_have_value("de")
    await expect(choice.locator("option")).to_have_text(
        [each.own_name for each in LANGUAGES.values()]
    )
    await choice.focus()
    await page.keyboard.press("E")
    await expect(choice).to_have_value("en")
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    mail = await demo_practice.mail(address)
    assert mail["subject"].startswith("Invitation to a video visit on ")
    assert mail["attachments"] == ["einladung.ics"]
    await row(page, name).click()
    await expect(page.get_by_test_id("details-language")).to_have_text(
        "Sprache der Einladung: English"
    )


async def test_the_next_form_starts_with_the_practice_s_language(page: Page, tomorrow: str) -> None:
    name = unique("Einmal englisch")
    await fill(page, name, f"once-{uuid4().hex[:8]}@example.org", tomorrow)
    await (
        page.get_by_test_id("form-appointment")
        .get_by_label("Sprache der Einladung")
        .select_option("en")
    )
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").click()
    await expect(
        page.get_by_test_id("form-appointment").get_by_label("Sprache der Einladung")
    ).to_have_value("de")


async def test_the_sms_preview_follows_the_language(page: Page, tomorrow: str) -> None:
    await fill(page, unique("Vorschau"), "", tomorrow)
    await page.get_by_test_id("form-appointment").locator("[name=channel-sms]").check()
    preview = page.get_by_test_id("sms-preview")
    await expect(preview).to_contain_text("Videosprechstunde")
    await (
        page.get_by_test_id("form-appointment")
        .get_by_label("Sprache der Einladung")
        .select_option("en")
    )
    await expect(preview).to_contain_text("video visit")
