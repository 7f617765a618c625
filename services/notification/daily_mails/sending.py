"""Sends the daily mails: one at a time, so that patients' mail has the server to itself.

Each goes out once. Only where the server gave no clean reply, or nobody noted how a try ended, one
further copy follows, ever, under the same Message-ID; and none after the mail has had its time.
"""

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

import structlog

from chassis.backoff import Backoff
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Database
from chassis.loop import Loop
from chassis.sealing import NotOpened, Sealer
from contracts.mailboxes import Mailbox, parse_mailbox
from services.notification.daily_mails import store
from services.notification.daily_mails.mail import DailyMails
from services.notification.daily_mails.store import ClaimedMail
from services.notification.deliveries import metrics
from services.notification.deliveries.retries import RetryPolicy
from services.notification.letters.letter import UnusableLetter
from services.notification.sending.sender import Contact, LeaseLost, SendResult, Verdict

log = structlog.get_logger(__name__)

MOST_COPIES = 2  # that may go out
RECORDING = 30.0  # seconds for a turn beyond the try itself
PERMANENT = SendResult(Verdict.PERMANENT)

# The reference that what comes back names, the mailbox, the message, what to call before the dot.
Post: TypeAlias = Callable[[UUID, Mailbox, bytes, Callable[[], None]], Awaitable[SendResult]]


class Ended(StrEnum):
    """How a daily mail ended."""

    SENT = "sent"
    FAILED = "failed"  # refused, or not taken in time
    UNKNOWN = "unknown"  # it may have gone out; no clean reply came


ENDINGS = {
    Ended.SENT: "daily mail sent",
    Ended.FAILED: "daily mail not sent",
    Ended.UNKNOWN: "daily mail perhaps not sent",
}


class ServerAway(Exception):
    """The server takes nothing now: the next try would go as this one did."""


class DailyMailSending:
    """One per process; any number of processes may work on the same rows."""

    name = "daily mails"

    def __init__(
        self,
        db: Database,
        mails: DailyMails,
        post: Post,
        *,
        sealer: Sealer,
        retry: RetryPolicy,
        longest_send: float,
        poll: float,
        now: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`longest_send` and `poll` in seconds: when `post` has ended, whatever the server does."""
        self._db = db
        self._mails = mails
        self._post = post
        self._sealer = sealer
        self._retry = retry
        self._lease = longest_send + RECORDING
        self._now = now
        self._jitter = jitter
        loop = Loop(
            self.name,
            self.turn,
            poll=poll,
            backoff=Backoff(first=1, most=60),
            transient=(*TRANSIENT_ERRORS, ServerAway),
            max_turn=longest_send + 2 * RECORDING,
        )
        self.run = loop.run
        self.wake = loop.wake
        self.stalled = loop.stalled

    async def turn(self) -> bool:
        """Try the mail that has waited longest; False if none is due. Raises ServerAway."""
        now = self._now()
        lease = timedelta(seconds=self._lease)
        expires = time.monotonic() + self._lease
        async with self._db.system() as tx:
            claimed = await store.claim(tx, now, now + lease)
        if claimed is None:
            return False
        if claimed.unanswered >= MOST_COPIES:
            await self._end(claimed, Ended.UNKNOWN)
        elif now >= claimed.not_after:
            await self._end(claimed, Ended.UNKNOWN if claimed.unanswered else Ended.FAILED)
        else:
            await self._conclude(claimed, result := await self._try(claimed, expires))
            if result.contact in {Contact.SILENT, Contact.REFUSES_US}:
                raise ServerAway
        return True

    async def _try(self, claimed: ClaimedMail, expires: float) -> SendResult:
        """What cannot become a mail is refused for good."""
        handed_over = False

        def hand_over() -> None:
            nonlocal handed_over
            if time.monotonic() >= expires:
                raise LeaseLost
            handed_over = True

        try:
            mail = claimed.open(self._sealer)
            mailbox = parse_mailbox(mail.recipient)
            if mailbox is None:
                return PERMANENT
            message = self._mails.compose(
                mail, recipient=mailbox.address, message_id=claimed.message_id, now=self._now()
            )
        except (NotOpened, UnusableLetter) as error:
            log.error(
                "daily mail can't be composed",
                mail_id=str(claimed.id),
                error=type(error).__qualname__,
            )
            return PERMANENT
        try:
            return await self._post(claimed.id, mailbox, message, hand_over)
        except LeaseLost:
            return SendResult(Verdict.TEMPORARY)
        except Exception as error:  # a fault of ours, which is to hold up no other mail
            log.error("daily mail can't be sent", mail_id=str(claimed.id), exc_info=error)
            return SendResult(Verdict.REPLY_LOST if handed_over else Verdict.TECHNICAL)
        except BaseException:  # cancelled: this process ends
            if not handed_over:
                await self._give_back(claimed)
            raise

    async def _give_back(self, claimed: ClaimedMail) -> None:
        """Nothing went out: another process may try at once."""
        with suppress(*TRANSIENT_ERRORS):
            async with self._db.system() as tx:
                await store.again(tx, claimed, self._now(), unanswered=claimed.unanswered)

    async def _conclude(self, claimed: ClaimedMail, result: SendResult) -> None:
        if result.verdict is Verdict.ACCEPTED:
            await self._end(claimed, Ended.SENT)
            return
        if result.verdict is Verdict.PERMANENT:
            await self._end(claimed, Ended.UNKNOWN if claimed.unanswered else Ended.FAILED, result)
            return
        unanswered = claimed.unanswered + (result.verdict is Verdict.REPLY_LOST)
        at = self._retry.next_try(
            tries=claimed.tries,
            now=self._now(),
            deadline=claimed.not_after,
            jitter=self._jitter(),
            not_before=result.not_before,
        )
        if at is None or unanswered >= MOST_COPIES:
            await self._end(claimed, Ended.UNKNOWN if unanswered else Ended.FAILED, result)
            return
        async with self._db.system() as tx:
            await store.again(tx, claimed, at, unanswered=unanswered)

    async def _end(
        self, claimed: ClaimedMail, ended: Ended, result: SendResult | None = None
    ) -> None:
        async with self._db.system() as tx:
            ours = await store.end(tx, claimed)
        if not ours:
            return
        metrics.daily_mails.labels(ended.value).inc()
        tell = log.info if ended is Ended.SENT else log.error
        tell(
            ENDINGS[ended],
            outcome=ended.value,
            mail_id=str(claimed.id),
            practice=str(claimed.practice_id),
            code=result and result.reply.code,
            status=result and result.reply.status,
        )
