"""Which outcomes make an address a dead one."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    Evidence,
    FailureCategory,
    FailureEvidence,
    FailureReason,
    InvitationDelivered,
    InvitationFailed,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    Withheld,
)
from services.scheduling.addresses import (
    Reported,
    Whereabouts,
    fingerprint,
    mailbox,
    name_fingerprint,
    name_fingerprints,
    taken_back,
    verdict,
    whereabouts,
)

KNOWN: dict[str, Any] = {
    "appointment_id": UUID(int=1),
    "practice_id": UUID(int=2),
    "invitation_id": UUID(int=3),
    "attempt": 1,
    "channel": Channel.EMAIL,
    "sequence": 1,
    "occurred_at": datetime(2026, 11, 2, tzinfo=UTC),
}
DEAD = {FailureReason.UNKNOWN_USER, FailureReason.HOST_UNKNOWN}


@pytest.mark.parametrize("category", FailureCategory)
@pytest.mark.parametrize("reason", [None, *FailureReason])
def test_only_an_address_that_was_called_unknown_for_good_is_dead(
    reason: FailureReason | None, category: FailureCategory
) -> None:
    found = verdict(InvitationFailed(**KNOWN, category=category, reason=reason))
    if reason in DEAD and category is FailureCategory.PERMANENT:
        assert found is not None
        assert found.dead
    else:
        assert found is None


def test_what_nobody_has_signed_says_nothing_of_the_address() -> None:
    failed = InvitationFailed(
        **KNOWN,
        category=FailureCategory.PERMANENT,
        reason=FailureReason.UNKNOWN_USER,
        evidence=FailureEvidence.UNSIGNED,
    )
    assert verdict(failed) is None


@pytest.mark.parametrize("kind", NoticeKind)
def test_a_notice_says_as_much_of_its_address_as_an_invitation(kind: NoticeKind) -> None:
    told = {
        name: value for name, value in KNOWN.items() if name not in {"invitation_id", "attempt"}
    }
    told |= {"notice_id": UUID(int=9), "kind": kind, "appointment_version": 1}
    bounced = NoticeFailed(
        **told, category=FailureCategory.PERMANENT, reason=FailureReason.UNKNOWN_USER, late=True
    )
    arrived = NoticeDelivered(**told, evidence=Evidence.ACCEPTED)
    for outcome, dead in ((bounced, True), (arrived, False)):
        found = verdict(outcome)
        assert found is not None
        assert (found.notice_id, found.attempt, found.dead) == (UUID(int=9), None, dead)
    withheld = NoticeFailed(
        **told, category=FailureCategory.CANCELLED, withheld=Withheld.NOT_INVITED
    )
    assert verdict(withheld) is None


def test_a_delivery_brings_an_address_back_to_life() -> None:
    found = verdict(InvitationDelivered(**KNOWN, evidence=Evidence.ACCEPTED))
    assert found is not None
    assert not found.dead


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("erika@example.org", "erika@example.org"),
        ("erika+praxis@example.org", "erika@example.org"),
        ("erika+a+b@example.org", "erika@example.org"),
        ("+erika@example.org", "+erika@example.org"),
        ("+491713920001", "+491713920001"),
    ],
)
def test_what_follows_a_plus_is_the_same_mailbox(address: str, expected: str) -> None:
    assert mailbox(address) == expected


@pytest.mark.parametrize(
    ("sent_to", "present", "keys", "said"),
    [
        ("anna@example.org", "anna@example.org", (1,), Whereabouts.PRESENT),
        ("anna@example.org", "anna@example.org", (1, 2), Whereabouts.PRESENT),
        ("anna@example.org", "berta@example.org", (1, 2), Whereabouts.OTHER),
        ("anna@example.org", None, (1,), Whereabouts.OTHER),
        ("", None, (1,), Whereabouts.OTHER),
        # Under a key that is gone nobody can tell.
        ("anna@example.org", "anna@example.org", (2,), Whereabouts.UNKNOWN),
        ("anna@example.org", None, (2,), Whereabouts.UNKNOWN),
    ],
)
def test_where_an_attempt_went_is_told_as_far_as_its_fingerprint_says(
    sent_to: str, present: str | None, keys: tuple[int, ...], said: Whereabouts
) -> None:
    practice_id, channel = UUID(int=2), Channel.EMAIL
    noted = fingerprint(Sealer({1: bytes(32)}), practice_id, channel, sent_to)
    later = Sealer({number: bytes([number - 1]) * 32 for number in keys})
    assert whereabouts(later, practice_id, channel, noted, present) is said


def test_what_came_back_after_all_is_taken_back_and_what_was_refused_never_arrived() -> None:
    late = {**KNOWN, "late": True, "category": FailureCategory.TEMPORARY}
    found = taken_back(InvitationFailed(**late, evidence=FailureEvidence.UNSIGNED))
    assert found == Reported(
        practice_id=UUID(int=2),
        appointment_id=UUID(int=1),
        attempt=1,
        notice_id=None,
        channel=Channel.EMAIL,
        at=KNOWN["occurred_at"],
    )
    assert taken_back(InvitationFailed(**late | {"late": False})) is None
    assert taken_back(InvitationDelivered(**KNOWN, evidence=Evidence.ACCEPTED)) is None


def test_a_name_is_recognised_at_its_address_and_nowhere_else() -> None:
    sealer = Sealer({1: bytes(32)})
    here = (UUID(int=1), Channel.EMAIL, "erika@example.org")
    noted = name_fingerprint(sealer, *here, "Erika Mustermann")
    rotated = Sealer({1: bytes(32), 2: bytes([1]) * 32})
    assert noted in name_fingerprints(rotated, *here, "mustermann, erika")
    assert noted not in name_fingerprints(rotated, *here, "Max Mustermann")
    assert noted != fingerprint(sealer, *here)
    for elsewhere in (
        (UUID(int=2), *here[1:]),
        (here[0], Channel.SMS, here[2]),
        (*here[:2], "max@example.org"),
    ):
        assert noted not in name_fingerprints(rotated, *elsewhere, "Erika Mustermann")
