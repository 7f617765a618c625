"""Invitations by SMS, from „Einladen" to what the receipts make of them."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from contracts.envelope import encode
from contracts.events import InvitationRequested, Recipients
from contracts.tariffs import Tariff
from local.services import GATEWAY_FILE
from services.notification.sending.sms import signatures
from tests.conftest import Stack, new_practice
from tests.support import Json, Practice, eventually, http_client
from tests.support.topics import publish


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
        own = (await basic.scheduling.get("/v1/practice")).json()
        assert (own["channels"], own["tariff_channels"]) == (["email"], ["email"])
        refused = await basic.post(basic.form(channels=["sms"], phone=phone("01")))
        assert [each["code"] for each in refused.json()["errors"]] == ["not_in_tariff"]


async def test_a_request_of_the_basic_tariff_reaches_no_phone(
    practice: Practice, stack: Stack
) -> None:
    """Whoever writes to the topic: notification looks once more."""
    start = datetime.now(UTC) + timedelta(days=1)
    number = "+491713920099"
    wish = InvitationRequested(
        appointment_id=uuid7(),
        practice_id=practice.id,
        appointment_version=1,
        invitation_id=uuid7(),
        attempt=1,
        sender_name="Praxis",
        start=start,
        duration_minutes=20,
        time_zone="Europe/Berlin",
        locale="de",
        patient_name="Erika Mustermann",
        channels=Recipients(sms=number),
        link="https://praxis.example/besuch/1",
        not_after=start,
        tariff=Tariff.BASIC,
    )
    message = encode(wish, source="/einladung/scheduling")
    await publish(stack, message)
    ended = "SELECT category FROM deliveries WHERE appointment_id = $1 AND state = 'failed'"
    (delivery,) = await eventually(lambda: owned(stack, ended, wish.appointment_id), "its end")
    assert delivery["category"] == "technical"
    assert await practice.texts(number) == []


async def bring(stack: Stack, *receipts: Json) -> None:
    """What the gateway tells, signed."""
    secret = signatures.read_secret((stack.folder.path / GATEWAY_FILE).read_text().strip())
    body = json.dumps({"receipts": receipts}).encode()
    headers = signatures.sign(secret, f"msg_{uuid4().hex}", body, datetime.now(UTC))
    async with http_client() as client:
        url = f"{stack.url('notification')}/v1/receipts/webhook"
        assert (await client.post(url, content=body, headers=headers)).status_code == 204


async def test_receipts_too_early_repeated_and_out_of_order_end_in_the_tick(
    practice: Practice, stack: Stack
) -> None:
    created = await invite(practice, "03")  # from itself this phone never tells anything
    taken = "SELECT gateway_id FROM deliveries WHERE appointment_id = $1 AND state = 'accepted'"
    appointment = UUID(created["id"])
    (delivery,) = await eventually(lambda: owned(stack, taken, appointment), "taken")
    # As if the gateway's id were not known yet.
    known_as = "UPDATE deliveries SET gateway_id = $2 WHERE appointment_id = $1 RETURNING id"
    await owned(stack, known_as, appointment, uuid4().hex)
    told = {"id": delivery["gateway_id"], "state": "delivered"}
    told["at"] = datetime.now(UTC).isoformat()
    await bring(stack, told)
    await bring(stack, told)
    kept = "SELECT tries, due_at FROM receipts WHERE gateway_id = $1"

    async def waits() -> bool:
        rows = await owned(stack, kept, delivery["gateway_id"])
        assert len(rows) == 1
        return rows[0]["tries"] > 0 and rows[0]["due_at"] is not None

    await eventually(waits, "the receipt waits for its delivery")
    await owned(stack, known_as, appointment, delivery["gateway_id"])
    await practice.shows(created["id"], "delivered")
    await bring(stack, told | {"state": "buffered"})

    async def read() -> bool:
        rows = await owned(stack, kept, delivery["gateway_id"])
        return len(rows) == 2 and all(row["due_at"] is None for row in rows)

    await eventually(read, "the older one is read too")
    await practice.shows(created["id"], "delivered")


async def test_a_receipt_nobody_signed_is_refused(stack: Stack) -> None:
    body = b'{"receipts": []}'
    url = f"{stack.url('notification')}/v1/receipts"
    forged = signatures.sign(b"x" * 32, "msg_1", body, datetime.now(UTC))
    async with http_client() as client:
        assert (await client.post(f"{url}/webhook", content=body)).status_code == 401
        answer = await client.post(f"{url}/webhook", content=body, headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (401, "not-genuine")
        assert (await client.post(f"{url}/twilio", content=body)).status_code == 404
        huge = await client.post(f"{url}/webhook", content=b"x" * 100_000)
        assert huge.status_code == 413
