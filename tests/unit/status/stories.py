"""Facts of one appointment for the rules' tests: few distinct values, so that ties are common."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import (
    Answer,
    Evidence,
    FailureCategory,
    FailureEvidence,
    NoticeKind,
    VisitRole,
    Withheld,
)
from services.status.facts import (
    Answered,
    Corrected,
    Deleted,
    Erased,
    Fact,
    FollowedUp,
    Issued,
    Joined,
    Notice,
    Outcome,
    Scheduled,
    State,
)

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
NOTICE_ID = UUID(int=1)


def at(minutes: int) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def scheduled(version: int = 1, start: int = 1000) -> Scheduled:
    """To so many minutes after noon, for twenty minutes."""
    return Scheduled(version, at(start), 20, at(version))


def issued(attempt: int = 1, *channels: Channel, version: int = 1) -> Issued:
    """A hundred minutes after the attempt before."""
    return Issued(attempt, frozenset(channels or {Channel.EMAIL}), at(attempt * 100), version)


def corrected(*unsent: Channel, attempt: int = 1, version: int = 2) -> Corrected:
    """As many minutes after 800 past noon as its version says."""
    return Corrected(version, attempt, frozenset(unsent), at(800 + version))


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
    """As many minutes after its attempt as its sequence says."""
    if state is State.DELIVERED and evidence is None:
        evidence = Evidence.ACCEPTED
    moment = at(attempt * 100 + sequence)
    return Outcome(
        attempt, channel, sequence, state, moment, evidence, category=category, late=late
    )


def notice(
    kind: NoticeKind,
    state: State,
    *,
    number: int = 1,
    version: int = 2,
    channel: Channel = Channel.EMAIL,
    sequence: int = 1,
    minutes: int = 250,
    category: FailureCategory | None = None,
) -> Notice:
    """Of notice `number`, told so many minutes after noon."""
    evidence = Evidence.ACCEPTED if state is State.DELIVERED else None
    return Notice(
        UUID(int=number),
        kind,
        version,
        channel,
        sequence,
        state,
        at(minutes),
        evidence,
        category=category,
    )


def followed_up(*causes: UUID, minutes: int = 900) -> FollowedUp:
    """So many minutes after noon."""
    return FollowedUp(frozenset(causes), at(minutes))


moments = st.integers(0, 5).map(at)
versions = st.integers(1, 3)
told = {
    "channel": st.sampled_from(Channel),
    "sequence": st.integers(1, 4),
    "state": st.sampled_from(State),
    "at": moments,
    # Delivered without evidence breaks the contract; the fold must not turn it green all the same.
    "evidence": st.none() | st.sampled_from([*Evidence, *FailureEvidence]),
    "category": st.none() | st.sampled_from(FailureCategory),
    "status_code": st.sampled_from([None, "4.4.1", "5.1.1"]),
    "late": st.booleans(),
}
invitations: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        Issued,
        attempt=versions,
        channels=st.frozensets(st.sampled_from(Channel), min_size=1),
        at=moments,
        version=versions,
    ),
    st.builds(Outcome, attempt=versions, **told),
)
notices = st.builds(
    Notice,
    notice_id=st.integers(1, 2).map(lambda number: UUID(int=number)),
    kind=st.sampled_from(NoticeKind),
    version=versions,
    withheld=st.none() | st.sampled_from(Withheld),
    **told,
)
others: st.SearchStrategy[Fact] = st.one_of(
    st.builds(
        Scheduled,
        version=versions,
        start=moments,
        duration_minutes=st.sampled_from([5, 480]),
        at=moments,
    ),
    notices,
    st.builds(Answered, version=versions, answer=st.sampled_from(Answer), at=moments),
    st.builds(Joined, role=st.sampled_from(VisitRole), at=moments),
    st.builds(
        FollowedUp,
        causes=st.frozensets(st.integers(1, 3).map(lambda number: UUID(int=number)), min_size=1),
        at=moments,
    ),
)
corrections: st.SearchStrategy[Fact] = st.builds(
    Corrected,
    version=versions,
    attempt=versions,
    unsent=st.frozensets(st.sampled_from(Channel)),
    at=moments,
)
deletions: st.SearchStrategy[Fact] = st.builds(Deleted, at=moments)
erasures: st.SearchStrategy[Fact] = st.builds(Erased, at=moments)
