"""From 320 to 1920 pixels, and magnified fourfold, nothing is scrolled sideways or cut (WCAG 1.4.4,
1.4.10), and what a dialog offers can be reached."""

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.page import cut, enter, fill, infobox, row, show_day, unique, unreachable
from tests.conftest import Stack
from tests.support import Practice

# A window of 1366x768 at 200 % and 400 % is 683x384 and 341x192.
SIZES = [
    (320, 256),
    (341, 192),
    (360, 740),
    (480, 640),
    (512, 640),
    (513, 640),
    (600, 800),
    (641, 700),
    (650, 700),
    (683, 384),
    (720, 700),
    (768, 1024),
    (780, 700),
    (833, 700),
    (900, 700),
    (961, 700),
    (1024, 768),
    (1120, 700),
    (1366, 768),
    (1920, 1080),
]
LONG = "Wolfeschlegelsteinhausenbergerdorff-Leutheusser-Schnarrenberger"


async def fits(page: Page, *, dialog: str = "") -> None:
    """At every size nothing is cut, and all that the `dialog` offers can be clicked."""
    found = {}
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        wrong = await cut(page)
        if dialog:
            wrong += await unreachable(page, dialog)
        if wrong:
            found[width, height] = wrong
    assert found == {}


@pytest_asyncio.fixture
async def desk(visitor: Page, stack: Stack) -> Page:
    await visitor.emulate_media(reduced_motion="reduce")
    await enter(visitor, stack)
    return visitor


async def failed(demo_practice: Practice, name: str, **changes: object) -> str:
    """An appointment whose invitation came back, with an address in reserve."""
    email = f"unbekannt+{unique('x').split()[1]}.{'lang' * 9}@sehr-lange-adresse.example.org"
    created = await demo_practice.create(
        patient_name=name, email=email, phone="+491713920001", **changes
    )
    await demo_practice.shows(created["id"], "failed")
    return str(created["id"])


async def test_every_view(desk: Page, demo_practice: Practice, tomorrow: str) -> None:
    page = desk
    name = f"{LONG} {unique('Rita')}"
    await demo_practice.deal_with_all()  # the list shows its first page
    await failed(demo_practice, name)
    # With what is not always there: a count of two digits, and how it stands in words.
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-row").filter(has_text=name)).to_be_visible()
    await fits(page)
    open_row = page.get_by_test_id("open-row").filter(has_text=name)
    await open_row.get_by_role("button", name="Erledigt").click()
    await fits(page, dialog="#follow-up")
    await page.keyboard.press("Escape")
    await show_day(page, tomorrow)
    await expect(row(page, name)).to_be_visible()
    await fits(page)
    await page.get_by_test_id("span-week").click()
    await expect(page.get_by_test_id("day-head")).to_have_count(7)
    await fits(page)
    await page.get_by_test_id("nav-patienten").click()
    await fits(page)
    await page.get_by_test_id("find-query").fill(name)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("found-row").filter(has_text=name)).to_be_visible()
    await fits(page)
    await page.get_by_test_id("nav-protokoll").click()
    await expect(page.get_by_test_id("audit-entry").first).to_be_visible()
    await fits(page)
    await page.evaluate(
        """long => {
          document.getElementById("practice-name").textContent = `Praxis ${long}`;
          document.getElementById("live").textContent = "Keine Verbindung";
          document.getElementById("open-count").hidden = false;
          document.getElementById("open-count").firstChild.textContent = "128?";
        }""",
        LONG,
    )
    await fits(page)


async def test_the_form(desk: Page, tomorrow: str) -> None:
    page = desk
    await fill(page, "", "anna@gmial.com", tomorrow)
    form = page.get_by_test_id("form-appointment")
    await form.locator("[name=channel-sms]").check()
    await expect(page.locator("#sms-text")).to_be_visible()
    await form.locator("[name=phone]").fill("030 1234567")
    await form.locator("[name=consent]").uncheck()
    await page.get_by_test_id("submit-invite").click()
    await expect(form.get_by_test_id("typing-hint")).to_contain_text("Meinten Sie")
    await page.get_by_test_id("submit-invite").click()
    await expect(form.get_by_test_id("error-summary")).to_be_focused()
    await fits(page, dialog="#create")


async def test_an_appointment_and_its_deletion(
    desk: Page, demo_practice: Practice, tomorrow: str
) -> None:
    page = desk
    name = f"{LONG} {unique('Dora')}"
    await show_day(page, tomorrow)
    await failed(demo_practice, name, date=tomorrow)
    await expect(infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")).to_be_visible()
    await fits(page)
    await row(page, name).click()
    await page.get_by_test_id("resend-more").click()
    await page.get_by_test_id("move-open").click()
    await page.get_by_test_id("history-open").click()
    await expect(page.get_by_test_id("history")).to_contain_text("nicht zugestellt")
    await fits(page, dialog="#details")
    await failed(demo_practice, unique("Noch eine"), date=tomorrow)
    await expect(page.locator("#details").get_by_test_id("infobox")).to_be_visible()
    await fits(page, dialog="#details")
    for button in "delete-appointment", "erase-appointment":
        await page.get_by_test_id(button).click()
        await fits(page, dialog="#confirm")
        await page.keyboard.press("Escape")


async def test_figures_and_proofs(desk: Page, demo_practice: Practice) -> None:
    created = await demo_practice.create()
    await demo_practice.shows(created["id"], "delivered")
    await desk.get_by_test_id("nav-termine").click()
    await desk.locator('[data-opens="measures"]:visible').click()
    await expect(desk.get_by_test_id("measures-shown")).to_contain_text("Haken")
    await fits(desk, dialog="#measures")
    await desk.keyboard.press("Escape")
    await desk.locator('[data-opens="proofs"]:visible').click()
    await fits(desk, dialog="#proofs")
