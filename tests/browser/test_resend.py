"""„Erneut senden" in every state: what it changes, what becomes of the link, two desks at once."""

from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from email_validator import validate_email
from playwright.async_api import Browser, Page, expect

from local.practice import DEMO_PRACTICE
from services.scheduling.phone_numbers import parse_mobile
from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import enter, fill, noticed, row, show_day, state, tab_to, unique
from tests.conftest import Stack
from tests.support import Json, Practice, unknown_address
from tests.support.keys import bearer, new_key
from tests.support.mails import link_in

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640)]
RINGS = "0171 39200 01"  # a phone that confirms
STAYS = "Der Link bleibt gültig."
ENDS = "Der alte Link gilt nicht mehr"


def address() -> str:
    return f"anna-{uuid4().hex[:10]}@example.org"


@pytest_asyncio.fixture
async def desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A desk of its own, that axe can be brought to."""
    async with opened(browser, bypass_csp=True, reduced_motion="reduce") as page:
        await enter(page, stack)
        yield page


@pytest_asyncio.fixture
async def modules(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A page that the dashboard's modules can be imported from."""
    async with opened(browser) as page:
        await page.goto(f"{stack.url('dashboard')}/abgemeldet")
        yield page


async def good_at_every_size(page: Page) -> None:
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        assert await violations(page) == [], width
    await page.set_viewport_size({"width": 1366, "height": 768})


async def show(page: Page, name: str, day: str) -> None:
    """The appointment's dialog with the form open."""
    await show_day(page, day)
    ended = row(page, name).locator("[data-testid=indicator]:not([data-state=pending])")
    await expect(ended).to_be_visible()
    await row(page, name).click()
    if not await page.locator("#resend-fold[open]").count():
        await page.get_by_test_id("resend-open").click()
    await expect(page.get_by_test_id("resend-submit")).to_be_visible()


async def stored(practice: Practice, appointment_id: str) -> Json:
    found: Json = (await practice.scheduling.get(f"/v1/appointments/{appointment_id}")).json()
    return found


async def test_a_tick_at_a_strangers_is_corrected_by_keyboard(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name, strangers, right = unique("Gerda Grün"), address(), address()
    created = await demo_practice.create(patient_name=name, email=strangers)
    await demo_practice.shows(created["id"], "delivered")
    first = link_in(await demo_practice.mail(strangers))
    await show_day(page, tomorrow)
    await row(page, name).get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#details-title")).to_be_focused()
    await tab_to(page, "[data-testid=resend-open]")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("resend-link")).to_have_text(STAYS)
    await tab_to(page, "[data-testid=resend-email]")
    await page.keyboard.type(right)  # what has the focus by the keyboard is selected
    await expect(page.get_by_test_id("resend-link")).to_contain_text(ENDS)
    await tab_to(page, "[data-testid=resend-submit]")
    await page.keyboard.press("Enter")
    await expect(page.locator("#announcer")).to_contain_text(ENDS)
    await demo_practice.shows(created["id"], "delivered", attempt=2)
    second = link_in(await demo_practice.mail(right))
    assert (await demo_practice.scheduling.get(first)).status_code == 404
    assert (await demo_practice.scheduling.get(second)).status_code == 200
    await expect(page.locator("#details-state")).to_contain_text(right)


