"""Since when the patient waits: joining counts, until the practice is there, and not for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import VisitRole
from services.status.facts import Joined
from services.status.waiting import still_waiting, waiting_since
from tests.unit.status.stories import at, moments

START, END = at(1000), at(1020)


def patient(minutes: int) -> Joined:
    return Joined(VisitRole.PATIENT, at(minutes))


def host(minutes: int) -> Joined:
    return Joined(VisitRole.HOST, at(minutes))


@pytest.mark.parametrize(
    ("joined", "since"),
    [
        ([], None),
        ([host(990)], None),
        ([patient(990)], 990),
        ([patient(995), patient(990)], 990),
        ([patient(990), host(1000)], None),
        ([host(980), patient(990)], 990),
        ([patient(990), host(1000), patient(1010), patient(1015)], 1010),
        ([patient(990), host(990)], None),
    ],
)
def test_since_the_first_joining_after_the_practices_last(
    joined: list[Joined], since: int | None
) -> None:
    assert waiting_since(joined, START) == (None if since is None else at(since))


def test_before_a_move_to_another_day_it_was_another_visit() -> None:
    joined = [patient(990)]
    assert waiting_since(joined, at(990) + timedelta(hours=12)) == at(990)
    assert waiting_since(joined, at(990) + timedelta(hours=12, seconds=1)) is None


def test_nobody_waits_for_ever() -> None:
    since = at(990)
    for end, until in ((END, END + timedelta(hours=1)), (None, since + timedelta(hours=2))):
        assert still_waiting(since, end, until - timedelta(seconds=1)) == since
        assert still_waiting(since, end, until) is None
    assert still_waiting(None, END, START) is None


@given(st.lists(st.builds(Joined, role=st.sampled_from(VisitRole), at=moments)))
def test_the_practice_being_there_last_ends_it(joined: list[Joined]) -> None:
    since = waiting_since(joined, None)
    hosts = [each.at for each in joined if each.role is VisitRole.HOST]
    assert since is None or not hosts or since > max(hosts)
    assert waiting_since([*joined, host(10)], None) is None
