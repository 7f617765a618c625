"""Sealed data opens under its keys, at its place, and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.sealing import NotOpened, Sealer

OLD, NEW = b"o" * 32, b"n" * 40
PLACE = ("appointments.contact", "practice", "row")


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_and_shows_nothing(content: bytes) -> None:
    sealer = Sealer({3: NEW})
    sealed = sealer.seal(content, PLACE)
    assert sealer.open(sealed, PLACE) == content
    assert sealed != sealer.seal(content, PLACE)
    assert len(content) < 4 or content not in sealed


@given(st.binary(max_size=100), st.data())
def test_a_single_changed_bit_is_found(content: bytes, data: st.DataObject) -> None:
    sealer = Sealer({1: OLD, 3: NEW})
    sealed = bytearray(sealer.seal(content, PLACE))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(NotOpened):
        sealer.open(bytes(sealed), PLACE)


@pytest.mark.parametrize(
    "place",
    [
        ("deliveries.letter", "practice", "row"),
        ("appointments.contact", "another", "row"),
        ("appointments.contact", "practice", "another"),
        ("appointments.contact", "practice"),
    ],
)
def test_it_does_not_open_at_another_place(place: tuple[str, ...]) -> None:
    sealer = Sealer({1: OLD})
    with pytest.raises(NotOpened):
        sealer.open(sealer.seal(b"Erika", PLACE), place)


def test_keys_rotate() -> None:
    before, during, after = Sealer({1: OLD}), Sealer({1: OLD, 2: NEW}), Sealer({2: NEW})
    old = before.seal(b"Erika", PLACE)
    assert during.open(old, PLACE) == b"Erika"
    assert during.older == [1]
    new = during.seal(during.open(old, PLACE), PLACE)
    assert (old[0], new[0]) == (1, during.newest)
    assert after.open(new, PLACE) == b"Erika"
    with pytest.raises(NotOpened):
        after.open(old, PLACE)


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x01" * 13, b"\x07" * 60])
def test_rubbish_does_not_open(rubbish: bytes) -> None:
    with pytest.raises(NotOpened):
        Sealer({1: OLD}).open(rubbish, PLACE)


def test_fingerprints_are_recognised_across_a_rotation_and_without_the_key_not_made() -> None:
    before, during = Sealer({1: OLD}), Sealer({1: OLD, 2: NEW})
    known = before.fingerprint(b"+491701234567")
    assert known in during.fingerprints(b"+491701234567")
    assert known not in during.fingerprints(b"+491701234568")
    assert known not in Sealer({1: NEW}).fingerprints(b"+491701234567")
    assert during.fingerprint(b"+491701234567") != known


def test_what_older_versions_sealed_and_noted_is_still_known() -> None:
    """The format is that of rows that are there: it does not change."""
    sealer = Sealer({1: OLD, 3: b"k" * 32})
    sealed = "03000102030405060708090a0b798837a86dc509bee934167e24cdb875fbc94e4471"
    assert sealer.open(bytes.fromhex(sealed), PLACE) == b"Erika"
    assert len(sealer.seal(b"Erika", PLACE)) == len(sealed) // 2
    noted = "033a217d564b4820a0b83f31220eba84b9667b8ba2712b94c49e05e1f68ed7587f"
    assert sealer.fingerprint(b"+491701234567").hex() == noted
    assert bytes.fromhex(noted) in sealer.fingerprints(b"+491701234567")
