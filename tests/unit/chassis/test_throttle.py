"""Token buckets: what a caller may do at once, how it comes back, and what is kept."""

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from chassis.throttle import (
    MOST_CALLERS,
    AddressThrottle,
    Throttle,
    TooManyRequests,
    address_of,
    networks_of,
)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_burst_is_let_through_and_then_one_at_a_time() -> None:
    clock = Clock()
    throttle = Throttle(60, now=clock)
    for _ in range(60):
        throttle.take("a")
    with pytest.raises(TooManyRequests) as refused:
        throttle.take("a")
    assert refused.value.headers == {"Retry-After": "1"}
    throttle.take("b")
    clock.time += 1
    throttle.take("a")
    assert throttle.wait("a") == pytest.approx(1)


@given(
    per_minute=st.integers(1, 100),
    pauses=st.lists(st.floats(0, 10), min_size=1, max_size=200),
)
def test_over_any_time_no_more_than_the_burst_and_the_rate(
    per_minute: int, pauses: list[float]
) -> None:
    clock = Clock()
    throttle = Throttle(per_minute, now=clock)
    allowed = 0
    for pause in pauses:
        clock.time += pause
        wait = throttle.wait("a")
        allowed += wait == 0
        assert wait <= 60 / per_minute
    assert allowed <= per_minute + clock.time * per_minute / 60 + 1e-6


def test_whoever_waits_as_told_is_let_through() -> None:
    clock = Clock()
    throttle = Throttle(7, now=clock)
    while not (wait := throttle.wait("a")):
        pass
    clock.time += wait + 1e-9
    assert throttle.wait("a") == 0


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(1)
    for number in range(MOST_CALLERS * 2):
        throttle.take(str(number))
    assert len(throttle._buckets) == MOST_CALLERS == 10_000


def test_who_came_longest_ago_is_forgotten_first() -> None:
    throttle = Throttle(1, now=Clock())
    for number in range(MOST_CALLERS):
        throttle.take(str(number))
    assert throttle.wait("0") > 0  # and came again just now
    throttle.take("one more")
    assert throttle.wait("1") == 0
    assert throttle.wait("0") > 0
    assert throttle.wait(str(MOST_CALLERS - 1)) > 0


def test_how_long_to_wait_is_told_in_whole_seconds() -> None:
    clock = Clock()
    throttle = Throttle(7, now=clock)
    for _ in range(7):
        throttle.take("a")
    assert throttle.wait("a") == pytest.approx(60 / 7)
    with pytest.raises(TooManyRequests) as refused:
        throttle.take("a")
    assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "9"})
    clock.time += 3600
    assert sum(throttle.wait("a") == 0 for _ in range(9)) == 7  # no more is saved up


def test_an_address_is_refused_for_what_it_asked_too_often() -> None:
    throttle = AddressThrottle(1, now=Clock())
    throttle.take(asked_from("192.0.2.7"), "page")
    with pytest.raises(TooManyRequests):
        throttle.take(asked_from("192.0.2.7"), "page")
    throttle.take(asked_from("192.0.2.7"), "login")


def test_less_than_a_second_is_a_wait_too_and_what_came_back_counts() -> None:
    clock = Clock()
    throttle, addresses = Throttle(120, now=clock), AddressThrottle(120, now=clock)
    for _ in range(120):
        throttle.take("a")
        addresses.take(asked_from("192.0.2.7"))
    with pytest.raises(TooManyRequests):
        throttle.take("a")
    with pytest.raises(TooManyRequests):
        addresses.take(asked_from("192.0.2.7"))
    clock.time += 0.125
    assert throttle.wait("a") == pytest.approx(0.375)
    clock.time += 1.375  # three in all
    assert [throttle.wait("a") == 0 for _ in range(4)] == [True, True, True, False]


def test_a_refusal_is_called_by_its_name() -> None:
    assert TooManyRequests(0.1).type == "too-many-requests"


def test_a_caller_is_told_what_is_left_and_when_all_is_again() -> None:
    clock = Clock()
    throttle = Throttle(60, now=clock)
    assert throttle.standing("a", "writes") == {
        "RateLimit-Policy": '"writes";q=60;w=60',
        "RateLimit": '"writes";r=60;t=0',
    }
    for _ in range(20):
        throttle.take("a")
    clock.time += 5
    assert throttle.standing("a", "writes")["RateLimit"] == '"writes";r=45;t=15'
    assert throttle.standing("b", "writes")["RateLimit"] == '"writes";r=60;t=0'


def test_a_refusal_keeps_the_headers_that_it_is_given() -> None:
    assert TooManyRequests(1.2, {"RateLimit": "x"}).headers == {
        "RateLimit": "x",
        "Retry-After": "2",
    }


def test_who_has_no_address_is_one_caller() -> None:
    assert networks_of(Request({"type": "http"})) == ("",)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_client_is_one_address_or_one_network(host: str, address: str) -> None:
    assert address_of(asked_from(host)) == address


def asked_from(host: str) -> Request:
    return Request({"type": "http", "client": (host, 1)})


def test_a_network_of_ipv6_is_part_of_larger_ones() -> None:
    assert networks_of(asked_from("192.0.2.7")) == ("192.0.2.7",)
    assert networks_of(asked_from("2001:db8:1:203:3:4:5:6")) == (
        *("2001:db8:1:203::/64", "2001:db8:1:200::/56", "2001:db8:1::/48"),
    )


def test_a_site_with_many_networks_is_not_as_many_callers() -> None:
    throttle = AddressThrottle(3, now=Clock())

    def let_through(hosts: list[str]) -> int:
        return sum(throttle.wait(asked_from(host)) == 0 for host in hosts)

    assert let_through([f"2001:db8:1:{number:x}::1" for number in range(256)]) == 4 * 3
    assert let_through([f"2001:db8:1:{number:x}00::1" for number in range(1, 256)]) == 12 * 3
    assert let_through(["2001:db8:2::1"] * 4) == 3
    assert let_through([f"192.0.2.{number}" for number in range(256)]) == 256
    assert throttle.wait(asked_from("192.0.2.1"), "something else") == 0
