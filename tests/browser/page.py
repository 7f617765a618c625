"""The dashboard's page as the tests use it: where things are and what one does there."""

from datetime import date
from uuid import UUID, uuid4

import asyncpg
from playwright.async_api import Locator, Page, expect

from local.stack import Stack
from tests.support import Json, eventually
from tests.support.visitor import SESSION, new_visitor


def without_timers(of: str) -> str:
    """A script for add_init_script: what a page does after such a `delay` (ms) is never done."""
    return f"""const later = setTimeout;
        window.setTimeout = (act, delay) => later(act, {of} ? 2 ** 31 - 1 : delay)"""


NOTHING_GOES = without_timers("delay >= 5000")  # what goes by itself after some seconds stays


async def log_in(page: Page, stack: Stack, person: str = "Praxisleitung") -> None:
    """Open the dashboard and log in at the local identity provider."""
    await page.goto(stack.url("dashboard"))
    await page.get_by_role("button", name=person).click()
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")


async def enter(page: Page, stack: Stack) -> None:
    """Open the dashboard with a session of one's own, which the provider's page was not shown for.

    For tests of what comes after a login.
    """
    async with new_visitor(stack) as visitor:
        await visitor.log_in(person="leitung")
    assert visitor.session is not None
    dashboard = stack.url("dashboard")
    await page.context.add_cookies([{"name": SESSION, "value": visitor.session, "url": dashboard}])
    await page.goto(dashboard)
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")


def measured_week(monday: date, *counts: int, p50: float | None, p95: float | None) -> Json:
    """A week as the status service tells it; `counts` are at once, corrected, failed, open."""
    at_once, corrected, failed, still_open = counts
    return {
        "week": "{}-W{:02}".format(*monday.isocalendar()),
        "first_day": monday.isoformat(),
        "arrived_at_once": at_once,
        "arrived_corrected": corrected,
        "failed": failed,
        "open": still_open,
        "request_to_tick_ms_p50": p50,
        "request_to_tick_ms_p95": p95,
    }


def unique(name: str) -> str:
    """A name that nobody else in the run has."""
    return f"{name} {uuid4().hex[:6]}"


async def fill(page: Page, name: str, email: str, day: str, time: str = "10:00") -> None:
    """Fill in the form for an appointment that is invited by mail."""
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").click()
    form = page.get_by_test_id("form-appointment")
    await form.get_by_label("Vorname Nachname").fill(name)
    await form.locator("[name=email]").fill(email)
    await form.locator("[name=date]").fill(day)
    await form.locator("[name=time]").fill(time)
    await form.locator("[name=duration_minutes]").fill("20")
    await form.locator("[name=consent]").check()


async def fill_sms(
    page: Page, name: str, phone: str, day: str, email: str | None = None
) -> Locator:
    """The form for SMS, with an address also for e-mail; returns it."""
    await fill(page, name, email or "", day)
    form = page.get_by_test_id("form-appointment")
    await form.locator("[name=channel-sms]").check()
    await form.locator("[name=phone]").fill(phone)
    await form.locator("[name=channel-email]").set_checked(email is not None)
    return form


async def is_wide(page: Page) -> bool:
    """Whether something would have to be scrolled sideways."""
    found: bool = await page.evaluate(
        """() => [document.documentElement, document.getElementById("page")].some(
            (one) => one && one.scrollWidth > one.clientWidth)"""
    )
    return found


