"""A sealed body is opened by its reader alone, under the key that it was sealed for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.envelope import Unreadable, decode
from contracts.sealed_bodies import (
    HEADER,
    KEY_BYTES,
    BodyOpener,
    BodySealer,
    NotOpenable,
    public_keys,
)

OLD, NEW = {1: b"1" * 32}, {2: b"2" * 32}
BODY = b'{"patient_name": "Erika Mustermann"}'
SEALER = BodySealer(public_keys(OLD | NEW))


@given(st.binary(max_size=2000))
def test_what_is_sealed_is_opened_and_says_nothing_before(body: bytes) -> None:
    headers, value = SEALER.seal({"ce_id": "1"}, body)
    assert headers == {"ce_id": "1", HEADER: "2", "content-type": "application/octet-stream"}
    assert BodyOpener(OLD | NEW).open(headers, value) == body
    assert len(body) < 4 or body not in value
    assert SEALER.seal({}, body)[1] != value  # equal bodies do not look alike


def test_while_keys_rotate_what_was_sealed_for_the_older_one_opens() -> None:
    headers, value = BodySealer(public_keys(OLD)).seal({}, BODY)
    assert BodyOpener(OLD | NEW).open(headers, value) == BODY
    with pytest.raises(NotOpenable):
        BodyOpener(NEW).open(headers, value)


@given(st.binary(max_size=200))
def test_rubbish_is_refused(value: bytes) -> None:
    with pytest.raises(NotOpenable):
        BodyOpener(NEW).open({HEADER: "2"}, value)


def test_who_has_no_key_parks_it_with_a_reason_that_quotes_nothing() -> None:
    attributes, value = SEALER.seal(
        {"ce_specversion": "1.0", "ce_type": "einladung.v1.InvitationRequested"}, BODY
    )
    headers = [(name, text.encode()) for name, text in attributes.items()]
    for opener in (None, BodyOpener(OLD)):
        with pytest.raises(Unreadable, match="ce_sealed names a key") as refused:
            decode(headers, value, opener=opener)
        assert "Erika" not in str(refused.value)


def test_what_was_sealed_before_an_update_opens_after_it() -> None:
    sealed = (
        "62211dc4d4f516db0967b00d5058def83e0ad690058ccb87dbd15b2327b2a17a"
        "f8a02d62e6d2332c5801cbbd145e9065d1d5e5f86f5d42be"
    )
    opener = BodyOpener({7: b"k" * 32})
    assert opener.open({"ce_sealed": "7"}, bytes.fromhex(sealed)) == b'{"a": 1}'


def test_a_key_is_as_long_as_the_curve_has_it() -> None:
    assert {len(key) for key in public_keys(OLD | NEW).values()} == {KEY_BYTES}
