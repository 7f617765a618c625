"""A restored database learns from the topic what was told since."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis.database import Connection
from chassis.sealing import Sealer
from contracts.events import ErasureReason
from services.scheduling import erasure, erasure_store, notice_store, notices, practice_store
from services.scheduling import store as appointment_store
from services.scheduling.recovery import store
from services.scheduling.recovery.told import Told


@dataclass(slots=True)
class Learnt:
    """What came out: what is as it was told, and what nobody here can make good."""

    made_good: int = 0
    lost: list[Told] = field(default_factory=list)  # name, address and link are gone
    outdated: list[Told] = field(default_factory=list)  # name and addresses may be others by now

    def lines(self) -> Iterable[str]:
        """For the operator, who tells the practices."""
        yield f"scheduling: {self.made_good} moves, deletions and erasures are made good."
        for each in self.lost:
            start = f"{each.starts_at:%Y-%m-%d %H:%M} UTC" if each.starts_at else "unknown"
            yield (
                f"LOST: practice {each.practice_id}, appointment {each.appointment_id}, start "
                f"{start}. Its patient's link leads nowhere: make it anew."
            )
        for each in self.outdated:
            yield (
                f"CHECK: practice {each.practice_id}, appointment {each.appointment_id} was sent "
                "again or corrected since: name and addresses are those before, and links may be "
                "void or hold that should not. Correct them and send it again."
            )


async def learn(
    tx: Connection, sealer: Sealer, told: Told, learnt: Learnt, *, source: str, now: datetime
) -> None:
    """Take over what the topic tells of one appointment."""
    row = await store.lock(tx, told.appointment_id)
    if row is None:
        if not told.deleted and told.erased is None and told.starts_at and told.starts_at > now:
            learnt.lost.append(told)
        return
    if row["erased"] and told.erased is not ErasureReason.REQUEST:
        return
    if told.erased is not None:
        learnt.made_good += 1
        await _erase(tx, told, row, source, now)
        return
    moved = told.scheduled > row["version"] and not row["deleted"]
    await store.correct(
        tx,
        told.appointment_id,
        version=max(row["version"], told.version),
        attempt=max(row["attempt"], told.attempt),
        starts_at=told.starts_at if moved and told.starts_at else row["starts_at"],
        duration_minutes=told.duration_minutes
        if moved and told.duration_minutes
        else row["duration_minutes"],
    )
    if told.deleted and not row["deleted"]:
        learnt.made_good += 1
        await appointment_store.delete(tx, told.practice_id, told.appointment_id, now)
        await tx.execute("DELETE FROM notices WHERE appointment_id = $1", told.appointment_id)
        return
    newer = told.attempt > row["attempt"] or told.corrected > row["version"]
    if newer and not row["deleted"]:
        learnt.outdated.append(told)
    if moved:
        learnt.made_good += 1
        await _plan(tx, sealer, told, now)


async def _plan(tx: Connection, sealer: Sealer, told: Told, now: datetime) -> None:
    """Reminders of the start that it now has."""
    practice = await practice_store.find(tx, told.practice_id)
    appointment = await appointment_store.find(tx, sealer, told.practice_id, told.appointment_id)
    if practice is not None and appointment is not None:
        reminders = notices.reminders(practice, appointment.starts_at, now)
        await notice_store.plan(tx, appointment, reminders)


async def _erase(
    tx: Connection, told: Told, row: dict[str, Any], source: str, now: datetime
) -> None:
    held = erasure_store.Held(row["id"], row["practice_id"], row["version"], row["deleted"])
    if told.erased is ErasureReason.REQUEST:
        await erasure.on_request(tx, held, source, now)
    else:
        await erasure_store.forget(tx, [held])
        await erasure_store.clear(tx, [held], now)
