"""What the proofs of one chain's entries are worth, for whoever checks the audit log.

Pure: no I/O.
"""

from collections import Counter
from datetime import datetime

from services.scheduling.audit.entry import AuditEntry
from services.scheduling.audit.proving import Prover, Standing

REPEATED = "repeated"
TOLD: dict[str, str] = {
    Standing.MISSING: "no proof",
    Standing.WRONG: "a proof of something else",
    Standing.OTHER_TIME: "a proof of another time",
    Standing.KEY_UNKNOWN: "a proof by a key that was never known",
    REPEATED: "another's proof",
}


class ProofCheck:
    """Follows one chain, entry by entry; keeps the proofs it has seen, 57 bytes each."""

    def __init__(self, prover: Prover) -> None:
        self._prover = prover
        self._seen: set[bytes] = set()
        self._many: Counter[str] = Counter()
        self._first: dict[str, int | None] = {}
        self._retired: datetime | None = None  # when the newest of these was entered

    def follow(self, entry: AuditEntry) -> None:
        """The next entry."""
        standing = self._prover.standing(entry)
        if standing is Standing.KEY_RETIRED:
            self._many[standing] += 1
            self._retired = max(self._retired or entry.at, entry.at)
        if entry.proof in self._seen:
            self._tell(REPEATED, entry)
        elif standing in TOLD:
            self._tell(standing, entry)
        if entry.proof is not None:
            self._seen.add(entry.proof)

    def _tell(self, fault: str, entry: AuditEntry) -> None:
        self._many[fault] += 1
        self._first.setdefault(fault, entry.number)

    def faults(self) -> list[str]:
        """What somebody else than the service has entered, a sentence for each kind."""
        return [
            f"entry {number} has {TOLD[fault]}"
            + (f", and {self._many[fault] - 1} more" if self._many[fault] > 1 else "")
            for fault, number in self._first.items()
        ]

    @property
    def retired(self) -> str | None:
        """What can't be checked any more, if anything; it is no fault."""
        if self._retired is None:
            return None
        many = self._many[Standing.KEY_RETIRED]
        return (
            f"the proofs up to {self._retired:%Y-%m-%d %H:%M} UTC can't all be checked any more: "
            f"of {many} the key is no longer known"
        )
