"""The SQL: what is known, what is shown, and the feed that tells of each change.

Each practice has a feed: its indicators in the order in which they last changed, numbered by
`version`. `record` locks the feeds it touches until the commit, so for one practice commits happen
in the order of versions, across all replicas. That makes `version > last` complete: once a reader
has seen a version, no smaller one can still appear (which a sequence would not give).
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from chassis.clock import utc_now
from chassis.database import Connection
from chassis.together import Writer, together
from services.status import erasure_store, measures_store, rows, tick_counts
from services.status.condensing import condensed
from services.status.facts import Erased, Fact
from services.status.indicators import Indicator, fold
from services.status.openness import open_until, overdue
from services.status.tick_counts import Ticked
from services.status.time_to_tick import Tick, first_ticks

# Notification channel; the payload is a practice's id and its feed's newest version.
CHANGED = "status_feed_changed"

Key = tuple[UUID, UUID]  # practice, appointment
Body = dict[str, Any]

_as_json = TypeAdapter(Indicator)
IN_COLUMNS = {"starts_at", "ends_at"}
AWAITED = "awaited"  # there where something is: by this an index finds it


@dataclass(frozen=True, slots=True)
class Known:
    """A fact with the event that told it and the appointment it is about."""

    event_id: UUID
    practice_id: UUID
    appointment_id: UUID
    fact: Fact


@dataclass(frozen=True, slots=True)
class Shown:
    """An indicator at its position in the practice's feed; `body` is None once deleted.

    Of what time alone ends it says what is so until then: `starts_at` and `ends_at` say when
    (None: not known).
    """

    appointment_id: UUID
    version: int
    body: Body | None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def times(self) -> tuple[datetime | None, datetime | None]:
        """Start and end."""
        return self.starts_at, self.ends_at


@dataclass(frozen=True, slots=True)
class Moved:
    """That an appointment was moved, at its position in the practice's feed."""

    appointment_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class News:
    """What a transaction told in a practice's feed: all that comes right behind version `after`.

    `opens` where it may have changed how much is open.
    """

    after: int
    changes: Sequence[Shown | Moved]
    opens: bool

    @property
    def reach(self) -> int:
        """The newest version."""
        return self.after + len(self.changes)


# „Infinite" is in the table alone: there it sorts and compares as what is not known has to.
_SHOWN = """appointment_id, version, body,
    nullif(starts_at, 'infinity') AS starts_at, nullif(ends_at, 'infinity') AS ends_at"""


