"""What strangers can make up after they have seen a mail, against the whole product."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from local.mailbox.reports import REPORTS, Mail, compose, hand_over
from local.services import BOUNCES, GATEWAY_FILE
from services.notification.sending.sms import signatures
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client, unknown_address


def report(role: str, *, envelope_id: str | None = None, message_id: str | None = None) -> bytes:
    """A report to the address below which the return paths are, as anybody can write one."""
    content = f"Message-ID: {message_id}\r\n" if message_id else "Subject: Einladung\r\n"
    made_up = Mail(
        sender=BOUNCES,
        recipient="x@example.org",
        content=f"{content}\r\n".encode(),
        envelope_id=envelope_id,
        notify=frozenset({"SUCCESS", "FAILURE", "DELAY"}),
    )
    composed = compose(made_up, REPORTS[role])
    assert composed is not None
    return composed


class Receipts:
    """What the service has stored, and a way to wait until it was looked at."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        self._owner = owner

    async def known(self) -> set[UUID]:
        return {row["id"] for row in await self._owner.fetch("SELECT id FROM receipts")}

    async def looked_at(self, before: set[UUID]) -> asyncpg.Record:
        """The one that came since, once it was read and no try is under way any more."""

        async def ask() -> asyncpg.Record | None:
            return await self._owner.fetchrow(
                """
                SELECT * FROM receipts WHERE id <> ALL($1) AND kind IS NOT NULL
                    AND (due_at IS NULL OR delivery_id IS NULL)
                """,
                list(before),
            )

        return await eventually(ask, "the receipt is read")

    async def delivery(self, created: Json) -> asyncpg.Record:
        async def ask() -> asyncpg.Record | None:
            return await self._owner.fetchrow(
                "SELECT * FROM deliveries WHERE appointment_id = $1", UUID(created["id"])
            )

        return await eventually(ask, "the delivery")


@pytest_asyncio.fixture(loop_scope="session")
async def receipts(stack: Stack) -> AsyncIterator[Receipts]:
    owner = await asyncpg.connect(stack.owner_dsn("notification"))
    yield Receipts(owner)
    await owner.close()


async def bring(stack: Stack, receipts: Receipts, content: bytes) -> asyncpg.Record:
    """Hand it to the intake, and wait until it was read."""
    before = await receipts.known()
    await hand_over(stack.ports.bounces, BOUNCES, content)
    return await receipts.looked_at(before)


async def told_by_gateway(stack: Stack, receipts: Receipts, **told: str) -> asyncpg.Record:
    """A receipt that the SMS gateway has signed."""
    before = await receipts.known()
    secret = signatures.read_secret((stack.folder.path / GATEWAY_FILE).read_text().strip())
    at = datetime.now(UTC)
    body = json.dumps({"receipts": [told | {"at": at.isoformat()}]}).encode()
    headers = signatures.sign(secret, f"msg_{uuid4().hex}", body, at)
    async with http_client() as client:
        url = f"{stack.url('notification')}/v1/receipts/webhook"
        assert (await client.post(url, content=body, headers=headers)).status_code == 204
    return await receipts.looked_at(before)


async def ticked(practice: Practice) -> tuple[Json, str]:
    """An invitation with its tick, and its Message-ID."""
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    return created, (await practice.mail(created["email"]))["message_id"]


async def email_of(practice: Practice, created: Json) -> Json:
    found = await practice.indicator(created["id"])
    assert found is not None
    channel: Json = found["channels"]["email"]
    return channel


