"""What practices do all day, at a given rate, and what they must see for it.

Each appointment has an address whose simulated recipient is known (docs/test-recipients.md), so
each has an indicator that is right; a status query of one that has had its time says whether it is.
"""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx

from local.stack import Stack

PATIENCE = 30.0  # seconds for an answer
SETTLED = 60.0  # seconds after which an indicator has to be right
REMEMBERED = 400  # appointments of one practice that something may still happen to
TOKEN_TERM = 3600  # seconds
TOKEN_AGE = 600.0  # seconds after which a new one is used
ZONE = ZoneInfo("Europe/Berlin")

# Who is written to, how often in a hundred, and what is right to show in the end.
RECIPIENTS: Sequence[tuple[int, str, frozenset[str]]] = (
    (40, "erika-{}@example.org", frozenset({"delivered"})),
    (6, "zugestellt+{}@example.org", frozenset({"delivered"})),
    (3, "abwesend+{}@example.org", frozenset({"delivered"})),
    (6, "einmal-spaeter+{}@example.org", frozenset({"delivered", "pending"})),
    (8, "unbekannt+{}@example.org", frozenset({"failed"})),
    (4, "voll+{}@example.org", frozenset({"failed"})),
    (5, "spaeter-unbekannt+{}@example.org", frozenset({"failed"})),
    (3, "spaeter+{}@example.org", frozenset({"pending", "failed"})),
    (19, "+49151{:08d}", frozenset({"delivered"})),
    (2, "+491713920009", frozenset({"delivered"})),
    (2, "+491713920015", frozenset({"delivered", "pending"})),
    (2, "+491713920002", frozenset({"failed"})),
)
DEEDS = (
    ("create", 26),
    ("look", 30),
    ("day", 20),
    ("resend", 7),
    ("correct", 4),
    ("move", 6),
    ("delete", 7),
)


@dataclass(slots=True)
class Visit:
    """An appointment as its practice knows it."""

    id: str
    start: datetime
    right: frozenset[str]
    email: bool
    since: float  # of the last change, on the clock of time.monotonic


