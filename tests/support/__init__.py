"""What tests share: a practice at its desk, the patient's mailbox, and waiting for conditions."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx

from chassis.kept_connections import USED_AGAIN_WITHIN

T = TypeVar("T")
Json = dict[str, Any]

BERLIN = ZoneInfo("Europe/Berlin")
PATIENCE = 120.0  # seconds; a slow machine's too, since a pass costs none of it
# Knows no authority, and is made once: to read those that httpx knows takes 20 ms for each client.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def http_client(**options: Any) -> httpx.AsyncClient:
    """A client of what speaks plain HTTP, as all of the stack does; `options` are httpx's."""
    limits = httpx.Limits(max_connections=100, keepalive_expiry=USED_AGAIN_WITHIN)
    usual: Json = {"verify": NO_TLS, "timeout": PATIENCE, "limits": limits}
    return httpx.AsyncClient(**usual | options)


async def eventually(
    ask: Callable[[], Awaitable[T | None]], what: str, patience: float = PATIENCE
) -> T:
    """The first truthy answer of `ask`; fails when it takes longer than `patience` seconds.

    The longer it takes, the less often it is asked: asking is work for a machine that is slow.
    """
    began = time.monotonic()
    answer: T | None = None
    while True:
        waited = time.monotonic() - began
        answer = await ask()
        if answer:
            return answer
        if waited >= patience:
            break
        await asyncio.sleep(min(max(0.05, waited / 8), patience - waited))
    raise AssertionError(f"not within {patience} s: {what}; last answer: {answer!r}")


def berlin_day(count: int) -> date:
    """So many days from today where practices are: a day later than UTC's soon after midnight."""
    return datetime.now(BERLIN).date() + timedelta(days=count)


def unknown_address() -> str:
    """Of no mailbox, as its server says at once; not known as dead from another test."""
    return f"unbekannt+{uuid4().hex[:8]}@example.org"


def unused_phone() -> str:
    """A mobile number that no other test has, in E.164, of a phone that confirms what it gets."""
    return f"+49151{uuid4().int % 10**8:08}"


@dataclass
class Practice:
    """A practice with its own token: what it can do over the public APIs."""

    id: UUID
    scheduling: httpx.AsyncClient
    status: httpx.AsyncClient
    mailbox: httpx.AsyncClient
    phones: httpx.AsyncClient

    @staticmethod
    def form(**changes: Any) -> Json:
        """A valid input for „Termin erstellen", tomorrow at ten, to an address nobody else uses."""
        return {
            "patient_name": "Erika Mustermann",
            "channels": ["email"],
            "email": f"erika-{uuid4().hex[:12]}@example.org",
            "date": berlin_day(1).isoformat(),
            "time": "10:00",
            "duration_minutes": 20,
            "consent": True,
        } | changes

    async def post(self, body: Json, key: str | None = None) -> httpx.Response:
        """Ask for a new appointment."""
        headers = {"Idempotency-Key": key} if key else {}
        return await self.scheduling.post("/v1/appointments", json=body, headers=headers)

    async def create(self, **changes: Any) -> Json:
        """A new appointment, which must succeed; asked for again where a busy service says 503."""
        form, key = self.form(**changes), uuid4().hex

        async def answered() -> httpx.Response | None:
            response = await self.post(form, key)
            return None if response.status_code == 503 else response

        response = await eventually(answered, "it is taken")
        assert response.status_code == 201, response.text
        created: Json = response.json()
        return created

    async def knows_as_dead(self, address: str) -> None:
        """Wait until scheduling, which no mark waits for, has heard that this mailbox is none.

        It is asked by a form that would be refused in any case: an invitation that went there would
        come back later, and that would be the newest that is known of it.
        """

        async def known() -> bool:
            refused = await self.post(self.form(email=address, consent=False))
            return "dead_address" in {each["code"] for each in refused.json()["errors"]}

        await eventually(known, "scheduling knows the address as dead")

    async def resend(self, appointment_id: str, key: str | None = None, **body: Any) -> Json:
        """„Erneut senden", which must succeed."""
        response = await self.scheduling.post(
            f"/v1/appointments/{appointment_id}/invitations",
            json=body,
            headers={"Idempotency-Key": key} if key else {},
        )
        assert response.status_code == 202, response.text
        answer: Json = response.json()
        return answer

    async def indicator(self, appointment_id: str) -> Json | None:
        """The indicator with its history, or None as long as there is none."""
        response = await self.status.get(f"/v1/indicators/{appointment_id}")
        if response.status_code == 404:
            return None
        assert response.status_code == 200, response.text
        found: Json = response.json()
        return found

    async def shows(
        self, appointment_id: str, overall: str, attempt: int = 1, patience: float = PATIENCE
    ) -> Json:
        """Wait until the indicator shows `overall` for this attempt."""

        async def ask() -> Json | None:
            found = await self.indicator(appointment_id)
            shown = found and (found["overall"], found["attempt"]) == (overall, attempt)
            return found if shown else None

        return await eventually(ask, f"indicator {overall}, attempt {attempt}", patience)

    async def deal_with_all(self) -> None:
        """„Erledigt" for whatever is open, until nothing is."""

        async def ask() -> bool:
            query = {"open": "true", "limit": "100"}
            page = (await self.status.get("/v1/indicators", params=query)).json()
            for shown in page["indicators"]:
                path = f"/v1/appointments/{shown['appointment_id']}/follow-ups"
                seen = await self.scheduling.post(path, json={"causes": shown["causes"]})
                assert seen.status_code == 204, seen.text
            return bool(page["open_count"] == 0)

        await eventually(ask, "nothing is open")

    async def mails(self, address: str) -> list[Json]:
        """What arrived at this address, newest last."""
        response = await self.mailbox.get("/api/messages", params={"to": address})
        assert response.status_code == 200, response.text
        newest_first = response.json()["messages"]
        return [
            (await self.mailbox.get(f"/api/messages/{summary['id']}")).json()
            for summary in reversed(newest_first)
        ]

    async def mail(self, address: str) -> Json:
        """The one mail that arrives at this address."""

        async def ask() -> list[Json]:
            return await self.mails(address)

        mails = await eventually(ask, "a mail")
        assert len(mails) == 1
        return mails[0]

    async def texts(self, number: str) -> list[Json]:
        """What arrived at this phone, newest last."""
        response = await self.phones.get("/api/messages", params={"to": number})
        assert response.status_code == 200, response.text
        newest_first: list[Json] = response.json()["messages"]
        return newest_first[::-1]

    @asynccontextmanager
    async def stream(
        self, last_event_id: str | None = None, base_url: str | None = None
    ) -> AsyncIterator[AsyncIterator[tuple[str, str, Json]]]:
        """The live stream as (event, id, data), without its beats."""
        headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
        url = f"{base_url or ''}/v1/indicators/stream"
        async with self.status.stream("GET", url, headers=headers, timeout=PATIENCE) as response:
            assert response.status_code == 200
            yield _messages(response)


async def _messages(response: httpx.Response) -> AsyncIterator[tuple[str, str, Json]]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "id" in fields:
            yield fields["event"], fields["id"], json.loads(fields["data"])
            fields = {}
        else:
            fields = {}


def utc(text: str) -> datetime:
    """A time as the APIs write it."""
    return datetime.fromisoformat(text).astimezone(UTC)
