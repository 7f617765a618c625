"""What becomes of a message after it was taken, and the receipts that tell of it."""

import asyncio
import json
import random
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, ConfigDict, Field

from local.journal import Journal, once_written
from local.markup import ZONE
from local.sms_gateway.phones import DELIVERS, FAILS, Phone, Step, phone
from local.sms_gateway.receipts import Receipt, Receipts
from local.sms_gateway.signing import Webhooks, seven_headers
from local.sms_gateway.store import Message, Store

MOST_UNDER_WAY = 10_000  # messages and receipts
AT_THE_SAME_TIME = 20  # receipts
PATIENCE = 5.0  # seconds for the answer to a receipt, as seven.io has it
AGAIN_AFTER = (0.5, 1, 2, 4, 8, 15, 30, 60)  # seconds

Share = Annotated[float, Field(ge=0, le=1)]

SEVEN_STATES = {
    "accepted": "TRANSMITTED",
    "buffered": "BUFFERED",
    "delivered": "DELIVERED",
    "failed": "NOTDELIVERED",
    "rejected": "REJECTED",
    "expired": "EXPIRED",
}


class Weather(BaseModel):
    """How the network behaves, whatever the phone does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    delay: Annotated[float, Field(ge=0, le=60, description="Seconds until a receipt.")] = 0.5
    loss: Share = 0
    duplication: Share = 0
    disorder: Share = 0
    failure: Share = 0


class Network:
    """Runs every message's life and posts the receipts; what is left of both goes on after a kill.

    `resume` it first.
    """

    def __init__(
        self,
        store: Store,
        secret: str,
        weather: Weather,
        receipts: Receipts,
        journal: Journal | None = None,
    ) -> None:
        self.weather = weather
        self._store = store
        self._receipts = receipts
        self._journal = journal or Journal()
        self._secret = secret
        self._webhooks = Webhooks(secret)
        self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False)
        self._places = asyncio.Semaphore(AT_THE_SAME_TIME)
        self._tasks: set[asyncio.Task[None]] = set()
        self._dice = random.Random()  # noqa: S311

    @property
    def full(self) -> bool:
        """Whether more would be too much."""
        return len(self._tasks) >= MOST_UNDER_WAY

    def resume(self) -> None:
        """Take up what an earlier process left."""
        for kept in self._receipts.waiting():
            self._start(self._offer_again(kept))
        for message in self._store.newest_first():
            behaviour = phone(message.to)
            if message.steps < len(behaviour.steps):
                self.carry(message, behaviour)

    def carry(self, message: Message, phone: Phone) -> "asyncio.Task[None]":
        """Let the message go its way."""
        if phone is DELIVERS and self._dice.random() < self.weather.failure:
            phone = FAILS
        return self._start(self._live(message, phone))

    async def tell(self, message: Message, step: Step) -> None:
        """Note a step and send its receipt, once and at once."""
        at = _moment(step)
        self._note(message, step, at)
        told = self._kept(message, step, at)
        await self._post(told)

    async def forget(self) -> None:
        """Drop what is under way: no receipt of it comes any more."""
        await self._drop()
        self._receipts.clear()

    async def _drop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Leave what is under way to the next process."""
        await self._drop()
        await self._client.aclose()

    async def _live(self, message: Message, phone: Phone) -> None:
        passed = phone.steps[message.steps - 1].after if message.steps else 0.0
        for number, step in enumerate(phone.steps[message.steps :], message.steps + 1):
            await asyncio.sleep((step.after - passed) * self.weather.delay)
            passed = step.after
            lost = self._dice.random() < self.weather.loss
            times = 0 if lost else phone.copies + (self._dice.random() < self.weather.duplication)
            at = _moment(step)
            keep = partial(self._kept, message, step, at)
            told = [await once_written(keep) for _ in range(times)]
            await once_written(partial(self._note, message, step, at, number))
            for each in told:
                if self._dice.random() < self.weather.disorder:
                    self._start(self._post_late(each))
                else:
                    await self._post(each)  # in the order of the steps

    def _note(self, message: Message, step: Step, at: datetime, steps: int | None = None) -> None:
        said = {} if step.older else {"state": step.state, "code": step.code, "at": at}
        self._store.change(message.id, **said, **({} if steps is None else {"steps": steps}))

    def _kept(self, message: Message, step: Step, at: datetime) -> Receipt:
        """Its receipt, on disk before the step is past."""
        if message.api == "seven":
            body = _seven_receipt(message, step, at)
        else:
            body = json.dumps({"receipts": [receipt(message, step.state, step.code, at)]}).encode()
        return self._receipts.add(
            api=message.api,
            url=message.receipts_url,
            reference=message.reference,
            to=message.to,
            state=step.state,
            body=body.decode(),
        )

    async def _post_late(self, told: Receipt) -> None:
        await asyncio.sleep(self._dice.uniform(1, 5) * self.weather.delay)
        await self._post(told)

    async def _post(self, told: Receipt) -> None:
        if not told.url or await self._offer(told):
            self._receipts.remove(told)
        else:
            self._start(self._offer_again(told))

    async def _offer_again(self, told: Receipt) -> None:
        for wait in AGAIN_AFTER:
            await asyncio.sleep(wait)
            if await self._offer(told):
                break
        self._receipts.remove(told)

    async def _offer(self, told: Receipt) -> bool:
        body = told.body.encode()
        if told.api == "seven":
            headers = seven_headers(self._secret, told.url, body)
        else:
            headers = self._webhooks.headers(body)
        await self._journal.keep(
            "offered", reference=told.reference, to=told.to, state=told.state
        )  # before, since what is taken may be answered to nobody
        async with self._places:
            try:
                answer = await self._client.post(told.url, content=body, headers=headers)
            except httpx.HTTPError:
                return False
        # As seven.io does it: what is refused otherwise would be refused again.
        done = answer.status_code != 429 and answer.status_code < 500
        if done:
            await self._journal.keep(
                "receipt",
                reference=told.reference,
                to=told.to,
                state=told.state,
                status=answer.status_code,
            )
        return done

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _moment(step: Step) -> datetime:
    """When it says that it happened."""
    return datetime.now(UTC) - (timedelta(seconds=60) if step.older else timedelta())


def receipt(message: Message, state: str, code: str | None, at: datetime) -> dict[str, str | None]:
    """A receipt of the generic API."""
    return {
        "id": message.id,
        "reference": message.reference,
        "state": state,
        "code": code,
        "at": at.isoformat(),
    }


def seven_time(at: datetime) -> str:
    """A time as seven.io writes it: German wall clock."""
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S.%f")


def _seven_receipt(message: Message, step: Step, at: datetime) -> bytes:
    data = {
        "msg_id": message.id.lstrip("0"),
        "status": SEVEN_STATES[step.state],
        "timestamp": seven_time(at),
        "foreign_id": message.reference,
    }
    stamp = at.astimezone(ZONE).isoformat(timespec="seconds")
    return json.dumps({"data": data, "webhook_event": "dlr", "webhook_timestamp": stamp}).encode()
