"""How a practice is reached, and what patients' calendars answer, through the whole product."""

import re
from collections.abc import AsyncIterator
from uuid import UUID

import aiosmtplib
import httpx
import pytest
import pytest_asyncio

from contracts.events import Answer, InvitationAnswered
from contracts.topics import OUTCOMES
from local.mailbox.reports import hand_over
from tests.conftest import Stack
from tests.support import Json, Practice, eventually, http_client
from tests.support.answers import COMMENT, SHAPES, reply
from tests.support.database import owner
from tests.support.keys import admin, change_practice
from tests.support.mails import calendar_of
from tests.support.topics import header, reading

REACH = {
    "phone": "030 1234567",
    "reply_address": "termine@praxis-weiss.example",
    "postal_address": "Hauptstraße 1\n12345 Berlin",
}


@pytest_asyncio.fixture
async def http(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A patient's browser."""
    async with http_client(base_url=stack.url("scheduling")) as client:
        yield client


def organizer_of(mail: Json) -> str:
    _, event = calendar_of(mail)
    return str(event["ORGANIZER"]).removeprefix("mailto:")


async def answers(stack: Stack, *appointments: str) -> dict[str, InvitationAnswered]:
    """The first answer on the topic to each of these."""
    found: dict[str, InvitationAnswered] = {}
    async with reading(stack, OUTCOMES.name) as consumer:
        async for record in consumer:
            key = (record.key or b"").decode()
            if key in appointments and header(record, "ce_type") == InvitationAnswered.type:
                found.setdefault(key, InvitationAnswered.model_validate_json(record.value or b""))
                if found.keys() == set(appointments):
                    break
    return found


async def test_each_calendar_s_answer_reaches_the_topic(practice: Practice, stack: Stack) -> None:
    said = dict(zip(SHAPES, ("DECLINED", "ACCEPTED", "TENTATIVE", "DECLINED"), strict=True))
    created = {shape: await practice.create() for shape in SHAPES}
    for shape, appointment in created.items():
        mail = await practice.mail(appointment["email"])
        _, event = calendar_of(mail)
        assert event["ATTENDEE"].params["RSVP"] == "TRUE"
        organizer = organizer_of(mail)
        assert organizer not in {mail["envelope_from"], "rueck@praxis.example"}
        answer = reply(
            shape,
            uid=str(event["UID"]),
            organizer=organizer,
            sequence=int(event["SEQUENCE"]),
            said=said[shape],
        )
        await hand_over(stack.ports.bounces, organizer.upper(), answer, sender=appointment["email"])
    told = await answers(stack, *(each["id"] for each in created.values()))
    for shape, appointment in created.items():
        event = told[appointment["id"]]
        assert event.answer == said[shape].lower()
        assert event.practice_id == practice.id
        assert str(event.invitation_id) == appointment["invitation"]["id"]
        assert event.appointment_version == appointment["version"]
        # An answer is no evidence of anything else: the tick stays.
        await practice.shows(appointment["id"], "delivered")
    async with owner(stack, "notification") as db:
        kept = await db.fetch(
            """
            SELECT r.content FROM receipts r JOIN deliveries d ON d.id = r.delivery_id
            WHERE d.practice_id = $1 AND r.kind = 'answer'
            """,
            practice.id,
        )
    assert [row["content"] for row in kept] == [None] * len(SHAPES)
    assert COMMENT not in (stack.folder.logs / "notification.log").read_text()


async def test_a_forged_organizer_is_refused_and_another_s_says_nothing(
    practice: Practice, stack: Stack
) -> None:
    one, other = await practice.create(), await practice.create()
    organizer = organizer_of(await practice.mail(one["email"]))
    tag = organizer.partition("+")[2].partition("@")[0]
    forged = organizer.replace(tag, tag[:-2] + ("a" if tag[-2] != "a" else "b") + tag[-1])
    mail = reply("gmail", uid=one["id"], organizer=forged)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await hand_over(stack.ports.bounces, forged, mail)
    await hand_over(stack.ports.bounces, "rueck@praxis.example", mail)
    # Of one appointment, sent for the other; a true answer comes behind it.
    wrong = reply("gmail", uid=other["id"], organizer=organizer, said="ACCEPTED")
    await hand_over(stack.ports.bounces, organizer, wrong)
    right = reply("gmail", uid=one["id"], organizer=organizer, said="TENTATIVE")
    await hand_over(stack.ports.bounces, organizer, right)
    assert (await answers(stack, one["id"]))[one["id"]].answer is Answer.TENTATIVE
    async with owner(stack, "notification") as db:
        known = await db.fetch(
            "SELECT answer FROM answers WHERE appointment_id = ANY($1)",
            [UUID(one["id"]), UUID(other["id"])],
        )
    assert [row["answer"] for row in known] == ["tentative"]


async def test_a_practice_is_reached_wherever_the_patient_looks(
    practice: Practice, stack: Stack, http: httpx.AsyncClient
) -> None:
    before = await practice.create()
    mail = await practice.mail(before["email"])
    assert "Reply-To" not in dict(mail["headers"])
    assert "bitte antworten Sie nicht darauf" in mail["text"]
    record = await change_practice(stack, practice, **REACH)
    assert (record["phone"], record["asks_for_answer"]) == ("+49301234567", True)
    phone = f"+49151{UUID(before['id']).int % 10**8:08d}"
    created = await practice.create(channels=["email", "sms"], phone=phone)
    mail = await practice.mail(created["email"])
    headers = dict(mail["headers"])
    assert headers["Reply-To"] == REACH["reply_address"]
    assert mail["envelope_from"].startswith("rueck+")
    for shown in ("Hauptstraße 1", "12345 Berlin", "+49 30 1234567", REACH["reply_address"]):
        assert shown in mail["text"]
        assert shown in mail["html"]
    assert 'href="tel:+49301234567"' in mail["html"]
    assert "nicht darauf" not in mail["text"]
    _, event = calendar_of(mail)
    assert "+49 30 1234567" in event["CONTACT"]
    assert "+49 30 1234567" in event["DESCRIPTION"]

    async def arrived() -> list[Json]:
        return await practice.texts(phone)

    (text,) = await eventually(arrived, "the SMS")
    assert "+49301234567" in text["text"] or len(text["text"]) > 160 - len("\nTel. +49301234567")
    link = re.search(r"http://[^/]+(/besuch/[\w-]+)", mail["text"])
    assert link is not None
    page = (await http.get(link[1], headers={"Accept-Language": "de"})).text
    assert '<a href="tel:+49301234567" dir="ltr">+49 30 1234567</a>' in page
    assert "Hauptstraße 1" in page


async def test_a_practice_that_wants_no_answers_asks_for_none(
    practice: Practice, stack: Stack
) -> None:
    code, told = await admin(
        stack,
        *("practice", "set", str(practice.id), "--no-asks-for-answer", "--phone", "+49 30 1234567"),
        *("--postal-address", "Hauptstraße 1", "12345 Berlin"),
    )
    assert code == 0, told
    for line in ("phone:          +49301234567", "Hauptstraße 1, 12345 Berlin", "answer: no"):
        assert line in told
    created = await practice.create()
    mail = await practice.mail(created["email"])
    _, event = calendar_of(mail)
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert "liest Ihre Praxis nicht" in event["DESCRIPTION"]
    answer = reply("outlook", uid=created["id"], organizer=organizer_of(mail))
    await hand_over(stack.ports.bounces, organizer_of(mail), answer)
    async with owner(stack, "notification") as db:

        async def read() -> bool:
            return bool(
                await db.fetchval(
                    """
                    SELECT true FROM receipts r JOIN deliveries d ON d.id = r.delivery_id
                    WHERE d.appointment_id = $1 AND r.kind = 'answer' AND r.due_at IS NULL
                    """,
                    UUID(created["id"]),
                )
            )

        await eventually(read, "the answer is read")
        assert (
            await db.fetchval("SELECT count(*) FROM answers WHERE practice_id = $1", practice.id)
            == 0
        )
