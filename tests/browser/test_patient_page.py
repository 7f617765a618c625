"""„Beitreten" on a phone and „Videosprechstunde starten" at the desk, in a real Chromium."""

import re
from pathlib import Path

from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.conftest import MILLISECONDS
from tests.browser.page import log_in
from tests.conftest import Stack
from tests.support import Practice
from tests.support.moments import soon

SCREENSHOTS = Path("test-results")
PHONE = ViewportSize(width=360, height=740)


async def link_of(practice: Practice, **changes: object) -> str:
    created = await practice.create(**changes)
    mail = await practice.mail(created["email"])
    found = re.search(r"http\S+/besuch/[\w-]+", mail["text"])
    assert found is not None
    return found[0]


async def phone_at(browser: Browser, url: str) -> tuple[Page, list[str]]:
    page = await browser.new_page(viewport=PHONE, locale="de-DE", has_touch=True)
    page.set_default_timeout(MILLISECONDS)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(url)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    return page, said


async def test_beitreten_leads_into_the_room(
    demo_practice: Practice, browser: Browser, stack: Stack
) -> None:
    page, said = await phone_at(browser, await link_of(demo_practice, **soon()))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("#")[0]))
    await expect(page.get_by_text("Hausarztpraxis am Markt")).to_be_visible()
    button = page.get_by_role("button", name="Beitreten")
    size = await button.bounding_box()
    assert size is not None
    assert size["height"] >= 44
    await page.screenshot(path=SCREENSHOTS / "patient-offen.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.screenshot(path=SCREENSHOTS / "patient-breit.png", full_page=True)
    await page.set_viewport_size(PHONE)
    await page.keyboard.press("Tab")
    await expect(button).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Videoraum der Demo")).to_be_visible()
    assert page.url.startswith(stack.url("rooms"))
    await expect(page.get_by_text("Erika Mustermann")).to_be_visible()
    assert any(url.startswith(stack.url("rooms")) for url in asked)
    assert not [url for url in asked if "jwt" in url or "Erika" in url]
    assert await page.evaluate("document.referrer") == ""
    assert said == []  # no word of a policy that was broken
    await page.close()


async def test_the_language_is_switched_and_kept_into_the_answer(
    demo_practice: Practice, browser: Browser
) -> None:
    page, said = await phone_at(browser, await link_of(demo_practice))
    await expect(page.get_by_role("button", name="Beitreten")).to_be_disabled()
    await expect(page.get_by_text("noch nicht geöffnet")).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / "patient-frueh.png", full_page=True)
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", name="Your video visit")).to_be_visible()
    await expect(page.get_by_role("button", name="Join")).to_be_disabled()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_role("link", name="Reload the page").click()
    await expect(page.get_by_text("not open yet")).to_be_visible()
    assert said == []
    await page.close()


async def test_a_link_that_is_void_says_what_to_do(browser: Browser, stack: Stack) -> None:
    page = await browser.new_page(viewport=PHONE, locale="de-DE")
    await page.goto(f"{stack.url('scheduling')}/besuch/x")
    await expect(page.get_by_role("heading", name="Dieser Link ist nicht gültig")).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / "patient-ungueltig.png", full_page=True)
    await page.close()


async def test_the_practitioner_starts_the_visit_and_the_assistant_can_not(
    visitor: Page, demo_practice: Practice, stack: Stack
) -> None:
    created = await demo_practice.create(patient_name="Vera Visite", **soon())
    await log_in(visitor, stack, "Ärztin")
    await visitor.get_by_test_id("nav-termine").click()
    await visitor.get_by_test_id("day-date").fill(created["date"])
    await visitor.get_by_test_id("appointment-row").filter(has_text="Vera Visite").click()
    async with visitor.context.expect_page() as opened:
        await visitor.get_by_test_id("start-visit").click()
    room = await opened.value
    await expect(room.get_by_text("Leitung der Videosprechstunde")).to_be_visible()
    assert await room.evaluate("[window.opener, document.referrer]") == [None, ""]
    await expect(visitor.locator("#visit-progress")).to_have_text("Geöffnet.")
    await visitor.get_by_role("button", name="Schließen").first.click()
    await visitor.get_by_test_id("log-out").click()
    await expect(visitor).to_have_url(re.compile("/abgemeldet"))

    await log_in(visitor, stack, "Assistenz")
    await visitor.get_by_test_id("nav-termine").click()
    await visitor.get_by_test_id("day-date").fill(created["date"])
    await visitor.get_by_test_id("appointment-row").filter(has_text="Vera Visite").click()
    await expect(visitor.locator("#details-title")).to_be_visible()
    await expect(visitor.get_by_test_id("start-visit")).to_be_hidden()
