"""What a worker claims at a time, and what it knows of the rest."""

import asyncio
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.database import Connection, Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import NoticeKind
from services.notification.deliveries.delivery import State
from services.notification.sending.claims import Claims
from services.notification.sending.due import NOBODY, DueDelivery, Turns, lock_due
from tests.database.notification.support import deliveries_of, handle, invitation, notice, now
from tests.support import eventually

HELD_UP = 4711  # an advisory lock


async def due(db: Database, sealer: Sealer, **invitations: int) -> dict[UUID, str]:
    """So many invitations by mail of each of these practices, which are found by their ids."""
    practices = {name: uuid7() for name in invitations}
    for name, number in invitations.items():
        requests = [invitation(practice_id=practices[name]) for _ in range(number)]
        await handle(db, sealer, *requests)
    return {practice_id: name for name, practice_id in practices.items()}


async def test_whether_more_is_due_is_known_without_another_look(
    notification_db: Database, sealer: Sealer
) -> None:
    names = await due(notification_db, sealer, one=1, other=4)
    claims = Claims(
        notification_db, Channel.EMAIL, lease=60, share=9, now=now, wake_relay=lambda: None
    )

    async def take(most: int) -> tuple[list[str], bool]:
        found, more = await claims.take(most)
        return [names[each.delivery.practice_id] for each in found], more

    assert await take(4) == (["one", "other", "other"], True)  # an equal part for each
    assert await take(1) == (["other"], True)
    assert await take(2) == (["other"], False)  # none is left
    assert await take(2) == ([], False)


async def test_what_another_worker_is_about_to_claim_is_left_to_it_and_counts_as_more(
    notification_db: Database, sealer: Sealer
) -> None:
    await due(notification_db, sealer, one=2, two=1)
    turns = Turns(after=NOBODY, share=9, under_way={})
    async with notification_db.system() as first, notification_db.system() as second:
        mine, more = await lock_due(first, Channel.EMAIL, now(), 1, turns)
        theirs, others = await lock_due(second, Channel.EMAIL, now(), 9, turns)
    assert (len(mine), more, len(theirs), others) == (1, True, 2, False)
    async with notification_db.system() as first, notification_db.system() as second:
        await lock_due(first, Channel.EMAIL, now(), 2, turns)
        found, more = await lock_due(second, Channel.EMAIL, now(), 2, turns)
    # The other practice's one is locked: whether there is a third to look at is not known.
    assert (len(found), more) == (1, True)


async def test_of_more_practices_than_places_the_others_are_not_forgotten(
    notification_db: Database, sealer: Sealer
) -> None:
    await due(notification_db, sealer, one=1, two=1, three=1)
    claims = Claims(
        notification_db, Channel.EMAIL, lease=60, share=9, now=now, wake_relay=lambda: None
    )
    taken = [await claims.take(2) for _ in range(2)]
    assert [(len(found), more) for found, more in taken] == [(2, True), (1, False)]


class HeldUp:
    """A worker's transaction whose statement that locks has begun, and then waits for a lock."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    async def fetch(self, query: str, *args: object) -> list[Any]:
        lock = f"CROSS JOIN (SELECT pg_advisory_xact_lock({HELD_UP})) AS held_up"
        return await self._tx.fetch(
            query.replace("FROM waiting\n", f"FROM waiting {lock}\n"), *args
        )


async def test_what_is_moved_while_a_worker_is_about_to_lock_it_goes_out_with_the_new_time(
    notification_db: Database, sealer: Sealer
) -> None:
    """Its notice is withheld, as the invitation was still to be sent."""
    request = invitation()
    start = request.start + timedelta(hours=1)
    changes = {"appointment_version": 2, "start": start, "not_after": start}
    moved = notice(request, NoticeKind.MOVED, previous_start=request.start, **changes)
    await handle(notification_db, sealer, request)

    async def claim() -> list[DueDelivery]:
        turns = Turns(after=NOBODY, share=9, under_way={})
        async with notification_db.system() as tx:
            held_up = cast("Connection", HeldUp(tx))
            found, _ = await lock_due(held_up, Channel.EMAIL, now(), 9, turns)
        return found

    async with notification_db.system() as holder:
        await holder.execute("SELECT pg_advisory_xact_lock($1)", HELD_UP)
        worker = asyncio.create_task(claim())

        async def has_begun() -> bool:
            query = "SELECT EXISTS (SELECT FROM pg_locks WHERE objid = $1 AND NOT granted)"
            return bool(await holder.fetchval(query, HELD_UP))

        await eventually(has_begun, "the worker's statement")
        await handle(notification_db, sealer, moved)
    (due,) = await worker
    states = {each.kind: each.state for each in await deliveries_of(notification_db, request)}
    assert states == {"invitation": State.QUEUED, "moved": State.CANCELLED}
    letter = due.open(sealer, due.delivery)
    assert (due.start, letter.start, letter.appointment_version) == (start, start, 2)
