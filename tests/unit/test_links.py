"""Links: derived, not guessable, alive across key rotation."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.links import Link, Links, valid_until

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


@given(st.data())
def test_any_changed_character_makes_a_token_unreadable(data: st.DataObject) -> None:
    links = Links("https://x", {1: OLD})
    token = links.token(Link(APPOINTMENT, 1))
    at = data.draw(st.integers(0, len(token) - 2))  # the last one carries unused bits
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != token[at]))
    assert links.read(token[:at] + other + token[at + 1 :]) is None


@pytest.mark.parametrize("token", ["", "a", "é", "\0", "A" * 47, "A" * 50, "=" * 50, "A" * 5000])
def test_anything_else_is_unreadable_and_raises_nothing(token: str) -> None:
    assert Links("https://x", {1: OLD}).read(token) is None


@pytest.mark.parametrize(
    ("ends_at", "expected"),
    [
        ("2026-11-24T15:00+01:00", "2027-02-24T15:00+01:00"),
        ("2026-11-30T15:00+01:00", "2027-02-28T15:00+01:00"),  # a shorter month
        ("2027-11-30T15:00+01:00", "2028-02-29T15:00+01:00"),  # a leap year
        ("2027-01-15T15:00+01:00", "2027-04-15T15:00+02:00"),  # into summer time
        ("2026-10-31T23:50+01:00", "2027-01-31T23:50+01:00"),  # over the new year
    ],
)
def test_a_link_dies_three_calendar_months_after_the_end(ends_at: str, expected: str) -> None:
    moment = datetime.fromisoformat(ends_at)
    assert valid_until(moment, ZoneInfo("Europe/Berlin")) == datetime.fromisoformat(expected)
