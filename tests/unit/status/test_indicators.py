"""The indicator is a function of the set of known events: order, repeats, lateness do not count."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Evidence, FailureCategory, FailureEvidence
from services.status.facts import Deleted, Fact, Issued, Outcome, State
from services.status.indicators import ChannelIndicator, Indicator, fold, overall
from services.status.timeline import history

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def issued(attempt: int = 1, *channels: Channel) -> Issued:
    return Issued(attempt, frozenset(channels or {Channel.EMAIL}), at(attempt * 100))


def outcome(
    state: State,
    sequence: int,
    *,
    attempt: int = 1,
    channel: Channel = Channel.EMAIL,
    evidence: Evidence | None = None,
    category: FailureCategory | None = None,
    late: bool = False,
) -> Outcome:
    if state is State.DELIVERED and evidence is None:
        evidence = Evidence.ACCEPTED
    moment = at(attempt * 100 + sequence)
    return Outcome(
        attempt, channel, sequence, state, moment, evidence, category=category, late=late
    )


# --- strategies -------------------------------------------------------------------------------

moments = st.integers(0, 5).map(at)
attempts = st.integers(1, 3)
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        Issued,
        attempt=attempts,
        channels=st.frozensets(st.sampled_from(Channel), min_size=1),
        at=moments,
    ),
    # Few distinct values on purpose: equal sequences and equal times must occur often. Delivered
    # without evidence breaks the contract; the fold must not turn it green all the same.
    st.builds(
        Outcome,
        attempt=attempts,
        channel=st.sampled_from(Channel),
        sequence=st.integers(1, 4),
        state=st.sampled_from(State),
        at=moments,
        evidence=st.none() | st.sampled_from([*Evidence, *FailureEvidence]),
        category=st.none() | st.sampled_from(FailureCategory),
        status_code=st.sampled_from([None, "4.4.1", "5.1.1"]),
        late=st.booleans(),
    ),
)
deletions: st.SearchStrategy[Fact] = st.builds(Deleted, at=moments)
knowledge = st.lists(facts, max_size=12)
knowledge_and_deletions = st.lists(facts | deletions, max_size=12)


# --- order, repeats and lateness --------------------------------------------------------------


@given(st.data(), knowledge_and_deletions)
def test_order_does_not_count(data: st.DataObject, known: list[Fact]) -> None:
    shuffled = data.draw(st.permutations(known))
    assert fold(shuffled) == fold(known)
    assert history(shuffled) == history(known)


@given(st.data(), knowledge_and_deletions.filter(bool))
def test_repeats_do_not_count(data: st.DataObject, known: list[Fact]) -> None:
    repeats = data.draw(st.lists(st.sampled_from(known), max_size=12))
    assert fold([*known, *repeats]) == fold(known)
    assert history([*repeats, *known]) == history(known)


@given(st.data(), knowledge_and_deletions)
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


@given(knowledge_and_deletions, knowledge_and_deletions, knowledge_and_deletions)
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


@given(knowledge.filter(bool))
def test_an_indicator_as_soon_as_an_attempt_is_known(known: list[Fact]) -> None:
    assert isinstance(fold(known), Indicator)


def test_requested_without_an_outcome_is_pending() -> None:
    shown = fold([issued(1, Channel.EMAIL, Channel.SMS)])
    assert shown == Indicator(
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


@given(knowledge, st.sampled_from(State))
def test_a_new_attempt_shows_nothing_of_the_old_one(known: list[Fact], state: State) -> None:
    assert fold([*known, issued(9)]) == fold([issued(9)])
    again = outcome(state, 1, attempt=9)
    assert fold([*known, again]) == fold([again])


@given(knowledge_and_deletions, deletions)
def test_deleted_wins_whenever_it_comes(known: list[Fact], deletion: Fact) -> None:
    assert isinstance(fold([deletion, *known]), Deleted)
    assert isinstance(fold([*known, deletion]), Deleted)


@given(knowledge)
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


# --- the history ------------------------------------------------------------------------------


@given(knowledge_and_deletions)
def test_the_history_is_in_order_of_occurrence_and_complete(known: list[Fact]) -> None:
    entries = history(known)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    told = {fact for fact in known if not isinstance(fact, Deleted)}
    assert len(entries) == sum(
        len(fact.channels) if isinstance(fact, Issued) else 1 for fact in told
    )


def test_the_history_keeps_superseded_attempts() -> None:
    entries = history(
        [
            outcome(State.DELIVERED, 1, attempt=2),
            issued(2),
            outcome(State.FAILED, 1, category=FailureCategory.PERMANENT),
            issued(1),
        ]
    )
    assert [(entry.attempt, entry.type) for entry in entries] == [
        (1, "requested"),
        (1, "failed"),
        (2, "requested"),
        (2, "delivered"),
    ]
