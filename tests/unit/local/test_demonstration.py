"""The demo's appointments are on the day that its dashboard opens."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from local.demonstration import planned

BERLIN = ZoneInfo("Europe/Berlin")
FROM, TO = datetime(2026, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 (the strategy has the zone)


@given(st.datetimes(timezones=st.just(BERLIN), min_value=FROM, max_value=TO))
def test_all_are_on_one_day_ahead_and_today_unless_it_is_late(now: datetime) -> None:
    journeys = planned(now)
    assert [journey.expected for journey in journeys] == [
        *("delivered", "failed", "unconfirmed", "pending")
    ]
    [day] = {journey.starts_at.date() for journey in journeys}
    assert day == now.date() or (now.hour >= 21 and day == now.date() + timedelta(days=1))
    for journey in journeys:
        assert now + timedelta(minutes=55) < journey.starts_at
        assert journey.request["date"] == day.isoformat()
