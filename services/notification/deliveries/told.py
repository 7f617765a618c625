"""Whether a patient was told of the appointment, and so whether a notice is to be sent. Pure.

Nobody is told that something was moved or cancelled, or is reminded of it, who was never told that
it is. What counts is the invitation over the notice's channel to the notice's address:

    the invitation                                     the notice
    is being sent                                      waits until that try has ended
    was taken, or may have been                        is sent
    is still to be sent                                is withheld: it will name the new time
    was refused, bounced, failed, was withdrawn        is withheld
    is not known                                       is withheld
    was sent, and named the time that the move is to   the move alone is withheld

The last of these only where no notice has named another time since, or is about to: to who was
told of eleven, ten is news again, though the invitation named it.

A bounce that nobody has signed proves nothing: the notice is sent. Several attempts may have gone
to the address; one that may have told the patient is enough.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum

from contracts.events import Withheld
from services.notification.deliveries.delivery import Delivery, State
from services.notification.letters.letter import LetterKind

TO_BE_SENT = {State.QUEUED, State.RETRYING}


class Send(Enum):
    """What becomes of a notice that is not withheld."""

    NOW = "now"
    LATER = "later"


def fate(notice: Delivery, deliveries: Iterable[Delivery]) -> Send | Withheld:
    """Whether a notice is to be sent; `deliveries` are those of its appointment."""
    same = [each for each in deliveries if _goes_alike(each, notice)]
    invitations = [each for each in same if each.kind is LetterKind.INVITATION]
    if any(each.state is State.SENDING for each in invitations):
        return Send.LATER
    if not any(may_have_told(each) for each in invitations):
        under_way = any(each.state in TO_BE_SENT for each in invitations)
        return Withheld.IN_INVITATION if under_way else Withheld.NOT_INVITED
    named = {
        each.named_start
        for each in same
        if each.id != notice.id and (may_have_told(each) or each.state is State.SENDING)
    }
    is_move = notice.kind is LetterKind.MOVED
    return Withheld.IN_INVITATION if is_move and named == {notice.starts_at} else Send.NOW


def known_start(notice: Delivery, deliveries: Iterable[Delivery]) -> datetime | None:
    """Which start the patient knows, where a text message of a move has waited and told nobody.

    None: the one that the notice names.
    """
    same = [each for each in deliveries if _goes_alike(each, notice)]
    moves = [each for each in same if each.kind is LetterKind.MOVED]
    if not any(each.held_until is not None and not each.tries for each in moves):
        return None
    told = [each for each in same if may_have_told(each)]
    newest = max(told, key=lambda each: each.requested_version, default=None)
    return None if newest is None else newest.named_start


def may_have_told(delivery: Delivery) -> bool:
    """Whether somebody may have read it; of one that is being sent that is not known yet."""
    if delivery.state is State.FAILED:
        return delivery.disputed
    if delivery.late:  # bounced before a newer attempt took its place
        return False
    return delivery.handed_over_at is not None or delivery.unanswered > 0


def _goes_alike(each: Delivery, notice: Delivery) -> bool:
    """Whether it goes over the notice's channel to its address.

    Fingerprints under two keys (their first byte) say nothing of each other: taken for alike.
    """
    if each.channel is not notice.channel:
        return False
    return each.recipient == notice.recipient or each.recipient[:1] != notice.recipient[:1]
