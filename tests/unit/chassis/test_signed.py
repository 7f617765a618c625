"""Signed tokens: nobody else makes one, of another purpose none holds, and keys rotate."""

from hypothesis import given
from hypothesis import strategies as st

from chassis.signed import Signer

OLD, NEW = {1: b"1" * 32}, {1: b"1" * 32, 7: b"7" * 32}


def signer(keys: dict[int, bytes] = NEW, purpose: bytes = b"test/v1") -> Signer:
    return Signer(keys, purpose=purpose, mac_bytes=16)


@given(st.binary(min_size=1, max_size=40))
def test_what_was_signed_holds_also_under_the_key_before(payload: bytes) -> None:
    assert signer().verify(signer().sign(payload)) == payload
    assert signer().verify(signer(OLD).sign(payload)) == payload
    assert signer(OLD).verify(signer().sign(payload)) is None


@given(st.binary(min_size=1, max_size=40), st.integers(0), st.integers(1, 255))
def test_whatever_is_changed_does_not_hold(payload: bytes, at: int, change: int) -> None:
    token = bytearray(signer().sign(payload))
    token[at % len(token)] ^= change
    assert signer().verify(bytes(token)) is None


@given(st.binary(max_size=80))
def test_what_strangers_make_up_does_not_hold(token: bytes) -> None:
    assert signer().verify(token) is None


def test_a_token_of_another_purpose_does_not_hold() -> None:
    assert signer().verify(signer(purpose=b"other/v1").sign(b"payload")) is None


def test_a_token_is_what_it_has_always_been() -> None:
    token = bytes.fromhex("07" + b"payload".hex() + "c75b885868c2910b3d4c490bf579cd45")
    assert signer({1: b"1" * 32, 7: b"k" * 32}).sign(b"payload") == token


def test_a_token_of_nothing_does_not_hold() -> None:
    assert signer().verify(signer().sign(b"")) is None
