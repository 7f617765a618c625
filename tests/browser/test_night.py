"""At night an SMS waits for the morning: form and row say so, and „Jetzt senden" ends the wait."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from local.practice import DEMO_PRACTICE
from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import cut, enter, fill_sms, row, show_day, state, tab_to, unique
from tests.conftest import Stack
from tests.support import Practice, berlin_day, unused_phone

MORNING = re.compile(r"SMS wird (heute|morgen|am Mo\., \d\d\.\d\d\.) um 8:00 Uhr gesendet")
DAY = berlin_day(7).isoformat()


def night_zone() -> str:
    """Where it is eleven at night, or a little later."""
    ahead = (23 - datetime.now(UTC).hour + 12) % 24 - 12  # hours east of Greenwich
    return f"Etc/GMT{-ahead:+d}"  # whose sign is the other way round


@pytest_asyncio.fixture
async def desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """The demo's desk, of a practice that lets patients sleep and in whose zone it is night."""
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    change = "UPDATE practices SET quiet_hours = $2, time_zone = $3 WHERE id = $1"
    try:
        await owner.execute(change, DEMO_PRACTICE.id, True, night_zone())
        async with opened(browser, bypass_csp=True, reduced_motion="reduce") as page:
            await enter(page, stack)
            yield page
    finally:
        await owner.execute(change, DEMO_PRACTICE.id, False, DEMO_PRACTICE.time_zone)
        await owner.close()


async def test_the_form_and_the_row_say_so_and_send_now_ends_it_by_keyboard(
    desk: Page, demo_practice: Practice
) -> None:
    name, number = unique("Nora Nacht"), unused_phone()
    form = await fill_sms(desk, name, number, DAY)
    said = desk.get_by_test_id("create-sms-time")
    await expect(said).to_have_text(MORNING)
    now = form.get_by_test_id("create-send-now")
    await expect(now).to_have_accessible_description(MORNING)
    await form.locator("[name=channel-sms]").uncheck()
    await expect(said).to_have_text("")
    await expect(now).to_be_hidden()
    await form.locator("[name=channel-sms]").check()
    await expect(said).to_have_text(MORNING)
    for width, height in (1366, 768), (320, 640):
        await desk.set_viewport_size({"width": width, "height": height})
        assert await violations(desk) == []
        assert await cut(desk) == []
    await desk.get_by_test_id("submit-invite").click()

    await show_day(desk, DAY)
    await expect(row(desk, name).locator('[data-note="sms-waits"]')).to_have_text(MORNING)
    await expect(state(desk, name, "pending")).to_be_visible()
    await row(desk, name).click()
    await expect(desk.get_by_test_id("sms-waits")).to_contain_text(MORNING)
    await expect(desk.get_by_test_id("details-state")).to_contain_text("um 8:00 Uhr gesendet")
    await desk.get_by_test_id("history-open").click()
    await expect(desk.get_by_test_id("history")).to_contain_text("wartet bis")
    assert await violations(desk) == []
    assert await cut(desk) == []
    await desk.locator("#details-title").focus()
    await tab_to(desk, "#send-now")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_test_id("sms-waits")).to_be_hidden()
    await expect(desk.locator("#details-title")).to_be_focused()
    await expect(
        desk.locator('#details-state [data-channel="sms"][data-state="delivered"]')
    ).to_be_visible()
    await desk.keyboard.press("Escape")
    await expect(state(desk, name, "delivered")).to_be_visible()
    await expect(row(desk, name).locator('[data-note="sms-waits"]')).to_have_count(0)


async def test_who_chooses_so_in_the_form_sends_at_once_and_a_mail_does_not_wait(
    desk: Page, demo_practice: Practice
) -> None:
    name, number = unique("Jetzt Gleich"), unused_phone()
    form = await fill_sms(desk, name, number, DAY)
    await form.get_by_test_id("create-send-now").check()
    await desk.get_by_test_id("submit-invite").click()
    await show_day(desk, DAY)
    await expect(state(desk, name, "delivered")).to_be_visible()

    both = unique("Beides Nachts")
    await fill_sms(desk, both, unused_phone(), DAY, email=f"nacht-{uuid4().hex[:8]}@example.org")
    await expect(desk.get_by_test_id("create-sms-time")).to_have_text(MORNING)
    await desk.get_by_test_id("submit-invite").click()
    await show_day(desk, DAY)
    await row(desk, both).click()
    await expect(
        desk.locator('#details-state [data-channel="email"][data-state="delivered"]')
    ).to_be_visible()
    waits = desk.locator('#details-state [data-channel="sms"][data-state="pending"]')
    await expect(waits).to_contain_text("um 8:00 Uhr gesendet")
    # Sent again it may wait again, or not.
    await desk.get_by_test_id("resend-open").click()
    await expect(desk.get_by_test_id("resend-sms-time")).to_have_text(MORNING)
    await desk.get_by_test_id("resend-send-now").check()
    await desk.get_by_test_id("resend-submit").click()
    await expect(
        desk.locator('#details-state [data-channel="sms"][data-state="delivered"]')
    ).to_be_visible()
