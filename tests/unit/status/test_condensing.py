"""What can be repeated at will stays little, and dropping it changes nothing."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Answer, VisitRole
from services.status.condensing import condensed
from services.status.facts import Answered, Fact, FollowedUp, Issued, Joined
from services.status.indicators import fold
from services.status.timeline import timeline
from tests.unit.status.stories import at, deletions, invitations, others

facts = st.lists(invitations | others | deletions, max_size=12)
# Around several slots, so that there is something to drop in each.
repeated: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Joined, role=st.sampled_from(VisitRole), at=st.integers(0, 40).map(at)),
    st.builds(
        FollowedUp,
        causes=st.frozensets(st.integers(1, 2).map(lambda each: UUID(int=each)), min_size=1),
        at=st.integers(0, 40).map(at),
    ),
    st.builds(
        Answered,
        version=st.integers(1, 3),
        answer=st.sampled_from(Answer),
        at=st.integers(0, 40).map(at),
    ),
)
REPEATED = Answered | FollowedUp | Joined | Issued
floods = st.lists(repeated, max_size=40)


@given(facts, floods)
def test_nothing_else_is_dropped(known: list[Fact], flood: list[Fact]) -> None:
    kept = condensed([*known, *flood])
    assert kept <= {*known, *flood}
    assert {fact for fact in known if not isinstance(fact, REPEATED)} <= kept


@given(facts, floods, floods)
def test_what_was_dropped_on_the_way_changes_nothing(
    known: list[Fact], earlier: list[Fact], later: list[Fact]
) -> None:
    """As the store does: only what was kept is there when more comes."""
    at_once = [*known, *earlier, *later]
    step_by_step = [*condensed([*known, *earlier]), *later]
    assert condensed(step_by_step) == condensed(at_once)
    assert fold(step_by_step) == fold(at_once)
    assert timeline(step_by_step) == timeline(at_once)


def test_of_an_attempt_that_is_announced_again_the_first_announcement_is_kept() -> None:
    email, both = frozenset({Channel.EMAIL}), frozenset({Channel.EMAIL, Channel.SMS})
    first, other = Issued(1, email, at(5), 2), Issued(1, both, at(5), 2)
    again = [Issued(1, email, at(6), 1), Issued(1, email, at(5), 3), Issued(1, email, at(9), 2)]
    for known in ([first, other, *again], [*again, other, first]):
        assert condensed(known) == {first, other}
    assert condensed([first, second := Issued(2, email, at(9), 2)]) == {first, second}
    assert len(timeline([first, again[0]])) == 1


def test_of_answers_the_last_is_kept_and_of_follow_ups_the_first() -> None:
    answers: list[Fact] = [Answered(1, Answer.DECLINED, at(minutes)) for minutes in (10, 20)]
    newer: list[Fact] = [Answered(2, Answer.ACCEPTED, at(5)), Answered(1, Answer.ACCEPTED, at(9))]
    done: list[Fact] = [FollowedUp(frozenset({UUID(int=1)}), at(each)) for each in (30, 40)]
    assert condensed([*answers, *newer, *done]) == {answers[1], newer[0], done[0]}


def test_a_flood_leaves_a_handful() -> None:
    issued = Issued(1, frozenset(), at(0))
    flood: list[Fact] = [
        fact
        for second in range(3600)
        for moment in [at(0) + timedelta(seconds=second)]
        for fact in (
            Joined(VisitRole.PATIENT, moment),
            Answered(second, [*Answer][second % 3], moment),
            FollowedUp(frozenset({UUID(int=1)}), moment),
        )
    ]
    assert len(condensed([issued, *flood])) == 1 + 2 * 6 + 3 + 1
