"""Logging in and out in a real browser, and what stays on its screen."""

from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest
from playwright.async_api import Error, Page, Route, expect

from tests.browser.page import fill, log_in, row, show_day
from tests.conftest import Stack
from tests.support import Practice, eventually


async def test_an_assistant_sees_no_way_to_delete_and_the_admin_does(
    visitor: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = f"Rechte {uuid4().hex[:6]}"
    await demo_practice.create(patient_name=name, date=tomorrow)
    for person, visible in (("Assistenz", False), ("Praxisleitung", True)):
        await log_in(visitor, stack, person)
        await expect(visitor.get_by_test_id("user")).to_have_text(person)
        await show_day(visitor, tomorrow)
        await row(visitor, name).click()
        await expect(visitor.get_by_role("heading", name=name)).to_be_visible()
        for deed in ("delete-appointment", "erase-appointment"):
            await expect(visitor.get_by_test_id(deed)).to_be_visible(visible=visible)
        await visitor.keyboard.press("Escape")
        await visitor.get_by_test_id("log-out").click()
        await expect(visitor.get_by_role("heading", name="Sie sind abgemeldet")).to_be_visible()


async def test_after_logging_out_the_page_asks_for_a_login(page: Page, stack: Stack) -> None:
    await page.get_by_test_id("log-out").click()
    await expect(page.get_by_role("heading", name="Sie sind abgemeldet")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_test_id("practice-name")).to_have_count(0)
    await page.goto(stack.url("dashboard"))
    await expect(page.get_by_role("heading", name="Wer sind Sie?")).to_be_visible()


async def test_a_slow_logout_is_not_taken_for_an_expired_session(page: Page) -> None:
    async def slowly(route: Route) -> None:
        if route.request.method != "DELETE":
            await route.continue_()
            return
        answer = await route.fetch()
        async with page.expect_response(
            lambda answer: "/api/scheduling/appointments" in answer.url and answer.status == 401
        ):
            await page.evaluate("dispatchEvent(new Event('online'))")  # the page asks meanwhile
        with pytest.raises(Error, match="Timeout"):
            await page.wait_for_url("**/abgelaufen*", timeout=1000)
        await route.fulfill(response=answer)

    await page.route("**/api/session", slowly)
    await page.get_by_test_id("log-out").click()
    await expect(page.get_by_role("heading", name="Sie sind abgemeldet")).to_be_visible()


async def test_who_has_no_practice_is_told_so_and_can_change_accounts(
    visitor: Page, stack: Stack
) -> None:
    await visitor.goto(stack.url("dashboard"))
    await visitor.get_by_role("button", name="Gast").click()
    await expect(visitor.get_by_role("heading", name="Kein Zugang")).to_be_visible()
    await visitor.get_by_role("link", name="Mit einem anderen Konto anmelden").click()
    await visitor.get_by_role("link", name="Neu anmelden").click()
    await visitor.get_by_role("button", name="Ärztin").click()
    await expect(visitor.get_by_test_id("user")).to_have_text("Ärztin")


async def test_who_cancels_can_try_again(visitor: Page, stack: Stack) -> None:
    await visitor.goto(stack.url("dashboard"))
    await visitor.get_by_role("button", name="Abbrechen").click()
    await expect(visitor.get_by_role("heading", name="Anmeldung abgebrochen")).to_be_visible()
    await visitor.get_by_role("link", name="Noch einmal versuchen").click()
    await expect(visitor.get_by_role("heading", name="Wer sind Sie?")).to_be_visible()


async def test_an_expired_session_clears_the_screen_and_leads_back(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = f"Vertraulich {uuid4().hex[:6]}"
    await demo_practice.create(patient_name=name, date=tomorrow)
    await show_day(page, tomorrow)
    await expect(row(page, name)).to_be_visible()
    await end_sessions(page, stack)
    await expect(page.get_by_text(name)).to_have_count(0)
    await page.get_by_role("link", name="Neu anmelden").click()
    await page.get_by_role("button", name="Praxisleitung").click()
    await expect(row(page, name)).to_be_visible()


async def end_sessions(page: Page, stack: Stack) -> None:
    """All are over, and the page notices."""
    connection = await asyncpg.connect(stack.owner_dsn("dashboard"))
    await connection.execute("DELETE FROM sessions")
    await connection.close()
    with suppress(Error):  # it may have noticed by itself, and be on its way
        await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.get_by_role("heading", name="Ihre Sitzung ist abgelaufen")).to_be_visible()


async def test_what_was_being_entered_outlives_the_session(
    page: Page, stack: Stack, tomorrow: str
) -> None:
    name = f"Begonnen {uuid4().hex[:6]}"
    await fill(page, name, "begonnen@example.org", tomorrow, "11:15")
    await end_sessions(page, stack)
    kept = await page.evaluate("JSON.stringify({...sessionStorage}) + document.body.textContent")
    assert name not in kept
    await page.get_by_role("link", name="Neu anmelden").click()
    await page.get_by_role("button", name="Praxisleitung").click()
    form = page.get_by_test_id("form-appointment")
    await expect(form.locator("[name=patient_name]")).to_have_value(name)
    await expect(form.locator("[name=email]")).to_have_value("begonnen@example.org")
    await expect(form.locator("[name=date]")).to_have_value(tomorrow)
    await expect(form.locator("[name=time]")).to_have_value("11:15")
    await expect(form.locator("[name=consent]")).to_be_checked()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_what_was_being_corrected_outlives_the_session(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = f"Berichtigt {uuid4().hex[:6]}"
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await row(page, name).click()
    await page.get_by_test_id("resend-open").click()
    await page.get_by_test_id("resend-email").fill("richtig@example.org")
    await page.get_by_test_id("move-open").click()
    await page.locator("#move-time").fill("16:45")
    await end_sessions(page, stack)
    await page.get_by_role("link", name="Neu anmelden").click()
    await page.get_by_role("button", name="Praxisleitung").click()
    await expect(page.locator("#details-title")).to_have_text(name)
    await expect(page.get_by_test_id("resend-email")).to_have_value("richtig@example.org")
    await expect(page.locator("#move-time")).to_have_value("16:45")


async def test_somebody_else_does_not_get_what_was_being_entered(
    page: Page, stack: Stack, tomorrow: str
) -> None:
    await fill(page, "Fremd Fremder", "fremd@example.org", tomorrow)
    await end_sessions(page, stack)
    assert await page.evaluate("sessionStorage.length") == 1
    await page.get_by_role("link", name="Neu anmelden").click()
    await page.get_by_role("button", name="Ärztin").click()
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    await expect(page.get_by_test_id("form-appointment")).to_be_hidden()
    assert await page.evaluate("sessionStorage.length") == 0


async def test_a_new_token_interrupts_nothing(visitor: Page, stack: Stack) -> None:
    renewed = 0

    async def end_first(route: Route) -> None:
        nonlocal renewed
        renewed += 1
        if renewed > 1:
            await route.continue_()
            return
        body = "event: ready\nid: 0\ndata: {}\n\nevent: renew\ndata: {}\n\n"
        await route.fulfill(content_type="text/event-stream", body=body)

    await visitor.route("**/api/status/indicators/stream*", end_first)
    await visitor.add_init_script(
        """addEventListener("DOMContentLoaded", () => {
          window.states = [];
          const shown = document.getElementById("live");
          new MutationObserver(() => window.states.push(shown?.dataset.state))
            .observe(document, {subtree: true, attributes: true, attributeFilter: ["data-state"]});
        })"""
    )
    await log_in(visitor, stack)

    async def twice() -> bool:
        return renewed >= 2 and await visitor.evaluate("window.states.length > 1")

    await eventually(twice, "a second stream")
    await expect(visitor.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    assert "lost" not in await visitor.evaluate("window.states")
