"""Invitations by SMS, from „Einladen" to what the receipts make of them."""

from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx
import pytest

from services.notification.channels.sms import signatures
from tests.conftest import Stack, new_practice
from tests.support import Json, Practice, eventually


def phone(digits: str) -> str:
    """A number that reaches nobody; its last two digits say how the phone behaves."""
    return f"0171 39200{digits}"


async def invite(practice: Practice, digits: str, **changes: object) -> Json:
    return await practice.create(
        **{"channels": ["sms"], "email": None, "phone": phone(digits)} | changes
    )


async def owned(stack: Stack, query: str, *values: object) -> list[asyncpg.Record]:
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    try:
        return list(await owner.fetch(query, *values))
    finally:
        await owner.close()


async def test_a_receipt_makes_the_tick(practice: Practice) -> None:
    created = await invite(practice, "01")
    shown = await practice.shows(created["id"], "delivered")
    channel = shown["channels"]["sms"]
    assert (channel["state"], channel["evidence"]) == ("delivered", "confirmed")
    assert created["phone"] == "+491713920001"
    texts = await practice.texts("+491713920001")
    assert "/besuch/" in texts[-1]["text"]
    assert "Erika" not in texts[-1]["text"]


@pytest.mark.parametrize(
    ("digits", "reason", "late"),
    [("02", "unknown_user", True), ("16", "policy", True), ("05", "unknown_user", False)],
)
async def test_what_does_not_arrive_gets_the_mark(
    practice: Practice, digits: str, reason: str, late: bool
) -> None:
    created = await invite(practice, digits)
    channel = (await practice.shows(created["id"], "failed"))["channels"]["sms"]
    assert (channel["category"], channel["reason"]) == ("permanent", reason)
    assert channel["late"] is late


@pytest.mark.parametrize("digits", ["06", "07", "08", "09", "13", "15"])
async def test_slow_busy_doubled_and_disordered_receipts_end_in_the_tick(
    practice: Practice, digits: str
) -> None:
    created = await invite(practice, digits)
    await practice.shows(created["id"], "delivered")


async def test_a_lost_reply_is_asked_for_and_nothing_is_sent_twice(
    practice: Practice, stack: Stack
) -> None:
    created = await invite(practice, "11")
    await practice.shows(created["id"], "delivered")
    (delivery,) = await owned(
        stack, "SELECT id FROM deliveries WHERE appointment_id = $1", UUID(created["id"])
    )
    texts = await practice.texts("+491713920011")
    assert len([each for each in texts if each["reference"] == str(delivery["id"])]) == 1


async def test_silence_is_called_so_in_time(practice: Practice, stack: Stack) -> None:
    created = await invite(practice, "03")
    overdue = """
        UPDATE deliveries SET receipt_due_at = now(),
               handed_over_at = handed_over_at - interval '30 hours'
        WHERE appointment_id = $1 AND state = 'accepted' RETURNING id
    """
    await eventually(lambda: owned(stack, overdue, UUID(created["id"])), "taken by the gateway")
    shown = await practice.shows(created["id"], "unconfirmed")
    assert shown["channels"]["sms"]["state"] == "unconfirmed"


async def test_both_channels_have_their_own_indicator(practice: Practice) -> None:
    created = await practice.create(channels=["email", "sms"], phone=phone("02"))
    shown = await practice.shows(created["id"], "failed")
    assert shown["channels"]["email"]["state"] == "delivered"
    assert shown["channels"]["sms"]["state"] == "failed"


async def test_the_tariff_is_checked_at_the_desk(stack: Stack) -> None:
    async with new_practice(stack, tariff="basic") as basic:
        assert (await basic.scheduling.get("/v1/practice")).json()["channels"] == ["email"]
        refused = await basic.post(basic.form(channels=["sms"], phone=phone("01")))
        assert [each["code"] for each in refused.json()["errors"]] == ["not_in_tariff"]


async def test_a_receipt_nobody_signed_is_refused(stack: Stack) -> None:
    body = b'{"receipts": []}'
    url = f"{stack.url('notification')}/v1/receipts"
    forged = signatures.sign(b"x" * 32, "msg_1", body, datetime.now(UTC))
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"{url}/webhook", content=body)).status_code == 401
        answer = await client.post(f"{url}/webhook", content=body, headers=forged)
        assert (answer.status_code, answer.json()["type"]) == (401, "not-genuine")
        assert (await client.post(f"{url}/twilio", content=body)).status_code == 404
        huge = await client.post(f"{url}/webhook", content=b"x" * 100_000)
        assert huge.status_code == 413
