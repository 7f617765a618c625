"""For how long the patient of a cancelled appointment stays known."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import (
    Evidence,
    FailureCategory,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticeOutcome,
    NoticePending,
    NoticeUnconfirmed,
    PendingState,
    Withheld,
)
from services.scheduling.cancellations import BOUNCES_WITHIN, Cancellation, after

NOW = datetime(2026, 11, 2, tzinfo=UTC)
START = NOW + timedelta(days=9)
Story = list[NoticeOutcome]


def known(channel: Channel, minutes: int = 0) -> dict[str, Any]:
    return {
        "appointment_id": UUID(int=1),
        "practice_id": UUID(int=2),
        "notice_id": UUID(int=3),
        "kind": NoticeKind.CANCELLED,
        "appointment_version": 2,
        "channel": channel,
        "sequence": 1,
        "occurred_at": NOW + timedelta(minutes=minutes),
    }


def queued(channel: Channel) -> NoticePending:
    return NoticePending(**known(channel), state=PendingState.QUEUED)


def taken(channel: Channel) -> NoticeDelivered:
    return NoticeDelivered(**known(channel, 1), evidence=Evidence.ACCEPTED)


def confirmed(channel: Channel) -> NoticeDelivered:
    return NoticeDelivered(**known(channel, 2), evidence=Evidence.CONFIRMED)


def failed(channel: Channel, *, late: bool) -> NoticeFailed:
    return NoticeFailed(**known(channel, 3), category=FailureCategory.PERMANENT, late=late)


def withheld(channel: Channel) -> NoticeFailed:
    return NoticeFailed(
        **known(channel), category=FailureCategory.CANCELLED, withheld=Withheld.NOT_INVITED
    )


def stories(channel: Channel) -> list[Story]:
    """What may become of a cancellation over one channel."""
    told: list[Story] = [
        [withheld(channel)],
        [queued(channel)],
        [queued(channel), withheld(channel)],
        [queued(channel), confirmed(channel)],
        [queued(channel), failed(channel, late=False)],
        [queued(channel), NoticeUnconfirmed(**known(channel, 3))],
    ]
    if channel is Channel.SMS:
        return [*told, [queued(channel), failed(channel, late=True)]]
    mail = [queued(channel), taken(channel)]
    return [*told, mail, [*mail, confirmed(channel)], [*mail, failed(channel, late=True)]]


def end(outcomes: Story) -> Cancellation:
    cancellation = Cancellation.begun(START, list(Channel))
    for outcome in outcomes:
        cancellation = after(cancellation, outcome)
    return cancellation


def shuffled(mail: Story, text: Story, turns: list[bool]) -> Story:
    """Both, each in its order."""
    rest = {True: list(mail), False: list(text)}
    order = [*turns, *[True] * len(mail), *[False] * len(text)]
    return [rest[turn].pop(0) for turn in order if rest[turn]]


@given(
    st.sampled_from(stories(Channel.EMAIL)),
    st.sampled_from(stories(Channel.SMS)),
    st.lists(st.booleans(), max_size=6),
)
def test_who_may_have_to_be_called_is_known_and_nobody_else(
    mail: Story, text: Story, turns: list[bool]
) -> None:
    until = end(shuffled(mail, text, turns)).contact_until
    both = [mail[-1], text[-1]]
    known_to_know = confirmed(Channel.EMAIL) in both or confirmed(Channel.SMS) in both
    if known_to_know or both == [withheld(channel) for channel in Channel]:
        assert until is None
    elif taken(Channel.EMAIL) in both:
        assert until == taken(Channel.EMAIL).occurred_at + BOUNCES_WITHIN
    else:
        assert until == START


def test_nobody_is_known_past_the_start() -> None:
    soon = NOW + timedelta(hours=2)
    begun = Cancellation.begun(soon, [Channel.EMAIL])
    assert after(begun, taken(Channel.EMAIL)).contact_until == soon
