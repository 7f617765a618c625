"""Requests the daily mails that are due, in the transaction that notes that the day is done.

How much is open only the status service knows, and it is asked outside of any transaction. Where it
does not answer, a mail stays due: it is asked again, and the mail goes out that much later.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from chassis import outbox
from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.loop import Loop
from chassis.sealing import Sealer
from contracts.events import DailyMailRequested
from services.scheduling import daily_mail, daily_mail_store, practice_store
from services.scheduling.daily_mail_store import DueMail
from services.scheduling.open_counts import CountUnknown

log = structlog.get_logger(__name__)

BATCH = 10
# For which others leave a batch alone, and after which one is asked again that was not answered:
# longer than all of a batch can take, at five seconds each.
ASK_AGAIN = timedelta(seconds=60)

due = Counter(
    "daily_mails_due_total",
    "Looks at daily mails that were due: requested, nothing open, or not known and put off",
    ["result"],
)


class NobodyAnswers(Exception):
    """How much is open could not be learnt of any practice."""


class DueDailyMails:
    """One per process; any number of processes may work on the same rows."""

    name = "daily mails"

    def __init__(
        self,
        db: Database,
        open_count: Callable[[UUID], Awaitable[int]],
        *,
        sealer: Sealer,
        source: str,
        link: str,
        poll: float,
        wake_relay: Callable[[], None],
        now: Clock,
    ) -> None:
        """`open_count` raises CountUnknown; `link` is where what is open is shown; `poll` in s."""
        self._db = db
        self._open_count = open_count
        self._sealer = sealer
        self._source = source
        self._link = link
        self._wake_relay = wake_relay
        self._now = now
        loop = Loop(
            self.name,
            self.turn,
            poll=poll,
            backoff=Backoff(first=1, most=60),
            transient=(*TRANSIENT_ERRORS, NobodyAnswers),
        )
        self.run = loop.run
        self.stalled = loop.stalled

    async def turn(self) -> bool:
        """Request a batch; True if there may be more. Raises NobodyAnswers."""
        now = self._now()
        async with self._db.system() as tx:
            claimed = await daily_mail_store.claim(tx, now, now + ASK_AGAIN, BATCH)
        answered = 0
        for each in claimed:
            try:
                count = await self._open_count(each.practice_id)
            except CountUnknown as unknown:
                due.labels("put off").inc()
                log.warning("daily mail put off", practice=str(each.practice_id), why=str(unknown))
                continue
            answered += 1
            async with self._db.system() as tx:
                result = await self._settle(tx, each, count)
            if result is not None:
                due.labels(result).inc()
                self._wake_relay()
        if claimed and not answered:
            raise NobodyAnswers
        return len(claimed) >= BATCH

    async def _settle(self, tx: Connection, mail: DueMail, count: int) -> str | None:
        """Note that the day is done, and request the mail if there is anything to tell.

        None if somebody else has, or the practice wants none any more.
        """
        now = self._now()
        practice = await practice_store.find(tx, mail.practice_id)
        following = None if practice is None else daily_mail.following(practice, now)
        if practice is None or following is None:
            return None  # with that setting its row goes
        if not await daily_mail_store.advance(tx, mail, following):
            return None
        if count == 0:
            return "nothing open"
        event = DailyMailRequested(
            practice_id=practice.id,
            day=daily_mail.day_of(practice, mail.due_at),
            recipient=practice.daily_mail_address,
            practice_name=practice.name,
            open_count=count,
            link=self._link,
            not_after=now + daily_mail.WITHIN,
        )
        await outbox.put(tx, [event], source=self._source, sealer=self._sealer)
        return "requested"
