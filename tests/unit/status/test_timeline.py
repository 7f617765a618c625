"""Everything that happened is told, in order of occurrence."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Answer, FailureCategory, NoticeKind, VisitRole
from services.status.condensing import condensed
from services.status.facts import (
    Answered,
    Corrected,
    Deleted,
    Fact,
    Issued,
    Joined,
    Outcome,
    Scheduled,
    State,
)
from services.status.timeline import Start, history, starts, timeline
from tests.unit.status.stories import (
    NOTICE_ID,
    at,
    corrected,
    corrections,
    deletions,
    invitations,
    issued,
    notice,
    others,
    outcome,
    scheduled,
)

everything = st.lists(invitations | corrections | others | deletions, max_size=12)


def test_corrections_of_several_attempts_at_one_moment_have_one_order() -> None:
    known: list[Fact] = [
        Corrected(version=2, attempt=attempt, unsent=frozenset({Channel.EMAIL}), at=at(4))
        for attempt in range(1, 9)
    ]
    assert [entry.attempt for entry in timeline(known)] == [*range(1, 9)]


@given(st.data(), everything)
def test_neither_order_nor_repeats_count(data: st.DataObject, known: list[Fact]) -> None:
    shuffled = data.draw(st.permutations([*known, *known[:3]]))
    assert history(shuffled) == history(known)
    assert timeline(shuffled) == timeline(known)
    assert starts(shuffled) == starts(known)


@given(everything)
def test_it_is_in_order_of_occurrence_and_complete(known: list[Fact]) -> None:
    entries = timeline(known)
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
    told = {fact for fact in condensed(known) if not isinstance(fact, Deleted | Scheduled)}
    assert len(entries) == sum(
        len(fact.channels) if isinstance(fact, Issued) else 1 for fact in told
    )


@given(everything)
def test_the_history_is_what_it_says_of_the_invitation(known: list[Fact]) -> None:
    of_it = [fact for fact in known if isinstance(fact, Issued | Outcome)]
    assert history(known) == timeline(of_it)
    assert all(entry.channel and entry.attempt for entry in history(known))


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


def test_notices_answers_and_the_visit_have_lines_of_their_own() -> None:
    entries = timeline(
        [
            scheduled(1),
            issued(1),
            notice(NoticeKind.MOVED, State.FAILED, minutes=200),
            Answered(1, Answer.DECLINED, at(300)),
            Joined(VisitRole.PATIENT, at(400)),
        ]
    )
    assert [(entry.about, entry.type) for entry in entries] == [
        ("invitation", "requested"),
        ("moved", "failed"),
        ("invitation", "answered"),
        ("visit", "joined"),
    ]
    assert (entries[2].answer, entries[3].role) == (Answer.DECLINED, VisitRole.PATIENT)
    assert [entry.notice_id for entry in entries] == [None, NOTICE_ID, None, None]


def test_the_starts_that_it_had_are_told_in_their_order_and_another_length_is_none() -> None:
    longer = dataclasses.replace(scheduled(2, 1000), duration_minutes=45)
    known: list[Fact] = [
        scheduled(4, 1000),
        scheduled(3, 2000),
        longer,
        scheduled(1, 1000),
        issued(1),
    ]
    assert starts(known) == [
        Start(at(1), at(1000)),
        Start(at(3), at(2000)),
        Start(at(4), at(1000)),
    ]
    assert starts([issued(1)]) == []


def test_a_correction_has_a_line() -> None:
    [entry] = timeline([corrected(Channel.EMAIL, attempt=2)])
    assert (entry.type, entry.about, entry.attempt) == ("corrected", "appointment", 2)
    assert entry.at == at(802)
