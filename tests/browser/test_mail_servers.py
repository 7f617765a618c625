"""What the practice is shown of mail servers that answer late, never, or with little to say."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Page, expect

from contracts.events import FailureReason
from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from local.ports import free_port
from tests.browser.conftest import SCREENSHOTS
from tests.browser.page import fill, infobox, let_a_day_pass, noticed, row, state, unique
from tests.conftest import Stack, changed
from tests.servers.after_dot import AfterDot, Piece

COMMAND_TIMEOUT = 2.0  # seconds
WIDTHS = {1366: 768, 768: 1024, 390: 844, 320: 640}


@asynccontextmanager
async def handed_to(mail: AfterDot, stack: Stack, **settings: str) -> AsyncIterator[None]:
    """The stack hands its mail to this server meanwhile."""
    port = free_port()
    settings["NOTIFICATION_SMTP_PORT"] = str(port)
    async with mail.listening(port), changed(stack, "notification", **settings):
        yield


async def invite(page: Page, name: str, day: str) -> UUID:
    """By the form, to an address that nobody else uses; the appointment's id."""
    await fill(page, name, f"{uuid4().hex[:12]}@example.org", day)
    await page.get_by_test_id("submit-invite").click()
    await expect(row(page, name)).to_be_visible()
    return UUID(await row(page, name).get_attribute("data-appointment-id"))


async def look(page: Page, what: str) -> None:
    """At every width: a picture, and nothing to be scrolled sideways."""
    size = page.viewport_size
    assert size is not None
    for width, height in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": height})
        await page.screenshot(path=SCREENSHOTS / f"{what}-{width}.png")
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    await page.set_viewport_size(size)


async def test_an_answer_long_after_the_dot_is_one_mail_and_at_last_a_tick(
    page: Page, stack: Stack, tomorrow: str
) -> None:
    name, seen = unique("Paula Prüfer"), asyncio.Event()
    mail = AfterDot([[2 * COMMAND_TIMEOUT, seen, b"\r\n250 ok\r\n"]])
    async with handed_to(mail, stack, NOTIFICATION_SMTP_TIMEOUT_SECONDS=str(COMMAND_TIMEOUT)):
        await invite(page, name, tomorrow)
        await expect(state(page, name, "pending")).to_be_visible()
        seen.set()
        await expect(state(page, name, "delivered")).to_be_visible()
        await noticed(page, "infobox", f"E-Mail erfolgreich zugestellt an {name}")
    assert len(mail.message_ids) == 1


@pytest.mark.parametrize(
    ("answer", "report", "final", "words"),
    [
        pytest.param([b""], "spaeter-unbekannt", "failed", "Adresse unbekannt", id="cut"),
        pytest.param([60.0], "zugestellt", "delivered", "Zustellung bestätigt", id="silence"),
    ],
)
async def test_without_an_answer_two_copies_go_out_and_the_practice_is_asked_to_call(
    page: Page,
    stack: Stack,
    tomorrow: str,
    answer: list[Piece],
    report: str,
    final: str,
    words: str,
) -> None:
    name, mail = unique("Ulla Ungewiss"), AfterDot([answer])
    async with handed_to(mail, stack, NOTIFICATION_SMTP_MESSAGE_TIMEOUT_SECONDS="0.5"):
        appointment_id = await invite(page, name, tomorrow)
        await let_a_day_pass(stack, appointment_id, "unknown")
        box = infobox(page, f"E-Mail nicht bestätigt, bitte anrufen: {name}")
        await expect(box).to_be_visible()
        told = [one["text"] for one in await page.evaluate("noticed") if name in one["text"]]
        assert [text for text in told if "E-Mail nicht bestätigt" not in text] == []  # before
        await expect(state(page, name, "unconfirmed")).to_contain_text("bitte anrufen")
        await look(page, f"without-answer-{final}-overview")
        await box.get_by_role("button", name="Erneut senden").click()
        details = page.locator("#details-state")
        await expect(details).to_contain_text("Zustellung nicht bestätigt – bitte anrufen")
        await expect(page.locator("#resend-text")).to_contain_text("Bitte rufen Sie an")
        await look(page, f"without-answer-{final}-details")

        returned = Mail(
            sender=mail.senders[-1],
            recipient=mail.recipients[-1],
            content=f"Message-ID: {mail.message_ids[-1]}\r\n\r\n".encode(),
            envelope_id=mail.envelope_ids[-1],
            notify=frozenset({"SUCCESS", "FAILURE"}),
        )
        content = compose(returned, REPORTS[report])
        assert content is not None
        await hand_over(stack.ports.bounces, mail.senders[-1], content)
        await expect(details).to_contain_text(words)
        await page.keyboard.press("Escape")
        await expect(state(page, name, final)).to_be_visible()
    assert list(Counter(mail.message_ids).values()) == [2]


