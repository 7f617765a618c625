"""The newest notice of each kind, and whether it told anybody anything."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import FailureCategory, NoticeKind
from services.status.facts import Notice, State
from services.status.notices import newest
from tests.unit.status.stories import at, notice, notices

MOVED = NoticeKind.MOVED
some = st.lists(notices, max_size=12)


@given(st.data(), some)
def test_neither_order_nor_repeats_count(data: st.DataObject, known: list[Notice]) -> None:
    assert newest(data.draw(st.permutations([*known, *known[:2]]))) == newest(known)


def test_the_higher_version_is_newer_however_late_the_other_one_bounces() -> None:
    first = notice(MOVED, State.DELIVERED, number=1, version=2, minutes=200)
    bounce = notice(MOVED, State.FAILED, number=1, version=2, sequence=2, minutes=900)
    second = notice(MOVED, State.DELIVERED, number=2, version=3, minutes=300)
    fate = newest([bounce, second, first])[MOVED]
    assert (fate.version, fate.untold) == (3, None)
    early = notice(MOVED, State.DELIVERED, number=2, version=3, minutes=100)
    assert newest([first, early])[MOVED].version == 3


def test_the_version_of_a_notice_is_the_highest_that_is_told_of_it() -> None:
    told = [
        notice(MOVED, State.PENDING, number=number, version=version, sequence=version)
        for number, version in ((2, 2), (1, 1), (1, 3))
    ]
    fate = newest(told)[MOVED]
    assert (fate.notice_id, fate.version) == (UUID(int=1), 3)


def test_of_two_reminders_the_one_begun_later_is_newer() -> None:
    kind = NoticeKind.REMINDER
    first = notice(kind, State.DELIVERED, number=2, version=1, minutes=200)
    bounce = notice(kind, State.FAILED, number=2, version=1, sequence=2, minutes=900)
    second = notice(kind, State.DELIVERED, number=1, version=1, minutes=300)
    assert newest([first, bounce, second])[kind].at == at(300)


@pytest.mark.parametrize(
    ("email", "sms", "untold"),
    [
        (State.FAILED, None, State.FAILED),
        (State.PENDING, None, None),
        (State.UNCONFIRMED, None, State.UNCONFIRMED),
        (State.DELIVERED, State.FAILED, None),
        (State.FAILED, State.PENDING, State.FAILED),
        (State.FAILED, State.UNCONFIRMED, State.FAILED),
        (State.PENDING, State.UNCONFIRMED, None),
    ],
)
def test_untold(email: State, sms: State | None, untold: State | None) -> None:
    known = [notice(MOVED, email)]
    if sms is not None:
        known.append(notice(MOVED, sms, channel=Channel.SMS))
    assert newest(known)[MOVED].untold is untold


def test_what_was_withdrawn_was_to_tell_nobody() -> None:
    withdrawn = notice(MOVED, State.FAILED, category=FailureCategory.CANCELLED)
    assert newest([withdrawn])[MOVED].untold is None
