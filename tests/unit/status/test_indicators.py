"""The indicator is a function of the set of known events: order, repeats, lateness do not count."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Answer, Evidence, FailureCategory, NoticeKind, VisitRole
from services.status.facts import (
    Answered,
    Corrected,
    Deleted,
    Erased,
    Fact,
    Issued,
    Joined,
    Outcome,
    Scheduled,
    State,
)
from services.status.indicators import ChannelIndicator, Indicator, fold, overall
from services.status.openness import Reason
from tests.unit.status.stories import (
    at,
    corrected,
    corrections,
    deletions,
    erasures,
    followed_up,
    invitations,
    issued,
    notice,
    others,
    outcome,
    scheduled,
)

of_invitations = st.lists(invitations, max_size=12)
knowledge = st.lists(invitations | corrections | others, max_size=12)
everything = st.lists(invitations | corrections | others | deletions | erasures, max_size=12)


# --- order, repeats and lateness --------------------------------------------------------------


@given(st.data(), everything)
def test_order_does_not_count(data: st.DataObject, known: list[Fact]) -> None:
    shuffled = data.draw(st.permutations(known))
    assert fold(shuffled) == fold(known)


@given(st.data(), everything.filter(bool))
def test_repeats_do_not_count(data: st.DataObject, known: list[Fact]) -> None:
    repeats = data.draw(st.lists(st.sampled_from(known), max_size=12))
    assert fold([*known, *repeats]) == fold(known)


@given(st.data(), everything)
def test_whatever_was_shown_on_the_way_the_end_is_the_same(
    data: st.DataObject, known: list[Fact]
) -> None:
    """As a consumer works: batches of any size, each kept as a set and folded anew."""
    arrivals: Sequence[Fact] = data.draw(st.permutations([*known, *known]))
    kept: set[Fact] = set()
    shown = fold(kept)
    while arrivals:
        size = data.draw(st.integers(1, len(arrivals)))
        batch, arrivals = arrivals[:size], arrivals[size:]
        kept.update(batch)
        shown = fold(kept)
    assert shown == fold(known)


@given(everything, everything, everything)
def test_prefixes_known_to_different_readers_merge_to_one_truth(
    common: list[Fact], left: list[Fact], right: list[Fact]
) -> None:
    assert fold([*common, *left, *common, *right]) == fold([*right, *common, *left])


def test_every_order_of_a_whole_story_ends_green() -> None:
    story: list[Fact] = [
        issued(1),
        outcome(State.PENDING, 1),
        outcome(State.FAILED, 2, category=FailureCategory.PERMANENT),
        issued(2),
        outcome(State.PENDING, 1, attempt=2),
        outcome(State.DELIVERED, 2, attempt=2),
    ]
    ends = {repr(fold(order)) for order in permutations(story)}
    assert len(ends) == 1
    end = fold(story)
    assert isinstance(end, Indicator)
    assert (end.overall, end.attempt) == (State.DELIVERED, 2)


# --- what is shown ----------------------------------------------------------------------------


def test_nothing_is_shown_before_an_invitation_is_known() -> None:
    assert fold([]) is None


@given(of_invitations.filter(bool))
def test_an_indicator_as_soon_as_an_attempt_is_known(known: list[Fact]) -> None:
    assert isinstance(fold(known), Indicator)


def test_requested_without_an_outcome_is_pending() -> None:
    shown = fold([issued(1, Channel.EMAIL, Channel.SMS)])
    assert isinstance(shown, Indicator)
    assert len(shown.awaited) == 2
    assert replace(shown, awaited=()) == Indicator(
        overall=State.PENDING,
        attempt=1,
        channels={
            Channel.EMAIL: ChannelIndicator(State.PENDING),
            Channel.SMS: ChannelIndicator(State.PENDING),
        },
        updated_at=at(100),
    )


@given(knowledge)
def test_never_green_without_evidence(known: list[Fact]) -> None:
    shown = fold(known)
    if isinstance(shown, Indicator):
        for channel in shown.channels.values():
            assert (channel.state is not State.DELIVERED) or channel.evidence in [*Evidence]
        if shown.overall is State.DELIVERED:
            assert all(c.state is State.DELIVERED for c in shown.channels.values())
            assert all(
                any(
                    isinstance(fact, Outcome)
                    and (fact.attempt, fact.channel) == (shown.attempt, name)
                    and fact.evidence is not None
                    for fact in known
                )
                for name in shown.channels
            )


@given(knowledge, knowledge)
def test_superseded_attempts_never_touch_it(known: list[Fact], others: list[Fact]) -> None:
    shown = fold(known)
    if isinstance(shown, Indicator):
        superseded = [
            fact
            for fact in others
            if isinstance(fact, Issued | Outcome) and fact.attempt < shown.attempt
        ]
        assert fold([*superseded, *known]) == shown


@given(of_invitations, st.sampled_from(State))
def test_a_new_attempt_shows_nothing_of_the_old_one(known: list[Fact], state: State) -> None:
    assert fold([*known, issued(9)]) == fold([issued(9)])
    again = outcome(state, 1, attempt=9)
    assert fold([*known, again]) == fold([again])


@given(of_invitations, deletions)
def test_deleted_wins_whenever_it_comes(known: list[Fact], deletion: Fact) -> None:
    assert isinstance(fold([deletion, *known]), Deleted)
    assert isinstance(fold([*known, deletion]), Deleted)


@given(knowledge, deletions)
def test_of_a_deleted_one_only_what_its_patient_does_not_know_is_left(
    known: list[Fact], deletion: Fact
) -> None:
    shown = fold([*known, deletion])
    if isinstance(shown, Indicator):
        assert shown.cancelled
        assert shown.open in [(Reason.CANCELLED_FAILED,), (Reason.CALL,)] or (
            shown.open == () and shown.awaited
        )
    else:
        assert isinstance(shown, Deleted)


@given(everything, erasures)
def test_of_an_erased_one_nothing_is_left(known: list[Fact], erasure: Fact) -> None:
    assert isinstance(fold([*known, erasure]), Deleted)


@given(of_invitations, st.lists(others, max_size=8))
def test_what_is_said_beside_it_leaves_the_mark_alone(
    known: list[Fact], beside: list[Fact]
) -> None:
    alone, together = fold(known), fold([*known, *beside])
    if isinstance(alone, Indicator):
        assert isinstance(together, Indicator)
        assert replace(
            together,
            open=alone.open,
            causes=alone.causes,
            awaited=alone.awaited,
            followed_up_at=None,
            notices=(),
            answer=None,
            waiting_since=None,
            starts_at=None,
            ends_at=None,
        ) == replace(alone)
    else:
        assert together is None


@given(st.lists(invitations | others, max_size=12))
def test_the_highest_sequence_of_each_channel_wins(known: list[Fact]) -> None:
    shown = fold(known)
    if not isinstance(shown, Indicator):
        return
    for name, channel in shown.channels.items():
        rivals = [
            fact
            for fact in known
            if isinstance(fact, Outcome) and (fact.attempt, fact.channel) == (shown.attempt, name)
        ]
        if not rivals:
            assert channel == ChannelIndicator(State.PENDING)
            continue
        highest = max(fact.sequence for fact in rivals)
        assert any(
            fact.sequence == highest
            and (fact.at, fact.evidence, fact.category, fact.status_code, fact.late)
            == (
                channel.occurred_at,
                channel.evidence,
                channel.category,
                channel.status_code,
                channel.late,
            )
            for fact in rivals
        )


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({State.DELIVERED}, State.DELIVERED),
        ({State.DELIVERED, State.UNCONFIRMED}, State.UNCONFIRMED),
        ({State.DELIVERED, State.PENDING}, State.PENDING),
        ({State.UNCONFIRMED, State.PENDING}, State.PENDING),
        ({State.DELIVERED, State.FAILED}, State.FAILED),
        ({State.PENDING, State.FAILED}, State.FAILED),
        ({State.UNCONFIRMED, State.FAILED}, State.FAILED),
    ],
)
def test_overall(states: set[State], expected: State) -> None:
    assert overall(states) is expected


def test_one_failed_channel_is_enough_while_the_other_is_still_unknown() -> None:
    shown = fold([issued(1, Channel.EMAIL, Channel.SMS), outcome(State.FAILED, 1)])
    assert isinstance(shown, Indicator)
    assert shown.overall is State.FAILED
    assert shown.channels[Channel.SMS].state is State.PENDING


def test_a_late_bounce_takes_the_tick_away() -> None:
    accepted = outcome(State.DELIVERED, 2)
    bounce = outcome(State.FAILED, 3, category=FailureCategory.PERMANENT, late=True)
    shown = fold([bounce, issued(1), accepted])
    assert isinstance(shown, Indicator)
    assert shown.overall is State.FAILED
    assert shown.channels[Channel.EMAIL].late


def test_outcomes_that_claim_the_same_sequence_are_read_cautiously() -> None:
    shown = fold([issued(1), outcome(State.DELIVERED, 2), outcome(State.FAILED, 2)])
    assert isinstance(shown, Indicator)
    assert shown.overall is State.FAILED


def test_an_outcome_that_overtakes_its_announcement() -> None:
    early = fold([issued(1), outcome(State.DELIVERED, 1), outcome(State.PENDING, 1, attempt=2)])
    assert isinstance(early, Indicator)
    assert (early.attempt, early.overall) == (2, State.PENDING)


def test_a_channel_left_out_of_the_new_attempt_is_not_shown() -> None:
    shown = fold(
        [
            issued(1, Channel.EMAIL, Channel.SMS),
            outcome(State.FAILED, 1),
            issued(2, Channel.SMS),
            outcome(State.DELIVERED, 1, attempt=2, channel=Channel.SMS),
        ]
    )
    assert isinstance(shown, Indicator)
    assert set(shown.channels) == {Channel.SMS}
    assert shown.overall is State.DELIVERED


# --- beside the invitation --------------------------------------------------------------------


def test_times_are_those_of_the_highest_version() -> None:
    shown = fold([scheduled(2, 500), issued(1), scheduled(3, 900), scheduled(1, 700)])
    assert isinstance(shown, Indicator)
    assert (shown.starts_at, shown.ends_at) == (at(900), at(920))


def test_a_whole_visit_in_any_order() -> None:
    story: list[Fact] = [
        scheduled(1),
        issued(1),
        outcome(State.DELIVERED, 1),
        notice(NoticeKind.REMINDER, State.DELIVERED, version=1),
        Answered(1, Answer.ACCEPTED, at(300)),
        Joined(VisitRole.PATIENT, at(990)),
    ]
    ends = {repr(fold(order)) for order in permutations(story)}
    assert len(ends) == 1
    end = fold(story)
    assert isinstance(end, Indicator)
    assert (end.overall, end.open, end.waiting_since) == (State.DELIVERED, (), at(990))
    assert end.answer is not None
    assert end.answer.answer is Answer.ACCEPTED
    assert [each.kind for each in end.notices] == [NoticeKind.REMINDER]


def test_of_two_answers_the_highest_version_then_the_latest_counts() -> None:
    answers = [
        Answered(2, Answer.DECLINED, at(110)),
        Answered(2, Answer.ACCEPTED, at(120)),
        Answered(1, Answer.TENTATIVE, at(130)),
    ]
    shown = fold([issued(1), *answers])
    assert isinstance(shown, Indicator)
    assert shown.answer is not None
    assert (shown.answer.answer, shown.answer.at) == (Answer.ACCEPTED, at(120))


def test_an_answer_to_another_start_is_none() -> None:
    yes = Answered(1, Answer.ACCEPTED, at(300))
    shown = fold([issued(1), scheduled(1, 500), scheduled(2, 900), yes])
    assert isinstance(shown, Indicator)
    assert shown.answer is None
    longer = Scheduled(2, at(500), 45, at(2))
    shown = fold([issued(1), scheduled(1, 500), longer, yes])
    assert isinstance(shown, Indicator)
    assert shown.answer is not None


def test_only_of_what_is_cancelled_the_cancellation_alone_is_open() -> None:
    failed: list[Fact] = [issued(1), outcome(State.FAILED, 1)]
    shown = fold(failed)
    assert isinstance(shown, Indicator)
    assert (shown.open, shown.cancelled) == ((Reason.INVITATION_FAILED,), False)
    shown = fold([*failed, Deleted(at(200)), notice(NoticeKind.CANCELLED, State.FAILED)])
    assert isinstance(shown, Indicator)
    assert (shown.open, shown.cancelled) == ((Reason.CANCELLED_FAILED,), True)


def test_followed_up_is_what_is_open_once_the_last_of_it_is() -> None:
    known: list[Fact] = [
        issued(1, *Channel),
        *(outcome(State.FAILED, 1, channel=channel) for channel in Channel),
    ]
    shown = fold(known)
    assert isinstance(shown, Indicator)
    one, other = shown.causes
    known.append(followed_up(one, minutes=900))
    shown = fold(known)
    assert isinstance(shown, Indicator)
    assert (shown.causes, shown.followed_up_at) == ((other,), None)
    shown = fold([*known, followed_up(other, minutes=950)])
    assert isinstance(shown, Indicator)
    assert (shown.causes, shown.open, shown.followed_up_at) == ((), (), at(950))


def test_nobody_waits_who_came_to_another_time() -> None:
    known: list[Fact] = [issued(1), Joined(VisitRole.PATIENT, at(100))]
    for start, since in ((200, at(100)), (2000, None)):
        shown = fold([*known, scheduled(1, start)])
        assert isinstance(shown, Indicator)
        assert shown.waiting_since == since


def test_an_erasure_ends_what_was_still_to_be_told() -> None:
    story: list[Fact] = [
        issued(1),
        Deleted(at(200)),
        notice(NoticeKind.CANCELLED, State.FAILED),
    ]
    shown = fold(story)
    assert isinstance(shown, Indicator)
    assert shown.cancelled
    assert isinstance(fold([*story, Erased(at(300))]), Deleted)


# --- corrected addresses ----------------------------------------------------------------------


@given(st.lists(invitations | corrections | others, max_size=12))
def test_no_tick_is_of_an_address_that_nothing_was_sent_to(known: list[Fact]) -> None:
    shown = fold(known)
    if not isinstance(shown, Indicator):
        return
    newest = [
        fact for fact in known if isinstance(fact, Corrected) and fact.attempt == shown.attempt
    ]
    last = max((fact.version for fact in newest), default=0)
    never = [fact.unsent for fact in newest if fact.version == last]
    for channel in frozenset[Channel]().union(*never).intersection(*never):
        assert shown.channels[channel].state in {State.FAILED, State.UNCONFIRMED}
        assert shown.channels[channel].address_changed


@pytest.mark.parametrize("became", [None, State.PENDING, State.DELIVERED, State.UNCONFIRMED])
def test_whatever_became_of_it_elsewhere_nothing_is_known_of_the_present_address(
    became: State | None,
) -> None:
    story: list[Fact] = [issued(1), corrected(Channel.EMAIL)]
    if became is not None:
        story.append(outcome(became, 1))
    for order in permutations(story):
        shown = fold(order)
        assert isinstance(shown, Indicator)
        assert shown.channels[Channel.EMAIL] == ChannelIndicator(
            State.UNCONFIRMED, occurred_at=at(802), address_changed=True
        )
        assert (shown.overall, shown.open) == (State.UNCONFIRMED, (Reason.CALL,))
        assert shown.updated_at == at(802)


def test_a_corrected_address_leaves_the_mark_and_takes_that_of_what_was_withdrawn() -> None:
    correction = corrected(Channel.EMAIL)
    failed = outcome(State.FAILED, 1, category=FailureCategory.PERMANENT)
    withdrawn = outcome(State.FAILED, 1, category=FailureCategory.CANCELLED)
    for told, state in ((failed, State.FAILED), (withdrawn, State.UNCONFIRMED)):
        shown = fold([issued(1), told, correction])
        assert isinstance(shown, Indicator)
        assert shown.channels[Channel.EMAIL].state is state
        assert shown.channels[Channel.EMAIL].address_changed


def test_of_corrections_the_last_counts_and_there_and_back_is_the_tick_again() -> None:
    story: list[Fact] = [
        issued(1, *Channel),
        *(outcome(State.DELIVERED, 1, channel=channel) for channel in Channel),
        corrected(Channel.EMAIL),
    ]
    shown = fold(story)
    assert isinstance(shown, Indicator)
    assert shown.channels[Channel.SMS].state is State.DELIVERED
    assert not shown.channels[Channel.SMS].address_changed
    back = fold([*story, corrected(version=3)])
    assert isinstance(back, Indicator)
    assert back.overall is State.DELIVERED
    again = fold([*story, corrected(version=3), issued(2), outcome(State.DELIVERED, 1, attempt=2)])
    assert isinstance(again, Indicator)
    assert again.overall is State.DELIVERED
    # What was corrected before it was sent again says nothing of what was sent.
    assert again == fold([*story, issued(2), outcome(State.DELIVERED, 1, attempt=2)])


def test_what_was_dealt_with_opens_anew_with_another_correction() -> None:
    story: list[Fact] = [issued(1), outcome(State.UNCONFIRMED, 2), corrected(Channel.EMAIL)]
    names: set[UUID] = set()
    for version in (3, 4):
        shown = fold(story)
        assert isinstance(shown, Indicator)
        assert shown.open == (Reason.CALL,)
        names.update(shown.causes)
        story += [followed_up(*shown.causes), corrected(Channel.EMAIL, version=version)]
    assert len(names) == 2
    before = fold(story[:2])
    assert isinstance(before, Indicator)
    assert names.isdisjoint(before.causes)
