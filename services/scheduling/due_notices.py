"""Requests the notices that are due, in the transaction that notes that it was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import outbox
from chassis.clock import Clock
from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import Event
from services.scheduling import messages, notice_store, notices, practice_store, store
from services.scheduling.links import Link, Links


@dataclass(frozen=True, slots=True)
class DueNotices:
    """One per process; any number of processes may work on the same rows."""

    links: Links
    channels: Sequence[Channel]
    sealer: Sealer
    source: str
    now: Clock

    async def request(self, tx: Connection) -> bool:
        """Request a batch; True if there may be more."""
        now = self.now()
        due = await notice_store.lock_due(tx, now)
        if not due:
            return False
        practices = await practice_store.find_all(tx, {each.practice_id for each in due})
        appointments = await store.find_all(tx, self.sealer, {each.appointment_id for each in due})
        events: list[Event] = []
        attempts: dict[UUID, int] = {}
        for each in notices.to_send(due):
            practice = practices.get(each.practice_id)
            appointment = appointments.get(each.appointment_id)
            if practice is None or appointment is None or appointment.starts_at <= now:
                continue  # too late, or nothing is held of the patient any more
            event = notices.requested(
                each.id,
                each.kind,
                appointment,
                practice,
                channels=self.channels,
                link=self.links.url(Link(appointment.id, appointment.link_version)),
                now=now,
                known_start=each.previous_start,
            )
            if event is not None:
                events.append(event)
                if not appointment.unsent:  # or it goes where no attempt went
                    attempts[each.id] = appointment.attempt
                await messages.count_notice(tx, self.sealer, appointment, event, now)
        await outbox.put(tx, events, source=self.source, sealer=self.sealer)
        await notice_store.done(tx, [each.id for each in due], attempts, now)
        return len(due) >= notice_store.BATCH
