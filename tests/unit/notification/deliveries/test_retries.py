"""The back-off: when a delivery is tried again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.notification.deliveries.retries import RetryPolicy
from tests.support.deliveries import NOW

POLICY = RetryPolicy()


@given(
    tries=st.integers(1, 1000),
    left=st.integers(1, 72 * 3600).map(lambda seconds: timedelta(seconds=seconds)),
    jitter=st.floats(0, 0.999),
)
def test_next_try_lies_ahead_and_before_the_deadline(
    tries: int, left: timedelta, jitter: float
) -> None:
    at = POLICY.next_try(tries=tries, now=NOW, deadline=NOW + left, jitter=jitter)
    if at is None:
        assert left <= POLICY.first
    else:
        assert POLICY.first / 2 <= at - NOW <= POLICY.longest
        assert at < NOW + left


def test_waits_double_and_respect_what_the_server_asks() -> None:
    deadline = NOW + timedelta(days=3)
    waits = [
        (POLICY.next_try(tries=tries, now=NOW, deadline=deadline, jitter=0.5) or NOW) - NOW
        for tries in range(1, 10)
    ]
    assert waits[:3] == [timedelta(seconds=each) for each in (22.5, 45, 90)]
    assert waits == sorted(waits)
    assert waits[-1] == POLICY.longest * 0.75
    asked = NOW + timedelta(hours=2)
    assert asked == POLICY.next_try(tries=1, now=NOW, deadline=deadline, jitter=0, not_before=asked)
    assert POLICY.next_try(tries=1, now=NOW, deadline=asked, jitter=0, not_before=asked) is None
