"""Finding an appointment again: by the patient's name, by its mark, by its week, among many."""

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
from playwright.async_api import Page, Route, expect

from tests.browser.page import row, show_day, tab_to, type_day, unique
from tests.conftest import Stack
from tests.support import Json, Practice, berlin_day, unknown_address

# As far ahead as no other test plans.
FAR = berlin_day(1500)
SOON = 30_000  # milliseconds; before the page looks by itself, a minute after it was opened
MANY = 150  # appointments of a full day


def week(count: int) -> date:
    """The Monday so many weeks after; each test has weeks of its own."""
    return FAR + timedelta(days=7 * count - FAR.weekday())


async def look_for(page: Page, text: str) -> None:
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("find-query").fill(text)
    await page.keyboard.press("Enter")


def found(page: Page, name: str) -> Any:
    return page.get_by_test_id("found-row").filter(has_text=name)


async def nothing_known(route: Route) -> None:
    await route.fulfill(json={"indicators": []})


async def let_begin(stack: Stack, appointment_id: str, days_ago: int) -> None:
    """It was some days ago."""
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    try:
        await owner.execute(
            "UPDATE appointments SET starts_at = now() - $2::interval WHERE id = $1",
            UUID(appointment_id),
            timedelta(days=days_ago),
        )
    finally:
        await owner.close()


