"""Asks for the notices that are due, in the transaction that notes that it was done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from chassis import outbox
from chassis.database import Connection
from chassis.sealing import NotOpened, Sealer
from contracts.events import Channel, NoticeRequested
from services.scheduling import notice_store, notices, practice_store, store
from services.scheduling.links import Link, Links
from services.scheduling.notices import Due

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Noticing:
    """One per process; any number of processes may work on the same rows."""

    links: Links
    channels: Sequence[Channel]
    sealer: Sealer
    source: str
    now: Callable[[], datetime]

    async def request_due(self, tx: Connection) -> bool:
        """Request a batch; True if there may be more."""
        now = self.now()
        due = await notice_store.lock_due(tx, now)
        if not due:
            return False
        events = [
            event
            for each in notices.to_send(due)
            if (event := await self._event(tx, each, now)) is not None
        ]
        await outbox.put(tx, events, source=self.source, sealer=self.sealer)
        await notice_store.done(tx, [each.id for each in due], now)
        return len(due) >= notice_store.AT_ONCE

    async def _event(self, tx: Connection, due: Due, now: datetime) -> NoticeRequested | None:
        """What to tell; None where it is too late, or nothing is held of the patient any more."""
        practice = await practice_store.find(tx, due.practice_id)
        try:
            appointment = await store.get(tx, self.sealer, due.practice_id, due.appointment_id)
        except NotOpened:  # the others must not wait for it
            log.error("contact can't be opened", appointment_id=str(due.appointment_id))
            return None
        if practice is None or appointment is None or appointment.starts_at <= now:
            return None
        return notices.requested(
            due.id,
            due.kind,
            appointment,
            practice,
            channels=self.channels,
            link=self.links.url(Link(appointment.id, appointment.link_version)),
            known_start=due.previous_start,
        )
