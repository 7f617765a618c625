"""The hour that comes twice is told apart, in any zone and language."""

from datetime import UTC, datetime
from gettext import NullTranslations
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.doubled_hour import comes_twice, with_season
from chassis.wording import Wording
from contracts.languages import SOURCE

WORDS = Wording(SOURCE, NullTranslations())
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        ("2026-10-25T00:59+00:00", "02:59 (summer time)"),
        ("2026-10-25T00:00+00:00", "02:00 (summer time)"),
        ("2026-10-25T01:00+00:00", "02:00 (winter time)"),
        ("2026-10-24T23:59+00:00", "01:59"),
        ("2026-10-25T02:00+00:00", "03:00"),
    ],
)
def test_the_season_is_named_in_that_hour_alone(moment: str, text: str) -> None:
    local = datetime.fromisoformat(moment).astimezone(ZoneInfo("Europe/Berlin"))
    assert with_season(f"{local:%H:%M}", local, WORDS) == text


@given(MOMENTS, st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"]))
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Europe/Berlin")
def test_an_hour_comes_twice_where_two_moments_show_it(moment: datetime, name: str) -> None:
    local = moment.astimezone(ZoneInfo(name))
    other = local.replace(fold=1 - local.fold).astimezone(UTC)
    assert comes_twice(local) == (other != moment)
