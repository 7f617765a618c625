"""One invitation's way, as a practice sees it: from the request to the indicator."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import httpx

from local.errors import LocalFailure

OUTCOME_TIMEOUT = 30.0  # seconds
REQUEST_TIMEOUT = 10.0  # seconds
FINAL = frozenset({"delivered", "failed"})


@dataclass
class Journey:
    """What was asked for and what was shown when, in milliseconds since the request.

    `address` is an e-mail address, or a number in E.164.
    """

    patient: str
    address: str
    expected: str
    starts_at: datetime  # in the practice's zone
    appointment_id: str = ""
    begun: float = 0  # by the monotonic clock, in seconds
    accepted_ms: float = 0
    shown: list[tuple[float, str]] = field(default_factory=list)

    @property
    def final(self) -> str:
        """The indicator shown last."""
        return self.shown[-1][1] if self.shown else "nothing"

    @property
    def right(self) -> bool:
        """Whether it came out as it should."""
        return self.final == self.expected

    @property
    def request(self) -> dict[str, Any]:
        """The body that creates its appointment."""
        channel = "email" if "@" in self.address else "sms"
        return {
            "patient_name": self.patient,
            "channels": [channel],
            "email": self.address if channel == "email" else None,
            "phone": self.address if channel == "sms" else None,
            "date": self.starts_at.date().isoformat(),
            "time": f"{self.starts_at:%H:%M}",
            "utc_offset": None,
            "duration_minutes": 20,
            "consent": True,
            "send_anyway": True,  # an earlier start met the same refused address
            "locale": "de",
        }


class Practice:
    """A practice's side of the public APIs."""

    def __init__(self, *, scheduling: str, status: str, token: str) -> None:
        self._scheduling = scheduling
        self._status = status
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {token}"},
            timeout=REQUEST_TIMEOUT,
            trust_env=False,
        )
        self._seen: dict[str, list[tuple[float, str]]] = {}
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Follow the live stream meanwhile. Raises LocalFailure when it can't be opened."""
        ready = asyncio.Event()
        listener = asyncio.create_task(self._listen(ready))
        waiting = asyncio.create_task(ready.wait())
        try:
            await asyncio.wait(
                {listener, waiting},
                timeout=REQUEST_TIMEOUT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not ready.is_set():
                raise LocalFailure("The stream of indicators could not be opened.")
            yield
        finally:
            listener.cancel()
            waiting.cancel()
            await asyncio.gather(listener, waiting, return_exceptions=True)
            await self._client.aclose()

    async def patients(self, day: date) -> set[str]:
        """Who has an appointment on this day. Raises LocalFailure."""
        answer = await self._ask("GET", params={"date": day.isoformat()})
        return {one["patient_name"] for one in answer["appointments"]}

    async def create(self, journey: Journey) -> None:
        """Create its appointment, which invites the patient. Raises LocalFailure."""
        journey.begun = time.perf_counter()
        created = await self._ask("POST", json=journey.request)
        journey.accepted_ms = (time.perf_counter() - journey.begun) * 1000
        journey.appointment_id = created["id"]

    async def follow(self, journey: Journey) -> None:
        """Wait until what is expected is shown, or what it can't come to from there."""
        seen = self._seen.setdefault(journey.appointment_id, [])
        ends = FINAL | {journey.expected}
        try:
            async with asyncio.timeout(OUTCOME_TIMEOUT), self._changed:
                await self._changed.wait_for(lambda: bool(seen) and seen[-1][1] in ends)
        except TimeoutError:
            pass  # the journey tells what was shown until then
        journey.shown = [((at - journey.begun) * 1000, overall) for at, overall in seen]

    async def _ask(self, method: str, **options: Any) -> Any:
        url = f"{self._scheduling}/v1/appointments"
        try:
            response = await self._client.request(method, url, **options)
        except httpx.HTTPError as error:
            raise LocalFailure(f"Scheduling did not answer ({type(error).__name__}).") from None
        if not response.is_success:
            raise LocalFailure(f"Scheduling refused the appointment ({response.status_code}).")
        return response.json()

    async def _listen(self, ready: asyncio.Event) -> None:
        url = f"{self._status}/v1/indicators/stream"
        async with self._client.stream("GET", url, timeout=None) as response:
            response.raise_for_status()
            event = ""
            async for line in response.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "event":
                    event = value
                    if event == "ready":
                        ready.set()
                elif name == "data" and event == "indicator":
                    await self._show(json.loads(value))

    async def _show(self, indicator: dict[str, Any]) -> None:
        at = time.perf_counter()
        async with self._changed:
            seen = self._seen.setdefault(indicator["appointment_id"], [])
            if not seen or seen[-1][1] != indicator["overall"]:
                seen.append((at, indicator["overall"]))
            self._changed.notify_all()
