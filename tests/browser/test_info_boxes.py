"""Info boxes help: they cover nothing, many are gathered, and what failed is never dropped."""

import asyncio

import pytest
from playwright.async_api import Page, expect

from tests.browser.page import (
    NOTHING_GOES,
    enter,
    fill,
    fill_sms,
    infobox,
    noticed,
    row,
    show_day,
    state,
    unique,
)
from tests.conftest import Stack
from tests.support import Json, Practice, unknown_address

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640), (341, 192)]  # the last is 400 % zoom
# Of each of these that is in view: whether its middle is its own, and clear of every box.
COVERED = """(what) => {
  const boxes = [...document.querySelectorAll("[data-testid=infobox], #center-notice")]
    .filter((box) => box.checkVisibility()).map((box) => box.getBoundingClientRect());
  const scroller = (one) => one.closest("dialog") ?? document.getElementById("page");
  const covered = [];
  let seen = 0;
  for (const one of document.querySelectorAll(what)) {
    if (!one.checkVisibility()) continue;
    const { left, right, top, bottom } = one.getBoundingClientRect();
    const body = one.closest(".sheet-body");
    const places = [scroller(one), ...(body ? [body] : [])];
    const ends = places.map((each) => each.getBoundingClientRect());
    const low = Math.min(bottom, ...ends.map((end) => end.bottom));
    const high = Math.max(top, ...ends.map((end) => end.top));
    if (high >= low) continue; // scrolled out of view
    seen += 1;
    const meets = (box) =>
      box.left < right - 1 && box.right > left + 1 && box.top < low - 1 && box.bottom > high + 1;
    if (boxes.some(meets)) covered.push(one.outerHTML.slice(0, 120));
  }
  return { covered, seen, boxes: boxes.length };
}"""
WORK = "[data-testid=indicator], [data-opens=create]"


async def fail(practice: Practice, name: str, day: str) -> Json:
    created = await practice.create(patient_name=name, email=unknown_address(), date=day)
    await practice.shows(created["id"], "failed")
    return created


async def nothing_covered(page: Page, what: str, size: tuple[int, int]) -> None:
    found = await page.evaluate(COVERED, what)
    assert found["boxes"], size
    assert found["seen"], size
    assert found["covered"] == [], size


