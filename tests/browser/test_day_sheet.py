"""The Terminübersicht's day on paper, as a real browser prints it."""

import re
from collections.abc import AsyncIterator
from itertools import cycle
from uuid import UUID

import pytest_asyncio
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import enter, row, show_day, state, tab_to, unique
from tests.conftest import Stack
from tests.support import Json, Practice

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640)]
PAPER: ViewportSize = {"width": 688, "height": 1032}  # A4 within its margins
APPOINTMENTS = 40
A_LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-Leutheusser"
CLICKED = "button, input, a, dialog"


@pytest_asyncio.fixture
async def desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A dark desk whose policy lets axe's script in."""
    async with opened(
        browser, bypass_csp=True, reduced_motion="reduce", color_scheme="dark"
    ) as page:
        await enter(page, stack)
        yield page


async def sheets(page: Page) -> int:
    """How many the browser prints, each of them A4."""
    pdf = await page.pdf(prefer_css_page_size=True)
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf  # in points
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


async def clickable(page: Page) -> list[str]:
    """What is seen on the page and is of no use on paper."""
    seen = "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML)"
    found: list[str] = await page.eval_on_selector_all(CLICKED, seen)
    return found


async def test_the_day_is_printed_by_keyboard_in_words_and_black_on_white(
    desk: Page, demo_practice: Practice
) -> None:
    name, wrong = unique("Petra Papier"), unique("Ulf Unbekannt")
    created = await demo_practice.create(patient_name=name)
    bounced = await demo_practice.create(
        patient_name=wrong, email=f"unbekannt+{wrong[-6:]}@example.org", time="11:30"
    )
    await demo_practice.shows(created["id"], "delivered")
    await demo_practice.shows(bounced["id"], "failed")
    await show_day(desk, created["date"])
    await expect(state(desk, name, "delivered")).to_be_visible()
    await expect(state(desk, wrong, "failed")).to_be_visible()
    for width, height in SIZES:
        for scheme in ("light", "dark"):
            await desk.set_viewport_size({"width": width, "height": height})
            await desk.emulate_media(color_scheme=scheme)
            assert await violations(desk) == [], (width, scheme)
    sheet = desk.get_by_test_id("day-sheet")
    await expect(sheet).to_be_hidden()
    await expect(sheet).to_be_empty()  # of patients there is nothing but what is shown

    await desk.evaluate(
        "window.print = () => { window.printed = true; dispatchEvent(new Event('beforeprint')); }"
    )
    await desk.get_by_test_id("day-date").focus()
    await tab_to(desk, "#day-print")
    await desk.keyboard.press("Enter")
    assert await desk.evaluate("printed")

    await desk.emulate_media(media="print", color_scheme="dark")
    await desk.set_viewport_size(PAPER)
    await expect(sheet).to_be_visible()
    assert await clickable(desk) == []
    await expect(sheet.get_by_role("heading")).to_have_text(
        await desk.get_by_test_id("day-title").inner_text()
    )
    practice = await desk.get_by_test_id("practice-name").text_content()
    await expect(sheet).to_contain_text(practice or "never")
    await expect(sheet).to_contain_text(re.compile(r"Gedruckt am \d\d\.\d\d\.\d{4}, \d\d:\d\d:"))
    arrived = sheet.get_by_role("row").filter(has_text=name)
    await expect(arrived).to_contain_text("10:00 · 20 Min.")
    await expect(arrived).to_contain_text("E-Mail:\u00a0zugestellt")
    lost = sheet.get_by_role("row").filter(has_text=wrong)
    await expect(lost).to_contain_text("E-Mail:\u00a0nicht zugestellt – Adresse unbekannt")
    await expect(lost).not_to_contain_text("@")
    colours = await sheet.locator("*").evaluate_all(
        "all => [...new Set(all.map(one => getComputedStyle(one).color))]"
    )
    assert set(colours) <= {"rgb(0, 0, 0)", "rgb(51, 51, 51)"}
    paper = await sheet.evaluate("sheet => getComputedStyle(sheet).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert await violations(desk) == []


async def test_a_day_of_forty_is_on_two_sheets_whatever_dialog_is_open(
    desk: Page, demo_practice: Practice
) -> None:
    created = await demo_practice.create(patient_name=unique("Viola Viel"))
    appointments = [busy(created, number) for number in range(APPOINTMENTS)]

    async def day(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(json=await answer.json() | {"appointments": appointments})

    async def indicators(route: Route) -> None:
        await route.fulfill(json={"indicators": [*map(told, appointments, cycle(FATES))]})

    async def one(route: Route) -> None:  # without it a dialog would close again, as of one deleted
        await route.fulfill(json=known[route.request.url.rpartition("/")[2]])

    known = {each["id"]: each for each in (created, *appointments)}
    await desk.route("**/api/scheduling/appointments?date=*", day)
    await desk.route("**/api/scheduling/appointments/*", one)
    await desk.route("**/api/status/indicators?appointment_id=*", indicators)
    await show_day(desk, created["date"])
    await expect(desk.get_by_test_id("appointment-row")).to_have_count(APPOINTMENTS)
    failed = desk.locator("[data-testid=indicator][data-state=failed]")
    await expect(failed).to_have_count(APPOINTMENTS // len(FATES))
    assert await sheets(desk) <= 2
    lines = desk.get_by_test_id("day-sheet").locator("tbody tr")
    await expect(lines).to_have_count(APPOINTMENTS)
    await desk.emulate_media(media="print")
    breaks = await lines.evaluate_all(
        "all => [...new Set(all.map(one => getComputedStyle(one).breakInside))]"
    )
    assert breaks == ["avoid"]
    await desk.emulate_media(media="screen")
    await row(desk, appointments[1]["patient_name"]).first.get_by_role("button").click()
    await expect(desk.get_by_test_id("appointment-dialog")).to_be_visible()
    assert await sheets(desk) <= 2
    await desk.emulate_media(media="print")
    await expect(desk.get_by_test_id("appointment-dialog")).to_be_hidden()


async def test_what_could_not_be_loaded_is_said_on_paper(desk: Page) -> None:
    await desk.route("**/api/scheduling/appointments?date=*", lambda route: route.abort())
    await show_day(desk, "2031-05-05")
    await expect(desk.locator("#day-fault")).not_to_be_empty()
    assert await sheets(desk) == 1
    await desk.emulate_media(media="print")
    sheet = desk.get_by_test_id("day-sheet")
    await expect(sheet).to_contain_text("Montag, 5. Mai 2031")
    await expect(sheet).to_contain_text("waren beim Drucken nicht geladen")
    await expect(sheet).not_to_contain_text("Keine Termine")


FATES = ("delivered", "failed", "pending", "unconfirmed")


def busy(created: Json, number: int) -> Json:
    """One of the day's appointments: some names are long, half of them are sent over both ways."""
    return created | {
        "id": str(UUID(int=number + 1)),
        "time": f"{8 + number // 4:02}:{number % 4 * 15:02}",
        "patient_name": f"Nr{number} {A_LONG_NAME if number % 3 == 1 else 'Mustermann'}",
        "channels": ["email", "sms"] if number % 2 else ["email"],
    }


def told(appointment: Json, fate: str) -> Json:
    failed = {"category": "permanent", "reason": "blocked"} if fate == "failed" else {}
    channel = {"state": fate, "evidence": None, "late": False} | failed
    return {
        "appointment_id": appointment["id"],
        "version": 1,
        "overall": fate,
        "attempt": 1,
        "channels": dict.fromkeys(appointment["channels"], channel),
        "open": [],
        "notices": [],
    }
