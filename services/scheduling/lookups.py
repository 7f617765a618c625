"""Looking appointments up: those of some days, those that changed, those of a patient by name.

Names are sealed, so a search opens them, newest start first and batch by batch (ADR 39), and the
next one has them in memory (ADR 57). What is shown is noted as read, what was only opened is not:
nobody has seen it.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import UUID

from chassis.auth import Caller
from chassis.clock import Clock
from chassis.database import TRANSIENT_ERRORS, Connection, Database
from chassis.sealing import Sealer
from contracts.events import References
from services.scheduling import forms, practice_store, store
from services.scheduling.appointments import NO_REFERENCES, Appointment, Gone
from services.scheduling.audit import entry as audit
from services.scheduling.audit.entry import Action
from services.scheduling.audit.log import AuditLog
from services.scheduling.name_search import Named, NameSearch
from services.scheduling.opened_names import Names, OpenedNames, size
from services.scheduling.places import ListPlace
from services.scheduling.practice import Practice
from services.scheduling.wall_clock import day_bounds

BATCH = 1000  # names: some milliseconds in which nothing else is done
MOST_OPENED = 20_000  # names of one look-up; it goes on where it ended
KEPT_UP_WITHIN = 20.0  # seconds
MOST_CHANGED = 2_000  # names that are brought up to date; if it is more, all are opened anew

_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9900, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, and where the next one begins; None at its end."""

    practice: Practice
    appointments: Sequence[Appointment]
    following: ListPlace | None


@dataclass(frozen=True, slots=True)
class Changes:
    """A page of what changed, and where the next one begins; None at its end."""

    practice: Practice
    changed: Sequence[Appointment | Gone]
    following: ListPlace | None


