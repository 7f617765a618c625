"""When the deliveries of a channel are held, what is tried meanwhile, and who hears of it."""

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from contracts.channels import Channel
from contracts.events import FailureReason
from services.notification.deliveries.events import NO_REPLY, Reply
from services.notification.refusals.refusal import About
from services.notification.sending.holding import MOST_REST, Holding
from services.notification.sending.sender import Contact
from tests.support.watch import Watch

LOGIN_REFUSED = Reply(535, "5.7.8", FailureReason.POLICY, About.ALL_MAIL)
NO_RELAYING = Reply(550, "5.7.1", FailureReason.POLICY, About.ALL_MAIL)


def holding() -> tuple[Holding, Watch]:
    clock = Watch()
    return Holding(Channel.EMAIL, clock), clock


def silence(held: Holding, times: int) -> None:
    for _ in range(times):
        held.learn(Contact.SILENT, NO_REPLY, probe=False)


def held_by_metric() -> float | None:
    return REGISTRY.get_sample_value("deliveries_held", {"channel": "email"})


def test_a_server_that_is_silent_again_and_again_gets_one_probe_after_a_rest() -> None:
    held, clock = holding()
    silence(held, 4)
    assert held.admit(10) == 10
    silence(held, 1)
    assert held.admit(10) == 0
    clock.time += 15
    assert (held.admit(10), held.probing) == (1, True)
    assert held.admit(10) == 0


def test_the_pauses_between_probes_grow_up_to_two_minutes() -> None:
    held, clock = holding()
    silence(held, 5)
    pauses: list[float] = []
    for _ in range(6):
        pause = 0.0
        while not held.admit(10):
            clock.time += 1
            pause += 1
        pauses.append(pause)
        held.learn(Contact.SILENT, NO_REPLY, probe=True)
    assert pauses == [15, 30, 60, MOST_REST, MOST_REST, MOST_REST]


def test_a_refusal_of_us_holds_all_at_once_and_operations_hears_of_it_once() -> None:
    held, clock = holding()
    with capture_logs() as logs:
        for _ in range(10):  # under way at the same time
            held.learn(Contact.REFUSES_US, LOGIN_REFUSED, probe=False)
        assert held.admit(10) == 0
        assert held_by_metric() == 1
        clock.time += 15
        assert held.admit(10) == 1
        held.learn(Contact.REFUSES_US, LOGIN_REFUSED, probe=True)
        clock.time += 30
        assert held.admit(10) == 1
        held.learn(Contact.GOOD, NO_REPLY, probe=True)
    assert held.admit(10) == 10
    assert held_by_metric() == 0
    first, last = logs
    assert (first["log_level"], first["reply_code"], first["status_code"]) == (
        "error",
        535,
        "5.7.8",
    )
    assert last["log_level"] == "info"


def test_what_was_begun_before_and_fails_adds_nothing_and_a_good_end_does() -> None:
    held, clock = holding()
    silence(held, 5)
    clock.time += 15
    assert held.admit(10) == 1
    silence(held, 5)
    held.learn(Contact.NONE, NO_REPLY, probe=False)
    assert held.admit(10) == 0  # the probe is still under way
    held.learn(Contact.GOOD, NO_REPLY, probe=False)
    assert held.admit(10) == 10


@pytest.mark.parametrize("contact", [Contact.GOOD, Contact.NONE])
def test_only_silence_in_a_row_counts(contact: Contact) -> None:
    held, _ = holding()
    silence(held, 4)
    held.learn(contact, NO_REPLY, probe=False)
    silence(held, 4 if contact is Contact.GOOD else 0)
    assert held.admit(10) == 10


def test_a_probe_that_found_nothing_due_is_tried_again() -> None:
    held, clock = holding()
    silence(held, 5)
    clock.time += 15
    assert held.admit(10) == 1
    held.unused()
    assert held.admit(10) == 1


def test_what_seems_to_refuse_us_is_told_once_and_holds_others_when_it_is_repeated() -> None:
    """It may be about one recipient's server: one message must not hold up all others."""
    held, _ = holding()
    with capture_logs() as logs:
        for _ in range(4):
            held.learn(Contact.SEEMS_TO_REFUSE_US, NO_RELAYING, probe=False)
        assert held.admit(10) == 10
        assert held.doubted
        held.learn(Contact.GOOD, NO_REPLY, probe=False)
        assert not held.doubted
        for _ in range(5):
            held.learn(Contact.SEEMS_TO_REFUSE_US, NO_RELAYING, probe=False)
    assert held.admit(10) == 0
    assert [each["event"] for each in logs] == [
        "server refuses us",
        "server refuses us",
        "deliveries of all practices are held",
    ]
