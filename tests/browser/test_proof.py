"""„Nachweis" in a real browser: read at any size, printed on one sheet, and saved as a file."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import enter, row, show_day, tab_to, unique
from tests.conftest import Stack
from tests.support import Json, Practice

SIZES = [(1366, 768), (768, 1024), (390, 844), (320, 640)]
PHONE = "+491713920001"


@pytest_asyncio.fixture
async def desk(browser: Browser, stack: Stack) -> AsyncIterator[Page]:
    """A desk whose policy lets axe's script in."""
    async with opened(browser, bypass_csp=True, reduced_motion="reduce") as page:
        await enter(page, stack)
        yield page


@pytest_asyncio.fixture
async def made(demo_practice: Practice) -> Json:
    """Refused once, then corrected and sent over both channels."""
    name = unique("Nadja Nachweis")
    refused = await demo_practice.create(
        patient_name=name, email=f"unbekannt+{name[-6:]}@example.org"
    )
    await demo_practice.shows(refused["id"], "failed")
    right = f"nadja-{name[-6:]}@example.org"
    answer = await demo_practice.resend(
        refused["id"], email=right, phone=PHONE, channels=["email", "sms"]
    )
    await demo_practice.shows(refused["id"], "delivered", attempt=2)
    return refused | answer


@pytest_asyncio.fixture
async def created(demo_practice: Practice) -> Json:
    return await demo_practice.create(patient_name=unique("Dora Datei"))


async def proof_of(page: Page, made: Json) -> Page:
    """Open it by keyboard from the appointment's dialog."""
    await show_day(page, made["date"])
    await row(page, made["patient_name"]).get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#details-title")).to_have_text(made["patient_name"])
    await tab_to(page, "#proof-open")
    async with page.context.expect_page() as opening:
        await page.keyboard.press("Enter")
    proof = await opening.value
    await proof.wait_for_load_state()  # by then its script listens
    await expect(proof.get_by_test_id("proof")).to_be_visible()
    return proof


async def test_the_page_tells_all_at_every_size_and_prints_on_one_sheet(
    desk: Page, made: Json
) -> None:
    proof = await proof_of(desk, made)
    practice = await desk.get_by_test_id("practice-name").inner_text()
    await expect(proof.get_by_test_id("proof")).to_contain_text(practice)
    lines = proof.get_by_test_id("proof-line")
    await expect(lines.filter(has_text="Einladung, Versuch 1, E-Mail").last).to_contain_text(
        "nicht zugestellt. Die Nachricht wurde endgültig abgelehnt: Adresse unbekannt. Code 5.1.1"
    )
    await expect(lines.filter(has_text="Versuch 1").last).to_contain_text("andere Adresse")
    mail = lines.filter(has_text="Versuch 2, E-Mail").last
    await expect(mail).to_contain_text(made["email"])
    await expect(mail).to_contain_text("Der Mailserver der Adresse hat die Nachricht angenommen")
    sms = lines.filter(has_text="Versuch 2, SMS").last
    await expect(sms).to_contain_text(PHONE)
    await expect(sms).to_contain_text("Ein Zustellbericht des SMS-Dienstes")
    await expect(proof.get_by_test_id("proof-meaning")).to_contain_text("nicht, dass sie gelesen")
    await expect(proof.get_by_test_id("proof")).not_to_contain_text("unbekannt+")
    for width, height in SIZES:
        for scheme in ("light", "dark"):
            await proof.set_viewport_size({"width": width, "height": height})
            await proof.emulate_media(color_scheme=scheme)
            assert await violations(proof) == [], (width, scheme)

    # On paper: black on white whatever the desk looks like, without what can be clicked.
    await proof.emulate_media(media="print", color_scheme="dark")
    await expect(proof.get_by_test_id("proof-print")).to_be_hidden()
    await expect(proof.get_by_role("link")).to_be_hidden()
    colours = await proof.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    pdf = await proof.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert b"/MediaBox [0 0 594" in pdf or b"/MediaBox [0 0 595" in pdf  # A4, in points


async def test_by_keyboard_it_is_printed(desk: Page, made: Json) -> None:
    proof = await proof_of(desk, made)
    await proof.evaluate("window.print = () => { window.printed = true; }")
    await tab_to(proof, "#print")
    await proof.keyboard.press("Enter")
    assert await proof.evaluate("printed")


async def test_once_the_session_is_over_the_patient_leaves_the_screen(
    desk: Page, made: Json, stack: Stack
) -> None:
    proof = await proof_of(desk, made)
    await desk.context.clear_cookies()
    await proof.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    await expect(proof.get_by_test_id("notice-page")).to_contain_text("abgelaufen")
    await expect(proof.locator("body")).not_to_contain_text(made["patient_name"])


@pytest.mark.parametrize("size", SIZES)
async def test_days_are_saved_as_a_file(
    desk: Page, created: Json, tmp_path: Path, size: tuple[int, int]
) -> None:
    await desk.set_viewport_size({"width": size[0], "height": size[1]})
    await show_day(desk, created["date"])
    opening = desk.get_by_role("button", name="Nachweis als Datei")
    await opening.focus()
    await desk.keyboard.press("Enter")
    dialog = desk.get_by_test_id("proofs-dialog")
    await expect(dialog.get_by_role("heading", name="Nachweis als Datei")).to_be_focused()
    assert await violations(desk) == []
    await dialog.get_by_label("Erster Tag").fill("")
    await tab_to(desk, "[data-testid=proofs-submit]")
    await desk.keyboard.press("Enter")
    await expect(desk.get_by_test_id("proofs-summary")).to_be_focused()
    await dialog.get_by_label("Erster Tag").fill("2020-01-01")
    await dialog.get_by_label("Letzter Tag").fill(created["date"])
    await desk.get_by_test_id("proofs-submit").click()
    await expect(desk.get_by_test_id("proofs-summary")).to_contain_text("höchstens 366 Tage")
    assert await violations(desk) == []
    await dialog.get_by_label("Erster Tag").fill(created["date"])
    async with desk.expect_download() as download:
        await desk.get_by_test_id("proofs-submit").click()
    file = await download.value
    assert file.suggested_filename == f"nachweis-{created['date']}-{created['date']}.csv"
    await file.save_as(tmp_path / "nachweis.csv")
    text = (tmp_path / "nachweis.csv").read_text("utf-8-sig")
    assert text.startswith('"Termin";"Beginn";')
    assert created["patient_name"] in text
    await expect(dialog).to_be_hidden()
    await expect(opening).to_be_focused()


async def test_a_file_that_breaks_off_is_not_saved(desk: Page, created: Json) -> None:
    await show_day(desk, created["date"])
    await desk.route("**/api/nachweis?*", lambda route: route.fulfill(status=503))
    await desk.get_by_role("button", name="Nachweis als Datei").click()
    await desk.get_by_test_id("proofs-submit").click()
    summary = desk.get_by_test_id("proofs-summary")
    await expect(summary).to_contain_text("konnte nicht erstellt werden")
    await expect(summary).to_be_focused()
