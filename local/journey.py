"""One invitation's way, as a practice sees it: from the request to the indicator."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from local.errors import LocalFailure

OUTCOME_TIMEOUT = 30.0  # seconds
REQUEST_TIMEOUT = 10.0  # seconds
FINAL = frozenset({"delivered", "failed"})


@dataclass
class Journey:
    """What was asked for and what was shown when, in milliseconds since the request."""

    patient: str
    email: str
    expected: str
    appointment_id: str = ""
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

    async def invite(self, journey: Journey) -> None:
        """Create an appointment and wait for its outcome. Raises LocalFailure."""
        day = datetime.now(UTC).date() + timedelta(days=7)
        body = {
            "patient_name": journey.patient,
            "channels": ["email"],
            "email": journey.email,
            "phone": None,
            "date": day.isoformat(),
            "time": "14:30",
            "utc_offset": None,
            "duration_minutes": 20,
            "consent": True,
            "send_anyway": True,  # an earlier start met the same refused address
            "locale": "de",
        }
        begun = time.perf_counter()
        try:
            response = await self._client.post(f"{self._scheduling}/v1/appointments", json=body)
        except httpx.HTTPError as error:
            raise LocalFailure(f"Scheduling did not answer ({type(error).__name__}).") from None
        if response.status_code != 201:
            raise LocalFailure(f"Scheduling refused the appointment ({response.status_code}).")
        journey.accepted_ms = (time.perf_counter() - begun) * 1000
        journey.appointment_id = response.json()["id"]
        seen = self._seen.setdefault(journey.appointment_id, [])
        try:
            async with asyncio.timeout(OUTCOME_TIMEOUT), self._changed:
                await self._changed.wait_for(lambda: bool(seen) and seen[-1][1] in FINAL)
        except TimeoutError:
            pass  # the journey tells what was shown until then
        journey.shown = [((at - begun) * 1000, overall) for at, overall in seen]

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
