"""When an appointment is, as the patient reads it."""

from datetime import UTC, datetime

import pytest

from services.notification.letters.moments import long_moment
from services.notification.letters.wordings import wording


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2027, 3, 1, 7, 5, tzinfo=UTC), "Montag, 1. März 2027, 08:05 Uhr"),
        (datetime(2026, 7, 1, 22, 30, tzinfo=UTC), "Donnerstag, 2. Juli 2026, 00:30 Uhr"),
        (
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
            "Sonntag, 25. Oktober 2026, 02:30 Uhr (Sommerzeit)",
        ),
        (
            datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
            "Sonntag, 25. Oktober 2026, 02:30 Uhr (Winterzeit)",
        ),
    ],
)
def test_moment_in_the_zone_of_the_practice(moment: datetime, expected: str) -> None:
    assert long_moment(moment, "Europe/Berlin", wording("de")) == expected
