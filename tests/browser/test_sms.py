"""Inviting by SMS in a real browser: what it says and costs, own box and mark, the other way."""

from uuid import UUID, uuid4

import asyncpg
import pytest
from playwright.async_api import Locator, Page, expect

from local.practice import DEMO_PRACTICE
from tests.browser.page import (
    fill,
    fill_sms,
    infobox,
    let_a_day_pass,
    noticed,
    row,
    show_day,
    state,
    unique,
)
from tests.conftest import Stack
from tests.support import Practice, eventually, unknown_address, unused_phone

FILM = "0171 39200 "  # reaches nobody; the last two digits say how the phone behaves


def channel(page: Page, name: str, value: str) -> Locator:
    """One channel's state in the appointment's dialog."""
    return page.locator(f'#details-state [data-channel="{name}"][data-state="{value}"]')


async def test_the_form_shows_what_the_sms_says_and_costs(
    page: Page, tomorrow: str, demo_practice: Practice
) -> None:
    phone = unused_phone()
    form = await fill_sms(page, unique("Vorschau"), phone, tomorrow)
    preview = page.get_by_test_id("sms-preview")
    await expect(preview).to_contain_text("10:00 Uhr")
    await expect(preview.get_by_role("status")).to_contain_text("SMS: ")
    await expect(preview.get_by_role("status")).to_contain_text("GSM-7")
    await form.locator("[name=time]").fill("10:15")
    await expect(preview).to_contain_text("10:15 Uhr")
    shown = await page.locator("#sms-text").inner_text()
    await page.get_by_test_id("submit-invite").click()

    async def arrived() -> str | None:
        texts = await demo_practice.texts(phone)
        return texts[-1]["text"] if texts else None

    sent = await eventually(arrived, "the SMS")
    assert shown.split("\n")[0] == sent.split("\n")[0]
    assert len(shown) == len(sent)


async def test_without_a_time_the_preview_says_what_is_missing(page: Page, tomorrow: str) -> None:
    form = await fill_sms(page, unique("Ohne Zeit"), f"{FILM}01", tomorrow)
    await form.locator("[name=time]").fill("")
    await expect(page.get_by_test_id("sms-preview")).to_contain_text("sobald Datum und Uhrzeit")
    await form.locator("[name=channel-sms]").uncheck()
    await expect(page.get_by_test_id("sms-preview")).to_be_hidden()