async def test_of_eleven_failures_at_once_none_is_dropped(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    await show_day(page, tomorrow)
    names = [unique("Elf") for _ in range(11)]
    await asyncio.gather(*(fail(demo_practice, name, tomorrow) for name in names))
    box = page.get_by_test_id("infobox")
    await expect(infobox(page, "11 nicht zugestellt – ansehen")).to_be_visible()
    await expect(box).to_have_count(1)
    await box.get_by_role("button", name="ansehen").click()
    await expect(page.get_by_role("heading", name="Offen", exact=True)).to_be_focused()
    await expect(box).to_have_count(0)


async def test_many_that_arrived_are_gathered(visitor: Page, stack: Stack, tomorrow: str) -> None:
    page = visitor
    await page.add_init_script(NOTHING_GOES)
    await enter(page, stack)
    for number in range(3):
        await fill(page, unique(f"Viele {number}"), "viele@example.org", tomorrow)
        await page.get_by_test_id("submit-invite").click()
    await noticed(page, "infobox", "3 E-Mails zugestellt")


async def test_what_arrived_over_one_channel_is_no_appointment_that_did(
    visitor: Page, stack: Stack, tomorrow: str
) -> None:
    """The green box and the red one tell of the same three."""
    page = visitor
    await page.add_init_script(NOTHING_GOES)
    await enter(page, stack)
    for number in range(3):
        name = unique(f"Halb {number}")
        await fill_sms(page, name, "0171 3920001", tomorrow, unknown_address())
        await page.get_by_test_id("submit-invite").click()
        await expect(state(page, name, "failed")).to_be_visible()
    await noticed(page, "infobox", "3 nicht zugestellt")
    await noticed(page, "infobox", "3 SMS zugestellt")


async def test_what_others_sent_has_its_tick_and_no_box(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    theirs, own = unique("Anderswo"), unique("Eigen")
    await show_day(page, tomorrow)
    await demo_practice.create(patient_name=theirs, date=tomorrow)
    await expect(state(page, theirs, "delivered")).to_be_visible()
    await fill(page, own, "eigen@example.org", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {own}")
    assert not any(theirs in one["text"] for one in await page.evaluate("noticed"))


async def test_a_failure_that_is_corrected_elsewhere_takes_its_box_along(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name, other = unique("Berichtigt"), unique("Bleibt")
    await show_day(page, tomorrow)
    created = await fail(demo_practice, name, tomorrow)
    await fail(demo_practice, other, tomorrow)
    await expect(infobox(page, name)).to_be_visible()
    await demo_practice.resend(created["id"], email="berichtigt@example.org")
    await expect(state(page, name, "delivered")).to_be_visible()
    await expect(infobox(page, name)).to_have_count(0)
    await expect(infobox(page, other)).to_be_visible()


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_boxes_cover_nothing_at_any_size(
    visitor: Page, stack: Stack, demo_practice: Practice, tomorrow: str, size: tuple[int, int]
) -> None:
    page, name = visitor, unique("Nichts Verdeckt")
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await enter(page, stack)
    await show_day(page, tomorrow)
    await fill(page, name, "frei@example.org", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(page.get_by_test_id("center-notice")).to_be_visible()
    await row(page, name).scroll_into_view_if_needed()
    await nothing_covered(page, WORK, size)
    await fail(demo_practice, unique("Verdeckt"), tomorrow)
    await fail(demo_practice, unique("Verdeckt"), tomorrow)
    await expect(infobox(page, "konnte nicht zugestellt werden")).to_have_count(2)
    indicators = page.get_by_test_id("indicator")
    for reached in (
        indicators.first,
        indicators.last,
        page.get_by_test_id("create-appointment-day"),
    ):
        await reached.scroll_into_view_if_needed()
        await nothing_covered(page, WORK, size)
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").scroll_into_view_if_needed()
    await nothing_covered(page, WORK, size)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_who_types_sees_what_is_typed(
    visitor: Page, stack: Stack, demo_practice: Practice, tomorrow: str, size: tuple[int, int]
) -> None:
    """Each field of the form, with boxes there; and one whose box comes meanwhile."""
    page = visitor
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await enter(page, stack)
    await fill(page, unique("Tippt"), "tippt@example.org", tomorrow)
    consent = page.get_by_test_id("form-appointment").locator("[name=consent]")
    await consent.focus()
    await fail(demo_practice, unique("Stört"), tomorrow)
    await expect(infobox(page, "konnte nicht zugestellt werden")).to_be_visible()
    await expect(consent).to_be_in_viewport(ratio=0.9)
    fields = page.locator("#create-form input:visible, #create-form select:visible")
    for field in await fields.all():
        await field.focus()
        await field.scroll_into_view_if_needed()
        await nothing_covered(page, "#create-form :focus", size)


async def test_no_button_moves_under_the_pointer_when_a_box_comes(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    """On a desk: room is kept for them below a dialog, and above them nothing moves in a view."""
    name = unique("Ruhig")
    await page.set_viewport_size({"width": 1366, "height": 768})
    await show_day(page, tomorrow)
    await fill(page, name, "ruhig@example.org", tomorrow)
    submit = page.get_by_test_id("submit-invite")
    before = await submit.bounding_box()
    await fail(demo_practice, unique("Stört"), tomorrow)
    await expect(infobox(page, "konnte nicht zugestellt werden")).to_be_visible()
    assert await submit.bounding_box() == before


async def test_closing_a_box_by_keyboard_leads_to_the_next_and_back_to_the_page(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    await show_day(page, tomorrow)
    for _ in range(2):
        await fail(demo_practice, unique("Zu"), tomorrow)
    await expect(infobox(page, "konnte nicht zugestellt werden")).to_have_count(2)
    closing = page.get_by_role("button", name="Meldung schließen")
    await closing.first.focus()
    await page.keyboard.press("Enter")
    await expect(closing).to_have_count(1)
    assert await page.evaluate("document.activeElement.closest('[data-testid=infobox]') !== null")
    await closing.focus()
    await page.keyboard.press("Enter")
    await expect(closing).to_have_count(0)
    await expect(page.locator("#main")).to_be_focused()


async def test_the_box_of_an_opened_row_goes_and_the_dialog_says_it_all(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Geöffnet")
    await show_day(page, tomorrow)
    await fail(demo_practice, name, tomorrow)
    await expect(infobox(page, name)).to_be_visible()
    await row(page, name).click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await expect(infobox(page, name)).to_have_count(0)
