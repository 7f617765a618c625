"""„Anzeige aktuell" is told while it is so, and what changes at another desk shows at once."""

import os
import signal
from datetime import UTC, datetime, time, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.browser.page import enter, fill, noticed, row, show_day, state, unique
from tests.conftest import HURRIED, Stack
from tests.support import BERLIN, Json, Practice, berlin_day, unknown_address

BEAT = float(HURRIED["status"]["STATUS_HEARTBEAT_SECONDS"])
SLACK = 5.0  # seconds, for what a slow machine does beside
# `lostAfter` becomes the seconds from here until „Anzeige aktuell" was gone
WATCH_STATE = """() => {
  window.since = performance.now();
  window.lostAfter = null;
  const shown = document.getElementById("live");
  new MutationObserver(() => {
    if (shown.dataset.state === "lost") lostAfter ??= (performance.now() - since) / 1000;
  }).observe(shown, { attributes: true });
}"""
SOON = 30_000  # milliseconds; before the page looks by itself, a minute after it was opened


async def opened(page: Page, practice: Practice, name: str, day: str) -> Json:
    """An appointment at ten that was told to its patient, in its dialog."""
    created = await practice.create(patient_name=name, date=day, time="10:00")
    await practice.shows(created["id"], "delivered")
    await show_day(page, day)
    await row(page, name).click()
    return created


async def moved_elsewhere(practice: Practice, created: Json, day: str) -> None:
    """Another desk moves it to half past eleven."""
    moved = await practice.scheduling.patch(
        f"/v1/appointments/{created['id']}",
        json={"date": day, "time": "11:30", "notify": False},
    )
    assert moved.status_code == 200


