"""Fills an installation as years of use would: by COPY and INSERT ... SELECT, of many practices.

Appointments start from 80 days ago to 30 days ahead. One practice in a thousand has twenty times
as many as the others. Ids are UUIDv7 of the time at which each was made, the same in all services.
"""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from chassis.sealing import Sealer
from chassis.secret_keys import decode_key
from local.stack import Stack

GIVEN_NAMES = ("Anna", "Erika", "Hans", "Jürgen", "Käthe", "Léa", "Mehmet", "Olga", "Paul", "Zoë")
FAMILY_NAMES = (
    *("Müller", "Schmidt", "Weiß", "Yıldız", "Nowak", "Meyer-Lüdenscheidt", "van den Berg"),
    *("Schröder", "Fischer", "Krüger", "Öztürk", "Huber", "Lehmann", "Petrović", "Groß", "Krause"),
)
Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

STATEMENTS = 3600.0  # seconds for one
PIECE = 100_000  # appointments in one statement

# The same for all services, from an appointment's number alone: one in 49 is of practice 1 besides,
# the large one, and each was made 14 days before its start.
_NUMBERED = """
    FROM generate_series($1::bigint, $2::bigint) AS n
    CROSS JOIN LATERAL (SELECT
        $3::timestamptz + (n::float8 / $4 * 110 - 80) * interval '1 day' AS start,
        CASE WHEN n % 49 = 0 THEN 1 ELSE 1 + n % $5::bigint END AS practice) AS one
    CROSS JOIN LATERAL (SELECT
        least(start - interval '14 days', $3) AS made,
        lpad(to_hex(practice), 32, '0')::uuid AS practice_id) AS two
    CROSS JOIN LATERAL (SELECT
        lpad(to_hex((extract(epoch FROM made) * 1000)::bigint), 12, '0') AS head,
        lpad(to_hex(n), 15, '0') AS tail) AS three
    CROSS JOIN LATERAL (SELECT
        (head || '70018' || tail)::uuid AS appointment_id,
        (head || '70028' || tail)::uuid AS invitation_id,
        (head || '70038' || tail)::uuid AS delivery_id,
        n % 100 = 0 AS failed) AS four
"""

_PRACTICES = """
    INSERT INTO practices (id, name, time_zone, tariff, language, reminders, retention_days)
    SELECT lpad(to_hex(n), 32, '0')::uuid, 'Praxis ' || n, 'Europe/Berlin', 'premium', 'de',
           '{1440}', 88
    FROM generate_series(1, $1::bigint) AS n ON CONFLICT DO NOTHING
"""
_IDS = f"SELECT n, appointment_id, invitation_id, practice_id, start, made {_NUMBERED}"