async def test_a_bare_refusal_is_told_as_such_and_the_address_is_not_taken_for_dead(
    page: Page, stack: Stack, tomorrow: str
) -> None:
    name = unique("Arno Abgewiesen")
    mail = AfterDot([[b"250 ok\r\n"]], rcpt=b"550 rejected\r\n")
    async with handed_to(mail, stack):
        await invite(page, name, tomorrow)
        box = infobox(page, f"E-Mail konnte nicht zugestellt werden {name}")
        await expect(box).to_contain_text("abgewiesen")
        await expect(state(page, name, "failed")).to_be_visible()
        await look(page, "refused-overview")
        await box.get_by_role("button", name="Erneut senden").click()
        details = page.locator("#details-state")
        await expect(details).to_contain_text("nicht zugestellt – abgewiesen")
        await expect(page.locator("#resend-text")).to_contain_text("kann trotzdem richtig sein")
        await look(page, "refused-details")
        mail.rcpt = b"250 ok\r\n"
        await page.get_by_test_id("resend-submit").click()  # to the same address, as it is
        await expect(details).to_contain_text("vom E-Mail-Anbieter angenommen")
    assert mail.recipients[0] == mail.recipients[1]


async def test_every_reason_has_its_words(page: Page) -> None:
    said = await page.evaluate(
        """async reasons => {
            const { reason } = await import("/static/words.js");
            const words = (channel, category) =>
                reasons.map((why) => [why, reason(channel, { category, reason: why })]);
            return {
                email: Object.fromEntries(words("email", "permanent")),
                sms: Object.fromEntries(words("sms", "permanent")),
                technical: words("email", "technical").map(([, said]) => said),
                unsaid: reason("email", { category: "temporary", reason: null }),
            };
        }""",
        [*FailureReason],
    )
    assert said["email"] == {
        "unknown_user": "Adresse unbekannt",
        "mailbox_full": "Postfach voll",
        "blocked": "vom Spamschutz abgewiesen, bitte anrufen oder anders senden",
        "host_unknown": "den Teil nach dem @ gibt es nicht",
        "message_too_big": "Nachricht zu groß",
        "expired": "nicht rechtzeitig zustellbar",
        "policy": "beim Empfänger nicht erlaubt, bitte anrufen oder anders senden",
        "system": "Störung beim E-Mail-Anbieter der Adresse",
        "other": "abgewiesen",
    }
    assert said["sms"] == said["email"] | {
        "unknown_user": "Nummer unbekannt",
        "mailbox_full": "Speicher des Telefons voll",
        "host_unknown": "Mobilfunknetz nicht gefunden",
        "blocked": "vom Mobilfunknetz abgewiesen, bitte anrufen oder anders senden",
        "policy": "vom Mobilfunknetz abgewiesen, bitte anrufen oder anders senden",
        "system": "Störung im Mobilfunknetz",
    }
    # What is wrong with us nobody in the practice can mend, whatever the server called it.
    assert {*said["technical"]} == {"technische Störung beim Versand"}
    assert said["unsaid"] == "nicht rechtzeitig zustellbar"
