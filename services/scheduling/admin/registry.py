"""Setting practices up and changing them, in the operator's scope; each is an audit entry."""

from collections.abc import Sequence
from dataclasses import fields, replace
from uuid import UUID

from chassis.clock import utc_now
from chassis.database import Connection
from services.scheduling import daily_mail, daily_mail_store, practice_store
from services.scheduling.audit import entry as audit
from services.scheduling.audit import store as audit_store
from services.scheduling.audit.entry import Action, Actor
from services.scheduling.practice import Practice, PracticeChange, new_practice


async def create(
    tx: Connection, operator: Actor, practice_id: UUID, settings: PracticeChange
) -> Practice:
    """Set a practice up. Raises InvalidInput, PracticeExists."""
    practice = new_practice(practice_id, settings)
    await practice_store.add(tx, practice)
    await daily_mail_store.schedule(tx, practice_id, daily_mail.following(practice, utc_now()))
    await _note(tx, operator, practice_id, [field.name for field in fields(PracticeChange)])
    return practice


async def change(
    tx: Connection, operator: Actor, practice_id: UUID, settings: PracticeChange
) -> Practice:
    """Set what is named; it holds from the next reading on. Raises InvalidInput, NoSuchPractice."""
    values = settings.checked()
    present = await practice_store.get(tx, practice_id, lock=True)
    changed = replace(present, **values)
    names = [name for name in values if getattr(present, name) != getattr(changed, name)]
    if names:
        await practice_store.update(tx, changed)
        if daily_mail.rhythm(changed) != daily_mail.rhythm(present):
            following = daily_mail.following(changed, utc_now())
            await daily_mail_store.schedule(tx, practice_id, following)
        await _note(tx, operator, practice_id, names)
    return changed


async def _note(tx: Connection, operator: Actor, practice_id: UUID, names: Sequence[str]) -> None:
    done = audit.operator_deed(operator, practice_id, Action.PRACTICE_CHANGED, changed=names)
    await audit_store.add(tx, done)
