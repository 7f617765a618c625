"""WCAG 2.2 A and AA, as axe-core finds it, on every page and dialog; and the flow by keyboard."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Literal, TypeAlias
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from contracts.languages import LANGUAGES
from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import (
    NOTHING_GOES,
    enter,
    fill,
    infobox,
    let_a_day_pass,
    noticed,
    row,
    show_day,
    state,
    tab_to,
    type_day,
    unique,
)
from tests.conftest import Stack
from tests.support import Practice, unknown_address
from tests.support.mails import link_in
from tests.support.moments import clock_change, soon

Look: TypeAlias = tuple[int, int, Literal["light", "dark"]]
# Each is gone through in the first look; what is met there is then seen in the other, too.
LOOKS: list[tuple[Look, Look]] = [
    ((1280, 800, "light"), (1280, 800, "dark")),
    ((320, 640, "dark"), (360, 740, "light")),
]


class Anyone:
    """Somebody at a page, and how they see it."""

    def __init__(self, page: Page, looks: Sequence[Look]) -> None:
        self.page = page
        self.looks = looks

    async def check(self) -> None:
        """In no look a violation, nor anything to be scrolled sideways."""
        for look in (*self.looks[1:], self.looks[0]):
            await self._see(look)
            assert await violations(self.page) == [], look

    async def _see(self, look: Look) -> None:
        width, height, scheme = look
        await self.page.set_viewport_size({"width": width, "height": height})
        await self.page.emulate_media(color_scheme=scheme)


@pytest_asyncio.fixture(params=LOOKS, ids=["desktop", "phone"])
async def anyone(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Anyone]:
    """Not logged in. The policy of our pages would keep axe's script out."""
    width, height, scheme = request.param[0]
    async with opened(
        browser,
        bypass_csp=True,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",  # what fades in has no contrast to measure
    ) as page:
        yield Anyone(page, request.param)


async def test_overview_and_start_page(
    anyone: Anyone, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    page = anyone.page
    created = await demo_practice.create(patient_name=unique("Anna Ankunft"))
    await demo_practice.shows(created["id"], "delivered")
    refused = await demo_practice.create(patient_name=unique("Rita Rot"), email=unknown_address())
    await demo_practice.shows(refused["id"], "failed")
    await enter(page, stack)
    await show_day(page, tomorrow)
    await expect(page.get_by_test_id("appointment-row").first).to_be_visible()
    await anyone.check()
    await page.get_by_test_id("day-next").click()
    await anyone.check()
    await page.get_by_test_id("span-week").click()
    await expect(page.get_by_test_id("day-head")).to_have_count(7)
    await anyone.check()
    await page.get_by_test_id("nav-patienten").click()
    await anyone.check()
    await page.get_by_test_id("find-query").fill(refused["patient_name"])
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("found-row")).to_be_visible()
    await anyone.check()
    await page.get_by_test_id("nav-protokoll").click()
    await expect(page.get_by_test_id("audit-entry").first).to_be_visible()
    await anyone.check()


async def test_what_is_open_and_boxes_gathered(
    anyone: Anyone, stack: Stack, demo_practice: Practice
) -> None:
    page = anyone.page
    name = unique("Olga Offen")
    failing = {"email": unknown_address(), "phone": "+491713920001"}
    await demo_practice.deal_with_all()  # the list shows its first page
    refused = await demo_practice.create(patient_name=name, **failing)
    await demo_practice.shows(refused["id"], "failed")
    unsure = await demo_practice.create(
        patient_name=unique("Ulla Unklar"), channels=["sms"], email=None, phone="+491713920003"
    )
    await let_a_day_pass(stack, UUID(unsure["id"]), "accepted")
    await demo_practice.shows(unsure["id"], "unconfirmed")
    await enter(page, stack)
    await page.get_by_test_id("nav-offen").click()
    shown = page.get_by_test_id("open-row").filter(has_text=name)
    await expect(shown).to_be_visible()
    call = page.get_by_test_id("open-row").filter(has_text=unsure["patient_name"])
    await expect(call.locator("a.primary")).to_have_text("Anrufen: +491713920003")
    await anyone.check()
    await shown.get_by_role("button", name="Erledigt").click()
    await expect(page.get_by_test_id("follow-up-dialog")).to_be_visible()
    await anyone.check()
    await page.keyboard.press("Escape")
    for _ in range(3):
        await demo_practice.create(patient_name=unique("Viele"), email=unknown_address())
    await expect(infobox(page, "nicht zugestellt – ansehen")).to_be_visible()
    await anyone.check()
    await page.route("**/api/status/indicators?open=**", lambda route: route.abort())
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("nav-offen").click()
    await expect(page.get_by_test_id("open-state")).to_contain_text("nicht sicher")
    await anyone.check()


async def test_the_form_empty_filled_and_with_errors(
    anyone: Anyone, stack: Stack, tomorrow: str
) -> None:
    page = anyone.page
    await enter(page, stack)
    await fill(page, "", "anna@gmial.com", tomorrow)
    form = page.get_by_test_id("form-appointment")
    await form.locator("[name=channel-sms]").check()
    await expect(page.locator("#sms-text")).to_be_visible()
    await anyone.check()
    await form.locator("[name=phone]").fill("030 1234567")
    await form.locator("[name=consent]").uncheck()
    await page.get_by_test_id("submit-invite").click()
    await expect(form.get_by_test_id("typing-hint")).to_contain_text("Meinten Sie")
    await anyone.check()
    await page.get_by_test_id("submit-invite").click()
    await expect(form.get_by_test_id("error-summary")).to_be_focused()
    await anyone.check()