_SCHEDULING = (
    f"""
    INSERT INTO attempts (practice_id, appointment_id, attempt, channel, address_fingerprint,
                          name_fingerprint, created_at)
    SELECT practice_id, appointment_id, 1, 'email', '\\x01' || sha256(n::text::bytea),
           '\\x01' || sha256(('name' || n)::bytea), made {_NUMBERED}
    """,
    f"""
    INSERT INTO address_verdicts (practice_id, address_fingerprint, dead, at, arrived_at,
                                  arrived_of)
    SELECT practice_id, '\\x01' || sha256(n::text::bytea), failed, made,
           CASE WHEN NOT failed THEN made END, CASE WHEN NOT failed THEN appointment_id END
    {_NUMBERED}
    """,
    f"""
    INSERT INTO notices (id, practice_id, appointment_id, kind, starts_at, minutes_before, due_at,
                         done_at, attempt)
    SELECT (head || '70048' || tail)::uuid, practice_id, appointment_id, 'reminder', start, 1440,
           start - interval '1 day',
           CASE WHEN start < $3::timestamptz + interval '1 day' THEN start - interval '1 day' END, 1
    {_NUMBERED}
    """,
    # What practices wrote within the last day.
    f"""
    INSERT INTO messages (practice_id, appointment_id, channel, address_fingerprint, at)
    SELECT practice_id, appointment_id, 'email', '\\x01' || sha256(n::text::bytea), made
    {_NUMBERED} WHERE made > $3::timestamptz - interval '20 hours'
        AND start < $3::timestamptz + interval '15 days'
    """,
    f"""
    INSERT INTO audit_entries (id, practice_id, at, actor_kind, actor_id, actor_name, actor_roles,
        action, appointment_ids, changed, trace_id, number, digest, proof, sealing)
    SELECT (lpad(to_hex((extract(epoch FROM done) * 1000)::bigint), 12, '0')
               || '7' || lpad(to_hex(5 + deed), 3, '0') || '8' || tail)::uuid, practice_id,
           done, 'user', 'user-' || practice || '-' || n % 5, 'Desk',
           '{{practice}}',
           CASE deed WHEN 0 THEN 'created' ELSE 'read' END, ARRAY[appointment_id], '{{}}',
           md5(n::text), n * 3 + deed, sha256((n * 3 + deed)::text::bytea),
           sha256(('proof' || n * 3 + deed)::bytea), n * 3 + deed
    {_NUMBERED} CROSS JOIN generate_series(0, 2) AS deed
    CROSS JOIN LATERAL (SELECT least(made, $3::timestamptz - interval '2 days') AS done) AS five
    """,
    f"""
    INSERT INTO inbox (event_id, received_at)
    SELECT (head || '70088' || tail)::uuid, made
    {_NUMBERED} WHERE made > $3::timestamptz - interval '45 days'
    """,
)
_AFTER_SCHEDULING = (
    """
    INSERT INTO audit_chains (chain, number, digest)
    SELECT DISTINCT ON (practice_id) practice_id, number, digest FROM audit_entries
    WHERE practice_id IS NOT NULL ORDER BY practice_id, number DESC
    ON CONFLICT (chain) DO UPDATE SET number = excluded.number, digest = excluded.digest
    """,
    """
    INSERT INTO change_clocks
    SELECT practice_id, max(updated_at) FROM appointments GROUP BY 1
    ON CONFLICT (practice_id) DO UPDATE SET at = excluded.at
    """,
    "SELECT setval('audit_sealings', (SELECT max(sealing) + 1 FROM audit_entries))",
)

_NOTIFICATION = (
    f"""
    INSERT INTO appointments (appointment_id, practice_id, version, starts_at, duration_minutes,
                              time_zone, known_since)
    SELECT appointment_id, practice_id, 1, start, 20, 'Europe/Berlin', made {_NUMBERED}
    """,
    f"""
    INSERT INTO deliveries (id, practice_id, appointment_id, invitation_id, attempt, channel,
        message_id, requested_at, requested_version, starts_at, named_start, recipient, state,
        category, reason, status_code, sequence, tries, handed_over_at, organizer, asks_for_answer,
        link_version, traceparent)
    SELECT delivery_id, practice_id, appointment_id, invitation_id, 1, 'email',
        '<' || md5(n::text)::uuid || '@praxis.example>', made, 1, start, start,
        '\\x01' || sha256(n::text::bytea), CASE WHEN failed THEN 'failed' ELSE 'accepted' END,
        CASE WHEN failed THEN 'permanent' END, CASE WHEN failed THEN 'unknown_user' END,
        CASE WHEN failed THEN '5.1.1' ELSE '2.0.0' END, 3, 1, made, md5('organizer' || n)::uuid,
        true, 1, '00-' || md5(n::text) || '-0000000000000001-01'
    {_NUMBERED}
    """,
    f"""
    INSERT INTO delivery_history (delivery_id, practice_id, at, event, state_before, state_after,
                                  smtp_code, status_code)
    SELECT delivery_id, practice_id, made, event, before, after, code, status
    {_NUMBERED} CROSS JOIN (VALUES ('Requested', 'new', 'queued', NULL::integer, NULL),
        ('Claimed', 'queued', 'sending', NULL, NULL),
        ('Accepted', 'sending', 'accepted', 250, '2.0.0')) AS steps (event, before, after, code,
                                                                     status)
    """,
    f"""
    INSERT INTO inbox (event_id, received_at)
    SELECT (head || '7' || lpad(to_hex(16 + told), 3, '0') || '8' || tail)::uuid, made
    {_NUMBERED} CROSS JOIN generate_series(1, 3) AS told
    WHERE made > $3::timestamptz - interval '45 days'
    """,
)