async def test_a_patient_is_found_and_opened_with_the_keyboard_alone(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Jürgen Groß")
    near = await demo_practice.create(patient_name=name, date=tomorrow, time="09:15")
    far = await demo_practice.create(patient_name=name, date=FAR.isoformat())
    await demo_practice.shows(near["id"], "delivered")
    await demo_practice.shows(far["id"], "delivered")
    await page.get_by_test_id("nav-patienten").focus()
    await page.keyboard.press("Enter")
    await tab_to(page, "#find-query")
    await page.keyboard.type(f"GROSS {name.split()[-1]} juer")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("find-state")).to_have_text("2 Termine")
    rows = found(page, name)
    await expect(rows.first).to_contain_text(f"{FAR:%d.%m.%Y}")
    day = date.fromisoformat(tomorrow)
    await expect(rows.last).to_contain_text(f"{day:%d.%m.%Y} 09:15")
    for each in range(2):
        await expect(rows.nth(each).get_by_test_id("indicator")).to_have_attribute(
            "data-state", "delivered"
        )
    await tab_to(page, "#find-rows li:last-child button")
    await page.keyboard.press("Enter")
    dialog = page.get_by_test_id("appointment-dialog")
    await expect(dialog).to_contain_text("09:15 Uhr")
    await expect(dialog.get_by_test_id("again-open")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(rows.last.locator("button")).to_be_focused()


async def test_no_name_stands_in_an_address(page: Page) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    name = f"x{uuid4().hex}"
    await look_for(page, name)
    await expect(page.get_by_test_id("find-state")).to_contain_text("Kein Termin gefunden")
    assert not [each for each in [*addresses, page.url] if name in each]


async def test_what_is_too_short_is_said_and_a_failing_search_too(page: Page) -> None:
    state = page.get_by_test_id("find-state")
    await look_for(page, "m")
    await expect(state).to_have_text("Bitte geben Sie mindestens zwei Buchstaben des Namens ein.")
    await page.route("**/api/scheduling/appointments/search", lambda route: route.abort())
    await look_for(page, "müller")
    await expect(state).to_contain_text("Die Suche ist gerade nicht möglich")


async def test_what_is_found_follows_what_becomes_of_it(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Dora Dauer")
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await look_for(page, name)
    await expect(found(page, name)).to_have_count(1)
    await expect(found(page, name).get_by_test_id("indicator")).to_have_attribute(
        "data-state", "delivered"
    )
    await demo_practice.scheduling.delete(f"/v1/appointments/{created['id']}")
    await expect(found(page, name)).to_have_count(0)


async def test_what_could_not_be_looked_up_says_so_and_is_looked_up_anew(
    page: Page, demo_practice: Practice
) -> None:
    """Of a day that is not shown, so that no stream tells of it."""
    name = unique("Sabine Spät")
    created = await demo_practice.create(patient_name=name, date=FAR.isoformat())
    await demo_practice.shows(created["id"], "delivered")
    await page.reload()  # it has heard of it
    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    asked = "**/api/status/indicators?appointment_id=*"
    await page.route(asked, lambda route: route.fulfill(status=503, json={}))
    await look_for(page, name)
    indicator = found(page, name).get_by_test_id("indicator")
    await expect(indicator).to_have_text("Stand unbekannt")
    await page.unroute(asked)
    await expect(indicator).to_have_text("zugestellt", timeout=SOON)


async def test_further_ones_are_loaded_and_short_pages_gone_over(
    page: Page, demo_practice: Practice
) -> None:
    example = await demo_practice.create()
    name = unique("Viola Viele")

    def rows(count: int) -> list[Json]:
        return [example | {"id": str(uuid4()), "patient_name": name} for _ in range(count)]

    pages = [(rows(50), "a"), ([], "b"), (rows(3), None)]
    cursors = []

    async def answer(route: Route) -> None:
        cursors.append((route.request.post_data_json or {}).get("cursor"))
        appointments, following = pages.pop(0)
        shown = {"time_zone": "Europe/Berlin", "appointments": appointments, "next": following}
        await route.fulfill(json=shown)

    await page.route("**/api/scheduling/appointments/search", answer)
    await page.route("**/api/status/indicators?appointment_id=*", nothing_known)
    await look_for(page, name)
    await expect(page.get_by_test_id("find-state")).to_have_text("50 Termine, weitere vorhanden")
    await page.get_by_test_id("find-more").click()
    await expect(page.get_by_test_id("find-state")).to_have_text("53 Termine")
    await expect(found(page, name)).to_have_count(53)
    await expect(found(page, name).nth(50).locator("button")).to_be_focused()
    await expect(page.get_by_test_id("find-more")).to_be_hidden()
    assert cursors == [None, "a", "b"]


async def test_noch_einmal_einladen_begins_a_new_appointment(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    name = unique("Nora Nochmal")
    created = await demo_practice.create(
        patient_name=name,
        phone="+491713920001",
        channels=["email", "sms"],
        locale="en",
        duration_minutes=35,
    )
    await demo_practice.shows(created["id"], "delivered")
    await let_begin(stack, created["id"], days_ago=20)
    await look_for(page, name)
    await found(page, name).click()
    await page.get_by_test_id("again-open").click()
    form = page.get_by_test_id("form-appointment")
    for field, value in {
        "patient_name": name,
        "email": created["email"],
        "phone": "+491713920001",
        "locale": "en",
        "duration_minutes": "35",
        "time": "",
    }.items():
        await expect(form.locator(f"[name={field}]")).to_have_value(value)
    for box in "channel-email", "channel-sms":
        await expect(form.locator(f"[name={box}]")).to_be_checked()
    await expect(form.locator("[name=consent]")).not_to_be_checked()
    await expect(form.locator("[name=date]")).to_be_focused()
    await form.locator("[name=date]").fill(tomorrow)
    await form.locator("[name=time]").fill("16:00")
    await form.locator("[name=consent]").check()
    await page.get_by_test_id("submit-invite").click()
    await expect(row(page, name)).to_contain_text("16:00")
    again = (
        await demo_practice.scheduling.post("/v1/appointments/search", json={"query": name})
    ).json()["appointments"]
    assert [each["invitation"]["attempt"] for each in again] == [1, 1]
    assert again[0]["id"] != created["id"]


async def test_an_empty_day_names_the_next_appointment(page: Page, demo_practice: Practice) -> None:
    name = unique("Fanny Fern")
    there = week(3) + timedelta(days=1)
    await demo_practice.create(patient_name=name, date=there.isoformat(), time="08:30")
    await show_day(page, week(2).isoformat())
    way = page.get_by_test_id("day-next-start")
    await expect(way).to_contain_text("Nächster Termin: ")
    await expect(way).to_contain_text(f"{there.day}. ")
    await expect(way).to_contain_text("08:30 Uhr")
    await page.get_by_test_id("span-week").click()
    await expect(page.locator("#day-empty-text")).to_have_text("Keine Termine in dieser Woche.")
    await expect(way).to_contain_text("08:30 Uhr")
    await way.click()
    await expect(page.get_by_test_id("day-date")).to_have_value(there.isoformat())
    await expect(row(page, name)).to_be_visible()
    await expect(way).to_be_hidden()


async def test_rows_are_filtered_by_their_mark(page: Page, demo_practice: Practice) -> None:
    day = week(5).isoformat()
    good, bad = unique("Gerda Gut"), unique("Berta Bruch")
    arrived = await demo_practice.create(patient_name=good, date=day)
    refused = await demo_practice.create(
        patient_name=bad, date=day, time="12:00", email=unknown_address()
    )
    await demo_practice.shows(arrived["id"], "delivered")
    await demo_practice.shows(refused["id"], "failed")
    await show_day(page, day)
    await expect(row(page, bad)).to_be_visible()
    choices = page.get_by_test_id("mark-filter")
    await expect(choices.get_by_role("button", name="alle 2")).to_have_attribute(
        "aria-pressed", "true"
    )
    await expect(choices.get_by_role("button", name="ausstehend")).to_have_count(0)
    failing = choices.get_by_role("button", name="nicht zugestellt 1")
    await failing.click()
    await expect(failing).to_have_attribute("aria-pressed", "true")
    await expect(row(page, good)).to_be_hidden()
    await expect(row(page, bad)).to_be_visible()
    await demo_practice.resend(refused["id"], email="berta@example.org")
    await expect(page.locator("#day-empty-text")).to_have_text("Keine Termine mit diesem Zeichen.")
    await choices.get_by_role("button", name="alle 2").click()
    await expect(row(page, good)).to_be_visible()
    await expect(row(page, bad)).to_be_visible()


async def test_other_days_are_shown_whole_and_what_is_hidden_is_counted(
    page: Page, demo_practice: Practice
) -> None:
    day = week(9)
    good, bad = unique("Gerda Gut"), unique("Berta Bruch")
    arrived = await demo_practice.create(patient_name=good, date=day.isoformat())
    refused = await demo_practice.create(
        patient_name=bad, date=day.isoformat(), time="12:00", email=unknown_address()
    )
    await demo_practice.shows(arrived["id"], "delivered")
    await demo_practice.shows(refused["id"], "failed")
    await show_day(page, day.isoformat())
    choices, said = page.get_by_test_id("mark-filter"), page.get_by_test_id("day-summary")
    everything = choices.get_by_role("button", name="alle 2")

    async def choose_arrived() -> None:
        await choices.get_by_role("button", name="zugestellt 1", exact=True).click()
        await expect(row(page, bad)).to_be_hidden()
        await expect(said).to_have_text("2 Termine, 1 davon ausgeblendet")

    await choose_arrived()
    await page.get_by_test_id("day-next").click()
    await expect(row(page, good)).to_have_count(0)
    await page.get_by_test_id("day-previous").click()
    await expect(row(page, bad)).to_be_visible()
    await expect(said).to_have_text("2 Termine")
    await choose_arrived()
    await page.get_by_test_id("span-week").click()
    await expect(row(page, bad)).to_be_visible()
    await expect(everything).to_have_attribute("aria-pressed", "true")
    await choose_arrived()
    head = page.get_by_test_id("day-head").first
    await expect(head).to_contain_text("2 Termine, 1 davon ausgeblendet")
    await demo_practice.resend(refused["id"], email="berta@example.org")
    await expect(row(page, bad)).to_be_visible()
    await expect(head).not_to_contain_text("ausgeblendet")
    await expect(said).to_have_text("2 Termine")


# Of what is chosen and of what is not, beside it: how they contrast, and whether a line is drawn.
CHOSEN = """([chosen, other]) => {
  const [one, two] = [chosen, other].map((each) => getComputedStyle(document.querySelector(each)));
  const light = (colour) => {
    const [red, green, blue] = colour.match(/[\\d.]+/g).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  const lights = [one, two].map((each) => light(each.backgroundColor));
  const [dark, bright] = lights.sort((a, b) => a - b);
  const line = (each) => each.textDecorationLine + each.boxShadow;
  return [bright / dark, line(one) !== line(two)];
}"""


async def test_what_is_chosen_is_seen_without_telling_colours_apart(
    page: Page, demo_practice: Practice
) -> None:
    day = week(11).isoformat()
    for time in "09:00", "10:00":
        await demo_practice.create(date=day, time=time)
    await show_day(page, day)
    await expect(page.locator("#mark-filter")).to_be_visible()
    looks: list[dict[str, Any]] = [
        {"color_scheme": "light"},
        {"color_scheme": "dark"},
        {"forced_colors": "active"},
    ]
    for look in looks:
        await page.emulate_media(**look)
        for group in "#mark-filter .choice", ".spans .choice":
            pair = [f"{group}[aria-pressed={each}]" for each in ("true", "false")]
            contrast, line = await page.evaluate(CHOSEN, pair)
            assert contrast >= 3, (look, group)
            assert line, (look, group)
        view = ".top nav a[aria-current]", ".top nav a:not([aria-current])"
        _, line = await page.evaluate(CHOSEN, view)
        assert line, look


async def test_a_day_that_is_typed_is_one_step_back(page: Page, demo_practice: Practice) -> None:
    """The browser tells of each day on the way there, of the years 2, 20 and 202 as well."""
    name, there = unique("Tim Tippt"), week(13)
    await demo_practice.create(patient_name=name, date=there.isoformat())
    asked: list[str] = []
    page.on("request", lambda each: asked.append(each.url))
    await show_day(page, berlin_day(0).isoformat())
    await page.get_by_test_id("day-previous").click()
    before = await page.evaluate("history.length")
    await page.locator("#day-input").focus()
    await type_day(page, "#day-input", there.isoformat())
    await expect(row(page, name)).to_be_visible()
    assert await page.evaluate("history.length") == before + 1
    assert not [url for url in asked if "date=0" in url]
    await page.go_back()
    yesterday = berlin_day(-1)
    await expect(page.get_by_test_id("day-title")).to_contain_text(f"{yesterday.day}. ")
    await expect(page).to_have_url(re.compile(f"#/termine/{yesterday}$"))


async def test_a_week_has_its_days_and_follows_what_happens(
    page: Page, demo_practice: Practice
) -> None:
    monday = week(7)
    first, last = unique("Mona Montag"), unique("Sonja Sonntag")
    await demo_practice.create(patient_name=first, date=monday.isoformat())
    sunday = (monday + timedelta(days=6)).isoformat()
    await demo_practice.create(patient_name=last, date=sunday)
    await show_day(page, (monday + timedelta(days=3)).isoformat())
    await page.get_by_test_id("span-week").click()
    heads = page.get_by_test_id("day-head")
    await expect(heads).to_have_count(7)
    await expect(heads.first).to_contain_text("1 Termin")
    await expect(heads.nth(1)).to_contain_text("keine Termine")
    await expect(row(page, first)).to_be_visible()
    await expect(row(page, last)).to_be_visible()
    assert page.url.endswith("/woche")
    joined = unique("Mia Mittwoch")
    await demo_practice.create(patient_name=joined, date=(monday + timedelta(days=2)).isoformat())
    await expect(row(page, joined)).to_be_visible()
    names = await page.get_by_test_id("appointment-row").locator(".name").all_inner_texts()
    assert names == [first, joined, last]
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    sheet = page.locator("#day-sheet")
    assert await sheet.locator("tbody td:nth-child(2)").all_text_contents() == names
    days = await sheet.locator("tbody .day").all_text_contents()
    assert [each.split(",")[0] for each in days] == ["Montag", "Mittwoch", "Sonntag"]
    await page.get_by_role("button", name="Nächste Woche").click()
    await expect(row(page, first)).to_have_count(0)
    await page.get_by_role("button", name="Vorherige Woche").click()
    await expect(row(page, first)).to_be_visible()
    await heads.last.get_by_role("link").click()
    await expect(page.get_by_test_id("day-date")).to_have_value(sunday)
    await expect(page.get_by_test_id("span-day")).to_have_attribute("aria-pressed", "true")
    await expect(row(page, last)).to_be_visible()
    await expect(heads).to_have_count(0)


async def full_day(page: Page, example: Json, day: str) -> None:
    """The practice's day is a full one."""
    ids = [str(uuid4()) for _ in range(MANY)]
    rows = [
        example
        | {
            "id": each,
            "patient_name": f"Annegret Musterfrau {number}",
            "date": day,
            "time": f"{7 + number // 12:02}:{number % 12 * 5:02}",
            "channels": ["email", "sms"] if number % 3 else ["email"],
        }
        for number, each in enumerate(ids)
    ]
    shown = {"time_zone": "Europe/Berlin", "date": day, "next_start": None, "appointments": rows}
    await page.route(
        "**/api/scheduling/appointments?date=*", lambda route: route.fulfill(json=shown)
    )
    await page.route("**/api/status/indicators?appointment_id=*", nothing_known)


async def test_a_full_day_has_a_line_for_each(page: Page, demo_practice: Practice) -> None:
    example = await demo_practice.create()
    await full_day(page, example, FAR.isoformat())
    await show_day(page, FAR.isoformat())
    await expect(page.get_by_test_id("appointment-row")).to_have_count(MANY)
    heights = {}
    for width, height in ((1366, 768), (768, 1024), (390, 844), (320, 640)):
        await page.set_viewport_size({"width": width, "height": height})
        heights[width] = await page.evaluate("document.getElementById('rows').scrollHeight")
    # It was 10,700, with 71 for each.
    assert heights[1366] <= 5_700, heights
    assert heights[768] <= 5_700, heights
    assert heights[390] <= 9_000, heights
    smallest = await page.evaluate(
        "Math.min(...[...document.querySelectorAll('.row')].map((one) => one.offsetHeight))"
    )
    assert smallest >= 24  # WCAG 2.5.8


async def test_the_focus_is_seen_below_a_head_of_any_height(
    page: Page, demo_practice: Practice
) -> None:
    """WCAG 2.4.11, backwards from the last row."""
    example = await demo_practice.create()
    await full_day(page, example, FAR.isoformat())
    await show_day(page, FAR.isoformat())
    await page.evaluate(
        "name => { document.getElementById('practice-name').textContent = name; }",
        "Gemeinschaftspraxis für Psychotherapie Dr. Wolfeschlegelsteinhausenberger und Partner",
    )
    rows = page.get_by_test_id("appointment-row")
    await expect(rows).to_have_count(MANY)
    for width, height in ((1366, 768), (768, 1024), (390, 844), (320, 640)):
        await page.set_viewport_size({"width": width, "height": height})
        await rows.last.locator("button").focus()
        for _ in range(35):
            await page.keyboard.press("Shift+Tab")
            below = await page.evaluate(
                """() => document.activeElement.getBoundingClientRect().top
                  - document.querySelector(".top").getBoundingClientRect().bottom"""
            )
            assert below >= 0, (width, height)
