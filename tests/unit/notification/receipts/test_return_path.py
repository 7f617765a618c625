"""Return paths name their delivery, can't be made up, and survive what servers do to them."""

import base64
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.notification.receipts.return_path import MAX_LOCAL_PART, ReturnPath

KEYS = {1: b"1" * 32, 7: b"7" * 32}
STEM = "b" * MAX_LOCAL_PART + "@praxis.example"
ours = ReturnPath(STEM, KEYS)


@given(st.uuids())
def test_a_return_path_names_its_delivery_whatever_its_case(delivery_id: UUID) -> None:
    path = ours.of(delivery_id)
    assert len(path.partition("@")[0]) <= 64
    assert ours.read(path) == ours.read(path.upper()) == delivery_id
    assert ours.accepts(path)


@given(st.uuids(), st.integers(0, 26), st.integers(1, 255))
def test_whatever_is_changed_is_no_return_path_any_more(
    delivery_id: UUID, at: int, change: int
) -> None:
    tag = ours.of(delivery_id).partition("+")[2].partition("@")[0].upper()
    raw = bytearray(base64.b32decode(tag + "=" * (-len(tag) % 8)))
    raw[at] ^= change
    forged = base64.b32encode(raw).decode().rstrip("=").lower()
    assert ours.read(STEM.replace("@", f"+{forged}@")) is None


@given(st.text(max_size=100))
def test_what_strangers_write_is_read_without_error(text: str) -> None:
    for address in (text, f"{text}@praxis.example", STEM.replace("@", f"+{text}@")):
        assert ours.read(address) is None
    assert ours.find(text.encode(errors="replace")) is None


def test_keys_rotate() -> None:
    delivery_id = UUID(int=5)
    old = ReturnPath(STEM, {1: KEYS[1]}).of(delivery_id)
    assert ours.read(old) == delivery_id
    assert ReturnPath(STEM, {7: KEYS[7]}).read(old) is None


def test_a_return_path_is_found_in_the_head_of_a_mail() -> None:
    path = ours.of(UUID(int=5))
    forged = path.replace("+a", "+b")
    mail = f"X-Original-To: {forged}\r\nDelivered-To: <{path.upper()}>\r\n\r\n".encode()
    assert ours.find(mail) == UUID(int=5)


@given(st.uuids())
def test_an_organizer_is_accepted_and_is_no_return_path(organizer: UUID) -> None:
    address = ours.organizer.of(organizer)
    assert len(address.partition("@")[0]) <= 64
    assert ours.accepts(address.upper())
    assert ours.organizer.read(address.upper()) == organizer
    assert ours.read(address) is None
    assert ours.find(address.encode()) is None
    assert ours.organizer.read(ours.of(organizer)) is None


def test_the_stem_is_accepted_and_nothing_else() -> None:
    assert ours.accepts(STEM.upper())
    for stranger in ("x@praxis.example", "@", "", STEM.replace("praxis", "other")):
        assert not ours.accepts(stranger)
