"""An entry is proven by nobody without the key, for nothing else, and at no other time."""

import dataclasses
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.audit.entry import COMMAND_LINE, Actor
from services.scheduling.audit.proving import MAX_APART, PROOF_BYTES, STANDS, Standing
from tests.unit.scheduling.audit.support import DEED, NEW, NOW, OLD, OTHER, entered, prover

# Of DEED, at NOW, under key 1 of 32 zero bytes.
KEPT = (
    "01bd2045f35552ded9114e5409a843fdf40006615266ca2400"
    "e185eaa88d8f49d114addb01d288d460ec0ef3c06beb46bf2b817e5f2202632e"
)
# Of the same deed in no practice.
KEPT_OF_NOBODY = (
    "019f9f893e501af013bad73e5b2c162f3f0006615266ca2400"
    "1a870b0fae4bfbde441f2b30dcb4f09bfb35a1a2cd77404bc3d6116b14a120d9"
)


def test_what_was_proven_is_proven() -> None:
    proof = prover().prove(DEED)
    assert len(proof) == PROOF_BYTES == 57
    assert prover().standing(entered(DEED, proof)) is Standing.PROVEN
    nobodys = dataclasses.replace(DEED, practice_id=None, trace_id=None, appointment_ids=())
    assert prover().standing(entered(nobodys, prover().prove(nobodys))) is Standing.PROVEN


def test_no_two_proofs_are_the_same() -> None:
    assert len({prover().prove(DEED) for _ in range(100)}) == 100


def test_a_proof_of_an_earlier_release_still_holds() -> None:
    kept = bytes.fromhex(KEPT)
    assert prover().standing(entered(DEED, kept)) is Standing.PROVEN
    nobodys = dataclasses.replace(DEED, practice_id=None)
    kept = bytes.fromhex(KEPT_OF_NOBODY)
    assert prover().standing(entered(nobodys, kept)) is Standing.PROVEN


def test_what_a_proof_is_worth_has_words_that_the_api_and_the_page_know() -> None:
    assert {each.value for each in Standing} == {
        *("proven", "of_owner", "key_retired", "key_unknown", "missing", "wrong", "other_time"),
    }
    assert {Standing.PROVEN, Standing.OF_OWNER} == STANDS
    assert timedelta(minutes=5) == MAX_APART


OTHERS: dict[str, Any] = {
    "practice_id": UUID(int=6),
    "actor_kind": "api_key",
    "actor_id": "auth0|8",
    "actor_name": None,
    "actor_roles": ["assistant", "practitioner"],
    "action": "appointment_deleted",
    "appointment_ids": [UUID(int=8), UUID(int=9)],
    "changed": [],
    "trace_id": None,
}


@pytest.mark.parametrize("field", OTHERS)
def test_it_proves_no_other_deed(field: str) -> None:
    entry = entered(DEED, prover().prove(DEED))
    changed = dataclasses.replace(entry, **{field: OTHERS[field]})
    assert prover().standing(changed) is Standing.WRONG


@given(st.integers(1, PROOF_BYTES - 1), st.integers(1, 255))
def test_no_byte_of_it_can_be_changed(place: int, by: int) -> None:
    proof = bytearray(prover().prove(DEED))
    proof[place] ^= by
    assert prover().standing(entered(DEED, bytes(proof))) is Standing.WRONG


@given(st.binary(max_size=PROOF_BYTES + 1))
def test_nothing_made_up_is_a_proof(made_up: bytes) -> None:
    assert prover().standing(entered(DEED, made_up)) in {
        Standing.WRONG,
        Standing.KEY_UNKNOWN,
        Standing.KEY_RETIRED,
    }


def test_it_proves_nothing_at_another_time() -> None:
    for apart in (MAX_APART, -MAX_APART):
        proof = prover(now=NOW + apart).prove(DEED)
        assert prover().standing(entered(DEED, proof)) is Standing.PROVEN
        further = entered(DEED, proof, NOW - apart / abs(apart) * timedelta(microseconds=1))
        assert prover().standing(further) is Standing.OTHER_TIME


def test_keys_rotate_and_who_never_had_one_is_told_from_who_has_it_no_more() -> None:
    old = entered(DEED, prover({2: OLD}).prove(DEED))
    new = entered(DEED, prover({2: OLD, 3: NEW}).prove(DEED))
    for ring, of_old, of_new in (
        ({2: OLD, 3: NEW}, Standing.PROVEN, Standing.PROVEN),
        ({3: NEW}, Standing.KEY_RETIRED, Standing.PROVEN),
        ({2: OLD}, Standing.PROVEN, Standing.KEY_UNKNOWN),
        ({1: OLD, 3: NEW}, Standing.KEY_UNKNOWN, Standing.PROVEN),
        ({2: OTHER, 3: OTHER}, Standing.WRONG, Standing.WRONG),
    ):
        assert prover(ring).standing(old) is of_old
        assert prover(ring).standing(new) is of_new


def test_without_a_proof_the_command_line_alone_stands() -> None:
    assert prover().standing(entered(DEED, None)) is Standing.MISSING
    by_owner = dataclasses.replace(DEED, actor=COMMAND_LINE)
    assert prover().standing(entered(by_owner, None)) is Standing.OF_OWNER
    assert prover().standing(entered(by_owner, prover().prove(DEED))) is Standing.WRONG
    by_key = dataclasses.replace(DEED, actor=Actor("operator", "eo_1"))
    assert prover().standing(entered(by_key, None)) is Standing.MISSING