# What is told of an appointment in its life: ten events.
_EVENTS = """
    (0, 'scheduled', 0, 0, NULL, NULL, NULL, interval '0'),
    (1, 'issued', 1, 0, NULL, NULL, NULL, interval '0'),
    (2, 'pending', 1, 1, NULL, NULL, NULL, interval '1 s'),
    (3, 'delivered', 1, 2, 'accepted', NULL, NULL, interval '2 s'),
    (4, 'delivered', 1, 3, 'confirmed', NULL, NULL, interval '1 min'),
    (5, 'notice_pending', 0, 1, NULL, NULL, 'reminder', interval '13 days'),
    (6, 'notice_delivered', 0, 2, 'accepted', NULL, 'reminder', interval '13 days 1 s'),
    (7, 'notice_delivered', 0, 3, 'confirmed', NULL, 'reminder', interval '13 days 1 min'),
    (8, 'joined', 0, 0, NULL, 'patient', NULL, interval '14 days'),
    (9, 'joined', 0, 0, NULL, 'host', NULL, interval '14 days 1 min')
"""
_STATUS = (
    f"""
    INSERT INTO events (event_id, practice_id, appointment_id, kind, attempt, channels, sequence,
        occurred_at, evidence, category, reason, status_code, late, version, starts_at,
        duration_minutes, notice_id, notice_kind, role)
    SELECT (head || '7' || lpad(to_hex(32 + number), 3, '0') || '8' || tail)::uuid, practice_id,
        appointment_id, CASE WHEN failed AND number = 4 THEN 'failed' ELSE kind END, attempt,
        CASE WHEN number IN (0, 8, 9) THEN '{{}}'::text[] ELSE '{{email}}' END, sequence,
        made + later, CASE WHEN NOT (failed AND number = 4) THEN evidence END,
        CASE WHEN failed AND number = 4 THEN 'permanent' END,
        CASE WHEN failed AND number = 4 THEN 'unknown_user' END,
        CASE WHEN failed AND number = 4 THEN '5.1.1' END, false,
        CASE WHEN number IN (0, 1, 5, 6, 7) THEN 1 END, CASE WHEN number = 0 THEN start END,
        CASE WHEN number = 0 THEN 20 END,
        CASE WHEN number BETWEEN 5 AND 7 THEN (head || '70048' || tail)::uuid END, notice_kind, role
    {_NUMBERED} CROSS JOIN (VALUES {_EVENTS})
        AS told (number, kind, attempt, sequence, evidence, role, notice_kind, later)
    WHERE made + later <= $3
    """,
    f"""
    INSERT INTO indicators (practice_id, appointment_id, version, body, starts_at, ends_at,
                            open_until)
    SELECT practice_id, appointment_id, n,
           CASE WHEN failed THEN $7::jsonb ELSE $6::jsonb END, start, start + interval '20 min',
           CASE WHEN failed THEN start + interval '20 min' END
    {_NUMBERED}
    """,
    f"""
    INSERT INTO inbox (event_id, received_at)
    SELECT (head || '7' || lpad(to_hex(32 + number), 3, '0') || '8' || tail)::uuid, made
    {_NUMBERED} CROSS JOIN generate_series(0, 9) AS number
    WHERE made > $3::timestamptz - interval '45 days'
    """,
)
_AFTER_STATUS = (
    """
    INSERT INTO practice_feed SELECT practice_id, max(version) FROM indicators GROUP BY 1
    ON CONFLICT (practice_id) DO UPDATE SET version = excluded.version
    """,
    # Times from half a second to two: in 150 steps.
    """
    INSERT INTO tick_counts (issued_at, step, ticks, proven_wrong)
    SELECT date_trunc('minute', occurred_at), abs(hashtext(appointment_id::text)) % 150 - 70,
           count(*), 0
    FROM events WHERE kind = 'issued' AND occurred_at > now() - interval '25 hours' GROUP BY 1, 2
    """,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How much is stored."""

    appointments: int = 1_000_000
    practices: int = 1000

    def practice(self, number: int) -> UUID:
        """Its id; the first one is the large one."""
        return UUID(int=1 + number % self.practices)


class Filling:
    """Fills the databases of a stack that runs."""

    def __init__(self, stack: Stack, size: Size, say: Callable[[str], None]) -> None:
        self._stack = stack
        self._size = size
        self._say = say
        self._now = datetime.now(UTC)

    async def fill(self) -> dict[str, Any]:
        """Fill all; what is stored then, by table: rows and bytes with and without indexes."""
        owners = {
            name: await asyncpg.connect(self._stack.owner_dsn(name), command_timeout=STATEMENTS)
            for name in ("scheduling", "notification", "status")
        }
        try:
            return await self._fill(owners)
        finally:
            for owner in owners.values():
                await owner.close()

    async def _fill(self, owners: dict[str, Owner]) -> dict[str, Any]:
        async with AsyncExitStack() as unbound:
            for owner in owners.values():
                await unbound.enter_async_context(_unbound(owner))
            await self._fill_all(**owners)
            self._say("indexes ...")
        stored = {}
        for name, owner in owners.items():
            await owner.execute("VACUUM ANALYZE")
            stored[name] = await sizes(owner)
        return stored

    async def _fill_all(self, scheduling: Owner, notification: Owner, status: Owner) -> None:
        await scheduling.execute(_PRACTICES, self._size.practices)
        await self._appointments(scheduling)
        for statement in _SCHEDULING:
            await self._pieces(scheduling, statement)
        for statement in _AFTER_SCHEDULING:
            await scheduling.execute(statement)
        for statement in _NOTIFICATION:
            await self._pieces(notification, statement)
        delivered, failed = _bodies(self._now)
        for statement in _STATUS:
            bodies = (delivered, failed) if "$6" in statement else ()
            await self._pieces(status, statement, *bodies)
        for statement in _AFTER_STATUS:
            await status.execute(statement)

    async def _appointments(self, owner: Owner) -> None:
        """By COPY: the patients' names and addresses are sealed here."""
        keys = json.loads((self._stack.folder.path / "scheduling-contact-keys.json").read_text())
        sealer = Sealer({int(number): decode_key(SecretStr(key)) for number, key in keys.items()})
        for first, last in self._ranges():
            rows = await owner.fetch(_IDS, first, last, *self._place())
            await owner.copy_records_to_table(
                "appointments",
                records=_rows(rows, sealer),
                columns=_COPIED,
                timeout=STATEMENTS,
            )
            self._say(f"scheduling.appointments: {last:,}")

    async def _pieces(self, owner: Owner, statement: str, *more: str) -> None:
        began = time.perf_counter()
        for first, last in self._ranges():
            await owner.execute(statement, first, last, *self._place(), *more)
        table = statement.split()[2]
        self._say(f"{table}: filled in {time.perf_counter() - began:.0f} s")

    def _place(self) -> tuple[datetime, float, int]:
        return self._now, float(self._size.appointments), self._size.practices

    def _ranges(self) -> Iterator[tuple[int, int]]:
        for first in range(1, self._size.appointments + 1, PIECE):
            yield first, min(first + PIECE - 1, self._size.appointments)


@asynccontextmanager
async def _unbound(owner: Owner) -> AsyncIterator[None]:
    """Meanwhile its tables take what its owner says: COPY, and times of their own.

    Their indexes are made anew afterwards, which is cheaper.
    """
    bound = await owner.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relforcerowsecurity"
    )
    stamped = await owner.fetch(
        "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'stamped'"
    )
    indexes = await owner.fetch(
        """
        SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made
        FROM pg_index WHERE indrelid::regclass::text = ANY($1)
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
        """,
        [table["name"] for table in bound] + ["inbox"],
    )
    for table in bound:
        await owner.execute(f"ALTER TABLE {table['name']} NO FORCE ROW LEVEL SECURITY")
    for index in indexes:
        await owner.execute(f"DROP INDEX {index['name']}")
    for table in stamped:
        await owner.execute(f"ALTER TABLE {table['name']} DISABLE TRIGGER stamped")
    yield
    await owner.execute("SET maintenance_work_mem = '256MB'")
    for index in indexes:
        await owner.execute(index["made"])
    for table in stamped:
        await owner.execute(f"ALTER TABLE {table['name']} ENABLE TRIGGER stamped")
    for table in bound:
        await owner.execute(f"ALTER TABLE {table['name']} FORCE ROW LEVEL SECURITY")


