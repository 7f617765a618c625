"""Records how tries ended: all that has come since the last commit in one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.loop import LONGEST_PAUSE, Loop
from services.notification.deliveries import metrics, store
from services.notification.deliveries.delivery import Transition
from services.notification.deliveries.events import NO_REPLY, DeliveryEvent, Misconfigured
from services.notification.deliveries.transitions import transition

log = structlog.get_logger(__name__)

POLL = 5.0  # seconds; results are recorded as they come
GATHERING = 0.02  # seconds that a result waits for those of the tries that are still under way


@dataclass(frozen=True, slots=True)
class Result:
    """How a try ended."""

    delivery_id: UUID
    event: DeliveryEvent


class Recorder:
    """Holds results until they are committed, through any outage of the database."""

    def __init__(
        self,
        db: Database,
        *,
        batch: int,
        now: Clock,
        committed: Callable[[Sequence[Result]], None],
        wake_relay: Callable[[], None],
    ) -> None:
        """At most `batch` results a transaction; `committed` hears which they were."""
        self._db = db
        self._batch = batch
        self._now = now
        self._committed = committed
        self._wake_relay = wake_relay
        self._results: list[Result] = []
        self._loop = Loop(
            "recorder",
            self._record_some,
            poll=POLL,
            longest_pause=LONGEST_PAUSE,
            backoff=Backoff(first=0.1, most=5),
        )
        self.run = self._loop.run

    def add(self, result: Result, *, others: bool = False) -> None:
        """Take a result in; where `others` are about to come it is recorded with them."""
        self._results.append(result)
        if others:
            self._loop.wake_within(GATHERING)
        else:
            self._loop.wake()

    async def finish(self) -> None:
        """Record the rest, after `run` was cancelled.

        What `run` had in hand may be recorded already; then it changes nothing.
        """
        if self._results:
            await self._record(self._results)

    async def _record_some(self) -> bool:
        """Record what has come; True if there is more."""
        batch = self._results[: self._batch]
        if batch:
            await self._record(batch)
            del self._results[: len(batch)]
            self._committed(batch)
        return bool(self._results)

    async def _record(self, results: Sequence[Result]) -> None:
        """Record all in one transaction; if the content of one prevents it, one by one."""
        try:
            await self._record_together(results)
        except TRANSIENT_ERRORS:
            raise
        except Exception as error:
            if len(results) > 1:
                for result in results:
                    await self._record([result])
                return
            # Its lease runs out and it is tried again.
            delivery_id = str(results[0].delivery_id)
            log.error("result can't be recorded", delivery_id=delivery_id, exc_info=error)

    async def _record_together(self, results: Sequence[Result]) -> None:
        now = self._now()
        steps: list[Transition] = []
        async with self._db.system() as tx:
            rows = await store.lock_deliveries(tx, [each.delivery_id for each in results])
            for result in results:
                if result.delivery_id not in rows:
                    continue  # erased while the message was under way
                steps.append(transition(rows[result.delivery_id], result.event, now))
                rows[result.delivery_id] = steps[-1].delivery
            outcomes = await store.save(tx, steps)
        metrics.count(outcomes)
        if outcomes:
            self._wake_relay()
        for result in results:
            _alert(result)


def _alert(result: Result) -> None:
    """Tell operations what only they can mend; what is about all mail is told by `Holding`."""
    event = result.event
    if isinstance(event, Misconfigured) and event.reply != NO_REPLY:
        log.error(
            "server refuses us",
            delivery_id=str(result.delivery_id),
            reply_code=event.reply.code,
            status_code=event.reply.status,
            reason=event.reply.reason,
        )
