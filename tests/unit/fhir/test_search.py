"""What a search asks for: dates with their prefixes, tokens, pages."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.fhir.problems import BadSearch
from services.fhir.search import (
    FURTHEST_AHEAD,
    Bound,
    DayPlace,
    bounds,
    days,
    ids,
    parse,
    since,
    token,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
TODAY = date(2026, 11, 28)
ID = "01938b7e-7c3a-7d52-9a4e-1f2e3d4c5b6a"


def bound(text: str) -> Bound:
    [found] = bounds("date", [[text]], BERLIN)
    return found


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2026-01-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        ("2026-12", "2026-12-01T00:00+01:00", "2027-01-01T00:00+01:00"),
        ("2026-02", "2026-02-01T00:00+01:00", "2026-03-01T00:00+01:00"),
        ("2026-12-01", "2026-12-01T00:00+01:00", "2026-12-02T00:00+01:00"),
        ("2026-10-25", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00"),  # 25 hours
        ("2026-12-01T14:30", "2026-12-01T14:30+01:00", "2026-12-01T14:31+01:00"),
        ("2026-12-01T14:30:00Z", "2026-12-01T14:30:00Z", "2026-12-01T14:30:01Z"),
        ("2026-12-01T14:30:00.5-03:30", "2026-12-01T18:00:00Z", "2026-12-01T18:00:01Z"),
        ("2026-12-01T14:30:00 02:00", "2026-12-01T12:30:00Z", "2026-12-01T12:30:01Z"),
    ],
)
def test_a_date_is_all_moments_that_it_may_mean(text: str, low: str, high: str) -> None:
    found = bound(text)
    assert (found.prefix, found.low, found.high) == ("eq", utc(low), utc(high))


@pytest.mark.parametrize(
    ("prefix", "before", "within", "after"),
    [
        ("", False, True, False),
        ("eq", False, True, False),
        ("ne", True, False, True),
        ("gt", False, False, True),
        ("sa", False, False, True),
        ("ge", False, True, True),
        ("lt", True, False, False),
        ("eb", True, False, False),
        ("le", True, True, False),
    ],
)
def test_what_each_prefix_finds(prefix: str, before: bool, within: bool, after: bool) -> None:
    found = bound(f"{prefix}2026-12-01")
    instant = timedelta(microseconds=1)
    assert found.holds(found.low - instant) is before
    assert found.holds(found.low) is within
    assert found.holds(found.high - instant) is within
    assert found.holds(found.high) is after
    assert found.earliest is None or not found.holds(found.earliest - instant)
    assert found.latest is None or not found.holds(found.latest)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "ge",
            "ap2026",
            "xx2026",
            "0001",
            "1899-12-31",
            "9001",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "20261201",
            "9999-12-31",
        ),
        *("2026-12-01T14", "2026-12-01T25:00Z", "2026-12-01T14:30:00+99:00", "２０２６"),
    ],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(BadSearch):
        bound(text)


prefixes = st.sampled_from(["eq", "ge", "gt", "sa", "le", "lt", "eb", "ne"])
moments = st.integers(0, 90 * 24).map(lambda hours: NOVEMBER + timedelta(hours=hours))
dates = st.builds(lambda prefix, at: f"{prefix}{at:%Y-%m-%d}", prefixes, moments)


@given(st.lists(dates, min_size=1, max_size=3), moments)
def test_the_days_that_are_listed_have_all_that_is_found(asked: list[str], start: datetime) -> None:
    wanted = bounds("date", [[each] for each in asked], BERLIN)
    if not any(each.earliest for each in wanted):
        with pytest.raises(BadSearch):
            days(wanted, BERLIN, TODAY)
        return
    listed = days(wanted, BERLIN, TODAY)
    if all(each.holds(start) for each in wanted):
        assert listed is not None
        assert listed[0] <= start.astimezone(BERLIN).date() <= listed[1]


def test_without_an_end_it_is_as_far_as_appointments_are_made() -> None:
    assert days([bound("ge2026-12-01")], BERLIN, TODAY) == (
        date(2026, 12, 1),
        TODAY + FURTHEST_AHEAD,
    )
    assert days([bound("2026-12-01"), bound("2026-12-03")], BERLIN, TODAY) is None
    second = bound("2026-12-01T00:00:00.000+01:00")
    assert days([bound("ge2026"), replace(second, prefix="lt")], BERLIN, TODAY) == (
        date(2026, 1, 1),
        date(2026, 11, 30),
    )


def test_what_is_not_known_is_refused_unless_the_caller_is_lenient() -> None:
    asked = [
        ("date", "2026"),
        ("patient.name", "Erika"),
        ("_count", "5"),
        ("_format", "json"),
        ("_pretty", "true"),
    ]
    with pytest.raises(BadSearch):
        parse(asked, ["date"], lenient=False)
    query = parse([*asked, ("_cursor", "x")], ["date"], lenient=True)
    assert query.heeded == [("date", "2026"), ("_count", "5")]
    assert not parse([("_format", "json"), ("_pretty", "1")], [], lenient=False).heeded
    assert (query.count, query.cursor) == (5, "x")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("ge2026-12-01T14:30:00+01:00", "2026-12-01T13:30:00Z"),
        ("gt2026-12-01T14:30:00Z", "2026-12-01T14:30:00.001Z"),
        ("ge2026-12-01T14:30:00.123456Z", "2026-12-01T14:30:00.123Z"),
        ("gt2026-12-01T14:30:00.123 01:00", "2026-12-01T13:30:00.124Z"),
    ],
)
def test_changes_are_asked_for_to_the_millisecond(text: str, moment: str) -> None:
    assert since([[text]]) == utc(moment)


@pytest.mark.parametrize(
    "values",
    [
        *([["ge2026-12-01"]], [["2026-12-01T14:30:00Z"]], [["le2026-12-01T14:30:00Z"]]),
        *([["ge2026-12-01T14:30:00"]], [["ge2026-13-01T14:30:00Z"]], [["ge1969-12-01T14:30:00Z"]]),
        *([["ge9999-12-31T23:59:59-23:00"]], [["ge2026-12-01T14:30:00Z"] * 2]),
        [["ge2026-12-01T14:30:00Z"]] * 2,
    ],
)
def test_changes_need_one_moment_to_begin_with(values: list[list[str]]) -> None:
    with pytest.raises(BadSearch):
        since(values)


@pytest.mark.parametrize(
    ("text", "count"), [("1", 1), ("100", 100), ("101", 100), ("9" * 5000, 100)]
)
def test_a_page_is_as_long_as_wanted_up_to_a_bound(text: str, count: int) -> None:
    assert parse([("_count", text)], [], lenient=False).count == count


@pytest.mark.parametrize("text", ["0", "", "-1", "x", "1.5", "²"])
def test_no_page_has_no_length(text: str) -> None:
    with pytest.raises(BadSearch):
        parse([("_count", text)], [], lenient=False)


def test_any_of_some_values_will_do_and_a_parameter_stands_once() -> None:
    query = parse(
        [("status", "booked,cancelled"), ("date", "a"), ("date", "b")],
        ["status", "date"],
        lenient=False,
    )
    assert query.any_of("status") == ["booked", "cancelled"]
    assert query.any_of("_id") is None
    with pytest.raises(BadSearch):
        query.any_of("date")
    with pytest.raises(BadSearch):
        parse([("status", ",")], ["status"], lenient=False)


def test_ids_and_references_in_all_their_forms() -> None:
    assert ids("_id", [ID, ID.upper(), "no-id"]) == [ID, ID]
    forms = [ID, f"Appointment/{ID}", f"https://x.example/fhir/Appointment/{ID}", f"Patient/{ID}"]
    assert ids("based-on", forms, "Appointment") == [ID] * 3
    with pytest.raises(BadSearch):
        ids("_id", [ID] * 101)


def test_a_token_has_a_system_or_none() -> None:
    assert token("urn:a|b") == ("urn:a", "b")
    assert token("|b") == ("", "b")
    assert token("b") == (None, "b")


def test_where_a_list_goes_on_comes_back_as_it_was() -> None:
    for place in (DayPlace(TODAY, None), DayPlace(TODAY, "c~d")):
        assert DayPlace.of(str(place)) == place
    with pytest.raises(BadSearch):
        DayPlace.of("x")
