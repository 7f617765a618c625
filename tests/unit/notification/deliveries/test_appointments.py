"""Which news of an appointment win: never a matter of their order or of how often they come."""

from dataclasses import replace
from functools import reduce
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    ErasureReason,
    Event,
    SendNowRequested,
    WithdrawalRequested,
)
from services.notification.deliveries.appointments import KnownAppointment, merge, news_of
from tests.support.deliveries import NOW, minutes

APPOINTMENT, PRACTICE = UUID(int=1), UUID(int=2)


def fact(version: int, happened: str) -> KnownAppointment:
    """What is learnt of an event of this version."""
    where: dict[str, Any] = {"appointment_id": APPOINTMENT, "practice_id": PRACTICE}
    told: dict[str, Event] = {
        "moved": AppointmentRescheduled(
            **where,
            version=version,
            start=NOW + minutes(version),
            duration_minutes=version,
            time_zone=f"Etc/GMT+{version}",
        ),
        "deleted": AppointmentDeleted(**where, version=version),
        "erased": AppointmentErased(**where, version=version, reason=ErasureReason.REQUEST),
        "sent now": SendNowRequested(**where, appointment_version=version, occurred_at=NOW),
        "withdrawn": WithdrawalRequested(
            **where, appointment_version=version, attempt=1, channels=list(Channel), occurred_at=NOW
        ),
    }
    news = news_of(told[happened])
    assert news is not None
    return news


FACTS = st.builds(
    fact,
    st.integers(5, 12),
    st.sampled_from(["moved", "moved", "moved", "deleted", "erased", "sent now", "withdrawn"]),
)
ORDERS = st.lists(FACTS, min_size=1, max_size=6).flatmap(
    lambda facts: st.tuples(
        st.just(facts),
        st.lists(st.sampled_from(facts), max_size=4).flatmap(
            lambda repeated: st.permutations([*facts, *repeated])
        ),
    )
)


@given(ORDERS)
def test_news_of_an_appointment_merge_alike_in_any_order(
    orders: tuple[list[KnownAppointment], list[KnownAppointment]],
) -> None:
    one_way, other_way = (reduce(merge, order) for order in orders)
    facts = orders[0]
    assert one_way.version == other_way.version == max(each.version for each in facts)
    assert one_way.deleted == other_way.deleted == any(each.deleted for each in facts)
    assert one_way.erased == other_way.erased == any(each.erased for each in facts)
    if one_way.erased:
        assert one_way == other_way
        assert one_way.starts_at is None
    if not one_way.deleted:
        assert one_way == other_way
        assert (one_way.version > 0) is any(each.starts_at is not None for each in facts)
        if one_way.version:
            assert one_way.starts_at == NOW + minutes(one_way.version)
            assert one_way.duration_minutes == one_way.version


@pytest.mark.parametrize("happened", ["sent now", "withdrawn"])
@pytest.mark.parametrize("version", [6, 7])
def test_what_says_no_time_keeps_no_move_from_counting(happened: str, version: int) -> None:
    """It may be read before the move of the same version, or of an earlier one."""
    heard = [fact(5, "moved"), fact(version, happened), fact(6, "moved")]
    for order in permutations(heard):
        assert reduce(merge, order) == fact(6, "moved")


@given(st.lists(FACTS, min_size=1, max_size=6), st.integers(1, 6))
def test_what_is_known_already_changes_nothing(facts: list[KnownAppointment], at: int) -> None:
    known = reduce(merge, facts)
    assert merge(known, facts[at % len(facts)]) == known
    assert merge(known, known) == known


def test_of_two_times_that_claim_one_version_the_first_heard_of_stays() -> None:
    first = fact(6, "moved")
    second = replace(first, starts_at=NOW)
    assert merge(first, second) == first
    assert merge(second, first) == second


def test_what_concerns_nothing_that_is_sent_is_no_news() -> None:
    corrected = AppointmentCorrected(
        appointment_id=APPOINTMENT,
        practice_id=PRACTICE,
        version=2,
        attempt=1,
        unsent=[],
        occurred_at=NOW,
    )
    assert news_of(corrected) is None


def test_an_appointment_is_there_unless_it_is_said_otherwise() -> None:
    known = KnownAppointment(appointment_id=APPOINTMENT, practice_id=PRACTICE, version=1)
    assert (known.deleted, known.erased) == (False, False)


@given(FACTS.filter(lambda each: each.starts_at is not None), FACTS)
def test_of_a_deleted_appointment_a_time_stays_known(
    dated: KnownAppointment, other: KnownAppointment
) -> None:
    merged = merge(other, dated)
    assert (merged.starts_at is None) == other.erased