_EVENT = """event_id, practice_id, appointment_id, kind, attempt, channels, sequence, occurred_at,
    evidence, category, status_code, late, waits_until, reason, version, starts_at,
    duration_minutes, notice_id, notice_kind, withheld, answer, role, causes"""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of recording: news by practice, and each tick that is a first one."""

    news: Mapping[UUID, News] = field(default_factory=dict)
    ticks: Sequence[Tick] = ()


async def record(tx: Connection, known: Sequence[Known]) -> Recorded:
    """Add facts, fold the appointments they are about, and return what came of it.

    Of another start or end the feed tells as a move, of which `version` knows nothing: the
    indicator is the same.

    Needs a READ COMMITTED transaction bound to the system. The facts are read only once the locks
    are held, so two replicas that hear of the same appointment never fold half of what is known.
    """
    if not known:
        return Recorded()
    feeds = {key: _Feed(version) for key, version in (await _lock_feeds(tx, known)).items()}
    keys = sorted({(each.practice_id, each.appointment_id) for each in known})
    told = await _facts(tx, keys)
    facts = {key: condensed(told[key].values()) for key in keys}
    before = await _shown(tx, keys)
    new: dict[Key, list[UUID]] = {key: [] for key in keys}
    for each in known:
        new[each.practice_id, each.appointment_id].append(each.event_id)
    changed: dict[Key, Shown] = {}
    moved: dict[Key, Shown] = {}
    for key in keys:
        value = fold(facts[key])
        if value is None:
            continue
        practice_id, appointment_id = key
        feed = feeds[practice_id]
        body, starts_at, ends_at = None, None, None
        if isinstance(value, Indicator):
            left_out = IN_COLUMNS if value.awaited else IN_COLUMNS | {AWAITED}
            body = _as_json.dump_python(value, mode="json", exclude=left_out)
            starts_at, ends_at = value.starts_at, value.ends_at
        then = before.get(key)
        if then is None or then.body != body:
            changed[key] = Shown(appointment_id, feed.next, body, starts_at, ends_at)
            feed.tell(changed[key], opens=_counts(body) or (then and _counts(then.body)))
        if body and then and then.body and then.times != (starts_at, ends_at):
            moved[key] = Shown(appointment_id, feed.next, body, starts_at, ends_at)
            feed.tell(Moved(appointment_id, feed.next), opens=_counts(body))
    counts = _tick_changes(told, new)
    async with together(tx) as all_at_once:
        if counts:
            await measures_store.count(all_at_once, counts)
        if changed:
            await _show(all_at_once, changed)
        news = {practice_id: feed.news for practice_id, feed in feeds.items() if feed.changes}
        if news:
            await _move_feeds(all_at_once, {key: each.reach for key, each in news.items()})
    if moved:
        await _move(tx, moved)
    erased = [key for key in keys if any(isinstance(fact, Erased) for fact in facts[key])]
    await erasure_store.forget(tx, erased)
    await _drop(tx, [event_id for key in keys for event_id in _surplus(told[key], facts[key])])
    ticks = [tick for key in keys for tick in first_ticks(told[key], new[key])]
    return Recorded(news, ticks)


class _Feed:
    """A practice's feed that is locked, and what is told in it."""

    def __init__(self, version: int) -> None:
        self._version = version
        self.changes: list[Shown | Moved] = []
        self._opens = False

    @property
    def next(self) -> int:
        """The position of what is told next."""
        return self._version + len(self.changes) + 1

    def tell(self, change: Shown | Moved, *, opens: object) -> None:
        """Tell it at the next position; `opens` if it may change how much is open."""
        self.changes.append(change)
        self._opens = self._opens or bool(opens)

    @property
    def news(self) -> News:
        """All that was told."""
        return News(self._version, self.changes, self._opens)


def _tick_changes(
    told: Mapping[Key, Mapping[UUID, Fact]], new: Mapping[Key, Collection[UUID]]
) -> Counter[Ticked]:
    """What these events change in what is counted of ticks."""
    since = utc_now() - tick_counts.KEPT
    found = Counter[Ticked]()
    for key, facts in told.items():
        found.update(tick_counts.changes(facts, new[key], since))
    return found


def _is_open(body: Body | None) -> bool:
    return bool(body and body["open"])


def _counts(body: Body | None) -> bool:
    """Whether it may be open now."""
    return _is_open(body) or bool(overdue(body, utc_now()))


async def position(tx: Connection, practice_id: UUID) -> int:
    """The newest version of the practice's feed; 0 before the first."""
    row = await tx.fetchrow("SELECT version FROM practice_feed WHERE practice_id = $1", practice_id)
    return 0 if row is None else int(row["version"])


