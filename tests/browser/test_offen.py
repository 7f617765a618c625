"""„Offen": whatever needs a person is seen from everywhere, with what can be done about it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import opened
from tests.browser.page import (
    enter,
    fill,
    is_wide,
    noticed,
    row,
    show_day,
    state,
    tab_to,
    unique,
    without_timers,
)
from tests.conftest import Stack
from tests.support import (
    BERLIN,
    Json,
    Practice,
    berlin_day,
    eventually,
    unknown_address,
    unused_phone,
)
from tests.support.moments import berlin_moment

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640)]
SOON = 30_000  # milliseconds; before the page looks by itself, a minute after it was opened


@pytest_asyncio.fixture
async def demo_practice(demo_practice: Practice, stack: Stack) -> Practice:
    """Nothing is open or on its way yet, whatever other tests have left."""
    await demo_practice.deal_with_all()
    for left in await on_its_way(demo_practice, stack):
        path = f"/v1/appointments/{left}"
        await demo_practice.scheduling.delete(path, params={"notify": "false"})

    async def arrived() -> bool:
        return not await on_its_way(demo_practice, stack)

    await eventually(arrived, "nothing is on its way")
    return demo_practice


async def on_its_way(practice: Practice, stack: Stack) -> list[UUID]:
    """The coming appointments of which something is."""
    owner = await asyncpg.connect(stack.owner_dsn("status"))
    try:
        found = await owner.fetch(
            """
            SELECT appointment_id FROM indicators
            WHERE practice_id = $1 AND body ? 'awaited' AND ends_at > now()
            """,
            practice.id,
        )
    finally:
        await owner.close()
    return [row["appointment_id"] for row in found]


async def let_it_be_overdue(stack: Stack, appointment_id: str) -> None:
    """It has been on its way for longer than an outcome takes."""
    owner = await asyncpg.connect(stack.owner_dsn("status"))
    try:
        await owner.execute(
            """
            UPDATE indicators
            SET body = jsonb_set(body, '{awaited,0,since}', '"2026-01-01T00:00:00Z"')
            WHERE appointment_id = $1
            """,
            UUID(appointment_id),
        )
    finally:
        await owner.close()


@pytest_asyncio.fixture
async def other_desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """Another browser of the same practice."""
    async with opened(browser) as page:
        await enter(page, stack)
        yield page


def in_weeks(weeks: int) -> str:
    return berlin_day(7 * weeks).isoformat()


async def fail(practice: Practice, name: str, **changes: Any) -> Json:
    address = unknown_address()
    form = {"patient_name": name, "email": address, "date": in_weeks(3)} | changes
    created = await practice.create(**form)
    await practice.shows(created["id"], "failed")
    return created


def open_row(page: Page, name: str) -> Locator:
    return page.get_by_test_id("open-row").filter(has_text=name)


async def counts(page: Page, count: int) -> None:
    """Head and title say how much is open."""
    badge = page.get_by_test_id("open-count")
    await expect(page.get_by_test_id("nav-offen")).to_be_visible()
    if not count:
        await expect(badge).to_be_hidden(timeout=SOON)
        await page.wait_for_function("!document.title.startsWith('(')")
        return
    noun = "Termin" if count == 1 else "Termine"
    await expect(badge).to_have_text(f"{count} {noun}", timeout=SOON)
    await expect(page.get_by_role("link", name=f"Offen {count} {noun}")).to_be_visible()
    await page.wait_for_function("start => document.title.startsWith(start)", arg=f"({count}) ")


# However long the first look for what is open takes.
HOME_WAITS = without_timers("delay === 1500")


async def test_the_desk_begins_with_what_is_open_and_says_so_in_every_view(
    visitor: Page, stack: Stack, demo_practice: Practice
) -> None:
    """For a visit in three weeks, and nobody had the page open when it failed."""
    page, name = visitor, unique("Nacht Bounce")
    await fail(demo_practice, name, time="09:15")
    await page.add_init_script(HOME_WAITS)
    await enter(page, stack)
    await expect(page.get_by_role("heading", name="Offen", exact=True)).to_be_visible()
    await expect(open_row(page, name)).to_contain_text(
        "E-Mail: nicht zugestellt – Adresse unbekannt"
    )
    await expect(open_row(page, name)).to_contain_text("09:15")
    await expect(page.get_by_test_id("open-state")).to_have_text("1 Termin ist offen")
    for view in ("patienten", "termine", "protokoll", "offen"):
        await page.get_by_test_id(f"nav-{view}").click()
        await counts(page, 1)


async def test_with_nothing_open_the_desk_begins_with_the_day(
    visitor: Page, stack: Stack, demo_practice: Practice
) -> None:
    page = visitor
    await enter(page, stack)
    await expect(page.get_by_role("heading", name="Terminübersicht")).to_be_visible()
    await counts(page, 0)
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-state")).to_have_text("Alles angekommen")
    minutes = [f"{berlin_moment(minutes=each):%H:%M}" for each in (-1, 0, 1)]
    assert (await page.get_by_test_id("open-as-of").inner_text()).removeprefix("Stand: ") in minutes


async def test_what_is_on_its_way_has_not_arrived_and_is_open_when_it_never_does(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    """By SMS to a phone from which nothing comes back."""
    name, standing = unique("Unterwegs"), page.get_by_test_id("open-state")
    await page.get_by_test_id("nav-offen").click()
    await expect(standing).to_have_text("Alles angekommen")
    await expect(standing).to_have_attribute("data-state", "delivered")
    created = await demo_practice.create(
        patient_name=name, channels=["sms"], email=None, phone="+491713920003", date=tomorrow
    )
    await expect(standing).to_have_text("Nichts offen, zu einem Termin ist noch etwas unterwegs")
    await expect(standing).to_have_attribute("data-state", "")
    await let_it_be_overdue(stack, created["id"])
    await page.reload()
    await counts(page, 1)
    await page.get_by_test_id("nav-offen").click()
    shown = open_row(page, name)
    await expect(shown).to_contain_text("Zustellung nicht bestätigt – bitte anrufen")
    await expect(shown.locator(".primary")).to_have_text("Anrufen: +491713920003")
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await page.screenshot(path=f"test-results/overdue-offen-{width}.png")
    await show_day(page, tomorrow)
    late = row(page, name).locator("[data-note=call]")
    await expect(late).to_have_text("noch nicht zugestellt – bitte anrufen")
    await expect(state(page, name, "pending")).to_be_visible()
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        await expect(late).to_be_visible()
        assert not await is_wide(page), (width, height)
        await page.screenshot(path=f"test-results/overdue-{width}.png")
    await row(page, name).click()
    await expect(page.get_by_test_id("details-state")).to_contain_text("bitte anrufen")
    await page.get_by_test_id("follow-up-open").click()
    await page.get_by_test_id("follow-up-submit").click()
    await page.keyboard.press("Escape")
    await expect(late).to_have_count(0, timeout=SOON)
    await counts(page, 0)


async def test_who_corrects_is_seen_at_every_other_desk(
    page: Page, other_desk: Page, demo_practice: Practice
) -> None:
    late, soon = unique("Später"), unique("Früher")
    await fail(demo_practice, late)
    await fail(demo_practice, soon, date=in_weeks(1))
    for desk in (page, other_desk):
        await desk.get_by_test_id("nav-offen").click()
        await counts(desk, 2)
        await expect(desk.get_by_test_id("open-row").first).to_contain_text(soon)
    await open_row(page, soon).get_by_role("button", name="Berichtigen und senden").click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.get_by_test_id("resend-email").fill("richtig@example.org")
    await page.get_by_test_id("resend-submit").click()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {soon}")
    for desk in (page, other_desk):
        await expect(open_row(desk, soon)).to_have_count(0, timeout=SOON)
        await counts(desk, 1)
    await expect(open_row(other_desk, late)).to_be_visible()


async def test_the_other_channel_is_one_click_away(page: Page, demo_practice: Practice) -> None:
    name = unique("Per Telefon")
    await page.get_by_test_id("nav-offen").click()
    await fail(demo_practice, name, phone="+491713920001")
    shown = open_row(page, name)
    await expect(shown).to_be_visible(timeout=SOON)
    await expect(shown.locator("a[href='tel:+491713920001']")).to_be_visible()
    await shown.get_by_role("button", name="Stattdessen per SMS senden").click()
    await expect(shown).to_have_count(0, timeout=SOON)
    await expect(page.get_by_test_id("open-state")).to_have_text("Alles angekommen")
    await noticed(page, "infobox", f"SMS erfolgreich zugestellt an {name}")
    await counts(page, 0)


# In the very moment in which the first row goes: what stands under the pointer, or has the focus.
CLICK_AS_IT_GOES = """by => {
  const list = document.getElementById("open-rows"), first = list.children[0];
  const button = first.querySelector("[data-kind=send]");
  const { left, top, width, height } = button.getBoundingClientRect();
  new MutationObserver((_, watch) => {
    if (first.isConnected) return;
    watch.disconnect();
    const focused = document.activeElement;
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    (by === "pointer" ? hit : focused).click();
    document.body.dataset.hurried = focused.textContent;
  }).observe(list, { childList: true });
}"""


@pytest.mark.parametrize("by", ["pointer", "keyboard"])
async def test_what_is_pressed_again_is_not_sent_to_the_next_patient(
    page: Page, demo_practice: Practice, by: str
) -> None:
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    ids = [
        (await fail(demo_practice, unique(name), date=in_weeks(at), phone=unused_phone()))["id"]
        for at, name in enumerate(("Erster", "Zweiter"), 1)
    ]
    first, second = (page.locator(f"[data-appointment-id='{each}']") for each in ids)
    held = asyncio.Event()

    async def hold(route: Route) -> None:
        await held.wait()
        await route.continue_()

    await page.route("**/invitations", hold)
    await page.get_by_test_id("nav-offen").click()
    await counts(page, 2)
    await page.evaluate(CLICK_AS_IT_GOES, by)
    button = first.locator("[data-kind=send]")
    await button.focus()
    if by == "pointer":
        await button.click()
    else:
        await page.keyboard.press("Enter")
    await expect(button).to_have_text("Wird gesendet …")
    await expect(button).to_have_accessible_name(re.compile(r"^Wird gesendet …: "))
    await expect(button).to_be_focused()
    await page.keyboard.press("Enter")
    held.set()
    await expect(first).to_have_count(0, timeout=SOON)
    await expect(page.locator("body[data-hurried='Stattdessen per SMS senden']")).to_be_attached()

    def invited() -> list[str]:
        return [one for url in sent for one in ids if url.endswith(f"{one}/invitations")]

    await noticed(page, "infobox", "SMS erfolgreich zugestellt")
    assert invited() == ids[:1]
    await expect(page.locator("#open-rows")).not_to_have_class(re.compile("settling"))
    await expect(second.locator("[data-kind=send]")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Offen", exact=True)).to_be_focused(timeout=SOON)
    assert invited() == ids


async def test_by_keyboard_from_one_to_the_next(demo_practice: Practice, page: Page) -> None:
    """The dialog leads back to where it was opened from, or on, when that is done."""
    first, second = unique("Erster"), unique("Zweiter")
    await fail(demo_practice, second, date=in_weeks(2))
    await fail(demo_practice, first, date=in_weeks(1))
    await page.get_by_test_id("nav-offen").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Offen", exact=True)).to_be_focused()
    await expect(page.get_by_test_id("open-row")).to_have_count(2)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(open_row(page, first).locator(".primary")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(open_row(page, first).locator(".primary")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.keyboard.type("erster@example.org")  # over what is selected
    await page.keyboard.press("Enter")
    await expect(page.locator("#details-state")).to_contain_text("vom E-Mail-Anbieter angenommen")
    await expect(open_row(page, first)).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("heading", name="Offen", exact=True)).to_be_focused()


async def test_a_dialog_that_is_opened_again_at_once_shows_what_happens(
    page: Page, demo_practice: Practice
) -> None:
    """Before the browser has told of its closing."""
    name = unique("Wieder")
    await fail(demo_practice, name)
    await page.get_by_test_id("nav-offen").click()
    await open_row(page, name).locator(".primary").click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.evaluate(
        """() => {
          document.getElementById("details").close();
          document.querySelector("[data-testid=open-row] .primary").click();
        }"""
    )
    await page.get_by_test_id("resend-email").fill("wieder@example.org")
    await page.get_by_test_id("resend-submit").click()
    await expect(page.locator("#details-state")).to_contain_text("vom E-Mail-Anbieter angenommen")


async def test_what_is_done_elsewhere_leaves_the_focus_at_the_next(
    page: Page, demo_practice: Practice
) -> None:
    first, second = unique("Erledigt"), unique("Bleibt")
    created = await fail(demo_practice, first, date=in_weeks(1))
    await fail(demo_practice, second, date=in_weeks(2))
    await page.get_by_test_id("nav-offen").click()
    await open_row(page, first).locator(".primary").focus()
    await demo_practice.resend(created["id"], email="erledigt@example.org")
    await expect(open_row(page, first)).to_have_count(0, timeout=SOON)
    await expect(open_row(page, second).locator(".primary")).to_be_focused()


async def test_what_was_dealt_with_by_telephone_is_open_at_no_desk(
    page: Page, other_desk: Page, demo_practice: Practice
) -> None:
    """By keyboard; the mark stays, and says since when somebody has dealt with it."""
    first, second = unique("Angerufen"), unique("Noch offen")
    created = await fail(demo_practice, first, date=in_weeks(1))
    await fail(demo_practice, second, date=in_weeks(2))
    for desk in (page, other_desk):
        await desk.get_by_test_id("nav-offen").click()
        await counts(desk, 2)
    done = open_row(page, first).get_by_role("button", name=f"Erledigt: {first}")
    await done.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_test_id("follow-up-dialog")
    await expect(dialog).to_contain_text(first)
    await expect(page.get_by_test_id("follow-up-what")).to_have_text(
        "E-Mail: nicht zugestellt – Adresse unbekannt"
    )
    await page.keyboard.press("Escape")
    await expect(done).to_be_focused()
    await counts(page, 2)
    await page.keyboard.press("Enter")
    await tab_to(page, "[data-testid=follow-up-submit]")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_hidden()
    for desk in (page, other_desk):
        await expect(open_row(desk, first)).to_have_count(0, timeout=SOON)
        await counts(desk, 1)
    await expect(open_row(page, second).locator(".primary")).to_be_focused()

    await page.get_by_test_id("nav-termine").click()
    await show_day(page, created["date"])
    await expect(state(page, first, "failed")).to_be_visible()
    await expect(row(page, first)).to_contain_text("als erledigt markiert")
    # No message ever told the patient of it, so none says that it is cancelled.
    await row(page, first).click()
    await page.get_by_test_id("delete-appointment").click()
    await expect(page.locator("#confirm-text")).to_contain_text("auch telefonisch ab")


async def test_dealt_with_in_the_appointment_at_every_size(
    page: Page, demo_practice: Practice
) -> None:
    await page.get_by_test_id("nav-offen").click()
    for weeks, (width, height) in enumerate(SIZES, 1):
        await page.set_viewport_size({"width": width, "height": height})
        name = unique("Im Termin")
        await fail(demo_practice, name, date=in_weeks(weeks))
        await open_row(page, name).locator(".primary").click(timeout=SOON)
        await page.get_by_test_id("follow-up-open").click()
        submit = page.get_by_test_id("follow-up-submit")
        await expect(submit).to_be_in_viewport(ratio=1)
        assert not await is_wide(page), (width, height)
        await submit.click()
        await expect(page.get_by_test_id("follow-up-open")).to_be_hidden(timeout=SOON)
        await expect(page.locator("#details-state")).to_contain_text("nicht zugestellt")
        await expect(page.locator("#details-state")).to_contain_text("als erledigt markiert")
        await page.get_by_test_id("history-open").click()
        await expect(page.locator("#history li").last).to_contain_text("als erledigt markiert")
        await page.keyboard.press("Escape")
        await expect(open_row(page, name)).to_have_count(0)
        assert not await is_wide(page), (width, height)


async def test_what_came_while_the_question_stood_stays_open(
    page: Page, demo_practice: Practice
) -> None:
    """Whoever was called was told of the start before."""
    name = unique("Verlegt")
    created = await fail(demo_practice, name, date=in_weeks(1))
    await page.get_by_test_id("nav-offen").click()
    await open_row(page, name).get_by_role("button", name="Erledigt").click()
    change = {"time": "16:45", "notify": False}
    path = f"/v1/appointments/{created['id']}"
    assert (await demo_practice.scheduling.patch(path, json=change)).status_code == 200
    await expect(open_row(page, name)).to_contain_text("16:45", timeout=SOON)
    async with page.expect_response("**/follow-ups") as answer:
        await page.get_by_test_id("follow-up-submit").click()
    assert (await answer.value).status == 204

    async def heard() -> bool:
        found = await demo_practice.indicator(created["id"])
        assert found is not None
        return bool(found["timeline"][-1]["type"] == "followed_up")

    await eventually(heard, "the follow-up")
    found = await demo_practice.indicator(created["id"])
    assert found is not None
    assert found["open"] == ["invitation_failed"]
    await expect(open_row(page, name)).to_be_visible()


async def test_deleted_and_moved_at_another_desk(page: Page, demo_practice: Practice) -> None:
    name, gone = unique("Verlegt"), unique("Weg")
    moved = await fail(demo_practice, name, date=in_weeks(1))
    deleted = await fail(demo_practice, gone, date=in_weeks(2))
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-row").first).to_contain_text(name)
    path = "/v1/appointments/"
    change = {"date": in_weeks(3), "time": "16:45", "notify": False}
    await demo_practice.scheduling.patch(path + moved["id"], json=change)
    await expect(page.get_by_test_id("open-row").last).to_contain_text(name, timeout=SOON)
    await expect(open_row(page, name)).to_contain_text("16:45")
    await demo_practice.scheduling.delete(path + deleted["id"], params={"notify": "false"})
    await expect(open_row(page, gone)).to_have_count(0, timeout=SOON)
    await counts(page, 1)


async def test_without_a_stream_nothing_is_claimed(page: Page, demo_practice: Practice) -> None:
    async with page.expect_response("**/indicators?open=*"):
        await page.get_by_test_id("nav-offen").click()
    standing = page.get_by_test_id("open-state")
    await expect(standing).to_have_text("Alles angekommen")
    as_of = await page.get_by_test_id("open-as-of").inner_text()
    await page.context.set_offline(True)
    unsure = "Zuletzt war alles angekommen; ob es noch so ist, ist gerade nicht sicher."
    await expect(standing).to_have_text(unsure)
    await expect(page.get_by_test_id("open-as-of")).to_have_text(as_of)
    await expect(page.get_by_test_id("open-count")).to_have_text("? (nicht sicher)")
    await page.wait_for_function("document.title.startsWith('(?) Offen')")
    name = unique("Inzwischen")
    await fail(demo_practice, name)
    await page.context.set_offline(False)
    await expect(open_row(page, name)).to_be_visible()
    await counts(page, 1)


async def test_a_service_that_does_not_say_is_no_good_news(
    page: Page, demo_practice: Practice
) -> None:
    """The stream may be live meanwhile; the head says one thing."""
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-state")).to_have_text("Alles angekommen")
    await page.route("**/api/status/indicators?open=**", lambda route: route.abort())
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-state")).to_contain_text("nicht sicher")
    await expect(page.get_by_test_id("stream-state")).to_have_text("Stand nicht sicher")
    await expect(page.get_by_test_id("connection-banner")).to_contain_text("kann veraltet sein")
    await page.unroute_all()
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    await expect(page.get_by_test_id("connection-banner")).to_be_empty()


class Told:
    """What the services say to a page of what is open; a list of what no test can bring about."""

    def __init__(self) -> None:
        self.indicators: list[Json] = []
        self.appointments: list[Json] = []
        self.page_size = 50
        self.as_of: datetime | None = None  # else now

    def add(self, name: str, reasons: list[str], start: datetime, **changes: Any) -> None:
        appointment_id = str(uuid4())
        local = start.astimezone(BERLIN)
        channel = {"state": "delivered", "evidence": "accepted", "late": False}
        indicator = {
            "appointment_id": appointment_id,
            "version": 1,
            "overall": "delivered",
            "attempt": 1,
            "channels": {"email": channel},
            "starts_at": start.isoformat(),
            "open": reasons,
            "notices": [],
            "answer": None,
            "cancelled": changes.pop("cancelled", False),
        }
        appointment = {
            "id": appointment_id,
            "version": 1,
            "start": start.isoformat(),
            "date": local.date().isoformat(),
            "time": f"{local:%H:%M}",
            "duration_minutes": 20,
            "invitation": {"id": str(uuid4()), "attempt": 1},
            "patient_name": name,
            "channels": ["email"],
            "email": "da@example.org",
            "phone": None,
            "locale": "de",
        }
        self.indicators.append(indicator)
        self.appointments.append(appointment | changes)

    async def install(self, page: Page) -> None:
        await page.route("**/api/status/indicators?open=**", self._indicators)
        await page.route("**/api/scheduling/appointments?id=**", self._names)

    async def _indicators(self, route: Route) -> None:
        _, _, cursor = route.request.url.partition("cursor=")
        first = int(cursor or 0)
        following = first + self.page_size
        body = {
            "indicators": self.indicators[first:following],
            "next": str(following) if following < len(self.indicators) else None,
            "open_count": len(self.indicators),
            "as_of": (self.as_of or datetime.now(UTC)).isoformat(),
        }
        await route.fulfill(body=json.dumps(body), content_type="application/json")

    async def _names(self, route: Route) -> None:
        named = [one for one in self.appointments if one["id"] in route.request.url]
        body = {"time_zone": "Europe/Berlin", "appointments": named}
        await route.fulfill(body=json.dumps(body), content_type="application/json")


async def test_every_reason_has_its_words_and_its_best_action(visitor: Page, stack: Stack) -> None:
    told, page = Told(), visitor
    start = datetime.now(UTC) + timedelta(days=2)
    phone = "+491713920001"
    told.add("Verschoben", ["moved_failed"], start, phone=phone)
    told.add("Gelöscht", ["cancelled_failed"], start, phone=phone, cancelled=True)
    told.add("Abgesagt", ["declined"], start)
    told.add("Erinnert", ["reminder_failed"], start, phone=phone)
    told.add("Unbekannt", ["from_a_later_version"], start)
    told.add("Unklar", ["call"], start, phone=phone)
    told.indicators[-1]["channels"] = {"sms": {"state": "unconfirmed", "late": False}}
    told.add("Verlegt", ["call"], start, phone=phone)
    unsure = {"sms": {"state": "unconfirmed", "late": False}}
    told.indicators[-1]["notices"] = [{"kind": "moved", "at": None, "channels": unsure}]
    await told.install(page)
    await enter(page, stack)
    for name, text, best in (
        ("Verschoben", "Verschiebung nicht angekommen – bitte anrufen", f"Anrufen: {phone}"),
        ("Gelöscht", "Absage nicht angekommen – bitte anrufen", f"Anrufen: {phone}"),
        ("Abgesagt", "hat abgesagt – bitte prüfen", "Termin ansehen"),
        ("Erinnert", "Erinnerung nicht angekommen – bitte anrufen", f"Anrufen: {phone}"),
        ("Unbekannt", "bitte prüfen", "Termin ansehen"),
        ("Verlegt", "Verschiebung nicht bestätigt – bitte anrufen", f"Anrufen: {phone}"),
        ("Unklar", "SMS: Zustellung nicht bestätigt – bitte anrufen", f"Anrufen: {phone}"),
    ):
        await expect(open_row(page, name)).to_contain_text(text)
        await expect(open_row(page, name).locator(".primary")).to_have_text(best)
    await expect(open_row(page, "Gelöscht")).to_contain_text("Termin gelöscht")
    await expect(open_row(page, "Gelöscht").get_by_role("button")).to_have_count(0)
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert not await is_wide(page), (width, height)


async def test_a_service_that_is_behind_is_no_good_news(visitor: Page, stack: Stack) -> None:
    """It answers, and says that it has heard nothing for an hour; so does the head, everywhere."""
    told, page = Told(), visitor
    told.as_of = datetime.now(UTC) - timedelta(hours=1)
    await enter(page, stack)
    await told.install(page)
    await page.get_by_test_id("nav-termine").click()
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-state")).to_contain_text("nicht sicher")
    expected = f"Stand: {told.as_of.astimezone(BERLIN):%H:%M}"
    await expect(page.get_by_test_id("open-as-of")).to_have_text(expected)
    await expect(page.get_by_test_id("open-count")).to_contain_text("?")
    for view in ("termine", "patienten", "offen"):
        await page.get_by_test_id(f"nav-{view}").click()
        await expect(page.get_by_test_id("stream-state")).to_have_text("Stand nicht sicher")
        await expect(page.get_by_test_id("connection-banner")).to_contain_text(
            f"{told.as_of.astimezone(BERLIN):%H:%M} Uhr – Anzeige kann veraltet sein"
        )
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert "kann veraltet sein" in (await page.locator("#day-sheet").text_content() or "")
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert not await is_wide(page), (width, height)
        await page.screenshot(path=f"test-results/behind-{width}.png")


async def test_further_ones_are_loaded_and_the_focus_goes_on(visitor: Page, stack: Stack) -> None:
    told, page = Told(), visitor
    start = datetime.now(UTC) + timedelta(days=2)
    for number in range(70):
        told.add(f"Patient {number:02}", ["declined"], start + timedelta(hours=number))
    await told.install(page)
    await enter(page, stack)
    await page.get_by_test_id("nav-offen").click()
    await counts(page, 70)
    await expect(page.get_by_test_id("open-row")).to_have_count(50)
    await page.get_by_test_id("open-more").click()
    await expect(page.get_by_test_id("open-row")).to_have_count(70)
    await expect(open_row(page, "Patient 50").get_by_role("button")).to_be_focused()
    await expect(page.get_by_test_id("open-more")).to_be_hidden()


async def test_what_has_begun_is_asked_about_again_by_the_clock(
    visitor: Page, stack: Stack
) -> None:
    """Nobody tells that time has passed."""
    told, page = Told(), visitor
    await told.install(page)
    await enter(page, stack)
    told.add("Gleich", ["declined"], datetime.now(UTC) + timedelta(seconds=8))
    await page.get_by_test_id("nav-offen").click()
    await expect(open_row(page, "Gleich")).to_be_visible()
    told.indicators.clear()
    await expect(page.get_by_test_id("open-state")).to_have_text("Alles angekommen", timeout=SOON)


async def test_the_day_view_shows_what_was_sent_from_here(page: Page, tomorrow: str) -> None:
    """What is open is found in its day as before."""
    name = unique("Am Tag")
    await show_day(page, tomorrow)
    await fill(page, name, unknown_address(), tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "failed")).to_be_visible()
    await expect(row(page, name)).to_be_visible()
    await page.get_by_test_id("nav-offen").click()
    await expect(open_row(page, name)).to_be_visible(timeout=SOON)
