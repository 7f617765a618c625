"""What became of each week's invitations: counted by the database as the fold would show them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uuid_utils.compat import uuid7

from chassis.clock import utc_now
from chassis.database import Database
from contracts.channels import Channel
from contracts.events import Evidence
from services.status import measures_store, store
from services.status.facts import Fact, Issued, Outcome, State
from services.status.indicators import Indicator, fold
from services.status.store import Known
from services.status.weeks import Counted
from tests.database.status.support import Status, Story

WEEK = timedelta(weeks=1)
START = datetime(2026, 11, 2, tzinfo=UTC)  # a Monday
WEEKS = [START, START + WEEK, START + 2 * WEEK]


def story(status: Status, moment: datetime) -> Story:
    return Story(status.practice_id, utc_now() + timedelta(days=1), moment=moment)


async def counted(status: Status) -> dict[int, Counted]:
    async with status.db.practice(status.practice_id) as tx:
        return await measures_store.weeks(tx, status.practice_id, WEEKS)


async def test_each_invitation_is_counted_once_in_the_week_of_its_first_attempt(
    status: Status,
) -> None:
    at_once = story(status, START + timedelta(days=1))
    await status.hear([*at_once.booked(), at_once.delivered()])
    corrected = story(status, START + timedelta(days=2))
    await status.hear([*corrected.booked(), corrected.failed()])
    corrected.moment += WEEK  # it is still of the week before
    await status.hear([corrected.issued(), corrected.delivered()])
    again = story(status, START + timedelta(days=3))  # to a name that was misspelt
    await status.hear([*again.booked(), again.delivered(), again.issued(), again.delivered()])
    bounced = story(status, START + WEEK)
    await status.hear([*bounced.booked(), bounced.delivered(), bounced.failed()])
    under_way = story(status, START + WEEK)
    await status.hear(under_way.booked())
    deleted = story(status, START + WEEK)
    await status.hear([*deleted.booked(), deleted.failed(), deleted.deleted()])
    erased = story(status, START + WEEK)
    await status.hear([*erased.booked(), erased.failed(), erased.erased()])
    before = story(status, START - timedelta(days=1))
    await status.hear(before.booked())
    before.moment = START + WEEK
    await status.hear([before.failed(), before.issued(), before.delivered()])
    other = Status(status.db, practice_id=uuid7())
    theirs = story(other, START + WEEK)
    await other.hear([*theirs.booked(), theirs.failed()])

    found = await counted(status)
    assert found[0].p50 is not None
    # From an attempt to its tick, which came a minute after it.
    assert found == {
        0: Counted(at_once=2, corrected=1, p50=60.0, p95=60.0),
        1: Counted(failed=2, open=1, p50=60.0, p95=60.0),
    }
    assert await counted(other) == {1: Counted(failed=1)}


async def test_of_nothing_nothing_is_counted(status: Status) -> None:
    assert await counted(status) == {}


attempts = st.integers(1, 2)
minutes = st.integers(0, 20 * 24 * 60).map(lambda each: START + timedelta(minutes=each))
channels = st.frozensets(st.sampled_from(Channel), min_size=1)
outcomes = st.builds(
    Outcome,
    attempt=attempts,
    channel=st.sampled_from(Channel),
    sequence=st.integers(1, 3),
    state=st.sampled_from(State),
    at=minutes,
    evidence=st.sampled_from([*Evidence, None]),
)
invitations = st.tuples(
    st.builds(Issued, attempt=st.just(1), channels=channels, at=minutes),
    st.lists(st.builds(Issued, attempt=st.just(2), channels=channels, at=minutes), max_size=1),
    st.lists(outcomes, min_size=2, max_size=6),
).map(lambda told: [told[0], *told[1], *told[2]])


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stories=st.lists(invitations, min_size=6, max_size=6))
async def test_the_database_counts_what_the_fold_shows(
    status_db: Database, stories: Sequence[Sequence[Fact]]
) -> None:
    status = Status(status_db)
    expected = dict.fromkeys(range(3), Counted())
    await remember(status, stories)
    for facts in stories:
        week = (facts[0].at - START) // WEEK
        expected[week] = plus(expected[week], facts)
    found = await counted(status)
    assert {place: numbers(each) for place, each in found.items()} == {
        place: numbers(each) for place, each in expected.items() if each != Counted()
    }


def numbers(counted: Counted) -> tuple[int, int, int, int]:
    return counted.at_once, counted.corrected, counted.failed, counted.open


def plus(so_far: Counted, facts: Sequence[Fact]) -> Counted:
    at_once, corrected, failed, still_open = numbers(so_far)
    newest = fold(facts)
    assert isinstance(newest, Indicator)
    earlier = {
        each.attempt
        for each in facts
        if isinstance(each, Issued | Outcome) and each.attempt < newest.attempt
    }
    shown = [
        fold([each for each in facts if getattr(each, "attempt", 0) == attempt])
        for attempt in earlier
    ]
    well = all(isinstance(each, Indicator) and each.overall == "delivered" for each in shown)
    match newest.overall:
        case State.DELIVERED if well:
            at_once += 1
        case State.DELIVERED:
            corrected += 1
        case State.FAILED:
            failed += 1
        case _:
            still_open += 1
    return Counted(at_once, corrected, failed, still_open)


async def remember(status: Status, stories: Sequence[Sequence[Fact]]) -> None:
    known = []
    for facts in stories:
        appointment_id = uuid7()
        known += [Known(uuid7(), status.practice_id, appointment_id, each) for each in facts]
    async with status.db.system() as tx:
        await store.record(tx, known)