async def test_each_channel_has_its_own_box_and_mark(page: Page, tomorrow: str) -> None:
    name = unique("Beide Wege")
    await fill_sms(page, name, f"{FILM}02", tomorrow, email=f"{uuid4().hex[:8]}@example.org")
    anyway = page.get_by_label("Trotzdem an diese Nummer senden")
    await page.get_by_test_id("submit-invite").click()
    await expect(anyway.or_(row(page, name))).to_be_visible()
    if await anyway.is_visible():  # another test has met this phone
        await anyway.check()
        await page.get_by_test_id("submit-invite").click()
    await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")
    failed = infobox(page, f"SMS konnte nicht zugestellt werden {name}")
    await expect(failed).to_contain_text("Nummer unbekannt")
    await expect(state(page, name, "failed")).to_be_visible()
    await failed.get_by_role("button", name="Erneut senden").click()
    await expect(channel(page, "email", "delivered")).to_be_visible()
    await expect(channel(page, "sms", "failed")).to_be_visible()
    await expect(page.get_by_test_id("resend-by-email")).not_to_be_checked()
    await page.get_by_test_id("resend-phone").fill(f"{FILM}01")
    await page.get_by_test_id("resend-submit").click()
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_the_other_channel_is_one_click_away_and_arrives(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Theo Telefon")
    await show_day(page, tomorrow)
    await demo_practice.create(patient_name=name, email=unknown_address(), phone=f"{FILM}01")
    box = infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")
    await box.get_by_role("button", name="Stattdessen per SMS senden").click()
    await noticed(page, "infobox", f"SMS erfolgreich zugestellt an {name}")
    await expect(state(page, name, "delivered")).to_be_visible()


async def test_what_nobody_confirms_is_amber_and_asks_for_a_call(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Stille")
    await show_day(page, tomorrow)
    created = await demo_practice.create(
        patient_name=name, channels=["sms"], email=None, phone=f"{FILM}03"
    )
    await let_a_day_pass(stack, UUID(created["id"]), "accepted")
    box = infobox(page, f"SMS nicht bestätigt, bitte anrufen: {name}")
    await expect(box).to_be_visible()
    amber = state(page, name, "unconfirmed")
    await expect(amber).to_contain_text("bitte anrufen")
    await box.get_by_role("button", name="Erneut senden").click()
    await expect(page.locator("#details-state")).to_contain_text("bitte anrufen")
    await expect(page.locator("#resend-text")).to_contain_text("Bitte rufen Sie an")


async def test_a_mail_server_s_code_is_shown_of_mails_alone(
    page: Page, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Beides Rot")
    created = await demo_practice.create(
        patient_name=name,
        channels=["email", "sms"],
        email=unknown_address(),
        phone=f"{FILM}05",
        send_anyway=True,
        date=tomorrow,
    )

    async def both_failed() -> bool:
        found = await demo_practice.indicator(created["id"])
        states = {one["state"] for one in found["channels"].values()} if found else set()
        return states == {"failed"}

    await eventually(both_failed, "both to fail")
    await show_day(page, tomorrow)
    await row(page, name).click()
    await page.get_by_test_id("history-open").click()
    lines = page.locator("#history li").filter(has_text="nicht zugestellt")
    await expect(lines).to_have_count(2)
    mail, sms = lines.filter(has_text="E-Mail:"), lines.filter(has_text="SMS:")
    await mail.get_by_text("Einzelheiten").click()
    await expect(mail).to_contain_text("Antwort des Mailservers: 5.1.1 (RFC 3463)")
    await expect(sms.get_by_text("Einzelheiten")).to_have_count(0)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("030 1234567", "Das ist eine Festnetznummer."),
        ("0171", "Diese Nummer ist zu kurz."),
        ("keine", "Bitte geben Sie eine Mobilnummer an"),
        (
            "+371 21 234 567",
            "SMS gehen von hier nur an Nummern aus: Deutschland, Österreich, Schweiz.",
        ),
    ],
)
async def test_a_number_that_takes_no_sms_is_refused_in_words(
    page: Page, tomorrow: str, number: str, said: str
) -> None:
    form = await fill_sms(page, unique("Festnetz"), number, tomorrow)
    await page.get_by_test_id("submit-invite").click()
    await expect(form.locator('[data-field="phone"] .error')).to_contain_text(said)
    await expect(form.locator("[name=phone]")).to_have_attribute("aria-invalid", "true")


async def test_who_has_written_too_much_is_told_what_to_do(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    await demo_practice.create()
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    change = "UPDATE practices SET daily_messages = $2 WHERE id = $1"
    try:
        name = unique("Zuviel")
        for most in (1, 0):  # 0: as the tariff has
            await owner.execute(change, DEMO_PRACTICE.id, most)
            if most:
                await fill(page, name, f"{uuid4().hex[:8]}@example.org", tomorrow)
            await page.get_by_test_id("submit-invite").click()
            if most:
                said = page.get_by_test_id("form-appointment").locator("[data-summary]")
                await expect(said).to_contain_text("Ihre Praxis hat in den letzten 24 Stunden")
                await expect(said).to_contain_text("wenden Sie sich bitte an den Betreiber")
        await expect(page.get_by_test_id("form-appointment")).to_be_hidden()
    finally:
        await owner.execute(change, DEMO_PRACTICE.id, 0)
        await owner.close()


async def test_a_move_that_may_not_be_told_can_be_made_in_silence(
    page: Page, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name = unique("Leise")
    await demo_practice.create(patient_name=name, date=tomorrow)
    await show_day(page, tomorrow)
    await row(page, name).click()
    await page.get_by_test_id("move-open").click()
    await page.locator("#move-time").fill("15:15")
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    change = "UPDATE practices SET daily_messages = $2 WHERE id = $1"
    try:
        await owner.execute(change, DEMO_PRACTICE.id, 1)
        await page.get_by_test_id("move-submit").click()
        said = page.get_by_test_id("form-move").locator("[data-summary]")
        await expect(said).to_contain_text(
            "Ohne Benachrichtigung lässt der Termin sich verschieben"
        )
        await page.get_by_test_id("move-notify").uncheck()
        await page.get_by_test_id("move-submit").click()
        await expect(row(page, name)).to_contain_text("15:15")
    finally:
        await owner.execute(change, DEMO_PRACTICE.id, 0)
        await owner.close()


async def test_the_basic_tariff_shows_sms_and_says_who_has_it(page: Page, stack: Stack) -> None:
    owner = await asyncpg.connect(stack.owner_dsn("scheduling"))
    change = "UPDATE practices SET tariff = $1 WHERE name = $2"
    name = await page.get_by_test_id("practice-name").inner_text()
    try:
        await owner.execute(change, "basic", name)
        await page.reload()
        await page.get_by_test_id("nav-patienten").click()
        await page.get_by_test_id("create-appointment").click()
        box = page.get_by_test_id("form-appointment").get_by_label("SMS", exact=True)
        await expect(box).to_be_visible()
        await expect(box).to_be_disabled()
        await expect(box).to_have_accessible_description(
            "SMS gibt es in den Tarifen Standard und Premium."
        )
        await expect(page.get_by_test_id("sms-preview")).to_be_hidden()
    finally:
        await owner.execute(change, "standard", name)
        await owner.close()
