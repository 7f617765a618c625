"""From when on something is to be made good."""

from datetime import UTC, datetime

import pytest

from chassis.recovery import moment


def test_a_moment_has_an_offset() -> None:
    assert moment("2026-11-27T02:00+01:00") == datetime(2026, 11, 27, 1, tzinfo=UTC)
    for text in "2026-11-27T02:00", "2026-11-27", "yesterday":
        with pytest.raises(ValueError):  # noqa: PT011 - argparse words it
            moment(text)
