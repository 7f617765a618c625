"""„Protokoll" in a real browser: who may see it sees it, pages through it and exports it."""

import re
from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.page import cut, log_in, row, unique
from tests.conftest import Stack
from tests.support import Practice

WEEKDAYS = ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")


def short(day: str) -> str:
    """As the page writes it: „Di., 01.12.2026"."""
    found = date.fromisoformat(day)
    return f"{WEEKDAYS[found.weekday()]}, {found:%d.%m.%Y}"


async def test_the_log_is_shown_paged_filtered_and_exported(
    page: Page, demo_practice: Practice, tmp_path: Path
) -> None:
    name = f"Protokolliert {uuid4().hex[:6]}"
    created = await demo_practice.create(patient_name=name)
    for minutes in range(10, 70):
        await demo_practice.scheduling.patch(
            f"/v1/appointments/{created['id']}", json={"duration_minutes": minutes}
        )
    await page.get_by_test_id("nav-protokoll").click()
    await expect(page.get_by_role("heading", name="Protokoll", level=1)).to_be_focused()
    entries = page.get_by_test_id("audit-entry")
    await expect(entries).to_have_count(50)
    # Between them may stand what this page, or another, has read meanwhile.
    moves = entries.filter(has_text="Termin verschoben oder Dauer geändert")
    await expect(moves.filter(has_text=created["id"]).first).to_be_visible()
    await page.get_by_test_id("audit-more").click()
    await expect(entries.nth(50)).to_be_focused()
    await expect(page.get_by_test_id("audit-state")).to_contain_text("Einträge")
    await expect(page.get_by_test_id("audit-rows")).not_to_contain_text(name)
    found = await Axe().run(page)
    assert found.response["violations"] == []
    # For people by day and time, for whoever looks after the technology by its id.
    entry = moves.filter(has_text=created["id"]).first
    await expect(entry.get_by_role("link")).to_have_text(
        f"{short(created['date'])}, 10:00\u00a0Uhr"
    )
    await expect(entry.get_by_text(created["id"])).to_be_hidden()
    await entry.get_by_text("Einzelheiten").click()
    await expect(entry.get_by_text(created["id"])).to_be_visible()

    await page.get_by_label("Bis").fill("2020-01-01")
    await page.get_by_role("button", name="Anzeigen").click()
    await expect(page.get_by_test_id("audit-state")).to_have_text("Keine Einträge")
    await page.get_by_label("Bis").fill("")
    await page.get_by_role("button", name="Anzeigen").click()
    await expect(entries.first).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_test_id("audit-export").click()
    file = await download.value
    await file.save_as(tmp_path / file.suggested_filename)
    text = (tmp_path / file.suggested_filename).read_text("utf-8-sig")
    assert file.suggested_filename.startswith("protokoll-")
    assert text.startswith('"Zeit";"Wer";')
    assert f'"Termin erstellt";"{created["id"]}"' in text
    assert "Praxisleitung" in text


@pytest.mark.parametrize("size", [(1366, 768), (768, 1024), (390, 844), (320, 640)])
async def test_an_entry_leads_to_its_appointment_and_back(
    page: Page, demo_practice: Practice, size: tuple[int, int]
) -> None:
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    name = unique("Lena Leitweg")
    created = await demo_practice.create(patient_name=name, time="09:45")
    gone = await demo_practice.create(time="10:45")
    deleted = await demo_practice.scheduling.delete(f"/v1/appointments/{gone['id']}")
    assert deleted.status_code == 204
    await page.get_by_test_id("nav-protokoll").click()
    entries = page.get_by_test_id("audit-entry")
    last = entries.filter(has_text="Termin gelöscht").filter(has_text=gone["id"])
    await expect(last).to_contain_text(f"{short(gone['date'])}, 10:45\u00a0Uhr, gelöscht")
    await expect(last.get_by_role("link")).to_have_count(0)
    made = entries.filter(has_text="Termin erstellt").filter(has_text=created["id"])
    await made.get_by_text("Einzelheiten").click()
    assert await cut(page) == []
    link = made.get_by_role("link")
    await link.focus()
    await page.keyboard.press("Enter")
    dialog = page.get_by_test_id("appointment-dialog")
    await expect(dialog.get_by_role("heading", name=name)).to_be_visible()
    await expect(page).to_have_url(re.compile(f"#/termine/{created['date']}$"))
    await page.keyboard.press("Escape")
    await expect(row(page, name)).to_be_visible()
    await page.go_back()
    await expect(made).to_be_visible()

    await demo_practice.scheduling.delete(f"/v1/appointments/{created['id']}")
    await link.click()
    await expect(page.get_by_test_id("told")).to_contain_text("Diesen Termin gibt es nicht mehr")
    await expect(dialog).to_be_hidden()


async def test_who_may_not_see_the_log_is_not_offered_it(visitor: Page, stack: Stack) -> None:
    await log_in(visitor, stack, "Assistenz")
    await expect(visitor.get_by_test_id("user")).to_have_text("Assistenz")
    await expect(visitor.get_by_test_id("nav-protokoll")).to_be_hidden()
    dashboard = stack.url("dashboard")
    answer = await visitor.request.post(
        f"{dashboard}/api/scheduling/audit/export",
        headers={"Origin": dashboard, "Sec-Fetch-Site": "same-origin"},
    )
    assert (answer.status, (await answer.json())["code"]) == (403, "missing-right")
