"""A seed draws the same faults again, and every kind that something can be hit by."""

from hypothesis import given
from hypothesis import strategies as st

from reliability.faults.plan import SECONDS, Kind, draw

TARGETS = dict.fromkeys(Kind, ("one", "another"))


@given(st.integers(0, 10**6), st.integers(len(Kind), 100))
def test_a_plan_is_as_its_seed_says(seed: int, count: int) -> None:
    plan = draw(seed, TARGETS, count=count, every=5)
    assert draw(seed, TARGETS, count=count, every=5) == plan
    assert [fault.number for fault in plan] == list(range(1, count + 1))
    assert {fault.kind for fault in plan} == set(Kind)
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    for fault in plan:
        least, most = SECONDS[fault.kind]
        assert least <= fault.seconds <= most
        assert (fault.clock != 0) == (fault.kind is Kind.CLOCK)


def test_what_has_no_target_is_left_out() -> None:
    plan = draw(1, {Kind.KILL: ("one",), Kind.DISK: ()}, count=5, every=1)
    assert {fault.kind for fault in plan} == {Kind.KILL}


def test_another_seed_draws_others() -> None:
    assert draw(1, TARGETS, count=20, every=1) != draw(2, TARGETS, count=20, every=1)
