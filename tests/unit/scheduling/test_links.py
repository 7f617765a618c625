"""Links: derived, not guessable, alive across key rotation."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.signed import Signer
from services.scheduling.links import MAC_BYTES, NOWHERE, PURPOSE, Link, Links

OLD, NEW = b"o" * 32, b"n" * 32
APPOINTMENT = UUID("01890000-0000-7000-8000-000000000001")


@given(st.uuids(), st.integers(1, 2**32 - 1))
def test_a_token_says_what_it_was_made_for(appointment: UUID, version: int) -> None:
    links = Links("https://example.org/join", {1: OLD})
    link = Link(appointment, version)
    assert links.read(links.token(link)) == link
    assert links.url(link) == f"https://example.org/join/{links.token(link)}"


def test_tokens_of_an_older_key_hold_until_the_key_is_taken_away() -> None:
    link = Link(APPOINTMENT, 1)
    token = Links("https://x", {1: OLD}).token(link)
    assert Links("https://x", {1: OLD, 2: NEW}).read(token) == link
    assert Links("https://x", {2: NEW}).read(token) is None


@given(st.sets(st.integers(1, 255), min_size=2, max_size=6), st.integers(1, 2**32 - 1), st.data())
def test_rotation_signs_with_the_newest_key_and_reads_with_all(
    numbers: set[int], version: int, data: st.DataObject
) -> None:
    keys = {number: bytes([number]) * 32 for number in numbers}
    newest = max(keys)
    link = Link(APPOINTMENT, version)
    rotated = Links("https://x", keys)
    assert rotated.token(link) == Links("https://x", {newest: keys[newest]}).token(link)
    for number, key in keys.items():
        assert rotated.read(Links("https://x", {number: key}).token(link)) == link
    retired = data.draw(st.sampled_from(sorted(numbers)))
    rest = {number: key for number, key in keys.items() if number != retired}
    assert (
        Links("https://x", rest).read(Links("https://x", {retired: keys[retired]}).token(link))
        is None
    )
    # a number alone is not enough: the key under it has to be the same
    reused = rest | {retired: b"\0" * 32}
    assert (
        Links("https://x", reused).read(Links("https://x", {retired: keys[retired]}).token(link))
        is None
    )


@given(st.data())
def test_any_changed_character_makes_a_token_unreadable(data: st.DataObject) -> None:
    links = Links("https://x", {1: OLD})
    token = links.token(Link(APPOINTMENT, 1))
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    assert links.read(token[:at] + other + token[at + 1 :]) is None


@pytest.mark.parametrize("token", ["", "a", "é", "\0", "A" * 47, "A" * 50, "=" * 50, "A" * 5000])
def test_anything_else_is_unreadable_and_raises_nothing(token: str) -> None:
    assert Links("https://x", {1: OLD}).read(token) is None


def test_links_that_were_sent_still_hold() -> None:
    """A token is what it has always been, and has one spelling."""
    links = Links("https://example.org/fX/", {1: OLD, 7: b"k" * 32})
    link = Link(APPOINTMENT, 258)
    token = "BwGJAAAAAHAAgAAAAAAAAAEAAAECNL4s79w-urxjFVJvqllnLQ"
    assert links.token(link) == token
    assert links.read(token) == link
    assert links.url(link) == f"https://example.org/fX/{token}"
    assert links.read(token[:-1] + "R") is None  # differs in bits without a meaning alone
    assert links.read(f"{token[:9]}\n{token[9:]}") is None


def test_another_signed_content_is_no_link() -> None:
    for payload in (APPOINTMENT.bytes, APPOINTMENT.bytes + b"\0\0\0\1\0"):
        signed = Signer({1: OLD}, purpose=PURPOSE, mac_bytes=MAC_BYTES).sign(payload)
        token = base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
        assert Links("https://x", {1: OLD}).read(token) is None


def test_nowhere_is_no_appointments_link() -> None:
    assert (NOWHERE.appointment_id, NOWHERE.version) == (UUID(int=0), 0)
