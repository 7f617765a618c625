"""What the form says of an address that the practice has written to before."""

from uuid import uuid4

from playwright.async_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import cut, enter, fill, row, show_day, unique
from tests.conftest import Stack
from tests.support import Practice, eventually

OTHER = "gehörte zuletzt zu einem anderen Namen"


async def test_the_form_hints_at_arrivals_and_other_names_and_refuses_nothing(
    browser: Browser, stack: Stack, demo_practice: Practice, tomorrow: str
) -> None:
    name, address = unique("Frieda Familie"), f"familie-{uuid4().hex[:8]}@example.org"
    created = await demo_practice.create(patient_name=name, email=address)
    await demo_practice.shows(created["id"], "delivered")

    async def known_to_scheduling() -> bool:  # which no tick waits for; the form asks once
        path = "/v1/addresses/lookup"
        answer = await demo_practice.scheduling.post(path, json={"email": address})
        known = answer.json().get("email")
        return known is not None and known["last_arrived_on"] is not None

    await eventually(known_to_scheduling, "scheduling has heard of the arrival")
    async with opened(browser, bypass_csp=True, reduced_motion="reduce") as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await enter(page, stack)
        other = unique("Fritz Familie")
        await fill(page, other, address, tomorrow)
        known = page.get_by_test_id("form-appointment").get_by_test_id("email-known")
        await expect(known).to_contain_text("An diese Adresse kam zuletzt am")
        await expect(known).to_contain_text(OTHER)
        await expect(known).to_have_attribute("role", "status")
        assert name not in await known.inner_text()
        email = page.locator("#email")
        await expect(email).to_have_accessible_description(await known.inner_text())
        for width, height in (1366, 768), (320, 640):
            await page.set_viewport_size({"width": width, "height": height})
            assert await violations(page) == []
            assert await cut(page) == []
        assert not [url for url in asked if "familie" in url]

        # By keyboard: who goes on typing is told nothing old; the same name is not another one.
        await email.press("End")
        await email.press("x")
        await expect(known).to_have_text("")
        await email.press("Backspace")
        await email.press("Tab")
        await expect(known).to_contain_text(OTHER)
        await page.locator("#patient-name").fill(
            f"{name.split()[1]}, {name.replace(name.split()[1], '')}"
        )
        await page.locator("#patient-name").press("Tab")
        await expect(known).not_to_contain_text(OTHER)
        await expect(known).to_contain_text("kam zuletzt am")
        await page.locator("#patient-name").fill(other)
        await page.get_by_test_id("submit-invite").click()
        await show_day(page, tomorrow)
        await expect(row(page, other)).to_be_visible()
        await corrected(page, other, address, demo_practice)


async def corrected(page: Page, name: str, own: str, demo_practice: Practice) -> None:
    """„Erneut senden" asks of another address alone."""
    strangers = f"fremd-{uuid4().hex[:8]}@example.org"
    await demo_practice.create(patient_name=unique("Franz Fremd"), email=strangers)
    await row(page, name).click()
    await page.get_by_test_id("resend-open").click()
    email, known = page.get_by_test_id("resend-email"), page.locator("#resend-email-known")
    await email.fill(strangers)
    await email.press("Tab")
    await expect(known).to_contain_text(OTHER)
    await expect(known).not_to_contain_text("Franz")
    await email.fill(own)
    await email.press("Tab")
    await expect(known).to_have_text("")
