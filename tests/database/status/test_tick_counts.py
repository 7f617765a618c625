"""Ticks are counted as they are recorded: the sums are those that all events say."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from contracts.channels import Channel
from contracts.events import Evidence, FailureEvidence
from services.status import measures, measures_store, store
from services.status.facts import Erased, Fact, Issued, Outcome, State
from services.status.store import Known
from services.status.tick_counts import KEPT, Measures
from tests.database.conftest import OwnerOf
from tests.database.status.support import Status
from tests.support import PATIENCE

HOUR = timedelta(hours=1)


async def of_all(status: Status, since: datetime) -> Measures:
    async with status.db.system() as tx:
        return await measures_store.measures_of_all(tx, since)


async def by_events(status: Status, since: datetime) -> Measures:
    async with status.db.practice(status.practice_id) as tx:
        return await measures_store.measures(tx, status.practice_id, since)


async def sum_up(status: Status, since: datetime) -> None:
    async with status.db.system() as tx:
        await measures_store.sum_up(tx, since)


def check_alike(found: Measures, exact: Measures) -> None:
    """The same, but for half a step in the times."""
    assert (found.ticks, found.proven_wrong) == (exact.ticks, exact.proven_wrong)
    for one, other in ((found.p50, exact.p50), (found.p95, exact.p95)):
        assert one == (None if other is None else pytest.approx(max(other, 0.001), rel=0.006))


attempts, sequences = st.integers(1, 2), st.integers(1, 4)
seconds = st.integers(0, 7000).map(lambda each: timedelta(seconds=each))


def told_of(now: datetime) -> st.SearchStrategy[list[Fact]]:
    moments = seconds.map(lambda later: now - HOUR * 2 + later)
    issued = st.builds(
        Issued,
        attempt=attempts,
        channels=st.frozensets(st.sampled_from(Channel), min_size=1),
        at=seconds.map(lambda earlier: now - HOUR * 2 - earlier),
    )
    outcomes = st.builds(
        Outcome,
        attempt=attempts,
        channel=st.sampled_from(Channel),
        sequence=sequences,
        state=st.sampled_from([State.DELIVERED, State.DELIVERED, State.FAILED, State.PENDING]),
        at=moments,
        evidence=st.sampled_from([None, Evidence.ACCEPTED, FailureEvidence.UNSIGNED]),
        waits_until=st.sampled_from([None, None, None, now]),
    )
    return st.lists(st.one_of(issued, outcomes, outcomes), min_size=3, max_size=8)


NOW = utc_now()


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stories=st.lists(told_of(NOW), min_size=6, max_size=6), data=st.data())
async def test_the_sums_are_those_of_the_events(
    status_db: Database, owner_of: OwnerOf, stories: Sequence[list[Fact]], data: st.DataObject
) -> None:
    async with owner_of("status") as owner:
        await owner.execute("TRUNCATE tick_counts, tick_changes")
    status = Status(status_db)
    ids = [uuid7() for _ in stories]
    events = [(ids[n], fact) for n, facts in enumerate(stories) for fact in facts]
    events += [(ids[n], Erased(NOW)) for n in data.draw(st.sets(st.integers(0, 5), max_size=2))]
    left = data.draw(st.permutations(events))
    while left:
        size = data.draw(st.integers(1, 15))
        await record(status, left[:size])
        left = left[size:]
        if data.draw(st.booleans()):
            await sum_up(status, NOW - KEPT)
    since = (NOW - HOUR * 5).replace(second=0, microsecond=0)
    check_alike(await of_all(status, since), await by_events(status, since))


async def record(status: Status, told: Sequence[tuple[UUID, Fact]]) -> None:
    known = [Known(uuid7(), status.practice_id, each, fact) for each, fact in told]
    async with status.db.system() as tx:
        await store.record(tx, known)


async def test_all_practices_count_and_what_is_over_does_not(status: Status) -> None:
    other = Status(status.db, uuid7())
    for each, ago in ((status, HOUR), (other, HOUR * 2), (other, HOUR * 30)):
        story = each.story()
        story.moment = utc_now() - ago
        await each.hear([*story.booked(), story.delivered()])
    for _ in range(2):
        assert (await of_all(status, utc_now() - HOUR * 3)).ticks == 2
        assert (await of_all(status, utc_now() - HOUR * 1.5)).ticks == 1
        await sum_up(status, utc_now() - HOUR * 3)
    await sum_up(status, utc_now() - HOUR * 1.5)
    assert (await of_all(status, utc_now() - HOUR * 3)).ticks == 1


async def test_a_bounce_in_between_and_two_who_sum_up_at_once_lose_nothing(
    status: Status,
) -> None:
    stories = [status.story() for _ in range(5)]
    for story in stories:
        await status.hear([*story.booked(), story.delivered()])
    await sum_up(status, utc_now() - KEPT)
    await status.hear([stories[0].failed()])
    since = utc_now() - HOUR * 5
    async with status.db.system() as first:
        await measures_store.sum_up(first, utc_now() - KEPT)
        async with asyncio.timeout(PATIENCE):
            await sum_up(status, utc_now() - KEPT)
            await status.hear([stories[1].failed()])
        seen_outside = await of_all(status, since)
    for found in (seen_outside, await of_all(status, since)):
        assert (found.ticks, found.proven_wrong) == (5, 2)
        assert found.p50 == pytest.approx(60, rel=0.006)


async def test_what_is_published_is_what_was_counted(status: Status) -> None:
    story = status.story()
    await status.hear([*story.booked(), story.delivered(), story.failed()])
    async with status.db.system() as tx:
        await measures.publish(tx)
    shown = [next(iter(each.collect())).samples for each in (measures.ticks, measures.to_tick)]
    assert [sample.value for sample in shown[0]] == [1]
    assert [sample.value for sample in shown[1]] == [pytest.approx(60, rel=0.006)] * 2


async def test_a_column_that_the_next_release_adds_is_none_of_ours(owner_of: OwnerOf) -> None:
    async with owner_of("status") as owner:
        upgrade = owner.transaction()
        await upgrade.start()
        await owner.execute("ALTER TABLE tick_counts ADD COLUMN added text")
        try:
            await measures_store.sum_up(owner, utc_now() - KEPT)
            await measures_store.measures_of_all(owner, utc_now() - KEPT)
        finally:
            await upgrade.rollback()