@dataclass(frozen=True, slots=True)
class Lookups:
    """One per process."""

    db: Database
    sealer: Sealer
    audit_log: AuditLog
    now: Clock
    names: OpenedNames = field(default_factory=OpenedNames)

    async def between(
        self,
        caller: Caller,
        first: date | None,
        last: date | None,
        *,
        after: ListPlace | None,
        limit: int,
    ) -> Page:
        """Of those that start on these days, both included, by start. Raises InvalidInput."""
        first, last = forms.range_of(first, last)
        return await self._listed(caller, NO_REFERENCES, first, last, after=after, limit=limit)

    async def referred(
        self,
        caller: Caller,
        references: References,
        first: date | None,
        last: date | None,
        *,
        after: ListPlace | None,
        limit: int,
    ) -> Page:
        """Those that have all of these references, by start. Raises InvalidInput."""
        forms.check_order(first, last)
        return await self._listed(caller, references, first, last, after=after, limit=limit)

    async def _listed(
        self,
        caller: Caller,
        references: References,
        first: date | None,
        last: date | None,
        *,
        after: ListPlace | None,
        limit: int,
    ) -> Page:
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.of_caller(tx, caller.practice_id)
            found = await store.page(
                tx,
                self.sealer,
                practice.id,
                *_moments(practice, first, last),
                references=references,
                after=after,
                limit=limit + 1,
            )
            return await self._page(tx, caller, practice, found, limit)

    async def changes(
        self,
        caller: Caller,
        since: datetime,
        first: date | None,
        last: date | None,
        *,
        after: ListPlace | None,
        limit: int,
    ) -> Changes:
        """What changed at this moment or later, in the order in which it did.

        With days only of appointments that start on them. Raises InvalidInput.
        """
        some_days = first is not None or last is not None
        days = forms.range_of(first, last) if some_days else None
        async with self.db.practice(caller.practice_id) as tx:
            practice = await practice_store.of_caller(tx, caller.practice_id)
            found = await store.changes(
                tx,
                self.sealer,
                practice.id,
                since,
                starting=days and _moments(practice, *days),
                after=after,
                limit=limit + 1,
            )
            shown = found[:limit]
            read = [each.id for each in shown if isinstance(each, Appointment)]
            await self.audit_log.enter_reading(tx, audit.deed(caller, Action.READ, *read))
        more = len(found) > limit
        place = ListPlace(shown[-1].updated_at, shown[-1].id) if more else None
        return Changes(practice, shown, place)

    async def next_start(self, practice: Practice, day: date) -> datetime | None:
        """When the first appointment after this day starts; which it is is not read."""
        _, until = day_bounds(day, practice.zone)
        async with self.db.practice(practice.id) as tx:
            return await store.next_start(tx, practice.id, until)

    async def of_name(
        self,
        caller: Caller,
        wanted: NameSearch,
        first: date | None,
        last: date | None,
        *,
        after: ListPlace | None,
        limit: int,
    ) -> Page:
        """Those of patients with this name, the one that starts last first.

        A page may be short, or empty, and not the last one: so many names were opened. Raises
        InvalidInput.
        """
        forms.check_order(first, last)
        async with self.names.of(caller.practice_id) as names:
            async with self.db.practice(caller.practice_id) as tx:
                practice = await practice_store.of_caller(tx, caller.practice_id)
                await self._bring_up_to_date(tx, practice.id, names)
            days = _moments(practice, first, last)
            ids, following = await self._search(practice.id, names, wanted, days, after, limit)
        async with self.db.practice(practice.id) as tx:
            named = await store.named(tx, self.sealer, practice.id, ids, self.now())
            shown = [each for each in reversed(named) if not each.cancelled]
            await self.audit_log.enter_reading(
                tx, audit.deed(caller, Action.READ, *(each.id for each in shown))
            )
        return Page(practice, shown, following)

    async def keep_up(self, db: Database) -> bool:
        """Leave no name in memory that is gone; to be done every now and then. False: all is done.

        Names that can't be brought up to date soon are forgotten. Raises what the database raises,
        and TimeoutError. The database is that of the background: callers in each other's way are no
        reason to forget, and to have each of them open all names anew.
        """
        try:
            async with asyncio.timeout(KEPT_UP_WITHIN):
                for practice_id, names in self.names.all():
                    async with names.turn, db.practice(practice_id) as tx:
                        await self._bring_up_to_date(tx, practice_id, names)
        except TRANSIENT_ERRORS:
            self.names.forget_all()
            raise
        return False

    async def _page(
        self,
        tx: Connection,
        caller: Caller,
        practice: Practice,
        found: Sequence[Appointment],
        limit: int,
    ) -> Page:
        """The first ones of those found, noted as read."""
        shown = found[:limit]
        await self.audit_log.enter_reading(
            tx, audit.deed(caller, Action.READ, *(each.id for each in shown))
        )
        more = len(found) > limit
        return Page(practice, shown, ListPlace(shown[-1].starts_at, shown[-1].id) if more else None)

    async def _bring_up_to_date(self, tx: Connection, practice_id: UUID, names: Names) -> None:
        """Have what is known of names be what it is now, however it changed."""
        now = await store.changed_at(tx, practice_id)
        if names.as_of is not None and names.as_of < now:
            ids, named = await store.names_changed(
                tx, self.sealer, practice_id, names.as_of, MOST_CHANGED + 1
            )
            if len(ids) <= MOST_CHANGED:
                names.change(ids, named)
            else:
                names.clear()
        elif names.as_of != now:  # known for the first time, or from before a restore
            names.clear()
        names.as_of = now

    async def _search(
        self,
        practice_id: UUID,
        names: Names,
        wanted: NameSearch,
        days: tuple[datetime, datetime],
        after: ListPlace | None,
        limit: int,
    ) -> tuple[list[UUID], ListPlace | None]:
        """Ids of those that are found, and behind which place there may be more."""
        begin, until = days
        found: dict[UUID, ListPlace] = {}

        def page_is_full(more: Iterable[Named]) -> bool:
            for each in more:
                if len(found) == limit:
                    return True
                place = ListPlace.of_named(each)
                found.setdefault(place.appointment_id, place)
            return False

        if page_is_full(names.found(wanted, begin, until, after)):
            return list(found), [*found.values()][-1]
        place = after if names.reach is None else min(names.reach, after or names.reach)
        goes_on = place == names.reach and days == (_EARLIEST, _LATEST)
        opened, ends = 0, names.covers(begin)
        while not ends and opened < MOST_OPENED:
            async with self.db.practice(practice_id) as tx:
                named = await store.names(
                    tx, self.sealer, practice_id, begin, until, before=place, limit=BATCH
                )
            ends = len(named) < BATCH
            goes_on = goes_on and names.size + size(named) <= self.names.most
            if goes_on:
                names.read_on(named, last=ends)
            if page_is_full(wanted.among(named)):
                return list(found), [*found.values()][-1]
            opened += len(named)
            place = ListPlace.of_named(named[-1]) if named else place
            await asyncio.sleep(0)  # it is others' turn
        return list(found), None if ends else place


def _moments(
    practice: Practice, first: date | None, last: date | None
) -> tuple[datetime, datetime]:
    return (
        _EARLIEST if first is None else day_bounds(first, practice.zone)[0],
        _LATEST if last is None else day_bounds(last, practice.zone)[1],
    )
