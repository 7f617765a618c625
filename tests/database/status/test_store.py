"""What is told is folded once and for all, and the feed tells of each change in its order."""

from datetime import timedelta

import pytest

from chassis.clock import utc_now
from chassis.database import Database
from contracts.channels import Channel
from contracts.events import Answer, NoticeKind, VisitRole
from local.servers import DatabaseServer
from services.status import store
from services.status.store import Moved, Shown
from tests.database.conftest import OwnerOf, rows_read
from tests.database.status.support import Status
from tests.support import eventually


async def test_a_whole_story_survives_the_database(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered()])
    await status.hear(
        [
            story.notice_failed(NoticeKind.REMINDER),
            story.answered(Answer.DECLINED),
            story.joined(VisitRole.PATIENT, story.start - timedelta(minutes=2)),
        ]
    )
    shown = await status.shown(story)
    assert shown is not None
    assert (shown.starts_at, shown.overall) == (story.start, "delivered")
    assert shown.answer is not None
    assert shown.answer.answer is Answer.DECLINED
    assert shown.waiting_since == story.start - timedelta(minutes=2)
    [reminder] = shown.notices
    assert (reminder.kind, reminder.channels[Channel.EMAIL].category) == ("reminder", "permanent")
    assert set(shown.open) == {"declined", "reminder_failed"}
    async with status.db.practice(status.practice_id) as tx:
        facts = await store.facts(tx, status.practice_id, story.appointment_id)
    assert len(facts) == 6


@pytest.mark.usefixtures("status_db")
async def test_a_batch_reads_what_it_is_about_however_much_came_since_the_first(
    postgres: DatabaseServer, owner_of: OwnerOf
) -> None:
    told_by_others = 5000
    async with owner_of("status") as owner:
        before = await rows_read(owner, "events")
        async with Database.open(postgres.dsn("status"), connections=1) as db:
            async with db.system() as tx:
                connection = await tx.fetchval("SELECT pg_backend_pid()")
            status = Status(db)
            for _ in range(12):  # whose plans are kept
                await status.hear(status.story().booked())
            await owner.execute(
                """
                INSERT INTO events (event_id, practice_id, appointment_id, kind, attempt, channels,
                    sequence, occurred_at, late)
                SELECT uuidv7(), uuidv7(), uuidv7(), 'deleted', 0, '{}', 0, now(), false
                FROM generate_series(1, $1)
                """,
                told_by_others,
            )
            await status.hear(status.story().booked())

        async def ended() -> bool:
            return not await owner.fetch("SELECT FROM pg_stat_activity WHERE pid = $1", connection)

        await eventually(ended, "the end of the connection, which tells what it read")
        assert await rows_read(owner, "events") - before < told_by_others / 2


async def test_a_corrected_address_takes_the_tick_and_is_open_until_it_is_sent_to(
    status: Status,
) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered()])
    await status.hear([story.corrected(Channel.EMAIL)])
    shown = await status.shown(story)
    assert shown is not None
    assert (shown.overall, shown.open) == ("unconfirmed", ["call"])
    assert shown.channels[Channel.EMAIL].address_changed
    assert await status.open() == [story.appointment_id]
    await status.hear([story.issued(), story.delivered()])
    again = await status.shown(story)
    assert again is not None
    assert (again.overall, again.open) == ("delivered", [])
    assert not again.channels[Channel.EMAIL].address_changed


async def test_whoever_was_waiting_is_forgotten_in_the_evening(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.joined(VisitRole.PATIENT, story.start)])
    shown = await status.shown(story, story.start + timedelta(hours=1))
    assert shown is not None
    assert shown.waiting_since == story.start
    shown = await status.shown(story, story.start + timedelta(hours=5))
    assert shown is not None
    assert shown.waiting_since is None


async def test_nothing_is_shown_before_an_invitation(status: Status) -> None:
    story = status.story()
    [scheduled, issued] = story.booked()
    await status.hear([scheduled, story.joined(VisitRole.PATIENT, story.start)])
    assert await status.shown(story) is None
    assert await status.changes() == []
    await status.hear([issued])
    shown = await status.shown(story)
    assert shown is not None
    assert shown.starts_at == story.start


