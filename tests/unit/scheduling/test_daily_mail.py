"""When the daily mail is due: in the practice's zone, once on each of its days."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scheduling.daily_mail import WITHIN, day_of, following, rhythm
from services.scheduling.practice import Practice

ZONES = ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


def practice(**settings: Any) -> Practice:
    wanted = {"daily_mail_address": "leitung@praxis.example"} | settings
    return Practice(UUID(int=1), "Praxis", **wanted)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "hour", "due"),
    [
        ("2026-11-28T05:59:59", 7, "2026-11-28T06:00:00"),
        ("2026-11-28T06:00:00", 7, "2026-11-29T06:00:00"),  # that one is done
        ("2026-11-28T22:30:00", 0, "2026-11-28T23:00:00"),  # midnight in Berlin
        ("2026-11-28T23:00:00", 23, "2026-11-29T22:00:00"),  # by then it is the 29th in Berlin
        ("2026-03-28T20:00:00", 7, "2026-03-29T05:00:00"),  # the clocks went forward
        ("2026-03-28T20:00:00", 2, "2026-03-29T01:00:00"),  # to 03:00, in place of 02:00
        ("2026-10-24T20:00:00", 2, "2026-10-25T00:00:00"),  # the first of two
        ("2026-10-25T00:00:00", 2, "2026-10-26T01:00:00"),  # and not the second
    ],
)
def test_due_at_the_hour_of_the_practice_s_zone(now: str, hour: int, due: str) -> None:
    wanted = practice(daily_mail_hour=hour)
    assert following(wanted, utc(now)) == utc(due)


def test_where_a_day_is_left_out_the_next_has_its_mail_once() -> None:
    apia = practice(time_zone="Pacific/Apia")  # went from the 29th to the 31st of December 2011
    due = [utc("2011-12-29T12:00:00")]
    for _ in range(3):
        following_one = following(apia, due[-1])
        assert following_one is not None
        due.append(following_one)
    assert [day_of(apia, each).day for each in due[1:]] == [29, 31, 1]


def test_without_an_address_there_is_none() -> None:
    assert following(practice(daily_mail_address=""), utc("2026-11-28T05:00:00")) is None


def test_a_late_mail_is_of_the_day_that_it_was_due_on() -> None:
    due_at = following(practice(daily_mail_hour=23), utc("2026-11-28T12:00:00"))
    assert due_at is not None
    assert day_of(practice(), due_at) == date(2026, 11, 28)


def test_half_a_day_later_a_mail_says_nothing_any_more() -> None:
    assert timedelta(hours=12) == WITHIN


@given(
    # from before Apia left a day out
    now=st.integers(0, 30 * 365 * 24 * 60).map(
        lambda minutes: utc("2010-01-01T00:00:00") + timedelta(minutes=minutes)
    ),
    hour=st.integers(0, 23),
    zone=st.sampled_from(ZONES),
)
def test_every_day_has_one_and_no_day_two(now: datetime, hour: int, zone: str) -> None:
    wanted = practice(daily_mail_hour=hour, time_zone=zone)
    one = following(wanted, now)
    assert one is not None
    assert now < one <= now + timedelta(hours=49)
    other = following(wanted, one)
    assert other is not None
    assert timedelta(hours=22) < other - one < timedelta(hours=49)
    assert day_of(wanted, other) > day_of(wanted, one)
    # At its hour, but for a night in which the clocks leave that out.
    local = one.astimezone(ZoneInfo(zone))
    assert (
        local.hour == hour
        or local.utcoffset() != (one - timedelta(hours=3)).astimezone(ZoneInfo(zone)).utcoffset()
    )


def test_only_what_decides_when_it_is_due_changes_its_rhythm() -> None:
    before = rhythm(practice())
    assert rhythm(practice(daily_mail_address="andere@praxis.example", phone="+49301")) == before
    for change in ({"daily_mail_address": ""}, {"daily_mail_hour": 8}, {"time_zone": "UTC"}):
        assert rhythm(practice(**change)) != before