async def cut(page: Page) -> list[str]:
    """What is wider than its place, or reaches out of the window at its side."""
    found: list[str] = await page.evaluate(
        """() => {
          const name = (one) => `${one.tagName}#${one.id}.${one.getAttribute("class") ?? ""}`;
          const found = [];
          const isClipped = (one) => getComputedStyle(one).clipPath !== "none";
          const known = new Map([[null, false]]);
          const isHeard = (one) => {
            if (!known.has(one)) known.set(one, isClipped(one) || isHeard(one.parentElement));
            return known.get(one);
          };
          const last = "dialog[open]:not(:has(~ dialog[open]))";
          const shown = document.querySelector(last) ?? document;
          for (const one of [document.documentElement, ...shown.querySelectorAll("*")]) {
            if (!one.checkVisibility()) continue;
            if (one.closest("svg, option, .skip") || isHeard(one)) continue;
            const style = getComputedStyle(one);
            const { left, right, width } = one.getBoundingClientRect();
            if (!width || style.display === "inline") continue;
            if (one.scrollWidth > one.clientWidth + 1 && !one.matches("input, select"))
              found.push(`${name(one)} holds ${one.scrollWidth} in ${one.clientWidth}`);
            if (left < -0.5 || right > innerWidth + 0.5)
              found.push(`${name(one)} is from ${left} to ${right} of ${innerWidth}`);
            const clips = style.overflowY === "hidden" && one.scrollHeight > one.clientHeight + 1;
            if (clips && one !== document.documentElement && one !== document.body)
              found.push(`${name(one)} holds ${one.scrollHeight} in ${one.clientHeight} high`);
          }
          return found;
        }"""
    )
    return found


async def unreachable(page: Page, dialog: str) -> list[str]:
    """What of a dialog can't be clicked, be it scrolled to or not."""
    found: list[str] = await page.evaluate(
        """(dialog) => {
          const able = "button, input, select, summary, a[href]";
          const found = [];
          for (const one of document.querySelector(dialog).querySelectorAll(able)) {
            if (!one.checkVisibility()) continue;
            one.scrollIntoView({ block: "center", behavior: "instant" });
            const { left, top, width, height } = one.getBoundingClientRect();
            const hit = document.elementFromPoint(left + width / 2, top + height / 2);
            if (!hit || !(one.contains(hit) || hit.closest("label")?.contains(one)))
              found.push(`${one.id || one.name || one.textContent.trim()}: ${hit?.className}`);
          }
          return found;
        }""",
        dialog,
    )
    return found


async def show_day(page: Page, day: str) -> None:
    """Show the overview of this day."""
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_test_id("day-date").fill(day)


def row(page: Page, name: str) -> Locator:
    """The patient's row in the overview."""
    return page.get_by_test_id("appointment-row").filter(has_text=name)


def state(page: Page, name: str, value: str) -> Locator:
    """The indicator in the row, while it shows this."""
    return row(page, name).locator(f"[data-testid=indicator][data-state={value}]")


def infobox(page: Page, text: str) -> Locator:
    """The info box with this text."""
    return page.get_by_test_id("infobox").filter(has_text=text)


async def noticed(page: Page, where: str, text: str) -> None:
    """Wait until an „infobox" or the „center-notice" has said this, be it gone again."""

    async def said() -> bool:
        found = await page.evaluate("noticed")
        return any(one["where"] == where and text in one["text"] for one in found)

    await eventually(said, f"{where}: {text}")


async def tab_to(page: Page, what: str, most: int = 40) -> None:
    """Press Tab until the element has the focus."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        if await page.evaluate("what => document.activeElement?.matches(what)", what):
            return
    raise AssertionError(f"not within {most} tabs: {what}")


async def type_day(page: Page, field: str, day: str) -> None:
    """Into the browser's own field, whose order of day and month is the browser's."""
    year, month, of_month = day.split("-")
    for digits in f"{of_month}{month}{year}", f"{month}{of_month}{year}":
        await page.keyboard.type(digits)
        if await page.input_value(field) == day:
            return
        await page.keyboard.press("ArrowLeft")
        await page.keyboard.press("ArrowLeft")
    raise AssertionError(f"can't be typed: {day}")


async def let_a_day_pass(stack: Stack, appointment_id: UUID, delivery_state: str) -> None:
    """Without a receipt, once the delivery is in this state."""
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    change = """
        UPDATE deliveries SET receipt_due_at = now(),
               handed_over_at = handed_over_at - interval '30 hours'
        WHERE appointment_id = $1 AND state = $2 RETURNING id
    """
    try:
        await eventually(
            lambda: owner.fetch(change, appointment_id, delivery_state), delivery_state
        )
    finally:
        await owner.close()
