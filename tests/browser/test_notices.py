"""The row and the history say who waits, what did not arrive, and what was answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from contracts.channels import Channel
from contracts.envelope import encode
from contracts.events import (
    Answer,
    Event,
    Evidence,
    FailureCategory,
    FailureReason,
    InvitationAnswered,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticePending,
    PendingState,
    Withheld,
)
from tests.browser.axe import violations
from tests.browser.conftest import opened
from tests.browser.page import enter, row, show_day, unique
from tests.conftest import Stack
from tests.support import Json, Practice, http_client
from tests.support.mails import link_in
from tests.support.moments import berlin_moment, soon
from tests.support.topics import publish

SIZES: Sequence[tuple[int, int, Literal["light", "dark"]]] = [
    (1366, 768, "light"),
    (768, 1024, "dark"),
    (390, 844, "light"),
    (320, 640, "dark"),
]
GONE = {"category": FailureCategory.PERMANENT, "reason": FailureReason.UNKNOWN_USER}


class Teller:
    """Tells what became of an appointment, as the services do."""

    def __init__(self, stack: Stack, practice: Practice, created: Json) -> None:
        self.stack = stack
        self.who: dict[str, Any] = {
            "appointment_id": UUID(created["id"]),
            "practice_id": practice.id,
        }
        self.invitation_id = UUID(created["invitation"]["id"])
        self.version = created["version"] + 1  # moved since

    async def notice(self, kind: NoticeKind, **said: Any) -> None:
        """A notice by mail arrived; it failed where a category is said, goes where a state is."""
        known = {
            "notice_id": uuid4(),
            "kind": kind,
            "appointment_version": self.version,
            "channel": Channel.EMAIL,
            "sequence": 2,
            "occurred_at": datetime.now(UTC),
        }
        told: type[NoticeFailed | NoticePending | NoticeDelivered] = NoticeDelivered
        if "category" in said:
            told = NoticeFailed
        elif "state" in said:
            told = NoticePending
        await self.tell(told(**self.who | known | said))

    async def answer(self, answer: Answer) -> None:
        await self.tell(
            InvitationAnswered(
                **self.who,
                invitation_id=self.invitation_id,
                appointment_version=self.version,
                answer=answer,
                occurred_at=datetime.now(UTC),
            )
        )

    async def tell(self, event: Event) -> None:
        await publish(self.stack, encode(event, source="/einladung/test"))


def note(page: Page, name: str, about: str) -> Locator:
    return row(page, name).locator(f"[data-note={about}]")


async def history_of(page: Page, name: str) -> Locator:
    """The lines of the dialog's history."""
    await row(page, name).click()
    await page.get_by_test_id("history-open").click()
    return page.get_by_test_id("history").locator("li")


async def test_the_row_says_who_waits_until_somebody_comes(
    page: Page, demo_practice: Practice, stack: Stack
) -> None:
    name, when = unique("Wanda Wartend"), soon()
    created = await demo_practice.create(patient_name=name, **when)
    link = link_in(await demo_practice.mail(created["email"]))
    await show_day(page, when["date"])
    waiting = note(page, name, "waiting")
    async with http_client() as http:
        assert (await http.get(link)).status_code == 200
        await expect(row(page, name)).to_be_visible()
        await expect(waiting).to_have_count(0)  # opening the link is no deed
        moments = [berlin_moment(), berlin_moment(minutes=1)]
        assert (await http.post(link)).status_code == 303
    shown = {f"im Warteraum seit {moment:%H:%M}" for moment in moments}
    await expect(waiting).to_be_visible()
    assert await waiting.inner_text() in shown
    lines = await history_of(page, name)
    await expect(lines.filter(has_text="ist im Warteraum")).to_have_count(1)
    await page.keyboard.press("Escape")
    path = f"/v1/appointments/{created['id']}/room"
    assert (await demo_practice.scheduling.post(path)).status_code == 200
    await expect(waiting).to_have_count(0)
    lines = await history_of(page, name)
    await expect(lines.filter(has_text="Praxis ist beigetreten")).to_have_count(1)


