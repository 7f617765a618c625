"""The simulated recipients behave as docs/test-recipients.md promises, each line of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from local.mailbox.recipients import ENGLISH, REFUSALS
from local.mailbox.reports import REPORTS
from local.sms_gateway.phones import PHONES
from tests.conftest import Stack, new_practice
from tests.support import Json, Practice, eventually

DOCUMENT = Path(__file__).parents[2] / "docs" / "test-recipients.md"
LINES = re.findall(r"^\| ([^|]+) \|[^|]+\| ([^|]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
LINES = [(recipient, shown) for recipient, shown in LINES if re.search(r"[@\d]", recipient)]
MAILS = [(name, seen) for each, seen in LINES for name in re.findall(r"`([\w-]+)@`", each)]
PHONE_LINES = [(each[:13], seen) for each, seen in LINES if each.startswith("0171")]
SAID = {  # as the dashboard puts it
    "Adresse unbekannt": "unknown_user",
    "Nummer unbekannt": "unknown_user",
    "Postfach voll": "mailbox_full",
    "vom Mobilfunknetz abgewiesen": "policy",
    "nicht rechtzeitig zustellbar": "expired",
}


def test_every_simulated_recipient_is_listed() -> None:
    assert {name for name, _ in MAILS} == {*REFUSALS, *REPORTS, *ENGLISH, *ENGLISH.values()}
    assert {number[-2:] for number, _ in PHONE_LINES} == {"01", *PHONES}


async def becomes(practice: Practice, created: Json, channel: str, seen: str) -> None:
    """What the practice sees in the end is what the line says."""
    if seen.startswith("clock") and not seen.endswith(("tick", "once")):

        async def under_way() -> bool:
            found = await practice.indicator(created["id"])
            types = [] if found is None else [entry["type"] for entry in found["history"]]
            return types.count("pending") > 0

        await eventually(under_way, "the clock")
        return
    final = "failed" if "mark" in seen else "delivered"
    view = (await practice.shows(created["id"], final))["channels"][channel]
    if "technische Störung" in seen:
        assert view["category"] == "technical"
    elif "„" in seen and final == "failed":
        words = seen.partition("„")[2].rstrip('"')
        assert view["reason"] == SAID[words]
    assert ("bestätigt" in seen) <= (view["evidence"] == "confirmed")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def clinic(stack: Stack) -> AsyncIterator[Practice]:
    async with new_practice(stack) as fresh:
        yield fresh


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mailed(clinic: Practice) -> dict[str, Json]:
    """An invitation to each address; all at once, as some are slow by design."""
    names = [name for name, _ in MAILS]
    sent = [clinic.create(email=f"{name}+{clinic.id.hex}@example.org") for name in names]
    return dict(zip(names, await asyncio.gather(*sent), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def texted(clinic: Practice) -> dict[str, Json]:
    """An invitation to each phone, likewise."""
    numbers = [number for number, _ in PHONE_LINES]
    sent = [clinic.create(channels=["sms"], email=None, phone=number) for number in numbers]
    return dict(zip(numbers, await asyncio.gather(*sent), strict=True))


@pytest.mark.parametrize(("name", "seen"), MAILS)
async def test_mail(clinic: Practice, mailed: dict[str, Json], name: str, seen: str) -> None:
    if "bestätigt" in seen:

        async def confirmed() -> bool:
            found = await clinic.indicator(mailed[name]["id"])
            return bool(found and found["channels"]["email"]["evidence"] == "confirmed")

        await eventually(confirmed, "the confirmation")
    await becomes(clinic, mailed[name], "email", seen)


@pytest.mark.parametrize(("number", "seen"), PHONE_LINES)
async def test_phone(clinic: Practice, texted: dict[str, Json], number: str, seen: str) -> None:
    await becomes(clinic, texted[number], "sms", seen)
