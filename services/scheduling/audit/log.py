"""The audit log as use cases have it: what is entered is proven, in the transaction of its deed."""

from dataclasses import dataclass, replace

from chassis.database import Connection
from chassis.together import Writer
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Deed
from services.scheduling.audit.proving import Prover, Standing


@dataclass(frozen=True, slots=True)
class AuditLog:
    """One per process. Without a prover only the command line's entries stand (`Standing`)."""

    prover: Prover | None

    async def enter(self, tx: Writer, deed: Deed) -> None:
        """Enter a deed."""
        await audit_store.add(tx, deed, self.prover.prove(deed) if self.prover else None)

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
