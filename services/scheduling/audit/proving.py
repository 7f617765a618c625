"""The proof of an audit entry: that a process with the key has entered it, and when it says it did.

    key number, 1 byte | nonce, 16 | microseconds since 1970 on the writer's clock, 8 | MAC, 32

The MAC (chassis/signed.py) is over these and the SHA-256 of the deed as JSON:

    [practice, actor's kind, id, name, roles, action, appointments, changed, trace id]

The key is the process's and not its database's: who has the serving role's password, or a hole in
a statement, can write a row and not its proof. One that was copied is refused by the table, where
proofs are unique, and can't be entered later, as the writer's time is not the row's any more.
"""

import hashlib
import json
import secrets
import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from chassis.clock import Clock, utc_now
from chassis.secret_keys import newest
from chassis.signed import Signer
from services.scheduling.audit.entry import COMMAND_LINE, AuditEntry, Deed

PURPOSE = b"einladung/audit-entry/v1"
NONCE_BYTES = 16
MAC_BYTES = 32
HEAD = struct.Struct(f">B{NONCE_BYTES}sq")
PROOF_BYTES = HEAD.size + MAC_BYTES
# Of the writer's clock and the database's, with what an entry may wait for its turn.
MAX_APART = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Standing(StrEnum):
    """What an entry's proof is worth."""

    PROVEN = "proven"
    OF_OWNER = "of_owner"  # the command line's, without a key: the database takes it of its owner
    KEY_RETIRED = "key_retired"  # older than all that are known: nobody can say any more
    KEY_UNKNOWN = "key_unknown"
    MISSING = "missing"
    WRONG = "wrong"
    OTHER_TIME = "other_time"


STANDS = frozenset({Standing.PROVEN, Standing.OF_OWNER})


class Prover:
    """Proves deeds and judges entries. The highest number proves; the others are still known."""

    def __init__(self, keys: Mapping[int, bytes], now: Clock = utc_now) -> None:
        self._numbers = frozenset(keys)
        self._newest = newest(keys)
        self._signer = Signer(keys, purpose=PURPOSE, mac_bytes=MAC_BYTES)
        self._now = now

    def prove(self, deed: Deed) -> bytes:
        """A proof of the deed, to be entered at once."""
        written = (self._now() - EPOCH) // timedelta(microseconds=1)
        head = HEAD.pack(self._newest, secrets.token_bytes(NONCE_BYTES), written)
        mac = self._signer.sign(head[1:] + _digest(deed))[-MAC_BYTES:]
        return head + mac

    def standing(self, entry: AuditEntry) -> Standing:
        """What the entry's proof is worth; whether another has the same is not asked."""
        proof = entry.proof
        if proof is None:
            # The trigger `stamped` takes this actor of nobody but the table's owner.
            by_owner = (entry.actor_kind, entry.actor_id) == (COMMAND_LINE.kind, COMMAND_LINE.id)
            return Standing.OF_OWNER if by_owner else Standing.MISSING
        if len(proof) != PROOF_BYTES:
            return Standing.WRONG
        number, _, written = HEAD.unpack_from(proof)
        if number not in self._numbers:
            retired = number < min(self._numbers)
            return Standing.KEY_RETIRED if retired else Standing.KEY_UNKNOWN
        head, mac = proof[: HEAD.size], proof[HEAD.size :]
        if self._signer.verify(head + _digest(entry.deed) + mac) is None:
            return Standing.WRONG
        apart = abs((entry.at - EPOCH) // timedelta(microseconds=1) - written)
        if apart > MAX_APART // timedelta(microseconds=1):
            return Standing.OTHER_TIME
        return Standing.PROVEN


def _digest(deed: Deed) -> bytes:
    told = [
        str(deed.practice_id) if deed.practice_id else None,
        deed.actor.kind,
        deed.actor.id,
        deed.actor.name,
        list(deed.actor.roles),
        deed.action,
        [str(each) for each in deed.appointment_ids],
        list(deed.changed),
        deed.trace_id,
    ]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).digest()
