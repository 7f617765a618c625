"""The language of the invitation, in a real browser."""

from uuid import uuid4

import pytest
from playwright.async_api import Browser, Page, expect

from chassis.wording import wordings
from tests.browser.conftest import SCREENSHOTS, opened
from tests.browser.page import fill, is_wide, row, state, unique
from tests.conftest import Stack
from tests.support import Practice
from tests.support.database import owner
from tests.support.mails import link_in


async def test_the_language_is_chosen_by_keyboard_and_shown(
    page: Page, tomorrow: str, demo_practice: Practice
) -> None:
    name, address = unique("Englisch"), f"english-{uuid4().hex[:8]}@example.org"
    await fill(page, name, address, tomorrow)
    choice = page.get_by_test_id("form-appointment").get_by_label("Sprache der Einladung")
    await expect(choice).to_have_value("de")
    offered = await choice.locator("option").all_inner_texts()
    own_names = [each.own_name for each in wordings().values()]
    assert [each.rpartition(" – ")[2] for each in offered] == own_names
    assert {"Deutsch", "Deutsch (einfache Sprache)", "Arabisch – العربية"} < {*offered}
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
        "Sprache der Einladung: Englisch – English"
    )
    await expect(page.locator("#details-language [lang=en]")).to_have_text("English")


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
    text = preview.locator("#sms-text")
    await expect(text).to_have_attribute("lang", "de")
    await (
        page.get_by_test_id("form-appointment")
        .get_by_label("Sprache der Einladung")
        .select_option("en")
    )
    await expect(preview).to_contain_text("video visit")
    await expect(text).to_have_attribute("lang", "en")
    await expect(preview).to_contain_text("Zeichen (GSM-7).")
    await (
        page.get_by_test_id("form-appointment")
        .get_by_label("Sprache der Einladung")
        .select_option("ar")
    )
    await expect(preview).to_contain_text("فيديو")
    await expect(text).to_have_attribute("lang", "ar")
    await expect(text).to_have_attribute("dir", "auto")
    await expect(preview).to_contain_text("(UCS-2). Wegen der Schriftzeichen passt weniger")


# Where the first letter of each text is drawn, in pixels from the left.
LEFT = """texts => texts.map(text => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(text);
    if (at < 0) continue;
    const range = document.createRange();
    range.setStart(node, at);
    range.setEnd(node, at + 1);
    return range.getBoundingClientRect().left;
  }
  throw new Error(`${text} is not there`);
})"""


async def reads_rightwards(page: Page, *texts: str) -> bool:
    """Whether each text begins to the right of the one before; else all begin to its left."""
    left: list[float] = await page.evaluate(LEFT, texts)
    assert left in (sorted(left), sorted(left, reverse=True))
    return left == sorted(left)


@pytest.mark.parametrize("width", [390, 1366])
async def test_arabic_runs_from_right_to_left_and_what_is_not_arabic_does_not(
    practice: Practice, stack: Stack, browser: Browser, width: int
) -> None:
    async with owner(stack, "scheduling") as connection:
        await connection.execute(
            "UPDATE practices SET phone = $2, postal_address = $3 WHERE id = $1",
            practice.id,
            "+49301234567",
            "Hauptstraße 1\n12345 Berlin",
        )
    created = await practice.create(locale="ar", patient_name="Amal Haddad")
    mail = await practice.mail(created["email"])
    async with opened(browser, viewport={"width": width, "height": 800}) as page:
        for place in "mail", "page":
            if place == "mail":
                await page.set_content(mail["html"])
                assert not await reads_rightwards(page, "الهاتف", "+49")
            else:
                await page.goto(link_in(mail))
            await page.screenshot(path=SCREENSHOTS / f"arabic-{place}-{width}.png", full_page=True)
            assert await reads_rightwards(page, "+49", "1234567")
            assert await reads_rightwards(page, "12345 Berlin", "Berlin")
            main, heading = page.locator("main"), page.locator("h1")
            assert await main.evaluate("one => getComputedStyle(one).direction") == "rtl"
            right, edge = await heading.evaluate(
                """one => {
                  const range = document.createRange();
                  range.selectNodeContents(one);
                  return [range, one].map((each) => each.getBoundingClientRect().right);
                }"""
            )
            assert right == pytest.approx(edge, abs=2)
            assert not await is_wide(page)
