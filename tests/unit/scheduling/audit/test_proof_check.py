"""What somebody else has entered is told, and apart from it what can't be checked any more."""

import dataclasses
from datetime import timedelta

from services.scheduling.audit.entry import AuditEntry
from services.scheduling.audit.proof_check import ProofCheck
from tests.unit.scheduling.audit.support import DEED, NEW, NOW, OLD, entered, prover

RING = {2: OLD, 3: NEW}


def checked(*entries: AuditEntry) -> ProofCheck:
    check = ProofCheck(prover(RING))
    for number, entry in enumerate(entries, start=1):
        check.follow(dataclasses.replace(entry, number=number))
    return check


def genuine() -> AuditEntry:
    return entered(DEED, prover(RING).prove(DEED))


def test_what_is_proven_is_no_fault() -> None:
    check = checked(genuine(), entered(DEED, prover({2: OLD}).prove(DEED)), genuine())
    assert (check.faults(), check.retired) == ([], None)


def test_each_kind_of_forgery_is_told_with_the_first_of_it() -> None:
    first = genuine()
    check = checked(
        first,
        entered(DEED, None),
        first,
        entered(DEED, b"x"),
        entered(DEED, None),
        entered(DEED, prover({4: OLD}).prove(DEED)),
        dataclasses.replace(genuine(), at=NOW + timedelta(hours=1)),
    )
    assert check.faults() == [
        "entry 2 has no proof, and 1 more",
        "entry 3 has another's proof",
        "entry 4 has a proof of something else",
        "entry 6 has a proof by a key that was never known",
        "entry 7 has a proof of another time",
    ]
    assert check.retired is None


def test_whose_key_is_no_longer_known_is_no_fault() -> None:
    old = entered(DEED, prover({1: OLD}).prove(DEED))
    later = dataclasses.replace(
        entered(DEED, prover({1: OLD}).prove(DEED)), at=NOW + timedelta(days=1)
    )
    check = checked(old, later, genuine())
    assert check.faults() == []
    assert check.retired == (
        "the proofs up to 2026-11-29 09:00 UTC can't all be checked any more: "
        "of 2 the key is no longer known"
    )
