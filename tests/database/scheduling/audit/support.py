"""Readings that the service enters, and what whoever has its role's password can enter."""

from collections.abc import Sequence
from uuid import UUID

from chassis.database import Database
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action, Actor, AuditEntry, Deed
from services.scheduling.audit.store import Filter
from tests.database.scheduling.support import AUDIT_LOG

READER = Actor("person", "auth0|7", 'Änne "Ä" \\ \x01\u2028\U0001f9d1', ("assistant",))


async def read(db: Database, practice_id: UUID, *ids: UUID, by: Actor = READER) -> None:
    async with db.practice(practice_id) as tx:
        await AUDIT_LOG.enter_reading(tx, Deed(by, Action.READ, practice_id, ids, (), None))


async def forge(db: Database, practice_id: UUID, *ids: UUID, proof: bytes | None = None) -> None:
    """As whoever has the serving role's password can."""
    async with db.practice(practice_id) as tx:
        await tx.execute(
            """
            INSERT INTO audit_entries (practice_id, actor_kind, actor_id, actor_name, actor_roles,
                action, appointment_ids, changed, proof)
            VALUES ($1, 'person', 'auth0|7', $2, '{assistant}', 'contact_data_read', $3, '{}', $4)
            """,
            practice_id,
            READER.name,
            ids,
            proof,
        )


async def entries(db: Database, practice_id: UUID) -> Sequence[AuditEntry]:
    """The log, oldest first."""
    async with db.practice(practice_id) as tx:
        found = await audit_store.page(tx, practice_id, Filter(), before=None, limit=1000)
    return found[::-1]
