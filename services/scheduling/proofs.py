"""Proofs for disputes: of each appointment what was sent where, as far as it is kept here.

Who asks for them reads names and addresses, which the audit log says; that they were exported for
a range of days is a deed of its own.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import Connection, Database
from chassis.sealing import Sealer
from services.scheduling import forms, practice_store, proof_store
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import Action
from services.scheduling.audit.log import AuditLog
from services.scheduling.places import ListPlace
from services.scheduling.practice import Practice
from services.scheduling.problems import NotFound
from services.scheduling.proof_store import Proof
from services.scheduling.wall_clock import day_bounds

EXPORT_BATCH = 200  # appointments: what an export holds in memory


@dataclass(frozen=True, slots=True)
class Range:
    """Days on the practice's clock, both included."""

    practice: Practice
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Proofs:
    """One per process."""

    db: Database
    sealer: Sealer
    audit_log: AuditLog
    now: Clock

    async def get(self, caller: Caller, appointment_id: UUID) -> tuple[Practice, Proof]:
        """Of one appointment, deleted or not. Raises NotFound."""
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.of_caller(tx, caller.practice_id)
            found = await proof_store.find(tx, self.sealer, practice.id, appointment_id, self.now())
            if found is None:
                raise NotFound
            await self._note_reading(tx, caller, [found])
        return practice, found

    async def begin(self, caller: Caller, first: date, last: date) -> Range:
        """Enter that these days are exported. Raises InvalidInput for too many."""
        forms.check_range(first, last)
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.of_caller(tx, caller.practice_id)
            days = f"{first}/{last}"  # ISO 8601-1, section 5.5
            deed = audit.deed(caller, Action.PROOF_EXPORTED, changed=[days])
            await self.audit_log.enter(tx, deed)
        return Range(practice, first, last)

    async def batches(self, caller: Caller, wanted: Range) -> AsyncIterator[Sequence[Proof]]:
        """Of all that start on these days, by start; each batch in a transaction of its own."""
        practice = wanted.practice
        first, _ = day_bounds(wanted.first, practice.zone)
        _, until = day_bounds(wanted.last, practice.zone)
        after = None
        while True:
            async with self.db.practice(practice.id) as tx:
                found = await proof_store.page(
                    tx,
                    self.sealer,
                    practice.id,
                    first,
                    until,
                    self.now(),
                    after=after,
                    limit=EXPORT_BATCH,
                )
                await self._note_reading(tx, caller, found)
            yield found
            if len(found) < EXPORT_BATCH:
                return
            after = ListPlace(found[-1].starts_at, found[-1].appointment_id)

    async def _note_reading(self, tx: Connection, caller: Caller, shown: Sequence[Proof]) -> None:
        ids = [proof.appointment_id for proof in shown if proof.known]
        await self.audit_log.enter_reading(tx, audit.deed(caller, Action.READ, *ids))