async def test_the_doubled_hour_and_a_dead_address(
    anyone: Anyone, stack: Stack, demo_practice: Practice
) -> None:
    page = anyone.page
    address = unknown_address()
    refused = await demo_practice.create(email=address)
    await demo_practice.shows(refused["id"], "failed")
    await enter(page, stack)
    await fill(page, unique("Doppelte Stunde"), address, clock_change(back=True), "02:30")
    await page.get_by_test_id("submit-invite").click()
    await expect(page.get_by_text("Welche der beiden Uhrzeiten?")).to_be_visible()
    await anyone.check()


async def test_details_move_resend_history_and_deletion(
    anyone: Anyone, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    page = anyone.page
    name = unique("Dora Detail")
    await enter(page, stack)
    await show_day(page, tomorrow)
    await demo_practice.create(patient_name=name, email=unknown_address(), phone="+491713920001")
    await expect(infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")).to_be_visible()
    await anyone.check()
    await row(page, name).click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await anyone.check()
    await page.get_by_test_id("move-open").click()
    await page.get_by_test_id("history-open").click()
    await expect(page.get_by_test_id("history")).to_contain_text("nicht zugestellt")
    await anyone.check()
    await page.locator("#move-duration").fill("1")
    await page.get_by_test_id("move-submit").click()
    await expect(page.locator("#move [data-summary]")).to_be_focused()
    await anyone.check()
    await page.get_by_test_id("delete-appointment").click()
    await expect(page.get_by_test_id("delete-dialog")).to_be_visible()
    await anyone.check()


async def test_figures_and_notices(anyone: Anyone, stack: Stack, tomorrow: str) -> None:
    page = anyone.page
    await page.add_init_script(NOTHING_GOES)
    await enter(page, stack)
    name = unique("Nora Notiz")
    await fill(page, name, "nora@example.org", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(page.get_by_test_id("center-notice")).to_contain_text("erfolgreich versendet")
    await expect(infobox(page, f"E-Mail erfolgreich zugestellt an {name}")).to_be_visible()
    await anyone.check()
    await page.locator('[data-opens="measures"]:visible').click()
    await expect(page.get_by_test_id("measures-shown")).to_contain_text("Haken")
    await anyone.check()


async def test_pages_around_the_login(anyone: Anyone, stack: Stack) -> None:
    page = anyone.page
    await page.goto(stack.url("dashboard"))
    await expect(page.get_by_role("heading", name="Wer sind Sie?")).to_be_visible()
    await anyone.check()
    for path in ("/abgelaufen", "/abgemeldet", "/kein-zugang", "/login/callback?state=x&code=y"):
        await page.goto(stack.url("dashboard") + path)
        await expect(page.get_by_test_id("notice-page")).to_be_visible()
        await anyone.check()


async def test_the_patients_pages(anyone: Anyone, practice: Practice, stack: Stack) -> None:
    page = anyone.page
    created = await practice.create()
    link = link_in(await practice.mail(created["email"]))
    near = await practice.create(**soon())
    for language in LANGUAGES:
        await page.goto(f"{link}?lang={language}")
        await anyone.check()
    for language in "de", "ar":
        await page.goto(f"{link_in(await practice.mail(near['email']))}?lang={language}")
        await anyone.check()
    await practice.scheduling.delete(f"/v1/appointments/{created['id']}")
    await page.goto(link)
    await anyone.check()
    await page.goto(f"{stack.url('scheduling')}/besuch/unbekannt")
    await anyone.check()


async def test_mailbox_and_phones(anyone: Anyone, practice: Practice, stack: Stack) -> None:
    page = anyone.page
    created = await practice.create(channels=["email", "sms"], phone="+491713920001")
    await practice.shows(created["id"], "delivered")
    await page.goto(stack.url("mailbox"))
    await anyone.check()
    await page.get_by_role("link").filter(has_text=re.compile("Video")).first.click()
    await anyone.check()
    await page.goto(stack.url("phones"))
    await anyone.check()


async def test_the_whole_flow_by_keyboard(page: Page, tomorrow: str) -> None:
    """From the start page to the mark, to the right address and the tick, without a pointer."""
    name = unique("Tanja Taste")
    await tab_to(page, "[data-testid=nav-patienten]")
    await page.keyboard.press("Enter")
    await tab_to(page, "[data-testid=create-appointment]")
    await page.keyboard.press("Enter")
    await expect(page.locator("#patient-name")).to_be_focused()
    await page.keyboard.type(name)
    await tab_to(page, "#email")
    await page.keyboard.type(unknown_address())
    await tab_to(page, "#date")
    await type_day(page, "#date", tomorrow)
    await tab_to(page, "#time")
    await page.keyboard.type("1000AM")  # the last two are for clocks of twelve hours
    await tab_to(page, "#duration")
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.type("15")
    await tab_to(page, "#consent")
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(state(page, name, "failed")).to_be_visible()
    await expect(row(page, name).get_by_role("button")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await page.keyboard.type("tanja@example.org")  # over what is selected
    await tab_to(page, "[data-testid=resend-submit]")
    await page.keyboard.press("Enter")
    await expect(page.locator("#details-state")).to_contain_text("vom E-Mail-Anbieter angenommen")
    await page.keyboard.press("Escape")
    await expect(state(page, name, "delivered")).to_be_visible()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")
    await expect(row(page, name).get_by_role("button")).to_be_focused()
