"""Entries that nobody with the key has entered are noticed within seconds."""

from collections import Counter
from uuid import UUID

import prometheus_client
import structlog

from chassis.database import Connection
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.proving import STANDS, Prover, Standing

LOOKED_AT_ONCE = 1000  # entries

forged = prometheus_client.Counter(
    "audit_entries_forged_total", "Audit entries without a proof that holds", ["cause"]
)
log = structlog.get_logger(__name__)


class AuditWatch:
    """Seals entries, and looks at the proof of all that were sealed, by whomever.

    Not only at those that it seals itself: the serving role may seal too. They are followed by
    the order of their sealing, in which none comes afterwards, however long its transaction was
    held open.
    """

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._last: int | None = None  # that was looked at

    async def turn(self, tx: Connection) -> bool:
        """Seal and look, in batches; whether there may be more. The first time: at a day's."""
        more = await audit_store.seal(tx)
        if self._last is None:
            self._last = await audit_store.sealed_before_today(tx)
        found = await audit_store.sealed_after(tx, self._last, limit=LOOKED_AT_ONCE)
        causes: Counter[Standing] = Counter()
        first: dict[Standing, UUID] = {}
        for place, entry in found:
            # A retired key proves nothing that is as young as this.
            standing = self._prover.standing(entry)
            if standing not in STANDS:
                causes[standing] += 1
                first.setdefault(standing, entry.id)
            self._last = place
        for cause, entries in causes.items():
            forged.labels(cause).inc(entries)
            log.warning(
                "audit entries not proven", cause=cause, entries=entries, first=str(first[cause])
            )
        return more or len(found) == LOOKED_AT_ONCE
