"""The practice's page in a real browser, with exactly the texts of the flow."""

import re
from collections.abc import AsyncIterator
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from local.services import BOUNCES
from tests.browser.conftest import opened
from tests.browser.page import (
    fill,
    infobox,
    is_wide,
    log_in,
    noticed,
    row,
    show_day,
    state,
    unique,
)
from tests.conftest import Stack
from tests.support import Practice, eventually, unknown_address


@pytest_asyncio.fixture(scope="module")
async def modules(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A page that the dashboard's modules can be imported from, with nothing else on it."""
    async with opened(browser) as page:
        await page.goto(f"{stack.url('dashboard')}/abgemeldet")
        yield page


async def test_einladen_ends_in_info_box_notice_and_tick(page: Page, tomorrow: str) -> None:
    name = unique("Erika Mustermann")
    await fill(page, name, "erika@example.org", tomorrow)
    await page.get_by_role("button", name="Einladen").click()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")
    await noticed(page, "center-notice", "Einladung erfolgreich versendet")
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_a_mail_that_is_faster_than_the_answer_gets_its_notice(
    page: Page, tomorrow: str
) -> None:
    name = unique("Erika Eilig")
    await show_day(page, tomorrow)

    async def late(route: Route) -> None:
        answer = await route.fetch()
        if route.request.method == "POST":
            await expect(state(page, name, "delivered")).to_have_count(1)  # in a view not shown
        await route.fulfill(response=answer)

    await page.route("**/api/scheduling/appointments", late)
    await fill(page, name, "erika@example.org", tomorrow)
    await page.get_by_role("button", name="Einladen").click()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")
    await noticed(page, "center-notice", "Einladung erfolgreich versendet")


async def test_the_mark_is_corrected_into_a_tick(page: Page, tomorrow: str) -> None:
    name = unique("Max Muster")
    await fill(page, name, unknown_address(), tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")).to_be_visible()
    await expect(state(page, name, "failed")).to_be_visible()
    await expect(state(page, name, "delivered")).to_have_count(0)

    await row(page, name).click()
    await expect(page.locator("#resend-text")).to_contain_text("Wie lautet die richtige Adresse?")
    await page.get_by_test_id("resend-email").fill("max@example.org")
    await page.get_by_role("button", name="Erneut senden").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")


async def test_daten_loeschen_asks_once_and_leaves_nothing(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Lea Löschen")
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await row(page, name).click()
    await page.get_by_role("button", name="Daten löschen").click()
    dialog = page.get_by_test_id("delete-dialog")
    await expect(dialog).to_contain_text("Daten löschen?")
    await expect(dialog).to_contain_text(name)
    await expect(dialog).to_contain_text("Zustellungen und Verlauf")
    await dialog.get_by_role("button", name="Daten löschen").click()
    await expect(row(page, name)).to_have_count(0)

    async def gone() -> bool:
        path = f"/v1/appointments/{created['id']}"
        log = await demo_practice.scheduling.get(
            "/v1/audit", params={"appointment_id": created["id"]}
        )
        return (
            (await demo_practice.scheduling.get(path)).status_code == 404
            and await demo_practice.indicator(created["id"]) is None
            and log.json()["entries"][0]["action"] == "appointment_erased"
        )

    await eventually(gone, "erased everywhere")


async def test_every_required_field_has_its_asterisk_and_its_error(page: Page) -> None:
    await page.get_by_test_id("nav-patienten").click()
    await page.get_by_test_id("create-appointment").click()
    form = page.get_by_test_id("form-appointment")
    for label in ("Vorname Nachname", "Datum", "Uhrzeit", "Dauer in Minuten"):
        await expect(form.locator("label", has_text=label).first).to_contain_text("*")
    consent = "Der Nutzer hat eingewilligt, SMS- und E-Mail-Nachrichten von mir zu erhalten"
    await expect(form.locator("label", has_text=consent)).to_contain_text("*")
    await page.get_by_test_id("submit-invite").click()
    for name in ("patient_name", "email", "time", "consent"):
        await expect(form.locator(f"[name={name}]")).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_test_id("center-notice")).to_be_hidden()


async def test_the_keyboard_alone_is_enough(page: Page, tomorrow: str) -> None:
    name = unique("Tastatur")
    await page.get_by_test_id("nav-patienten").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Patienten", exact=True)).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_test_id("create-appointment")).to_be_focused()
    await page.keyboard.press("Enter")
    form = page.get_by_test_id("form-appointment")
    await expect(form.locator("[name=patient_name]")).to_be_focused()
    await page.keyboard.type(name)
    await form.locator("[name=email]").fill("tastatur@example.org")
    await form.locator("[name=date]").fill(tomorrow)
    await form.locator("[name=time]").fill("11:00")
    await form.locator("[name=duration_minutes]").fill("15")
    await form.locator("[name=consent]").focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_a_name_is_text_and_never_markup(page: Page, tomorrow: str) -> None:
    name = f"<img src=x onerror=alert(1)> {uuid4().hex[:6]}"
    await fill(page, name, "markup@example.org", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    assert await page.locator("img[src=x]").count() == 0


async def test_a_typing_error_is_hinted_at_before_sending(page: Page, tomorrow: str) -> None:
    name = unique("Vertippt")
    await fill(page, name, "vertippt@gmial.com", tomorrow)
    await page.get_by_test_id("submit-invite").click()
    hint = page.get_by_test_id("form-appointment").get_by_test_id("typing-hint")
    await expect(hint).to_contain_text("Meinten Sie vertippt@gmail.com?")
    await expect(row(page, name)).to_have_count(0)
    await hint.get_by_role("button").click()
    email = page.get_by_test_id("form-appointment").locator("[name=email]")
    await expect(email).to_have_value("vertippt@gmail.com")
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_whoever_enters_again_sends_to_the_address_as_it_was_typed(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    """What Enter does is what the hint says; what was meant is one tab away."""
    address = f"trotzdem-{uuid4().hex[:8]}@gmial.com"
    await fill(page, unique("Trotzdem"), address, tomorrow)
    form = page.get_by_test_id("form-appointment")
    email = form.locator("[name=email]")
    await form.locator("[name=duration_minutes]").focus()
    await page.keyboard.press("Enter")
    await expect(email).to_be_focused()
    meant = address.replace("gmial", "gmail")
    hint = form.get_by_test_id("typing-hint")
    said = f"Meinten Sie {meant}? Stimmt die Adresse, senden Sie noch einmal ab."
    await expect(hint).to_have_text(said)
    await expect(hint).to_have_role("status")
    await expect(email).to_have_accessible_description(re.compile("Meinten Sie .* noch einmal ab"))
    await page.keyboard.press("Tab")
    await expect(form.get_by_role("button", name=meant)).to_be_focused()
    await page.keyboard.press("Shift+Tab")
    await page.keyboard.press("Enter")
    await expect(form).to_be_hidden()
    assert (await demo_practice.mail(address))["subject"]


@pytest.mark.parametrize("hurry", ["held", "double"])
async def test_a_key_held_and_a_double_click_have_not_read_the_hint(
    page: Page, tomorrow: str, hurry: str
) -> None:
    sent: list[str] = []
    page.on("request", lambda each: sent.append(each.url) if each.method == "POST" else None)
    await fill(page, unique("Eilig"), "eilig@gmial.com", tomorrow)
    form = page.get_by_test_id("form-appointment")
    if hurry == "held":
        await form.locator("[name=email]").focus()
        for _ in range(3):
            await page.keyboard.down("Enter")
        await page.keyboard.up("Enter")
    else:
        await page.get_by_test_id("submit-invite").dblclick()
    await expect(form.get_by_test_id("typing-hint")).to_contain_text("senden Sie noch einmal ab")
    assert not [url for url in sent if url.endswith("/scheduling/appointments")]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.de", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("web.d", "web.de"),
        ("wbe.de", "web.de"),
        ("web.com", "web.de"),
        ("gmx.d", "gmx.de"),
        ("gxm.de", "gmx.de"),
        ("t-onlne.de", "t-online.de"),
        ("tonline.de", "t-online.de"),
        ("t-online.com", "t-online.de"),
        ("T-Online.De", None),
        ("gmx.net", None),
        ("gmx.at", None),
        ("web.de", None),
        ("praxis-mueller.de", None),
        ("we.de", "web.de"),
        ("mail.com", None),
        ("example.org", None),
        # There are such providers, or may be.
        ("yahoo.fr", None),
        ("yahoo.es", None),
        ("Outlook.fr", None),
        ("outlook.at", None),
        ("hotmail.it", None),
        ("hotmail.es", None),
        ("hotmail.co.uk", None),
        ("live.dk", None),
        ("posteo.net", None),
        ("protonmail.ch", None),
        ("freenet.ch", None),
        # There are none.
        ("gmail.ch", "gmail.com"),
        ("gmail.co", "gmail.com"),
        ("outlook.co", "outlook.com"),
        ("hotmail.cmo", "hotmail.com"),
        ("yahoo.comm", "yahoo.com"),
        ("gmx.dee", "gmx.de"),
        ("web.ed", "web.de"),
        ("freenet.dd", "freenet.de"),
        ("hotmial.com", "hotmail.com"),
    ],
)
async def test_which_domains_are_taken_for_typing_errors(
    modules: Page, typed: str, meant: str | None
) -> None:
    found = await modules.evaluate(
        "async typed => (await import('/static/addresses.js')).likelyMeant(`anna@${typed}`)", typed
    )
    assert found == (meant and f"anna@{meant}")


async def test_a_dead_address_can_be_used_on_purpose(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    address = unknown_address()
    first, again = unique("Erster"), unique("Zweiter")

    await fill(page, first, address, tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, first, "failed")).to_be_visible()
    await demo_practice.knows_as_dead(address)
    await fill(page, again, address, tomorrow)
    await page.get_by_test_id("submit-invite").click()
    form = page.get_by_test_id("form-appointment")
    await expect(form.get_by_text("war unzustellbar").first).to_be_visible()
    await form.get_by_label("Trotzdem an diese Adresse senden").check()
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, again, "failed")).to_be_visible()


