"""Which answers count, and that order and repeats of them do not matter."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Answer
from services.notification.bounces.result import CalendarAnswer
from services.notification.receipts.answers import (
    Entry,
    Fate,
    Known,
    follow,
    given_at,
    judge,
    version_of,
)

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ID = UUID("0193a0de-7a1c-7cc3-98c4-dc0c0c07398f")
ENTRY = Entry(appointment_id=ID, version=3, asks=True, holds=True, since=NOW)
DECLINED = CalendarAnswer(Answer.DECLINED, str(ID), 3, (), NOW + timedelta(minutes=1))


@pytest.mark.parametrize(
    ("entry", "answer", "fate"),
    [
        (ENTRY, DECLINED, None),
        (ENTRY, replace(DECLINED, uid=str(ID).upper()), None),
        (ENTRY, replace(DECLINED, sequence=1), None),  # older: told with its version
        (ENTRY, replace(DECLINED, sequence=0), None),
        (ENTRY, replace(DECLINED, sequence=4), Fate.OTHER),
        (ENTRY, replace(DECLINED, uid=str(UUID(int=1))), Fate.OTHER),
        (replace(ENTRY, holds=False), DECLINED, Fate.VOID),
        (replace(ENTRY, asks=False), DECLINED, Fate.NOT_ASKED),
    ],
)
def test_what_counts(entry: Entry, answer: CalendarAnswer, fate: Fate | None) -> None:
    assert judge(entry, answer) is fate


def test_a_file_without_a_version_answers_to_the_first() -> None:
    assert version_of(replace(DECLINED, sequence=0)) == 1
    assert version_of(DECLINED) == 3


@pytest.mark.parametrize("clock", [timedelta(days=-400), timedelta(days=400), None])
def test_a_clock_that_is_wrong_is_not_believed(clock: timedelta | None) -> None:
    received = NOW + timedelta(hours=1)
    answer = replace(DECLINED, stamp=None if clock is None else NOW + clock)
    assert given_at(answer, ENTRY, received) == received
    assert given_at(DECLINED, ENTRY, received) == DECLINED.stamp


stamped = st.builds(
    Known,
    st.just(UUID(int=1)),
    st.sampled_from(Answer),
    st.integers(0, 5).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)


@given(
    st.lists(stamped, min_size=1, max_size=6, unique_by=lambda each: each.at).flatmap(
        lambda answers: st.tuples(
            st.just(answers), st.permutations(answers), st.lists(st.sampled_from(answers))
        )
    )
)
def test_the_latest_wins_in_whatever_order_they_come(
    given_answers: tuple[list[Known], list[Known], list[Known]],
) -> None:
    answers, order, repeats = given_answers
    known: Known | None = None
    for each in (*order, *repeats):
        known = follow(known, each) or known
    assert known == max(answers, key=lambda each: each.at)


def test_of_two_within_a_second_the_later_to_come_is_told_as_the_later() -> None:
    first = Known(UUID(int=1), Answer.ACCEPTED, NOW)
    second = follow(first, replace(first, answer=Answer.DECLINED))
    assert second is not None
    assert (second.answer, second.at > NOW) == (Answer.DECLINED, True)
    assert follow(first, first) is None


def test_another_address_begins_anew() -> None:
    stranger = Known(UUID(int=1), Answer.DECLINED, NOW + timedelta(days=1))
    patient = Known(UUID(int=2), Answer.ACCEPTED, NOW)
    assert follow(stranger, patient) == patient