@dataclass(slots=True)
class Tally:
    """What was done, and what came back that should not have."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)  # by deed and status
    wrong: Counter[str] = field(default_factory=Counter)  # indicators, by what they show
    slowest: float = 0.0  # seconds for an answer

    def figures(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "done": dict(self.done),
            "refused": dict(self.refused),
            "wrong": dict(self.wrong),
            "slowest": self.slowest,
        }


class Desk:
    """One practice at work. Draws what it does from `dice`."""

    def __init__(
        self,
        stack: Stack,
        practice_id: UUID,
        http: httpx.AsyncClient,
        dice: random.Random,
        tally: Tally,
    ) -> None:
        self._stack = stack
        self._practice_id = practice_id
        self._http = http
        self._dice = dice
        self._tally = tally
        self._visits: deque[Visit] = deque()
        self._token, self._token_at = "", -TOKEN_AGE
        self._deeds: Mapping[str, Callable[[], Awaitable[None]]] = {
            "create": self._create,
            "look": self._look,
            "day": self._day,
            "resend": self._resend,
            "correct": self._correct,
            "move": self._move,
            "delete": self._delete,
        }

    async def act(self) -> None:
        """One deed."""
        names, weights = zip(*DEEDS, strict=True)
        name = self._dice.choices(names, weights)[0] if self._visits else "create"
        await self._deeds[name]()
        self._tally.done[name] += 1

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """With a live stream open, which is opened anew when it ends."""
        reading = asyncio.create_task(self._read())
        try:
            yield
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(self) -> None:
        url = f"{self._stack.url('status')}/v1/indicators/stream"
        while True:
            try:
                async with self._http.stream(
                    "GET", url, headers=self._headers, timeout=PATIENCE
                ) as response:
                    async for line in response.aiter_lines():
                        if line.startswith("event: "):
                            self._tally.done[f"told: {line[7:]}"] += 1
            except httpx.HTTPError as error:
                self._tally.refused[f"stream {type(error).__name__}"] += 1
            await asyncio.sleep(1)

    @property
    def _headers(self) -> dict[str, str]:
        if time.monotonic() - self._token_at >= TOKEN_AGE:
            self._token = self._stack.token(self._practice_id, lifetime=TOKEN_TERM)
            self._token_at = time.monotonic()
        return {"Authorization": f"Bearer {self._token}"}

    async def _ask(self, deed: str, method: str, path: str, **options: Any) -> Any:
        """The answer's content; None where it was refused, which is counted."""
        service = "status" if path.startswith("/v1/indicators") else "scheduling"
        began = time.perf_counter()
        try:
            answer = await self._http.request(
                method,
                self._stack.url(service) + path,
                headers=self._headers,
                timeout=PATIENCE,
                **options,
            )
        except httpx.HTTPError as error:
            self._tally.refused[f"{deed} {type(error).__name__}"] += 1
            return None
        self._tally.slowest = max(self._tally.slowest, time.perf_counter() - began)
        if not answer.is_success:
            self._tally.refused[f"{deed} {answer.status_code}"] += 1
            return None
        return answer.json() if answer.content else {}

    def _recipient(self) -> tuple[str, frozenset[str]]:
        _, form, right = self._dice.choices(RECIPIENTS, [weight for weight, *_ in RECIPIENTS])[0]
        return form.format(self._dice.randrange(10**8)), right

    async def _create(self) -> None:
        address, right = self._recipient()
        start = self._start(soon=address.startswith("spaeter+"))
        channel = "email" if "@" in address else "sms"
        created = await self._ask(
            "create",
            "POST",
            "/v1/appointments",
            json={
                "patient_name": "Erika Mustermann",
                "channels": [channel],
                "email" if channel == "email" else "phone": address,
                "date": start.date().isoformat(),
                "time": f"{start:%H:%M}",
                "utc_offset": f"{start:%z}"[:3] + ":" + f"{start:%z}"[3:],
                "duration_minutes": 20,
                "consent": True,
                "send_anyway": True,
            },
        )
        if created is not None:
            self._visits.append(
                Visit(created["id"], start, right, channel == "email", time.monotonic())
            )
            while len(self._visits) > REMEMBERED:
                self._visits.popleft()

    def _start(self, *, soon: bool) -> datetime:
        """In the coming weeks; some so soon that they are reminded of, or over, within the run."""
        now = datetime.now(UTC).replace(second=0, microsecond=0)
        minutes = self._dice.randint(8, 15) if soon else self._dice.randint(70, 100)
        if not soon and self._dice.random() < 0.85:
            minutes = self._dice.randint(2 * 24 * 60, 60 * 24 * 60)
        return (now + timedelta(minutes=minutes)).astimezone(ZONE)

    async def _look(self) -> None:
        visit = self._dice.choice(self._visits)
        shown = await self._ask("look", "GET", f"/v1/indicators/{visit.id}")
        settled = time.monotonic() - visit.since > SETTLED
        if shown is not None and settled and shown["overall"] not in visit.right:
            self._tally.wrong[
                f"{shown['overall']} instead of {' or '.join(sorted(visit.right))}"
            ] += 1

    async def _day(self) -> None:
        day = self._dice.choice(self._visits).start.date().isoformat()
        await self._ask("day", "GET", "/v1/appointments", params={"date": day})
        await self._ask("open", "GET", "/v1/indicators", params={"open": "true"})

    async def _resend(self) -> None:
        visit = self._coming()
        if visit is None:
            return
        await self._again("resend", visit, {"send_anyway": True})

    async def _correct(self) -> None:
        visit = self._coming()
        if visit is None:
            return
        address = f"erika-{self._dice.randrange(10**8)}@example.org"
        if visit.email and await self._again(
            "correct", visit, {"email": address, "channels": ["email"]}
        ):
            visit.right = frozenset({"delivered"})

    async def _again(self, deed: str, visit: Visit, body: Mapping[str, Any]) -> bool:
        path = f"/v1/appointments/{visit.id}/invitations"
        answer = await self._ask(deed, "POST", path, json=body)
        visit.since = time.monotonic()
        return answer is not None

    async def _move(self) -> None:
        visit = self._coming()
        if visit is None:
            return
        start = self._start(soon=False)
        body = {"date": start.date().isoformat(), "time": f"{start:%H:%M}"}
        if await self._ask("move", "PATCH", f"/v1/appointments/{visit.id}", json=body) is not None:
            visit.start = start

    def _coming(self) -> Visit | None:
        """One that something can still be sent for."""
        soon = datetime.now(UTC) + timedelta(minutes=2)
        coming = [visit for visit in self._visits if visit.start > soon]
        return self._dice.choice(coming) if coming else None

    async def _delete(self) -> None:
        visit = self._dice.choice(self._visits)
        self._visits.remove(visit)
        params = {"notify": "true" if self._dice.random() < 0.5 else "false"}
        await self._ask("delete", "DELETE", f"/v1/appointments/{visit.id}", params=params)


class Browser:
    """A browser that is logged in at the dashboard: its page asks and listens through it."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient, tally: Tally) -> None:
        self._stack = stack
        self._http = http
        self._tally = tally
        self._own = {"Origin": stack.url("dashboard"), "Sec-Fetch-Site": "same-origin"}

    async def act(self) -> None:
        """What the page asks now and then."""
        try:
            await self._ask()
        except httpx.HTTPError as error:
            self._tally.refused[f"dashboard {type(error).__name__}"] += 1

    async def _ask(self) -> None:
        dashboard, today = self._stack.url("dashboard"), datetime.now(ZONE).date().isoformat()
        await self._http.post(f"{dashboard}/api/session/activity", headers=self._own)
        answer = await self._http.get(
            f"{dashboard}/api/scheduling/appointments", params={"date": today}
        )
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            await self.log_in()
        elif not answer.is_success:
            self._tally.refused[f"dashboard {answer.status_code}"] += 1
        self._tally.done["dashboard"] += 1

    async def log_in(self) -> None:
        """As „Praxisleitung"."""
        at_provider = (await self._http.get(f"{self._stack.url('dashboard')}/login")).headers[
            "location"
        ]
        back = (await self._http.post(at_provider, data={"person": "leitung"})).headers["location"]
        await self._http.get(back)
        self._tally.done["login"] += 1

    async def listen(self, seconds: float) -> None:
        """Have the live stream open for a while."""
        url = f"{self._stack.url('dashboard')}/api/status/indicators/stream"
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream("GET", url, timeout=PATIENCE) as told,
            ):
                async for _ in told.aiter_lines():
                    self._tally.done["dashboard told"] += 1
        except TimeoutError:
            return
        except httpx.HTTPError as error:
            self._tally.refused[f"dashboard stream {type(error).__name__}"] += 1
            await asyncio.sleep(1)