async def test_what_happens_elsewhere_appears_without_reloading(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Anderswo")
    await show_day(page, tomorrow)
    await demo_practice.create(patient_name=name, date=tomorrow)
    await expect(state(page, name, "delivered")).to_be_visible()


@pytest.mark.parametrize(
    ("steps", "boxes"),
    [
        ([(1, True), (2, True)], ["failed"]),
        ([(2, False), (2, True)], ["failed"]),  # looked up before the stream told of it
        ([(2, True), (2, False)], ["failed"]),
        ([(2, False), (2, False)], []),  # long known to others
        ([(2, False), (2, True), (2, True)], ["failed"]),
        ([(2, False), (3, True)], []),
    ],
)
async def test_a_failure_is_told_once_whatever_met_it_first(
    modules: Page, steps: list[tuple[int, bool]], boxes: list[str]
) -> None:
    """Steps are the version, of which the first is pending, and whether the stream tells it."""
    told = await modules.evaluate(
        """async steps => {
            const { Desk } = await import("/static/desk.js");
            const desk = new Desk(), told = [];
            desk.addEventListener("news", ({ detail }) => told.push(detail.state));
            desk.keep({ id: "a", date: "2030-01-01", version: 1, invitation: { attempt: 1 } });
            for (const [version, fresh] of steps) {
                const overall = version === 1 ? "pending" : "failed";
                const channels = { email: { state: overall, late: false } };
                desk.indicate(
                    { appointment_id: "a", attempt: 1, version, overall, channels }, { fresh }
                );
            }
            await new Promise((done) => setTimeout(done));
            return told;
        }""",
        steps,
    )
    assert told == boxes


async def test_a_lost_connection_is_shown_and_made_good(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Verbindung")
    await show_day(page, tomorrow)
    await stack.service("status").kill()
    await expect(page.get_by_test_id("connection-banner")).to_be_visible()
    await demo_practice.create(patient_name=name, date=tomorrow)
    await stack.service("status").start()
    await expect(page.get_by_test_id("connection-banner")).to_be_hidden()
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_a_form_begun_while_scheduling_is_away_is_completed_and_sent_later(
    visitor: Page, stack: Stack, tomorrow: str
) -> None:
    name = unique("Frühe Eingabe")
    form = visitor.get_by_test_id("form-appointment")
    language = form.locator("[name=locale]")
    sms = form.get_by_label("SMS", exact=True)
    await stack.service("scheduling").kill()
    try:
        await log_in(visitor, stack)
        await fill(visitor, name, "frueh@example.org", tomorrow)
        await expect(language).to_be_hidden()
        await expect(sms).to_be_disabled()
        await expect(sms).to_have_accessible_description(
            "SMS ist gerade nicht wählbar: Der Server ist nicht erreichbar."
        )
    finally:
        await stack.service("scheduling").start()
    await expect(language).to_have_value("de")
    await expect(sms).to_be_enabled()
    await expect(sms).to_have_accessible_description("")
    await expect(form.locator("[name=patient_name]")).to_have_value(name)
    await visitor.get_by_test_id("submit-invite").click()
    await expect(state(visitor, name, "delivered")).to_be_visible()


async def test_it_fits_on_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    assert not await is_wide(page)


async def test_a_late_bounce_turns_the_tick_into_the_mark(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name, address = unique("Paula Postfach"), f"paula-{uuid4().hex[:12]}@example.org"
    await fill(page, name, address, tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    returned = Mail(sender="-", recipient=address, content=b"Subject: Einladung\r\n\r\n")
    report = compose(returned, REPORTS["spaeter-voll"])
    assert report is not None
    return_path = (await demo_practice.mail(address))["envelope_from"]
    await hand_over(stack.ports.bounces, return_path, report)
    await expect(state(page, name, "failed")).to_be_visible()
    box = infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")
    await expect(box).to_contain_text("Postfach voll")
    await box.get_by_role("button", name="Erneut senden").click()
    await expect(page.get_by_test_id("resend-email")).to_be_focused()
    await expect(page.locator("#details-state")).to_contain_text("nachträglich")
    await page.get_by_test_id("resend-email").fill("paula@example.org")
    await page.get_by_test_id("resend-submit").click()
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_a_report_that_nobody_signed_says_so(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name, address = unique("Ulla Unsigniert"), f"ulla-{uuid4().hex[:12]}@example.org"
    await fill(page, name, address, tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(state(page, name, "delivered")).to_be_visible()
    message_id = (await demo_practice.mail(address))["message_id"]
    content = f"Message-ID: {message_id}\r\n\r\n".encode()
    report = compose(Mail("-", address, content), REPORTS["spaeter-unbekannt"])
    assert report is not None
    await hand_over(stack.ports.bounces, BOUNCES, report)
    await expect(state(page, name, "failed")).to_be_visible()
    box = infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")
    await expect(box).to_contain_text("Herkunft der Meldung nicht gesichert")
    await expect(box).not_to_contain_text("Adresse unbekannt")


async def test_a_tab_that_nobody_sees_holds_no_stream_and_misses_nothing(
    page: Page, stack: Stack, tomorrow: str, demo_practice: Practice
) -> None:
    async def streams() -> float:
        told = await demo_practice.status.get(f"{stack.operations_url('status')}/metrics")
        text = told.text
        return float(text.partition("\nstatus_streams_open ")[2].partition("\n")[0])

    async def show(state: str) -> None:
        await page.evaluate(
            """value => {
                Object.defineProperty(document, "visibilityState", {value, configurable: true});
                document.dispatchEvent(new Event("visibilitychange"));
            }""",
            state,
        )

    async def fewer() -> bool:
        return await streams() < before

    await expect(page.get_by_test_id("stream-state")).to_have_text("Anzeige aktuell")
    before = await streams()
    await show("hidden")
    await eventually(fewer, "the stream to end")
    name = unique("Fern Gesehen")
    created = await demo_practice.create(patient_name=name, email=unknown_address(), date=tomorrow)
    await demo_practice.shows(created["id"], "failed")
    await show("visible")
    await expect(infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")).to_be_visible()
    await show_day(page, tomorrow)
    await expect(state(page, name, "failed")).to_be_visible()


async def test_no_tick_outlives_a_restored_backup(
    page: Page, stack: Stack, tomorrow: str, demo_practice: Practice
) -> None:
    """Positions of the feed are lower than the page has seen, and say something else."""
    name = unique("Erika Zurück")
    created = await demo_practice.create(patient_name=name, date=tomorrow)
    await demo_practice.shows(created["id"], "delivered")
    await show_day(page, tomorrow)
    await expect(state(page, name, "delivered")).to_be_visible()
    owner = await asyncpg.connect(stack.owner_dsn("status"))
    try:
        await stack.service("status").kill()
        for table in ("indicators", "practice_feed", "events"):
            await owner.execute(f"DELETE FROM {table} WHERE practice_id = $1", demo_practice.id)
        await stack.service("status").start()
    finally:
        await owner.close()
    await expect(state(page, name, "pending")).to_be_visible()