async def positions(tx: Connection, practice_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The newest versions of several feeds; practices without a feed are left out."""
    found = await tx.fetch(
        "SELECT practice_id, version FROM practice_feed WHERE practice_id = ANY($1::uuid[])",
        practice_ids,
    )
    return {row["practice_id"]: row["version"] for row in found}


async def changes(
    tx: Connection, practice_id: UUID, *, after: int, limit: int
) -> list[Shown | Moved]:
    """What changed after a version, in order: of each appointment its newest state and move."""
    found = await tx.fetch(
        f"""
        (SELECT {_SHOWN}, false AS moved FROM indicators
         WHERE practice_id = $1 AND version > $2 ORDER BY version LIMIT $3)
        UNION ALL
        (SELECT appointment_id, moved_at, NULL, NULL, NULL, true FROM indicators
         WHERE practice_id = $1 AND moved_at > $2 ORDER BY moved_at LIMIT $3)
        ORDER BY version LIMIT $3
        """,  # noqa: S608 (columns)
        practice_id,
        after,
        limit,
    )
    told: list[Shown | Moved] = []
    for row in found:
        content = dict(row)
        if content.pop("moved"):
            told.append(Moved(row["appointment_id"], row["version"]))
        else:
            told.append(Shown(**content))
    return told


async def indicators(
    tx: Connection, practice_id: UUID, appointment_ids: Sequence[UUID]
) -> list[Shown]:
    """The indicators of these appointments; those without one and deleted ones are left out.

    Their version is the feed's position of the newest that was told of each, moves included.
    """
    found = await tx.fetch(
        f"""
        SELECT {_SHOWN.replace("version", "greatest(version, moved_at) AS version")}
        FROM indicators
        WHERE practice_id = $1 AND appointment_id = ANY($2::uuid[]) AND body IS NOT NULL
        ORDER BY appointment_id
        """,  # noqa: S608 (columns)
        practice_id,
        appointment_ids,
    )
    return [Shown(**row) for row in found]


async def facts(tx: Connection, practice_id: UUID, appointment_id: UUID) -> list[Fact]:
    """Everything known of one appointment, in no particular order."""
    return (await facts_of(tx, practice_id, [appointment_id]))[appointment_id]


async def facts_of(
    tx: Connection, practice_id: UUID, appointment_ids: Sequence[UUID]
) -> dict[UUID, list[Fact]]:
    """Everything known of these appointments, by id, in no particular order."""
    known = await _facts(tx, [(practice_id, each) for each in dict.fromkeys(appointment_ids)])
    return {appointment_id: list(told.values()) for (_, appointment_id), told in known.items()}


async def _lock_feeds(tx: Connection, known: Sequence[Known]) -> dict[UUID, int]:
    """Lock the feeds that facts are about, and insert the facts, in one round trip.

    The locks are taken in the order of ids, so that two transactions never wait for each other. The
    inbox has filtered repeats; one that it has forgotten since changes nothing either.
    """
    # By name: a column that the next release has added is none of ours.
    found = await tx.fetch(
        f"""
        WITH told AS (
            INSERT INTO events ({_EVENT})
            SELECT {_EVENT} FROM jsonb_populate_recordset(NULL::events, $2)
            ON CONFLICT (event_id) DO NOTHING
        )
        INSERT INTO practice_feed AS feed (practice_id, version)
        SELECT practice_id, 0 FROM unnest($1::uuid[]) AS touched (practice_id) ORDER BY 1
        ON CONFLICT (practice_id) DO UPDATE SET version = feed.version
        RETURNING practice_id, version
        """,  # noqa: S608 - a constant list of columns
        sorted({each.practice_id for each in known}),
        [
            {
                "event_id": str(each.event_id),
                "practice_id": str(each.practice_id),
                "appointment_id": str(each.appointment_id),
                **rows.columns(each.fact),
            }
            for each in known
        ],
    )
    return {row["practice_id"]: row["version"] for row in found}


async def _facts(tx: Connection, keys: Sequence[Key]) -> dict[Key, dict[UUID, Fact]]:
    """What is known of appointments, by the events that told it."""
    found = await tx.fetch(
        """
        SELECT events.* FROM events
        JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        """,
        *_columns(keys),
    )
    known: dict[Key, dict[UUID, Fact]] = {key: {} for key in keys}
    for row in found:
        known[row["practice_id"], row["appointment_id"]][row["event_id"]] = rows.fact(row)
    return known


def _surplus(told: Mapping[UUID, Fact], kept: Collection[Fact]) -> Iterator[UUID]:
    """Events that count no more, or never did, so that nobody can make the table grow at will."""
    return (event_id for event_id, fact in told.items() if fact not in kept)


async def _drop(tx: Connection, event_ids: Sequence[UUID]) -> None:
    if event_ids:
        await tx.execute("DELETE FROM events WHERE event_id = ANY($1::uuid[])", event_ids)


async def _shown(tx: Connection, keys: Sequence[Key]) -> dict[Key, Shown]:
    found = await tx.fetch(
        f"""
        SELECT practice_id, {_SHOWN} FROM indicators
        JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (practice_id, appointment_id)
            USING (practice_id, appointment_id)
        """,  # noqa: S608 (columns)
        *_columns(keys),
    )
    shown: dict[Key, Shown] = {}
    for row in found:
        content = dict(row)
        practice_id = content.pop("practice_id")
        shown[practice_id, row["appointment_id"]] = Shown(**content)
    return shown


async def _show(tx: Writer, changed: Mapping[Key, Shown]) -> None:
    await tx.execute(
        """
        INSERT INTO indicators (practice_id, appointment_id, version, body, starts_at, ends_at,
                                open_until)
        SELECT practice_id, appointment_id, version, body, coalesce(starts_at, 'infinity'),
               coalesce(ends_at, 'infinity'),
               CASE WHEN open THEN coalesce(open_until, 'infinity') END
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::jsonb[], $5::timestamptz[],
                    $6::timestamptz[], $7::boolean[], $8::timestamptz[])
            AS shown (practice_id, appointment_id, version, body, starts_at, ends_at, open,
                      open_until)
        ON CONFLICT (practice_id, appointment_id)
            DO UPDATE SET version = excluded.version, body = excluded.body,
                starts_at = excluded.starts_at, ends_at = excluded.ends_at,
                open_until = excluded.open_until,
                moved_at = CASE WHEN excluded.body IS NOT NULL THEN indicators.moved_at END
        """,
        *_columns(list(changed)),
        [shown.version for shown in changed.values()],
        [shown.body for shown in changed.values()],
        [shown.starts_at for shown in changed.values()],
        [shown.ends_at for shown in changed.values()],
        [_is_open(shown.body) for shown in changed.values()],
        [_open_until(shown) for shown in changed.values()],
    )


async def _move(tx: Connection, moved: Mapping[Key, Shown]) -> None:
    """Note where the feed tells of a move, and the times after it."""
    await tx.execute(
        """
        UPDATE indicators i
        SET moved_at = place.version, starts_at = place.starts_at, ends_at = place.ends_at,
            open_until = CASE WHEN i.open_until IS NOT NULL
                              THEN coalesce(place.open_until, 'infinity') END
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::timestamptz[], $5::timestamptz[],
                    $6::timestamptz[])
            AS place (practice_id, appointment_id, version, starts_at, ends_at, open_until)
        WHERE (i.practice_id, i.appointment_id) = (place.practice_id, place.appointment_id)
        """,
        *_columns(list(moved)),
        [shown.version for shown in moved.values()],
        [shown.starts_at for shown in moved.values()],
        [shown.ends_at for shown in moved.values()],
        [_open_until(shown) for shown in moved.values()],
    )


def _open_until(shown: Shown) -> datetime | None:
    if shown.body is None:
        return None
    return open_until(*shown.times, cancelled=shown.body["cancelled"])


async def _move_feeds(tx: Writer, moved: Mapping[UUID, int]) -> None:
    """Number the feeds anew and wake their readers once this commits."""
    await tx.execute(
        """
        UPDATE practice_feed SET version = target.version
        FROM unnest($1::uuid[], $2::bigint[]) AS target (practice_id, version)
        WHERE practice_feed.practice_id = target.practice_id
        RETURNING pg_notify($3, concat(target.practice_id, ' ', target.version))
        """,
        list(moved),
        list(moved.values()),
        CHANGED,
    )


def _columns(keys: Sequence[Key]) -> tuple[list[UUID], list[UUID]]:
    return [practice_id for practice_id, _ in keys], [appointment_id for _, appointment_id in keys]