async def test_a_move_is_told_once_as_a_move_alone(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered()])
    [first] = await status.changes()
    moved = story.moved(story.start + timedelta(hours=1))
    await status.hear([moved])
    [told] = await status.changes(first.version)
    assert told == Moved(story.appointment_id, first.version + 1)
    shown = await status.shown(story)
    assert shown is not None
    assert (shown.starts_at, shown.version) == (story.start, told.version)
    await status.hear([moved])  # under another event's id
    assert await status.changes(told.version) == []


async def test_a_late_schedule_moves_nothing(status: Status) -> None:
    story = status.story()
    [scheduled, issued] = story.booked()
    moved = story.moved(story.start + timedelta(hours=1))
    await status.hear([moved, issued])
    [shown] = await status.changes()
    await status.hear([scheduled])
    assert await status.changes(shown.version) == []
    view = await status.shown(story)
    assert view is not None
    assert view.starts_at == story.start


async def test_repeats_tell_nobody_anything(status: Status) -> None:
    story = status.story()
    told = [*story.booked(), story.failed(), story.notice_failed(NoticeKind.MOVED)]
    await status.hear(told)
    [before] = await status.changes()
    await status.hear(told[::-1])
    assert await status.changes() == [before]


async def test_deleting_and_a_cancellation_that_failed_are_told_in_turn(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered()])
    await status.hear([story.deleted()])
    [gone] = await status.changes()
    assert isinstance(gone, Shown)
    assert gone.body is None
    await status.hear([story.notice_failed(NoticeKind.CANCELLED)])
    [back] = await status.changes(gone.version)
    assert isinstance(back, Shown)
    assert back.body is not None
    assert back.body["cancelled"]


async def test_an_erased_appointment_leaves_nothing(status: Status, owner_of: OwnerOf) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.deleted()])
    await status.hear([story.notice_failed(NoticeKind.CANCELLED)])
    assert await status.open() == [story.appointment_id]
    late = story.notice_failed(NoticeKind.CANCELLED)
    await status.hear([story.erased()])
    await status.hear([late, story.joined(VisitRole.PATIENT, utc_now())])
    assert await status.open() == []
    assert await status.shown(story) is None
    async with owner_of("status") as owner:
        kinds = await owner.fetch("SELECT kind FROM events")
        assert [row["kind"] for row in kinds] == ["erased"]
        row = await owner.fetchrow(
            """
            SELECT body IS NULL AND starts_at = 'infinity' AND ends_at = 'infinity'
                AND open_until IS NULL AND moved_at IS NULL FROM indicators
            """
        )
        assert row is not None
        assert row[0]


async def test_who_joins_and_answers_again_and_again_fills_no_table(
    status: Status, owner_of: OwnerOf
) -> None:
    story = status.story()
    await status.hear(story.booked())
    for minute in range(3):
        since = story.start + timedelta(minutes=minute)
        await status.hear(
            [
                told
                for second in range(30)
                for told in (
                    story.joined(VisitRole.PATIENT, since + timedelta(seconds=second)),
                    story.answered(Answer.ACCEPTED),
                )
            ]
        )
    shown = await status.shown(story, story.start)
    assert shown is not None
    assert shown.waiting_since == story.start
    async with owner_of("status") as owner:
        assert await owner.fetchval("SELECT count(*) FROM events WHERE kind = 'answered'") == 1
        assert await owner.fetchval("SELECT count(*) FROM events WHERE kind = 'joined'") <= 4


async def test_what_the_next_release_has_added_is_left_to_its_default(
    status: Status, owner_of: OwnerOf
) -> None:
    """While its processes come, this one works on tables that are theirs already."""
    story = status.story()
    async with owner_of("status") as owner:
        await owner.execute("ALTER TABLE events ADD COLUMN added text NOT NULL DEFAULT 'new'")
        try:
            await status.hear([*story.booked(), story.delivered()])
        finally:
            await owner.execute("ALTER TABLE events DROP COLUMN added")
    shown = await status.shown(story)
    assert shown is not None
    assert shown.overall == "delivered"
