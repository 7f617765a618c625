"""What comes back after the mail server's 250: over SMTP, matched, read, and told."""

import asyncio
from uuid import UUID, uuid4

import aiosmtplib
import asyncpg
import pytest

from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from tests.conftest import Stack
from tests.support import Json, Practice, eventually


def at(role: str) -> str:
    """An address of a simulated recipient that nobody else uses."""
    return f"{role}+{uuid4().hex[:8]}@example.org"


async def test_a_late_bounce_takes_the_tick_away_and_says_why(practice: Practice) -> None:
    created = await practice.create(email=at("spaeter-unbekannt"))
    shown = await practice.shows(created["id"], "failed")
    channel = shown["channels"]["email"]
    assert (channel["category"], channel["reason"]) == ("permanent", "unknown_user")
    assert (channel["status_code"], channel["late"]) == ("5.1.1", True)
    assert [entry["type"] for entry in shown["history"]][-2:] == ["delivered", "failed"]
    # The address is now known as dead: the next attempt needs another, or a decision.
    await practice.knows_as_dead(created["email"])
    path = f"/v1/appointments/{created['id']}/invitations"
    body = {"channels": ["email"], "send_anyway": False}
    assert (await practice.scheduling.post(path, json=body)).status_code == 422


async def test_a_full_mailbox_is_called_so(practice: Practice) -> None:
    created = await practice.create(email=at("spaeter-voll"))
    shown = await practice.shows(created["id"], "failed")
    assert shown["channels"]["email"]["reason"] == "mailbox_full"


async def test_a_delivery_notification_raises_the_evidence(practice: Practice) -> None:
    created = await practice.create(email=at("zugestellt"))

    async def confirmed() -> Json | None:
        found = await practice.indicator(created["id"])
        channel = found and found["channels"].get("email")
        return channel if channel and channel["evidence"] == "confirmed" else None

    assert (await eventually(confirmed, "evidence: confirmed"))["state"] == "delivered"


@pytest.mark.parametrize(
    ("role", "event"), [("abwesend", "AutoReplied"), ("verzoegert", "Delayed")]
)
async def test_what_says_nothing_final_leaves_the_tick_and_a_line(
    practice: Practice, stack: Stack, role: str, event: str
) -> None:
    created = await practice.create(email=at(role))
    await practice.shows(created["id"], "delivered")
    await eventually(lambda: noted(stack, created, event), f"{event} in the history")
    assert (await practice.shows(created["id"], "delivered"))["channels"]["email"]["late"] is False


async def noted(stack: Stack, created: Json, event: str) -> bool:
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        return bool(
            await owner.fetchval(
                """
                SELECT receipt_id IS NOT NULL FROM delivery_history h
                JOIN deliveries d ON d.id = h.delivery_id
                WHERE d.appointment_id = $1 AND h.event = $2
                """,
                UUID(created["id"]),
                event,
            )
        )
    finally:
        await owner.close()


async def return_path(practice: Practice, address: str) -> str:
    sender: str = (await practice.mail(address))["envelope_from"]
    return sender


async def bring(stack: Stack, recipient: str, content: bytes) -> None:
    """Hand a message to the intake as a mail server would."""
    await hand_over(stack.ports.bounces, recipient, content)


def bounce(head: str = "Subject: Einladung") -> bytes:
    """A report on a message with this head, which says nothing else of it."""
    mail = Mail(sender="-", recipient="erika@example.org", content=f"{head}\r\n\r\n".encode())
    report = compose(mail, REPORTS["spaeter-unbekannt"])
    assert report is not None
    return report


async def test_a_bounce_is_known_by_its_return_path_alone(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    path = await return_path(practice, created["email"])
    assert created["email"] not in path
    await bring(stack, path.upper(), bounce())
    await practice.shows(created["id"], "failed")


async def test_a_forged_return_path_is_refused(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    path = await return_path(practice, created["email"])
    tag = path.partition("+")[2].partition("@")[0]
    forged = path.replace(tag, tag[:-2] + ("a" if tag[-2] != "a" else "b") + tag[-1])
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await bring(stack, forged, bounce())
    for address in ("jemand@praxis.example", "rueck+@praxis.example", "rueck+x@praxis.example"):
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
            await bring(stack, address, bounce())
    await practice.shows(created["id"], "delivered")


async def test_a_bounce_before_its_reference_waits(practice: Practice, stack: Stack) -> None:
    """To the stem address, known by nothing but the Message-ID, and too early."""
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        created = await practice.create()
        await practice.shows(created["id"], "delivered")
        mail = await practice.mail(created["email"])
        # As if the delivery were not there yet.
        hidden = f"<{uuid4()}@praxis.example>"
        await owner.execute(
            "UPDATE deliveries SET message_id = $1 WHERE message_id = $2",
            hidden,
            mail["message_id"],
        )
        await bring(stack, "rueck@praxis.example", bounce(f"Message-ID: {mail['message_id']}"))

        async def waits() -> bool:
            return bool(
                await owner.fetchval(
                    "SELECT count(*) FROM receipts WHERE matched_by IS NULL "
                    "AND due_at IS NOT NULL AND tries > 0"
                )
            )

        await eventually(waits, "the bounce waits for its delivery")
        assert (await practice.indicator(created["id"]) or {})["overall"] == "delivered"
        await owner.execute(
            "UPDATE deliveries SET message_id = $2 WHERE message_id = $1",
            hidden,
            mail["message_id"],
        )
        await practice.shows(created["id"], "failed")
    finally:
        await owner.close()


async def test_the_same_bounce_again_changes_nothing(practice: Practice, stack: Stack) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    path = await return_path(practice, created["email"])
    report = bounce()
    await asyncio.gather(*(bring(stack, path, report) for _ in range(5)))
    shown = await practice.shows(created["id"], "failed")
    await practice.resend(created["id"], email=practice.form()["email"])
    shown = await practice.shows(created["id"], "delivered", attempt=2)
    failures = [entry for entry in shown["history"] if entry["type"] == "failed"]
    assert len(failures) == 1


async def test_what_was_read_is_not_kept(practice: Practice, stack: Stack) -> None:
    created = await practice.create(email=at("spaeter-unbekannt"))
    await practice.shows(created["id"], "failed")
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        row = await owner.fetchrow(
            """
            SELECT r.* FROM receipts r JOIN deliveries d ON d.id = r.delivery_id
            WHERE d.appointment_id = $1
            """,
            UUID(created["id"]),
        )
    finally:
        await owner.close()
    assert row is not None
    assert (row["matched_by"], row["kind"], row["content"]) == ("return_path", "failed", None)