async def test_name_and_language_are_corrected_and_the_link_stays(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name, right, email = unique("Gerda Grun"), unique("Gerda Grün"), address()
    created = await demo_practice.create(patient_name=name, email=email)
    await demo_practice.shows(created["id"], "delivered")
    await show(page, name, tomorrow)
    await page.get_by_test_id("resend-more").click()
    await page.get_by_test_id("resend-name").fill(right)
    await page.get_by_test_id("resend-locale").select_option("en")
    await expect(page.get_by_test_id("resend-link")).to_have_text(STAYS)
    await page.get_by_test_id("resend-submit").click()
    await demo_practice.shows(created["id"], "delivered", attempt=2)
    first, second = await demo_practice.mails(email)
    assert link_in(first) == link_in(second)
    assert right in second["text"]
    assert second["subject"].startswith("Invitation to a video visit on ")
    await expect(page.locator("#details-title")).to_have_text(right)
    await expect(page.get_by_test_id("details-language")).to_contain_text("English")
    await expect(row(page, right)).to_have_count(1)


async def test_an_address_that_nothing_was_sent_to_has_no_tick(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    name, reference = unique("Gerda Grün"), f"kis:{uuid4().hex}"
    created = await demo_practice.create(patient_name=name, external_reference=reference)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await expect(state(page, name, "delivered")).to_be_visible()
    key = await new_key(stack, demo_practice.id, "appointments:correct")
    corrected = await demo_practice.scheduling.patch(
        f"/v1/appointments/{created['id']}",
        json={"email": address()},
        headers=await bearer(stack, key),
    )
    assert corrected.status_code == 200, corrected.text
    await expect(state(page, name, "unconfirmed")).to_be_visible()
    await expect(page.locator("#infoboxes")).to_contain_text(
        f"an die geänderte Adresse wurde noch nichts gesendet: {name}"
    )
    await show(page, name, tomorrow)
    await expect(page.get_by_test_id("details-reference")).to_have_text(f"Referenz: {reference}")
    await expect(page.locator("#details-state")).to_contain_text(
        "an die geänderte Adresse wurde noch nichts gesendet"
    )
    await expect(page.get_by_test_id("resend-link")).to_contain_text(ENDS)
    await page.get_by_test_id("resend-submit").click()
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_the_other_address_is_taken_kept_and_there_after_a_reload(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Oda Optional")
    await fill(page, name, unknown_address(), tomorrow)
    form = page.get_by_test_id("form-appointment")
    phone = form.get_by_role("textbox", name="Mobilnummer (optional)")
    await expect(phone).to_have_accessible_description(
        "Wird nur verwendet, wenn die E-Mail nicht ankommt und jemand aus der Praxis "
        "stattdessen per SMS sendet."
    )
    await phone.fill("030 1234567")
    await page.get_by_test_id("submit-invite").click()
    await expect(form.locator('[data-field="phone"] .error')).to_contain_text("Festnetznummer")
    await form.locator("[name=phone]").fill(RINGS)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "failed")).to_be_visible()
    await page.reload()
    await expect(state(page, name, "failed")).to_be_visible()
    await row(page, name).click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await expect(page.get_by_test_id("resend-phone")).to_have_value("+491713920001")
    await expect(page.get_by_test_id("resend-link")).to_have_text(STAYS)
    await page.get_by_role("button", name="Stattdessen per SMS senden").click()
    await noticed(page, "infobox", f"SMS erfolgreich zugestellt an {name}")
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_a_missing_address_of_the_other_channel_is_entered_where_it_is_needed(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Frida Fehlt")
    created = await demo_practice.create(patient_name=name, email=unknown_address())
    await demo_practice.shows(created["id"], "failed")
    await show(page, name, tomorrow)
    await expect(page.get_by_test_id("resend-other")).to_be_hidden()
    await page.get_by_test_id("resend-phone").fill(RINGS)
    await expect(page.get_by_test_id("resend-link")).to_have_text(STAYS)
    await page.get_by_test_id("resend-other").click()
    await demo_practice.shows(created["id"], "delivered", attempt=2)
    found = await stored(demo_practice, created["id"])
    assert (found["channels"], found["phone"]) == (["sms"], "+491713920001")
    assert found["invitation"]["link_version"] == 1


async def test_whichever_is_chosen_needs_its_address_and_the_other_is_optional(
    desk: Page, tomorrow: str
) -> None:
    await fill(desk, unique("Wahl"), "", tomorrow)
    form = desk.get_by_test_id("form-appointment")
    for box, optional in (("email", "Mobilnummer"), ("sms", "E-Mail-Adresse")):
        await form.locator("[name=channel-email]").set_checked(box == "email")
        await form.locator("[name=channel-sms]").set_checked(box == "sms")
        await expect(form.get_by_role("textbox", name=f"{optional} (optional)")).to_be_visible()
        await good_at_every_size(desk)
        needed = form.locator("[name=email]" if box == "email" else "[name=phone]")
        await expect(needed).to_have_attribute("required", "")
    await form.locator("[name=channel-email]").check()
    await expect(form.get_by_text("(optional)")).to_have_count(2)
    for hidden in await form.get_by_text("(optional)").all():
        await expect(hidden).to_be_hidden()


async def test_where_the_tariff_has_no_sms_no_number_is_asked_for(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Basis")
    created = await demo_practice.create(patient_name=name, email=unknown_address(), phone=RINGS)
    await demo_practice.shows(created["id"], "failed")
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    change = "UPDATE practices SET tariff = $1 WHERE id = $2"
    try:
        await owner.execute(change, "basic", DEMO_PRACTICE.id)
        await page.reload()
        await show(page, name, tomorrow)
        for hidden in ("resend-phone", "resend-by-sms", "resend-other"):
            await expect(page.get_by_test_id(hidden)).to_be_hidden()
        await page.get_by_test_id("resend-email").fill(address())
        await page.get_by_test_id("resend-submit").click()
        await demo_practice.shows(created["id"], "delivered", attempt=2)
        assert (await stored(demo_practice, created["id"]))["phone"] == "+491713920001"
        await page.keyboard.press("Escape")
        await page.get_by_test_id("nav-patienten").click()
        await page.get_by_test_id("create-appointment").click()
        form = page.get_by_test_id("form-appointment")
        await expect(form.locator("[name=phone]")).to_be_hidden()
    finally:
        await owner.execute(change, "standard", DEMO_PRACTICE.id)
        await owner.close()


async def test_two_desks_send_again_and_neither_overrules_the_other_unseen(
    desk: Page, demo_practice: Practice, tomorrow: str
) -> None:
    """One corrects and gets the tick. The other, with an old view, sees both, and what it means."""
    name, wrong, right, other = unique("Zwei Plätze"), address(), address(), address()
    created = await demo_practice.create(patient_name=name, email=wrong)
    await demo_practice.shows(created["id"], "delivered")
    await show(desk, name, tomorrow)
    await desk.get_by_test_id("resend-email").fill(other)
    await demo_practice.resend(created["id"], email=right)
    await demo_practice.shows(created["id"], "delivered", attempt=2)
    link = link_in(await demo_practice.mail(right))

    await desk.get_by_test_id("resend-submit").click()
    conflict = desk.get_by_test_id("resend-conflict")
    await expect(conflict).to_be_focused()
    for shown in ("inzwischen erneut gesendet", other, right):
        await expect(conflict).to_contain_text(shown)
    await expect(desk.get_by_test_id("resend-submit")).to_be_hidden()
    await expect(desk.get_by_test_id("resend-link")).to_contain_text(ENDS)
    await good_at_every_size(desk)
    assert (await demo_practice.scheduling.get(link)).status_code == 200

    await desk.get_by_test_id("conflict-stored").click()
    await expect(conflict).to_be_hidden()
    await expect(desk.get_by_test_id("resend-email")).to_have_value(right)
    await expect(desk.get_by_test_id("resend-link")).to_have_text(STAYS)
    assert (await stored(demo_practice, created["id"]))["invitation"]["attempt"] == 2


async def test_who_has_seen_both_may_insist(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name, mine = unique("Besteht Darauf"), address()
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    await show(page, name, tomorrow)
    await page.get_by_test_id("resend-email").fill(mine)
    path = f"/v1/appointments/{created['id']}"
    assert (await demo_practice.scheduling.patch(path, json={"time": "11:30"})).is_success
    await page.get_by_test_id("resend-submit").click()
    conflict = page.get_by_test_id("resend-conflict")
    for shown in ("inzwischen geändert", "10:00 Uhr", "11:30 Uhr", mine, created["email"]):
        await expect(conflict).to_contain_text(shown)
    await tab_to(page, "[data-testid=conflict-mine]")
    await page.keyboard.press("Enter")
    await demo_practice.shows(created["id"], "delivered", attempt=2)
    found = await stored(demo_practice, created["id"])
    assert (found["email"], found["time"]) == (mine, "11:30")


async def test_moving_and_removing_show_what_became_of_it_meanwhile(
    desk: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Inzwischen")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    path = f"/v1/appointments/{created['id']}"

    async def move(time: str) -> None:
        assert (await demo_practice.scheduling.patch(path, json={"time": time})).is_success

    await show_day(desk, tomorrow)
    await row(desk, name).click()
    await desk.get_by_test_id("move-open").click()
    await desk.locator("#move-time").fill("15:00")
    await move("11:00")
    await desk.get_by_test_id("move-submit").click()
    conflict = desk.get_by_test_id("move-conflict")
    await expect(conflict).to_be_focused()
    await expect(conflict).to_contain_text("15:00 Uhr")
    await expect(conflict).to_contain_text("11:00 Uhr")
    await good_at_every_size(desk)
    await desk.get_by_test_id("conflict-stored").click()
    await expect(desk.locator("#move-time")).to_have_value("11:00")

    await desk.get_by_role("button", name="Daten löschen").click()
    await demo_practice.resend(created["id"], email=(right := address()))
    dialog = desk.get_by_test_id("delete-dialog")
    await desk.get_by_test_id("delete-confirm").click()
    await expect(dialog).to_contain_text("inzwischen geändert")
    await expect(dialog).to_contain_text(created["email"])
    await expect(dialog).to_contain_text(right)
    await good_at_every_size(desk)
    assert (await demo_practice.scheduling.get(path)).is_success
    await desk.get_by_test_id("delete-confirm").click()
    await expect(row(desk, name)).to_have_count(0)


async def test_what_has_begun_is_not_offered_to_be_sent_again(
    page: Page, stack: Stack, demo_practice: Practice
) -> None:
    name = unique("Begonnen")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    try:
        await owner.execute(
            "UPDATE appointments SET starts_at = now() - interval '1 minute' WHERE id = $1",
            created["id"],
        )
    finally:
        await owner.close()
    await page.reload()  # of what the database alone knows no page is told
    await show_day(page, (await stored(demo_practice, created["id"]))["date"])
    await row(page, name).click()
    await expect(page.get_by_test_id("move-open")).to_be_visible()
    await expect(page.get_by_test_id("resend-open")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("email", " erika@Example.ORG "),
        ("email", "Erika@example.org"),
        ("email", ""),
        ("phone", "0171 3920001"),
        ("phone", "171 3920001"),
        ("phone", "+49 (0)171 / 392 00-01"),
        ("phone", "0049 171 3920001"),
        ("phone", "49 171 3920001"),
        ("phone", "O171 392OOO1"),
        ("phone", "0171 3920002"),
        ("phone", ""),
    ],
)
async def test_the_page_tells_an_address_from_another_as_the_service_does(
    modules: Page, name: str, typed: str
) -> None:
    """Which stores it in another form than it is typed in: a link that stays is not given up."""
    known = {"email": "erika@example.org", "phone": "+491713920001"}
    read = parse_mobile if name == "phone" else _email
    renews = not typed or read(typed) != known[name]
    told = await modules.evaluate(
        """async ([stored, entered]) =>
            (await import("/static/contact.js")).renewsLink(stored, entered)""",
        [known, known | {name: typed}],
    )
    assert told is renews


def _email(text: str) -> str:
    return validate_email(text.strip(), check_deliverability=False).normalized


IN_VIEW = """(what) => {
  const { top, bottom } = document.querySelector("#details .sheet-body").getBoundingClientRect();
  const box = document.querySelector(what).getBoundingClientRect();
  return box.height > 0 && box.top >= top - 1 && box.bottom <= bottom + 1;
}"""


@pytest.mark.parametrize("size", [(1366, 768), (1366, 640), (390, 844), (320, 640)], ids=str)
async def test_what_went_wrong_is_seen_where_it_is_to_be_corrected(
    desk: Page, demo_practice: Practice, tomorrow: str, size: tuple[int, int]
) -> None:
    """Whatever the dialog was scrolled to for the appointment before."""
    name, other = unique("Beide Wege"), unique("Davor")
    for each in (name, other):
        created = await demo_practice.create(
            patient_name=each,
            email=unknown_address(),
            phone=RINGS,
            channels=["email", "sms"],
        )
        await demo_practice.shows(created["id"], "failed")
    await desk.set_viewport_size({"width": size[0], "height": size[1]})
    await show_day(desk, tomorrow)
    body = desk.locator("#details .sheet-body")
    await row(desk, other).click()
    await body.evaluate("body => { body.scrollTop = body.scrollHeight; }")
    await desk.keyboard.press("Escape")
    await row(desk, name).click()
    address = desk.get_by_test_id("resend-email")
    await expect(address).to_be_focused()
    why = "E-Mail: nicht zugestellt – Adresse unbekannt"
    await expect(address).to_have_accessible_description(why)
    await expect(desk.get_by_test_id("resend-phone")).to_have_accessible_description(
        "Wird nur gespeichert; jetzt wird dorthin nichts gesendet."
    )
    assert await desk.evaluate(IN_VIEW, "#resend-email-why")
    assert await desk.evaluate(IN_VIEW, "#resend-email")
    assert await violations(desk) == []
    await desk.screenshot(path=f"test-results/resend-{size[0]}x{size[1]}.png")


async def test_the_dialog_begins_at_its_top(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Von Oben")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    await page.set_viewport_size({"width": 390, "height": 500})
    await show_day(page, tomorrow)
    body = page.locator("#details .sheet-body")
    for _ in range(2):
        await row(page, name).click()
        await expect(body).to_be_visible()
        await expect(body).to_have_js_property("scrollTop", 0)
        await page.get_by_test_id("history-open").click()
        await body.evaluate("body => { body.scrollTop = body.scrollHeight; }")
        assert await body.evaluate("body => body.scrollTop") > 0
        await page.keyboard.press("Escape")