_COPIED = (
    *("id", "practice_id", "version", "starts_at", "duration_minutes", "channels", "locale"),
    *("consented_at", "invitation_id", "attempt", "link_version", "created_at", "created_by"),
    *("updated_at", "contact", "patient_reference"),
)


def _rows(rows: list[asyncpg.Record], sealer: Sealer) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        number, made = row["n"], row["made"]
        contact = {
            "patient_name": name(number),
            "email": f"patientin-{number}@example.org",
            "phone": None,
        }
        bound_to = ("appointments.contact", row["practice_id"], row["appointment_id"])
        sealed = sealer.seal(json.dumps(contact).encode(), bound_to)
        yield (
            *(row["appointment_id"], row["practice_id"], 1, row["start"], 20, ["email"], "de"),
            *(
                made,
                row["invitation_id"],
                1,
                1,
                made,
                "user-1",
                made,
                sealed,
                f"P{number % 400_000}",
            ),
        )


def name(number: int) -> str:
    """Of the patient of this appointment."""
    given = GIVEN_NAMES[number % len(GIVEN_NAMES)]
    return f"{given} {FAMILY_NAMES[number // 7 % len(FAMILY_NAMES)]}"


def _bodies(now: datetime) -> tuple[str, str]:
    """What is shown of an invitation that arrived, and of one that came back."""
    delivered = {
        "overall": "delivered",
        "attempt": 1,
        "channels": {"email": _channel("delivered", now, evidence="confirmed")},
        "updated_at": now.isoformat(),
        "open": [],
        "causes": [],
        "followed_up_at": None,
        "notices": [],
        "answer": None,
        "waiting_since": None,
        "cancelled": False,
    }
    failed = delivered | {
        "overall": "failed",
        "channels": {
            "email": _channel(
                "failed", now, category="permanent", reason="unknown_user", status_code="5.1.1"
            )
        },
        "open": ["invitation_failed"],
        "causes": ["8c0e3c5e-6f0b-4f0e-9a43-52a1f0b7d6c9"],
    }
    return json.dumps(delivered), json.dumps(failed)


def _channel(state: str, now: datetime, **said: str) -> dict[str, Any]:
    return {
        "state": state,
        "evidence": None,
        "category": None,
        "reason": None,
        "status_code": None,
        "late": False,
        "occurred_at": now.isoformat(),
        "waits_until": None,
        "address_changed": False,
    } | said


async def sizes(owner: Owner) -> dict[str, dict[str, float]]:
    """Rows and bytes of each table of a database."""
    rows = await owner.fetch(
        """
        SELECT relname, reltuples::bigint AS rows, pg_table_size(oid) AS heap,
               pg_indexes_size(oid) AS indexes
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
            AND reltuples > 0 ORDER BY pg_total_relation_size(oid) DESC
        """
    )
    return {
        row["relname"]: {
            "rows": row["rows"],
            "bytes": row["heap"] + row["indexes"],
            "bytes_per_row": round((row["heap"] + row["indexes"]) / row["rows"]),
            "of_which_indexes": round(row["indexes"] / row["rows"]),
        }
        for row in rows
    }
