"""Names that try to become headers, templates, markup or commands, through everything."""

import json
import re
from email import message_from_bytes, policy

import pytest
from uuid_utils.compat import uuid7

from local.practice import Practice as PracticeRow
from tests.conftest import Stack, at_the_desk
from tests.support import Practice, eventually, http_client, unused_phone

EVIL = '<script>alert("x")</script> {{ 7 * 7 }} {% raw %} ${7*7} %s'
BROKEN_OUT = "\r\nBcc: opfer@example.org\r\n\r\n<h1>Neu</h1>"


@pytest.mark.parametrize(
    "name",
    [
        f"Erika{BROKEN_OUT}",
        "Erika\nBcc: opfer@example.org",
        "Erika\u2028Bcc: opfer@example.org",
        "Erika\u0085Bcc: opfer@example.org",
        "Erika\x0b\x0cBcc: opfer@example.org",
        "Erika\x00",
        "Erika\u202emannretsuM",
        "Erika\u2066\u200f",
        "Erika\ufeff",
        "=?utf-8?q?Erika=0d=0aBcc:_opfer@example.org?=",
        "E" * 201,
        "\ud800",
    ],
)
async def test_a_name_is_one_line_or_refused(practice: Practice, name: str) -> None:
    body = practice.form(patient_name=name)
    answer = await practice.scheduling.post(
        "/v1/appointments",
        content=json.dumps(body),  # escaped: half of a pair has no UTF-8
        headers={"Content-Type": "application/json"},
    )
    if answer.status_code == 422:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"][0]["field"] == "patient_name"
        return
    assert answer.status_code == 201
    raw = (await practice.mail(body["email"]))["raw"]
    head = message_from_bytes(raw.encode("latin-1"), policy=policy.default)
    assert head["Bcc"] is None
    assert head["To"] == body["email"]
    assert not head.defects
    assert len(head.get_all("Subject", [])) == 1


@pytest.mark.parametrize(
    "address",
    [
        "erika@example.org\r\nBcc: opfer@example.org",
        "erika@example.org, opfer@example.org",
        "erika@example.org>\r\nRCPT TO:<opfer@example.org",
        '"a b"@example.org',
        "erika%0d%0a@example.org\n",
        "<erika@example.org>",
        "Erika <erika@example.org>",
    ],
)
async def test_an_address_is_one_address_or_refused(practice: Practice, address: str) -> None:
    answer = await practice.post(practice.form(email=address))
    if answer.status_code == 201:
        assert re.fullmatch(r"[^\s,<>\"]+@example\.org", answer.json()["email"])
        return
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]
    assert "opfer" not in answer.text


async def test_templates_and_markup_in_names_stay_text_everywhere(stack: Stack) -> None:
    row = PracticeRow(uuid7(), f"{EVIL}{BROKEN_OUT}", "Europe/Berlin", "standard")
    await stack.add_practice(row)
    number = unused_phone()
    async with at_the_desk(stack, row) as practice:
        created = await practice.create(patient_name=EVIL, phone=number, channels=["email", "sms"])
        mail = await practice.mail(created["email"])

        async def texts() -> list[dict[str, str]]:
            return await practice.texts(number)

        (text,) = await eventually(texts, "an SMS")
    message = message_from_bytes(mail["raw"].encode("latin-1"), policy=policy.default)
    assert message["Bcc"] is None
    assert len(message["From"].addresses) == 1
    assert message["From"].addresses[0].addr_spec == "einladung@praxis.example"
    assert not message.defects
    for part in (mail["text"], mail["html"], text["text"], str(message["Subject"])):
        assert "49 " not in part.replace(number, "")
        assert "${49}" not in part
    assert "{{ 7 * 7 }}" in mail["text"]
    assert "<script" not in mail["html"]
    assert "<h1>Neu" not in mail["html"]
    link = re.search(r"http\S+/besuch/\S+", mail["text"])
    assert link is not None
    async with http_client() as client:
        page = (await client.get(link[0])).text
    assert "<script>alert" not in page
    assert "<h1>Neu" not in page
    assert "{{ 7 * 7 }}" in page
