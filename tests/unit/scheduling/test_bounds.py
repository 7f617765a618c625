"""How much is written to patients in a day: whose bound it is, and when it lets through again."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import ValidationError

from contracts.tariffs import Tariff
from services.scheduling.bounds import COUNTRIES, PER_TARIFF, Bound, Bounds, free_again
from services.scheduling.phone_numbers import country_of, parse_mobile
from services.scheduling.practice import Practice
from services.scheduling.settings import Settings
from tests.support.settings import SCHEDULING

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def test_a_practice_goes_by_its_tariff_unless_it_has_bounds_of_its_own() -> None:
    bounds, practice = Bounds(), Practice(UUID(int=1), "Praxis", tariff=Tariff.STANDARD)
    assert bounds.most(Bound.PRACTICE, practice) == PER_TARIFF[Tariff.STANDARD]
    assert bounds.most(Bound.COUNTRY, practice) == bounds.sms_per_country
    assert bounds.countries(practice) == COUNTRIES
    own = Practice(
        UUID(int=1),
        "Klinik",
        daily_messages=50_000,
        daily_sms_per_country=7,
        sms_countries=("DE", "FR"),
    )
    assert bounds.most(Bound.PRACTICE, own) == 50_000
    assert bounds.most(Bound.COUNTRY, own) == 7
    assert bounds.countries(own) == ("DE", "FR")


def test_the_bound_that_holds_longest_says_when() -> None:
    none = dict.fromkeys(Bound)
    assert free_again(none) is None
    earlier, later = NOW - timedelta(hours=20), NOW - timedelta(hours=3)
    held = none | {Bound.PRACTICE: earlier, Bound.ADDRESS: later}
    assert free_again(held) == (Bound.ADDRESS, later + timedelta(days=1))


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("0171 3920001", "DE"),
        ("+43 664 1234567", "AT"),
        ("+41 79 123 45 67", "CH"),
        ("+44 7400 123456", "GB"),
        ("+44 7781 123456", "GG"),  # the same country code
        ("+371 21 234 567", "LV"),
    ],
)
def test_a_number_is_of_one_country(typed: str, country: str) -> None:
    assert country_of(parse_mobile(typed)) == country


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sms_countries", []),
        ("sms_countries", ["Deutschland"]),
        ("daily_messages", {"basic": 1}),
        ("daily_messages", {"basic": 0, "standard": 1, "premium": 1}),
        ("daily_messages_per_address", 0),
    ],
)
def test_bounds_that_say_nothing_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings(**SCHEDULING | {name: value})
