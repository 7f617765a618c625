"""Who may bring returned mail, and how many at a time."""

from ipaddress import ip_network

import pytest

from services.notification.receipts.door import (
    MAX_CONNECTIONS,
    MAX_CONNECTIONS_OF_ONE,
    NOT_YOU,
    TOO_MANY,
    Door,
)


def door(*networks: str) -> Door:
    return Door([ip_network(each) for each in networks or ("0.0.0.0/0", "::/0")])


@pytest.mark.parametrize(
    ("host", "answer"),
    [
        ("192.0.2.25", None),
        ("::ffff:192.0.2.25", None),
        ("fe80::1%eth0", None),
        ("192.0.2.26", NOT_YOU),
        ("2001:db8::1", NOT_YOU),
        ("", NOT_YOU),
    ],
)
def test_only_those_that_are_named_may_enter(host: str, answer: str | None) -> None:
    assert door("192.0.2.25", "fe80::/64").enter(host) == answer


def test_one_address_leaves_room_for_others() -> None:
    one = door()
    answers = [one.enter("192.0.2.1") for _ in range(MAX_CONNECTIONS)]
    assert answers.count(None) == MAX_CONNECTIONS_OF_ONE
    assert one.enter("192.0.2.2") is None


def test_an_ipv6_network_counts_as_one_address() -> None:
    one = door()
    answers = [one.enter(f"2001:db8::{at:x}") for at in range(MAX_CONNECTIONS)]
    assert answers.count(None) == MAX_CONNECTIONS_OF_ONE


def test_there_is_an_end_to_all_of_them() -> None:
    one = door()
    answers = [one.enter(f"192.0.2.{at}") for at in range(MAX_CONNECTIONS + 1)]
    assert answers == [None] * MAX_CONNECTIONS + [TOO_MANY]
    one.leave("192.0.2.7")
    assert one.enter("192.0.2.7") is None