async def test_a_move_at_another_desk_shows_over_the_stream(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Umzug")
    created = await opened(page, demo_practice, name, tomorrow)
    dialog = page.get_by_test_id("appointment-dialog")
    await expect(dialog).to_contain_text("10:00 Uhr")
    await moved_elsewhere(demo_practice, created, tomorrow)
    await expect(dialog.locator("#details-when")).to_contain_text("11:30 Uhr", timeout=SOON)
    await expect(page.get_by_test_id("told")).to_contain_text("Jemand hat diesen Termin verschoben")
    await expect(page.get_by_test_id("told")).to_contain_text("bisher")
    await expect(row(page, name).locator(".time")).to_have_text("11:30", timeout=SOON)


async def test_a_deletion_at_another_desk_is_said_and_ones_own_too(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Gelöscht")
    created = await opened(page, demo_practice, name, tomorrow)
    await demo_practice.scheduling.delete(f"/v1/appointments/{created['id']}")
    told = page.get_by_test_id("told")
    await expect(told).to_contain_text(f"Jemand hat diesen Termin gelöscht: {name}", timeout=SOON)
    await expect(page.get_by_test_id("appointment-dialog")).to_be_hidden()

    name = unique("Erika Selbst")
    await opened(page, demo_practice, name, tomorrow)
    await page.get_by_test_id("move-open").click()
    await page.locator("#move-time").fill("12:15")
    await page.get_by_test_id("move-submit").click()
    await expect(told).to_contain_text(f"Verschoben: {name}")
    await expect(told).to_contain_text("12:15 Uhr")
    await row(page, name).click()
    await page.get_by_test_id("delete-appointment").click()
    await page.get_by_test_id("delete-confirm").click()
    await expect(told).to_contain_text(f"Gelöscht: {name}")
    await expect(told).to_have_count(1)


async def test_who_types_while_another_moves_is_told_first(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Erika Doppelt")
    created = await opened(page, demo_practice, name, tomorrow)
    await page.get_by_test_id("move-open").click()
    form = page.get_by_test_id("form-move")
    await form.locator("[name=time]").fill("15:00")
    await moved_elsewhere(demo_practice, created, tomorrow)
    await expect(page.get_by_test_id("appointment-dialog")).to_contain_text("11:30 Uhr")
    await expect(form.locator("[name=time]")).to_have_value("15:00")
    await page.get_by_test_id("move-submit").click()
    await expect(form).to_contain_text("Jemand hat diesen Termin inzwischen geändert.")
    for both in "15:00 Uhr", "11:30 Uhr":
        await expect(form.locator(".comparison")).to_contain_text(both)
    await form.get_by_test_id("conflict-stored").click()
    await expect(form.locator("[name=time]")).to_have_value("11:30")


async def test_a_dashboard_that_hangs_is_told_as_lost_and_come_back_to(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    """Its connections stay open, and nothing comes over them."""
    name = unique("Erika Erstarrt")
    await show_day(page, tomorrow)
    await page.evaluate(WATCH_STATE)
    dashboard = stack.service("dashboard").pid
    os.kill(dashboard, signal.SIGSTOP)
    try:
        await expect(page.get_by_test_id("stream-state")).to_have_text("Keine Verbindung")
        await expect(page.get_by_test_id("connection-banner")).to_be_visible()
        silent = await page.evaluate("window.lostAfter")
        created = await demo_practice.create(
            patient_name=name, date=tomorrow, email=unknown_address()
        )
        await demo_practice.shows(created["id"], "failed")
    finally:
        os.kill(dashboard, signal.SIGCONT)
    assert silent < 2.5 * BEAT + SLACK
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    await expect(page.get_by_test_id("connection-banner")).to_be_hidden()
    await expect(state(page, name, "failed")).to_be_visible()
    await noticed(page, "infobox", f"E-Mail konnte nicht zugestellt werden {name}")


async def test_offline_is_told_at_once(page: Page, demo_practice: Practice, tomorrow: str) -> None:
    name = unique("Erika Offline")
    await show_day(page, tomorrow)
    await page.evaluate(WATCH_STATE)
    await page.context.set_offline(True)
    await expect(page.get_by_test_id("stream-state")).to_have_text("Keine Verbindung")
    assert await page.evaluate("window.lostAfter") < SLACK
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await page.context.set_offline(False)
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_beats_keep_a_quiet_stream_alive(page: Page) -> None:
    """For longer than a stream without them would last."""
    beats = 4 * BEAT
    await page.evaluate(WATCH_STATE)
    await page.wait_for_function(
        "seconds => performance.now() - window.since > 1000 * seconds", arg=beats
    )
    assert await page.evaluate("window.lostAfter") is None
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")


async def test_a_server_that_does_not_answer_is_told_in_plain_german(
    visitor: Page, stack: Stack, tomorrow: str
) -> None:
    """The browser's clock is not waited for: the request ends as if its time were over."""
    await visitor.add_init_script("AbortSignal.timeout = () => window.hangs?.signal")
    await enter(visitor, stack)
    await fill(visitor, unique("Erika Geduld"), "erika@example.org", tomorrow)
    await visitor.evaluate(
        """() => {
          window.hangs = new AbortController();
          window.hangs.abort(new DOMException("", "TimeoutError"));
        }"""
    )
    await visitor.get_by_test_id("submit-invite").click()
    await expect(visitor.get_by_test_id("form-appointment")).to_contain_text(
        "Der Server hat nicht rechtzeitig geantwortet. Ihre Eingaben bleiben hier stehen."
    )


async def test_a_page_of_which_a_module_did_not_come_says_so_and_comes_anew(page: Page) -> None:
    """As where the desk changes its network just then."""
    await page.route("**/static/words.js", lambda route: route.abort("connectionreset"))
    await page.reload()
    shown = page.get_by_test_id("stream-state")
    await expect(shown).to_have_text("Keine Verbindung")
    await page.unroute_all()
    await expect(shown).to_have_text("Anzeige aktuell")


async def test_a_page_without_one_of_its_style_sheets_comes_anew(page: Page) -> None:
    await page.route("**/static/rows.css", lambda route: route.abort("connectionreset"))
    await page.reload()
    async with page.expect_event("load"):
        await page.unroute_all()


@pytest.mark.parametrize("wrong", [timedelta(hours=-3), timedelta(hours=3)])
async def test_a_computer_whose_clock_is_wrong_is_no_reason_for_doubt(
    visitor: Page, stack: Stack, wrong: timedelta
) -> None:
    await visitor.clock.install(time=datetime.now(UTC) + wrong)
    await enter(visitor, stack)
    await expect(visitor.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")


@pytest.mark.parametrize("address", ["#/termine", "#/termine/{today}", "#/patienten"])
async def test_whoever_was_shown_today_is_shown_the_new_day_after_midnight(
    visitor: Page, stack: Stack, demo_practice: Practice, tomorrow: str, address: str
) -> None:
    page, name, today = visitor, unique("Morgen Früh"), berlin_day(0)
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await page.clock.install(time=datetime.combine(today, time(23, 59), BERLIN))
    await enter(page, stack)
    await page.evaluate("address => { location.hash = address; }", address.format(today=today))
    await expect(page.get_by_test_id("day-date")).to_have_value(today.isoformat())
    before = await page.evaluate("history.length")
    dialog = page.get_by_test_id("form-appointment")
    await page.locator("[data-opens=create]:visible").click()
    async with page.expect_response("**/api/scheduling/appointments?date=*"):
        await page.clock.fast_forward("02:00")
    await expect(page.get_by_test_id("day-date")).to_have_value(today.isoformat())  # at something
    await dialog.get_by_role("button", name="Abbrechen").click()
    await page.clock.fast_forward("02:00")
    await expect(page.get_by_test_id("day-date")).to_have_value(tomorrow)
    assert await page.evaluate("[location.hash, history.length]") == [
        address.format(today=tomorrow),
        before,
    ]
    await page.get_by_test_id("nav-termine").click()
    await expect(row(page, name)).to_be_visible()
    await expect(page.get_by_test_id("day-today")).to_be_disabled()


async def test_another_day_that_was_chosen_stays_over_midnight(
    visitor: Page, stack: Stack, tomorrow: str
) -> None:
    page = visitor
    await page.clock.install(time=datetime.combine(berlin_day(0), time(23, 59), BERLIN))
    await enter(page, stack)
    chosen = berlin_day(5).isoformat()
    await show_day(page, chosen)
    await page.get_by_test_id("day-title").click()
    async with page.expect_response("**/api/scheduling/appointments?*"):
        await page.clock.fast_forward("02:00")
    await page.get_by_test_id("day-today").click()
    await expect(page.get_by_test_id("day-date")).to_have_value(tomorrow)
