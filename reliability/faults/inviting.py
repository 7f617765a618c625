"""Practices that invite while things go wrong, as a well-behaved client does it.

A request that was not answered is made again, elsewhere, under the same Idempotency-Key, until it
is answered: what was answered with 2xx is what the product has promised.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx

from local.stack import Stack
from reliability.faults.promises import Invitation

PATIENCE = 15.0  # seconds for an answer, before it is asked elsewhere
AGAIN, MOST = 0.5, 8.0  # seconds until it is; each wait is double the one before
AT_THE_SAME_TIME = 12  # requests of one practice: more would be a crowd, and no clinic
GIVES_UP = 300.0  # seconds
RESENT = 0.08  # of invitations are sent again
RECIPIENTS: Sequence[tuple[int, str, str]] = (
    (45, "email", "erika-{}@example.org"),
    (8, "email", "zugestellt+{}@example.org"),
    (5, "email", "einmal-spaeter+{}@example.org"),
    (7, "email", "unbekannt+{}@example.org"),
    (10, "email", "spaeter-unbekannt+{}@example.org"),
    (19, "sms", "+49151{:08d}"),
    (2, "sms", "+491713920002"),
    (2, "sms", "+491713920007"),
    (2, "sms", "+491713920009"),
)


@dataclass(slots=True)
class Account:
    """What was accepted, and when each was first shown with an end (time.monotonic)."""

    invitations: list[Invitation] = field(default_factory=list)
    accepted_at: dict[str, float] = field(default_factory=dict)
    settled_at: dict[str, float] = field(default_factory=dict)
    unanswered: int = 0
    refusals: Counter[str] = field(default_factory=Counter)


class Inviting:
    """Invites for one practice."""

    def __init__(
        self, stack: Stack, practice_id: UUID, replicas: Sequence[str], dice: random.Random
    ) -> None:
        self.account = Account()
        self._stack = stack
        self._practice_id = practice_id
        self._replicas = replicas
        self._dice = dice
        self._http = httpx.AsyncClient(trust_env=False, timeout=PATIENCE)
        self._places = asyncio.Semaphore(AT_THE_SAME_TIME)
        self._number = 0
        self._seen_up_to = 0

    async def close(self) -> None:
        """Hang up."""
        await self._http.aclose()

    async def run(self, count: int, per_second: float) -> None:
        """So many invitations; returns when each was answered, or given up."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                await self._places.acquire()
                tasks.create_task(self._invite()).add_done_callback(
                    lambda _: self._places.release()
                )
                await asyncio.sleep(self._dice.expovariate(per_second))

    async def _invite(self) -> None:
        invitations = self.account.invitations
        if invitations and self._dice.random() < RESENT:
            await self._resend(self._dice.choice(invitations))
        else:
            await self._create()

    async def _create(self) -> None:
        weights = [weight for weight, *_ in RECIPIENTS]
        _, channel, form = self._dice.choices(RECIPIENTS, weights)[0]
        self._number += 1
        recipient = form.format(self._number)
        start = datetime.now(UTC) + timedelta(days=self._dice.randint(3, 60))
        body = {
            "patient_name": "Erika Mustermann",
            "channels": [channel],
            "email" if channel == "email" else "phone": recipient,
            "date": start.date().isoformat(),
            "time": f"{self._dice.randint(7, 18):02}:{self._dice.randint(0, 59):02}",
            "duration_minutes": 20,
            "consent": True,
            "send_anyway": True,
        }
        created = await self._ask("/v1/appointments", body)
        if created is not None:
            self._accepted(Invitation(created["id"], 1, channel, recipient))

    async def _resend(self, before: Invitation) -> None:
        path = f"/v1/appointments/{before.appointment_id}/invitations"
        answer = await self._ask(path, {"send_anyway": True})
        if answer is not None:
            self._accepted(
                Invitation(
                    before.appointment_id,
                    answer["invitation"]["attempt"],
                    before.channel,
                    before.recipient,
                )
            )

    def _accepted(self, invitation: Invitation) -> None:
        self.account.invitations.append(invitation)
        if invitation.attempt == 1:
            self.account.accepted_at[invitation.appointment_id] = time.monotonic()

    async def _ask(self, path: str, body: dict[str, Any]) -> Any:
        """The answer's content; None where there was none in time, or it can't be done."""
        key, until = str(uuid4()), time.monotonic() + GIVES_UP
        first = self._dice.randrange(len(self._replicas))
        turn = 0
        while time.monotonic() < until:
            replica = self._replicas[(first + turn) % len(self._replicas)]
            turn += 1
            headers = {
                "Authorization": f"Bearer {self._stack.token(self._practice_id)}",
                "Idempotency-Key": key,
            }
            try:
                answer = await self._http.post(
                    self._stack.url(replica) + path, json=body, headers=headers
                )
            except httpx.HTTPError as error:
                how = type(error).__name__
            else:
                if answer.is_success:
                    return answer.json()
                how = f"{answer.status_code} {answer.json().get('type', '')}"
                if answer.status_code in {409, 422} and turn == 1:
                    self.account.refusals[how] += 1
                    return None  # nothing was begun
            self.account.refusals[how] += 1
            await asyncio.sleep(min(AGAIN * 2 ** (turn - 1), MOST) * self._dice.uniform(0.5, 1))
        self.account.unanswered += 1
        return None

    async def look(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        """Note what has come to an end since the last look, in status's database."""
        rows = await connection.fetch(
            """
            SELECT appointment_id, version, body ->> 'overall' AS overall FROM indicators
            WHERE practice_id = $1 AND version > $2
            """,
            self._practice_id,
            self._seen_up_to,
        )
        now = time.monotonic()
        for row in rows:
            self._seen_up_to = max(self._seen_up_to, row["version"])
            if row["overall"] != "pending":
                self.account.settled_at.setdefault(str(row["appointment_id"]), now)
