"""What is open: the soonest first, only what is still to come, page by page, cheap."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chassis.clock import utc_now
from chassis.database import Database
from contracts.events import Answer, NoticeKind
from services.status import open_store, store
from services.status.open_store import Place
from services.status.timeline import timeline
from tests.database.conftest import OwnerOf
from tests.database.status.support import MINUTES, Status, Story

HOUR = timedelta(hours=1)


async def test_the_soonest_is_first_and_what_arrived_is_not_there(status: Status) -> None:
    now = utc_now()
    later, sooner, green = (status.story(now + hours * HOUR) for hours in (30, 2, 1))
    for each in (later, sooner):
        await status.hear([*each.booked(), each.failed()])
    await status.hear([*green.booked(), green.delivered()])
    assert await status.open() == [sooner.appointment_id, later.appointment_id]


async def test_time_alone_ends_it(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.failed()])
    end = story.start + timedelta(minutes=MINUTES)
    assert await status.open(end - timedelta(seconds=1)) == [story.appointment_id]
    assert await status.open(end) == []
    shown = await status.shown(story, end)
    assert shown is not None
    assert (shown.overall, shown.open) == ("failed", [])


async def test_the_longest_appointment_is_open_to_its_end(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(duration_minutes=480), story.failed()])
    assert await status.open(story.start + timedelta(minutes=479)) == [story.appointment_id]


async def test_a_move_takes_it_along(status: Status) -> None:
    story = status.story(utc_now() - 3 * HOUR)
    await status.hear([*story.booked(), story.failed()])
    assert await status.open() == []
    await status.hear([story.moved(utc_now() + 3 * HOUR)])
    assert await status.open() == [story.appointment_id]


async def test_without_a_time_it_is_open_and_last(status: Status) -> None:
    timeless, dated = status.story(), status.story()
    [_, issued] = timeless.booked()
    await status.hear([issued, timeless.failed()])
    await status.hear([*dated.booked(), dated.failed()])
    assert await status.open() == [dated.appointment_id, timeless.appointment_id]
    shown = await status.shown(timeless)
    assert shown is not None
    assert shown.starts_at is None


async def test_a_deleted_one_that_nobody_was_told_of_stays_until_its_start(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered()])
    await status.hear([story.deleted()])
    assert await status.shown(story) is None
    await status.hear([story.notice_failed(NoticeKind.CANCELLED)])
    assert await status.open() == [story.appointment_id]
    shown = await status.shown(story)
    assert shown is not None
    assert (shown.cancelled, shown.open) == (True, ["cancelled_failed"])
    assert await status.open(story.start) == []
    assert await status.shown(story, story.start) is None


async def all_pages(status: Status) -> list[UUID]:
    """What is open now, two at a time, as whoever follows the cursors sees it."""
    seen: list[UUID] = []
    after: Place | None = None
    while True:
        async with status.db.practice(status.practice_id) as tx:
            page = await open_store.page(tx, status.practice_id, utc_now(), after=after, limit=2)
        if not page:
            break
        seen += [shown.appointment_id for shown in page]
        after = Place.of(Place(page[-1].starts_at, page[-1].appointment_id).cursor)
    return seen


async def test_pages_follow_each_other_without_gap_or_repeat(status: Status) -> None:
    start = utc_now() + HOUR
    stories = [status.story(start + (number // 3) * HOUR) for number in range(7)]
    await status.hear([event for each in stories for event in (*each.booked(), each.failed())])
    seen = await all_pages(status)
    ordered = sorted(stories, key=lambda each: (each.start, each.appointment_id))
    assert seen == [each.appointment_id for each in ordered]


async def test_another_practice_sees_nothing_of_it(status: Status, status_db: Database) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.failed()])
    assert await Status(status_db, uuid4()).open() == []


@pytest.mark.parametrize("starts_at", [None, datetime.fromisoformat("2026-12-01T10:00:00.000001Z")])
def test_a_cursor_names_its_place(starts_at: datetime | None) -> None:
    place = Place(starts_at, uuid4())
    assert Place.of(place.cursor) == place


@pytest.mark.parametrize("cursor", ["", "x", "ä", "A" * 31, "f" * 32])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="no cursor of ours"):
        Place.of(cursor)


async def test_a_page_and_the_count_read_the_index_alone(status: Status, owner_of: OwnerOf) -> None:
    """Of 22,000, of which 1,020 are still to come or going on."""
    async with owner_of("status") as owner:
        await owner.execute(
            """
            INSERT INTO indicators (practice_id, appointment_id, version, body, starts_at, ends_at,
                                    open_until)
            SELECT $1, gen_random_uuid(), n,
                   CASE WHEN n % 100 = 0 THEN '{"awaited": [{"since": "2999-12-31T00:00:00Z"}]}'
                        ELSE '{}' END::jsonb, start, start + interval '20 min',
                   CASE WHEN n % 11 = 0 THEN start + interval '20 min' END
            FROM generate_series(1, 22000) AS n,
                LATERAL (SELECT now() + (n - 21000) * interval '1 min' AS start) AS times
            """,
            status.practice_id,
        )
        await owner.execute("ANALYZE indicators")
    now = utc_now()
    past = now - timedelta(hours=8)
    async with status.db.practice(status.practice_id) as tx:
        for query, more in (
            (open_store.COUNT, [10_000]),
            (open_store.PAGE, ["-infinity", UUID(int=0), 51]),
        ):
            plan = await tx.fetch(f"EXPLAIN {query}", status.practice_id, now, past, *more)
            text = "\n".join(row[0] for row in plan)
            assert "using indicators_open" in text
            assert "using indicators_awaited" in text
            assert "Sort  (" not in text  # merged, each already in order
        still_going_on = 22_000 // 11 - 20_980 // 11
        assert await open_store.count(tx, status.practice_id, now) == still_going_on


async def causes_of(status: Status, story: Story) -> list[UUID]:
    shown = await status.shown(story)
    assert shown is not None
    return shown.causes


async def test_what_was_dealt_with_is_gone_until_something_new_fails(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.failed()])
    seen = await causes_of(status, story)
    assert len(seen) == 1
    position = (await status.changes())[-1].version
    follow_up = story.followed_up(*seen)
    await status.hear([follow_up])
    assert await status.open() == []
    assert [each.appointment_id for each in await status.changes(position)] == [
        story.appointment_id
    ], "it is told to every desk"
    shown = await status.shown(story)
    assert shown is not None
    assert (shown.overall, shown.open, shown.causes) == ("failed", [], [])
    assert shown.followed_up_at == story.moment
    await status.hear([story.notice_failed(NoticeKind.REMINDER)])
    assert await status.open() == [story.appointment_id]
    assert set(await causes_of(status, story)).isdisjoint(seen)


async def test_a_follow_up_may_be_heard_before_what_it_is_about(status: Status) -> None:
    story = status.story()
    booked, failed = story.booked(), story.failed()
    await status.hear([*booked, failed])
    follow_up = story.followed_up(*await causes_of(status, story))
    replica = Status(status.db, uuid4())
    again = [
        replace(each, event=each.event.model_copy(update={"practice_id": replica.practice_id}))
        for each in (follow_up, *booked, failed)
    ]
    for each in again:
        await replica.hear([each])
    assert await replica.open() == []


async def test_repeated_follow_ups_leave_one_line(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.failed()])
    seen = await causes_of(status, story)
    for _ in range(3):
        await status.hear([story.followed_up(*seen)])
    async with status.db.practice(status.practice_id) as tx:
        facts = await store.facts(tx, status.practice_id, story.appointment_id)
    assert [each.type for each in timeline(facts)] == ["requested", "failed", "followed_up"]
    assert len(facts) == 4


async def test_a_cancellation_told_by_telephone_is_over(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered(), story.deleted()])
    await status.hear([story.notice_failed(NoticeKind.CANCELLED)])
    assert await status.open() == [story.appointment_id]
    await status.hear([story.followed_up(*await causes_of(status, story))])
    assert await status.open() == []
    assert await status.shown(story) is None


async def awaited(status: Status, now: datetime | None = None) -> int:
    async with status.db.practice(status.practice_id) as tx:
        return await open_store.awaited(tx, status.practice_id, now or utc_now())


async def test_what_nobody_ever_tells_of_is_open_by_the_clock(status: Status) -> None:
    """The request was lost on its way: status knows of it, and no outcome ever comes."""
    story, failed = status.story(), status.story(utc_now() + 48 * HOUR)
    await status.hear(story.booked())
    await status.hear([*failed.booked(), failed.failed()])
    late = story.start - 2 * HOUR
    assert await status.open(late - timedelta(seconds=1)) == [failed.appointment_id]
    assert await awaited(status) == 1
    assert await status.open(late) == [story.appointment_id, failed.appointment_id]
    for moment in (late, story.start):
        shown = await status.shown(story, moment)
        assert shown is not None
        assert (shown.overall, shown.open, len(shown.causes)) == ("pending", ["call"], 1)
    end = story.start + timedelta(minutes=MINUTES)
    assert await status.open(end) == [failed.appointment_id]
    assert await awaited(status, end) == 0
    await status.hear([story.delivered()])
    assert await status.open(late) == [failed.appointment_id]
    assert await awaited(status) == 0


async def test_what_is_overdue_is_dealt_with_like_all_that_is_open(status: Status) -> None:
    story = status.story()
    await status.hear(story.booked())
    late = story.start - 2 * HOUR
    shown = await status.shown(story, late)
    assert shown is not None
    await status.hear([story.followed_up(*shown.causes)])
    assert await status.open(late) == []
    shown = await status.shown(story, late)
    assert shown is not None
    assert (shown.open, shown.followed_up_at) == ([], story.moment)
    await status.hear([story.failed()])
    assert await status.open() == [story.appointment_id]


async def test_open_for_two_reasons_it_is_there_once(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.answered(Answer.DECLINED)])
    late = story.start - 2 * HOUR
    assert await status.open(late) == [story.appointment_id]
    shown = await status.shown(story, late)
    assert shown is not None
    assert (shown.open, len(shown.causes)) == (["declined", "call"], 2)


async def test_pages_hold_what_is_overdue_in_its_place(status: Status) -> None:
    start = utc_now() + HOUR
    stories = [status.story(start + number * timedelta(minutes=1)) for number in range(6)]
    for number, each in enumerate(stories):
        await status.hear([*each.booked(), *([each.failed()] if number % 2 else [])])
    seen = await all_pages(status)
    assert seen == [each.appointment_id for each in stories]


async def test_a_cancellation_on_its_way_is_told_while_it_is_of_use(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered(), story.deleted()])
    await status.hear([story.notice_goes(NoticeKind.CANCELLED)])
    late = story.start - 2 * HOUR
    assert await status.shown(story) is None, "it is deleted"
    assert (await status.open(), await awaited(status)) == ([], 1)
    assert await status.open(late) == [story.appointment_id]
    shown = await status.shown(story, late)
    assert shown is not None
    assert (shown.cancelled, shown.open, len(shown.causes)) == (True, ["call"], 1)
    assert (await status.open(story.start), await awaited(status, story.start)) == ([], 0)
    assert await status.shown(story, story.start) is None
    await status.hear([story.followed_up(*shown.causes)])
    assert (await status.open(late), await awaited(status)) == ([], 0)
