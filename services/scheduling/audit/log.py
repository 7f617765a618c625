"""The audit log as use cases have it: what is entered is proven, in the transaction of its deed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from chassis.auth import Caller
from chassis.database import Connection
from chassis.together import Writer
from contracts.rights import Right
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action, Deed, deed
from services.scheduling.audit.proving import Prover, Standing


@dataclass(frozen=True, slots=True)
class AuditLog:
    """One per process. Without a prover only the command line's entries stand (`Standing`)."""

    prover: Prover | None

    async def enter(self, tx: Writer, deed: Deed) -> None:
        """Enter a deed."""
        await audit_store.add(tx, deed, self.prover.prove(deed) if self.prover else None)

    async def enter_shown(
        self, tx: Connection, caller: Caller, appointment_ids: Sequence[UUID]
    ) -> None:
        """As `enter_reading`, of patients in an answer; others' answers leave the patient out."""
        if caller.may(Right.READ_APPOINTMENTS):
            await self.enter_reading(tx, deed(caller, Action.READ, *appointment_ids))

    async def enter_reading(self, tx: Connection, deed: Deed) -> None:
        """Enter that the deed's appointments were read: each once for a reader and hour.

        A page that loads the day again and again leaves one entry in an hour of the clock, not
        hundreds. Only what is proven counts, or a made-up entry would hold the true one back.
        """
        if not deed.appointment_ids:
            return
        known = {
            each
            for entry in await audit_store.alike_this_hour(tx, deed)
            if self.prover is None or self.prover.standing(entry) is Standing.PROVEN
            for each in entry.appointment_ids
        }
        # each once, in their order
        fresh = [each for each in dict.fromkeys(deed.appointment_ids) if each not in known]
        if fresh:
            await self.enter(tx, replace(deed, appointment_ids=fresh))
