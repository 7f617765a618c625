"""Return paths name their delivery, can't be made up, and survive what servers do to them."""

import base64
from uuid import UUID

import pytest
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


KNOWN = UUID("01890000-0000-7000-8000-000000000001")


def test_what_is_under_way_still_names_its_delivery() -> None:
    """A return path is what it has always been."""
    paths = ReturnPath("bounces@praxis.example", {1: KEYS[1], 7: b"k" * 32})
    path = "bounces+a4aysaaaaaahaaeaaaaaaaaaaaa6qmwqxr3di4kjvcaa@praxis.example"
    assert paths.of(KNOWN) == path
    assert paths.read(path) == KNOWN


def test_a_calendar_that_knows_an_entry_may_still_answer_and_move_it() -> None:
    """An organizer is whom it has always been."""
    organizers = ReturnPath("bounces@praxis.example", {1: KEYS[1], 7: b"k" * 32}).organizer
    address = "bounces+a4aysaaaaaahaaeaaaaaaaaaaaave6eqx4ifulz2x2dq@praxis.example"
    assert organizers.of(KNOWN) == address
    assert organizers.read(address) == KNOWN


def test_our_tag_at_another_address_is_no_return_path() -> None:
    path = ours.of(KNOWN)
    tag = path.partition("+")[2].partition("@")[0]
    for stranger in (f"{STEM.partition('@')[0]}+{tag}@other.example", f"b+{tag}@praxis.example"):
        assert ours.read(stranger) is None
        assert not ours.accepts(stranger)
        assert ours.find(stranger.encode()) is None


LAST = 65_536 - 1 - 79  # bytes before a line with a return path of 79


def test_a_return_path_is_as_long_as_it_may_be() -> None:
    assert MAX_LOCAL_PART == 19
    assert len(ours.of(KNOWN)) == 64 + len("@praxis.example") == 79


@pytest.mark.parametrize(
    ("forged", "before", "found"),
    [(19, 0, True), (20, 0, False), (0, LAST, True), (0, LAST + 1, False)],
)
def test_a_return_path_is_looked_for_deep_in_a_head_and_not_without_end(
    forged: int, before: int, found: bool
) -> None:
    path = ours.of(KNOWN).encode()
    made_up = STEM.replace("@", "+" + "a" * 44 + "@").encode()
    mail = (made_up + b"\n") * forged + b"x" * before + b"\n" + path
    assert (ours.find(mail) == KNOWN) is found
