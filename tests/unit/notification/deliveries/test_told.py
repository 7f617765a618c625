"""Nobody hears of a move or a cancellation, or is reminded, who never heard of the appointment."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import Withheld
from services.notification.deliveries.delivery import Delivery
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    Claimed,
    Confirmed,
    DeliveryEvent,
    Disputed,
    FailedForNow,
    Misconfigured,
    Moved,
    Refused,
    Released,
    ReplyLost,
    Requested,
    Superseded,
    Withdrawn,
)
from services.notification.deliveries.told import Send, fate, known_start
from services.notification.letters.letter import LetterKind
from tests.support.deliveries import GREYLISTED, LEASE, NOW, OK, UNKNOWN_USER, after, minutes, new

RECEIPT = uuid4()
HERE, ELSEWHERE = b"\x01here", b"\x01elsewhere"
LATER = NOW + timedelta(days=2)  # where a move is to
NOTICES = [kind for kind in LetterKind if kind is not LetterKind.INVITATION]
CLAIMED = "claimed"
HARD = Bounced(RECEIPT, UNKNOWN_USER, permanent=True)
RETRY = FailedForNow(LEASE, GREYLISTED, NOW + minutes(1))
LOST = ReplyLost(LEASE, NOW + minutes(1))


def invitation(*story: DeliveryEvent | str, recipient: bytes = HERE) -> Delivery:
    """One to which this happened; it is claimed and sent as a letter that names its own start."""
    delivery, now = replace(new(), recipient=recipient), NOW
    for each in (Requested(), *story):
        claimed = Claimed(LEASE, now + minutes(5), delivery.starts_at)
        event = claimed if isinstance(each, str) else each
        delivery = after(delivery, event, now=now).delivery
        now += minutes(1)
    return delivery


def notice(kind: LetterKind, **changes: object) -> Delivery:
    known: dict[str, object] = {"kind": kind, "starts_at": LATER, "recipient": HERE} | changes
    known.setdefault("named_start", known["starts_at"])
    return replace(new(), **known)  # type: ignore[arg-type]


def told(notice: Delivery, *story: DeliveryEvent) -> Delivery:
    """One that went out, and to which this happened then."""
    claimed = Claimed(LEASE, NOW + minutes(60), notice.named_start)
    return after(notice, Requested(), claimed, *(story or (Accepted(OK),))).delivery


MAY_HAVE_TOLD = {
    "accepted": (CLAIMED, Accepted(OK)),
    "confirmed": (CLAIMED, Accepted(OK), Confirmed(RECEIPT)),
    "a copy is unanswered": (CLAIMED, LOST),
    "withdrawn behind a copy that is unanswered": (CLAIMED, LOST, Withdrawn()),
    "unknown": (CLAIMED, LOST, CLAIMED, LOST),
    "disputed by nobody that signs": (CLAIMED, Accepted(OK), Disputed(RECEIPT)),
    "replaced": (CLAIMED, Accepted(OK), Superseded()),
    "replaced after a dispute": (CLAIMED, Accepted(OK), Disputed(RECEIPT), Superseded()),
    "replaced while it was being sent": (CLAIMED, Superseded()),
}
NEVER_TOLD = {
    "withdrawn": (Withdrawn(),),
    "withdrawn while it was being sent": (CLAIMED, Withdrawn(), RETRY),
    "refused": (CLAIMED, Refused(LEASE, UNKNOWN_USER)),
    "refused after all": (CLAIMED, LOST, CLAIMED, Refused(LEASE, UNKNOWN_USER)),
    "bounced": (CLAIMED, Accepted(OK), HARD),
    "bounced after a confirmation": (CLAIMED, Accepted(OK), Confirmed(RECEIPT), HARD),
    "bounced, then replaced": (CLAIMED, Accepted(OK), HARD, Superseded()),
    "given up": (CLAIMED, FailedForNow(LEASE, GREYLISTED, None)),
    "not sent by a fault of ours": (CLAIMED, Misconfigured(LEASE, OK)),
    "replaced before it was sent": (Superseded(),),
}
UNDER_WAY = {
    "queued": (),
    "given back": (CLAIMED, Released(LEASE)),
    "to be tried again": (CLAIMED, RETRY),
}


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("story", MAY_HAVE_TOLD.values(), ids=MAY_HAVE_TOLD)
def test_who_may_have_been_told_gets_the_notice(
    kind: LetterKind, story: tuple[DeliveryEvent | str, ...]
) -> None:
    assert fate(notice(kind), [invitation(*story)]) is Send.NOW


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("story", NEVER_TOLD.values(), ids=NEVER_TOLD)
def test_who_was_never_told_gets_none(
    kind: LetterKind, story: tuple[DeliveryEvent | str, ...]
) -> None:
    assert fate(notice(kind), [invitation(*story)]) is Withheld.NOT_INVITED
    assert fate(notice(kind), []) is Withheld.NOT_INVITED


@pytest.mark.parametrize("kind", NOTICES)
@pytest.mark.parametrize("story", UNDER_WAY.values(), ids=UNDER_WAY)
def test_an_invitation_that_is_still_to_be_sent_says_it_all(
    kind: LetterKind, story: tuple[DeliveryEvent | str, ...]
) -> None:
    assert fate(notice(kind), [invitation(*story)]) is Withheld.IN_INVITATION


@pytest.mark.parametrize("kind", NOTICES)
def test_while_it_is_being_sent_nobody_knows(kind: LetterKind) -> None:
    for before in ((), MAY_HAVE_TOLD["accepted"], NEVER_TOLD["refused"]):
        others = [invitation(*before)]
        assert fate(notice(kind), [*others, invitation(CLAIMED)]) is Send.LATER


def test_a_move_that_the_invitation_named_is_not_told_again() -> None:
    sent = invitation(CLAIMED, Accepted(OK))
    assert sent.named_start == sent.starts_at
    moved = notice(LetterKind.MOVED)
    assert fate(moved, [replace(sent, named_start=LATER)]) is Withheld.IN_INVITATION
    assert fate(moved, [replace(sent, named_start=LATER), sent]) is Send.NOW
    for kind in (LetterKind.REMINDER, LetterKind.CANCELLED):
        assert fate(notice(kind), [replace(sent, named_start=LATER)]) is Send.NOW


def test_a_move_back_to_what_the_invitation_named_is_told_to_who_heard_another_time_since() -> None:
    sent = invitation(CLAIMED, Accepted(OK))
    back = notice(LetterKind.MOVED, starts_at=sent.starts_at)
    assert fate(back, [sent]) is Withheld.IN_INVITATION
    for kind in (LetterKind.MOVED, LetterKind.REMINDER):
        there = notice(kind)
        for heard in (
            told(there),
            told(there, Accepted(OK), Moved(sent.starts_at)),  # where the appointment is by now
            told(there, LOST, Withdrawn()),
            after(there, Requested(), Claimed(LEASE, NOW + minutes(9), LATER)).delivery,
            told(replace(there, named_start=None)),  # as it was stored before that was noted
        ):
            assert fate(back, [sent, heard, back]) is Send.NOW
        for unheard in (
            after(there, Requested(), Withdrawn()).delivery,
            told(there, Refused(LEASE, UNKNOWN_USER)),
            told(there, Accepted(OK), HARD),
            told(replace(there, recipient=ELSEWHERE)),
            told(replace(there, channel=Channel.SMS)),
        ):
            assert fate(back, [sent, unheard, back]) is Withheld.IN_INVITATION


@given(
    st.lists(
        st.tuples(
            st.sampled_from([LetterKind.MOVED, LetterKind.REMINDER]),
            st.sampled_from([LATER, NOW + timedelta(days=1)]),
            st.booleans(),
        ),
        max_size=5,
    ),
    st.sampled_from([LATER, NOW + timedelta(days=1)]),
)
def test_a_move_is_withheld_from_nobody_who_heard_of_another_time_last(
    notices: list[tuple[LetterKind, datetime, bool]], start: datetime
) -> None:
    """Whatever was told since the invitation, and wherever the appointment was moved then."""
    sent = invitation(CLAIMED, Accepted(OK))
    deliveries, heard = [sent], [sent.named_start]
    for kind, named, arrives in notices:
        one = notice(kind, starts_at=named)
        one = told(one) if arrives else after(one, Requested(), Withdrawn()).delivery
        deliveries.append(one)
        heard += [named] * arrives
    deliveries = [after(each, Moved(start)).delivery for each in deliveries]
    moved = notice(LetterKind.MOVED, starts_at=start)
    verdict = fate(moved, [*deliveries, moved])
    assert verdict is (Send.NOW if set(heard) != {start} else Withheld.IN_INVITATION)
    assert verdict is Send.NOW or heard[-1] == start


def test_what_counts_of_two_copies_is_the_time_that_the_first_one_named() -> None:
    """A server may drop the second one, which has the same Message-ID."""
    lost = invitation(CLAIMED, LOST)
    moved = Claimed(LEASE, NOW + minutes(9), LATER)
    second = after(lost, moved, Accepted(OK), now=NOW + minutes(2)).delivery
    assert second.named_start == lost.named_start != LATER
    surely_not_sent = invitation(CLAIMED, RETRY)
    second = after(surely_not_sent, moved, Accepted(OK), now=NOW + minutes(2)).delivery
    assert second.named_start == LATER


def test_what_another_address_or_channel_was_told_does_not_count() -> None:
    told = invitation(CLAIMED, Accepted(OK))
    moved = notice(LetterKind.MOVED)
    assert fate(moved, [replace(told, recipient=ELSEWHERE)]) is Withheld.NOT_INVITED
    assert fate(moved, [replace(told, channel=Channel.SMS)]) is Withheld.NOT_INVITED
    assert fate(moved, [replace(told, kind=LetterKind.REMINDER)]) is Withheld.NOT_INVITED
    assert fate(moved, [replace(told, recipient=ELSEWHERE), invitation()]) is (
        Withheld.IN_INVITATION
    )


def test_an_address_noted_under_another_key_may_be_the_same() -> None:
    told = replace(invitation(CLAIMED, Accepted(OK)), recipient=b"\x02whose")
    assert fate(notice(LetterKind.CANCELLED), [told]) is Send.NOW


STORIES = st.sampled_from([*MAY_HAVE_TOLD.values(), *NEVER_TOLD.values(), *UNDER_WAY.values()])


@given(
    st.sampled_from(NOTICES), st.lists(STORIES.map(lambda story: invitation(*story)), max_size=4)
)
def test_one_that_may_have_told_is_enough(kind: LetterKind, attempts: list[Delivery]) -> None:
    verdict = fate(notice(kind), attempts)
    assert verdict == fate(notice(kind), attempts[::-1])
    alone = {fate(notice(kind), [each]) for each in attempts}
    assert (Send.NOW in alone) is (verdict is Send.NOW)
    assert (Withheld.IN_INVITATION in alone) is (verdict is Withheld.IN_INVITATION) or (
        verdict is Send.NOW
    )


def test_where_a_move_has_waited_in_vain_the_patient_knows_what_was_told_last() -> None:
    invited, tomorrow = invitation(CLAIMED, Accepted(OK)), NOW + timedelta(days=1)
    cancelled = notice(LetterKind.CANCELLED, requested_version=4)
    waited = notice(LetterKind.MOVED, requested_version=3, held_until=tomorrow)
    assert known_start(cancelled, [invited, waited]) == invited.starts_at
    assert known_start(cancelled, [waited]) is None  # nobody was told of anything
    assert known_start(cancelled, [invited]) is None
    # What was told before is newer than the invitation, whichever stands first, and wherever the
    # appointment was moved then.
    third = NOW + timedelta(days=3)
    for kind in (LetterKind.MOVED, LetterKind.REMINDER):
        heard = told(notice(kind, requested_version=2), Accepted(OK), Moved(third))
        for known in ([invited, heard, waited], [waited, heard, invited]):
            assert known_start(cancelled, known) == LATER
    # One that has waited and then went out tells for itself.
    sent = replace(waited, tries=1)
    assert known_start(cancelled, [invited, sent]) is None


@pytest.mark.parametrize(
    "elsewhere", [{"recipient": ELSEWHERE}, {"channel": Channel.SMS}], ids=["address", "channel"]
)
def test_what_waited_elsewhere_says_nothing_of_what_is_known_here(
    elsewhere: dict[str, object],
) -> None:
    invited, tomorrow = invitation(CLAIMED, Accepted(OK)), NOW + timedelta(days=1)
    waited = notice(LetterKind.MOVED, held_until=tomorrow, **elsewhere)
    assert known_start(notice(LetterKind.CANCELLED), [invited, waited]) is None