async def test_the_history_has_what_became_of_notices(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    name = unique("Nora Notiz")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    teller = Teller(stack, demo_practice, created)
    moved, reminder = NoticeKind.MOVED, NoticeKind.REMINDER
    await teller.notice(moved, evidence=Evidence.ACCEPTED)
    await teller.notice(reminder, evidence=Evidence.CONFIRMED)
    cancelled = {"category": FailureCategory.CANCELLED}
    await teller.notice(moved, **cancelled, withheld=Withheld.IN_INVITATION)
    await teller.notice(reminder, **cancelled, withheld=Withheld.NOT_INVITED)
    await teller.notice(NoticeKind.CANCELLED, **GONE)
    await teller.notice(reminder, **GONE)
    await teller.answer(Answer.ACCEPTED)
    await show_day(page, tomorrow)
    await expect(note(page, name, "answer")).to_have_text("hat zugesagt")
    lines = await history_of(page, name)
    for text in (
        "E-Mail: zugestellt, vom E-Mail-Anbieter angenommen",
        "E-Mail: Verschiebung mitgeteilt",
        "E-Mail: Erinnerung zugestellt, Zustellung bestätigt",
        "E-Mail: Verschiebung nicht eigens mitgeteilt, die Einladung nennt die neue Zeit",
        "E-Mail: Erinnerung nicht mitgeteilt, weil die Einladung nie ankam",
        "E-Mail: Absage nicht angekommen – Adresse unbekannt",
        "E-Mail: Erinnerung nicht angekommen – Adresse unbekannt",
        "hat zugesagt",
    ):
        await expect(lines.filter(has_text=text)).to_have_count(1)


async def test_a_new_time_that_nobody_was_told_of_is_no_plain_tick(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    """In the row, in the dialog and on paper, until the notice of the move has an end."""
    name, text = unique("Viktor Verlegt"), "Verschiebung noch nicht mitgeteilt"
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    teller = Teller(stack, demo_practice, created)
    notice = {"notice_id": uuid4()}
    await show_day(page, tomorrow)
    await teller.notice(
        NoticeKind.MOVED, **notice, sequence=1, state=PendingState.QUEUED, waits_until=None
    )
    untold = note(page, name, "moved")
    await expect(untold).to_have_text(text)
    await expect(untold).to_be_visible()
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed = page.locator("#day-sheet tbody tr").filter(has_text=name)
    assert text in (await printed.text_content() or "")
    await row(page, name).click()
    state = page.get_by_test_id("details-state")
    await expect(state).to_contain_text(text)
    await teller.notice(NoticeKind.MOVED, **notice, evidence=Evidence.ACCEPTED)
    await expect(state).not_to_contain_text(text)
    await page.keyboard.press("Escape")
    await expect(untold).to_have_count(0)


async def test_who_heard_of_the_move_over_one_channel_was_told(
    page: Page, demo_practice: Practice, stack: Stack, tomorrow: str
) -> None:
    name = unique("Vera Verlegt")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    teller = Teller(stack, demo_practice, created)
    notice = {"notice_id": uuid4()}
    sms = {"channel": Channel.SMS, "state": PendingState.QUEUED}
    await show_day(page, tomorrow)
    await teller.notice(NoticeKind.MOVED, **notice, **sms, sequence=1)
    await expect(note(page, name, "moved")).to_be_visible()
    await teller.notice(NoticeKind.MOVED, **notice, evidence=Evidence.ACCEPTED)
    await expect(note(page, name, "moved")).to_have_count(0)


@pytest.mark.parametrize("look", SIZES, ids=[f"{width}" for width, _, _ in SIZES])
async def test_what_needs_a_person_fits_every_desk(
    browser: Browser,
    demo_practice: Practice,
    stack: Stack,
    tomorrow: str,
    look: tuple[int, int, Literal["light", "dark"]],
) -> None:
    """In the row beside the tick, and by keyboard in the dialog; as axe finds it."""
    name = unique("Ada Abgesagt-Wiedereingliederungsmanagement")
    created = await demo_practice.create(patient_name=name)
    await demo_practice.shows(created["id"], "delivered")
    teller = Teller(stack, demo_practice, created)
    await teller.notice(NoticeKind.MOVED, **GONE)
    await teller.answer(Answer.DECLINED)
    width, height, scheme = look
    async with opened(
        browser,
        bypass_csp=True,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        reduced_motion="reduce",
    ) as page:
        await enter(page, stack)
        await show_day(page, tomorrow)
        await expect(note(page, name, "answer")).to_have_text("hat abgesagt – bitte prüfen")
        failed = note(page, name, "moved_failed")
        await expect(failed).to_have_text("Verschiebung nicht angekommen – bitte anrufen")
        await expect(failed).to_be_visible()
        assert await violations(page) == []
        button = row(page, name).locator("button")
        box, inside = await button.bounding_box(), await failed.bounding_box()
        assert box is not None
        assert inside is not None
        assert inside["x"] + inside["width"] <= box["x"] + box["width"] <= width
        await button.focus()
        await page.keyboard.press("Enter")
        dialog = page.get_by_test_id("appointment-dialog")
        await expect(dialog).to_contain_text("Verschiebung nicht angekommen – bitte anrufen")
        await page.get_by_test_id("history-open").focus()
        await page.keyboard.press("Enter")
        lines = page.get_by_test_id("history").locator("li")
        await expect(lines.filter(has_text="hat abgesagt – bitte prüfen")).to_have_count(1)
        assert await violations(page) == []
        await page.screenshot(path=f"test-results/notices-{width}.png")