async def test_what_the_mail_tells_is_no_envelope_id(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created, message_id = await ticked(practice)
    delivery = await receipts.delivery(created)
    mail = await practice.mail(created["email"])
    assert delivery["id"].hex not in mail["raw"].replace("-", "")
    local_part = message_id.strip("<>").partition("@")[0]
    return_path_tag = mail["envelope_from"].partition("+")[2].partition("@")[0]
    for made_up in (local_part, str(delivery["id"]), delivery["id"].hex, return_path_tag):
        row = await bring(stack, receipts, report("spaeter-unbekannt", envelope_id=made_up))
        assert (row["kind"], row["matched_by"], row["due_at"]) == ("failed", None, None)
    assert (await email_of(practice, created))["state"] == "delivered"


async def test_the_message_id_takes_the_tick_back_with_an_evidence_of_its_own(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created, message_id = await ticked(practice)
    row = await bring(stack, receipts, report("spaeter-unbekannt", message_id=message_id))
    assert row["matched_by"] == "message_id"
    shown = await practice.shows(created["id"], "failed")
    channel = shown["channels"]["email"]
    assert (channel["evidence"], channel["reason"], channel["status_code"], channel["late"]) == (
        "unsigned",
        None,
        None,
        True,
    )
    assert shown["history"][-1]["evidence"] == "unsigned"
    measures = (await practice.status.get("/v1/measures")).json()
    assert measures["proven_wrong"] == 0
    # What scheduling knows of addresses it has by outcomes in their order: behind the next one,
    # which does bounce, this one was looked at too.
    marker = await practice.create(email=unknown_address())
    await practice.shows(marker["id"], "failed")
    await practice.knows_as_dead(marker["email"])
    assert (await practice.post(practice.form(email=created["email"]))).status_code == 201
    # Nor is it asked about when the same invitation is sent again.
    await practice.resend(created["id"])
    await practice.shows(created["id"], "delivered", attempt=2)


async def test_the_message_id_confirms_nothing(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created, message_id = await ticked(practice)
    row = await bring(stack, receipts, report("zugestellt", message_id=message_id))
    assert (row["kind"], row["matched_by"]) == ("delivered", "message_id")
    assert (await email_of(practice, created))["evidence"] == "accepted"


async def test_what_was_never_sent_is_not_confirmed_and_goes_on(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created = await practice.create(email=f"spaeter+{uuid4().hex[:8]}@example.org")

    async def retrying() -> asyncpg.Record | None:
        found = await receipts.delivery(created)
        return found if found["state"] == "retrying" else None

    delivery = await eventually(retrying, "a try that was put off")
    for role in ("zugestellt", "spaeter-unbekannt"):
        for names in ({"envelope_id": str(delivery["id"])}, {"message_id": delivery["message_id"]}):
            await bring(stack, receipts, report(role, **names))
    after = await receipts.delivery(created)
    assert after["state"] in {"retrying", "sending"}
    assert after["due_at"] is not None
    assert (await email_of(practice, created))["state"] == "pending"


async def test_a_mail_says_nothing_of_a_text_message(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created = await practice.create(channels=["sms"], email=None, phone="0171 3920001")
    await practice.shows(created["id"], "delivered")
    delivery = await receipts.delivery(created)
    await bring(stack, receipts, report("spaeter-unbekannt", envelope_id=str(delivery["id"])))
    content = report("spaeter-unbekannt", message_id=delivery["message_id"])
    row = await bring(stack, receipts, content)
    assert (row["matched_by"], row["delivery_id"]) == ("elsewhere", None)
    assert (await practice.shows(created["id"], "delivered"))["channels"]["sms"]["late"] is False


@pytest.mark.parametrize("state", ["rejected", "delivered"])
async def test_a_gateway_says_nothing_of_a_mail(
    practice: Practice, stack: Stack, receipts: Receipts, state: str
) -> None:
    created, _ = await ticked(practice)
    delivery = await receipts.delivery(created)
    row = await told_by_gateway(stack, receipts, reference=str(delivery["id"]), state=state)
    assert (row["matched_by"], row["delivery_id"], row["due_at"]) == ("elsewhere", None, None)
    channel = await email_of(practice, created)
    assert (channel["state"], channel["evidence"]) == ("delivered", "accepted")


async def test_ones_own_return_path_with_anothers_ids_is_about_ones_own(
    practice: Practice, stack: Stack, receipts: Receipts
) -> None:
    created, message_id = await ticked(practice)
    own, _ = await ticked(practice)
    path = (await practice.mail(own["email"]))["envelope_from"]
    delivery = await receipts.delivery(created)
    content = report("zugestellt", envelope_id=str(delivery["id"]), message_id=message_id)
    before = await receipts.known()
    await hand_over(stack.ports.bounces, path, content)
    row = await receipts.looked_at(before)
    assert row["delivery_id"] == (await receipts.delivery(own))["id"]
    for each in (created, own):
        assert (await email_of(practice, each))["evidence"] == "accepted"
