"""The breaker: what fails again and again rests, is tried once, and never rests for ever."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.notification.sending.breaker import MAX_REST, Breaker
from tests.support.watch import Watch


def test_calls_that_fail_together_open_it_once() -> None:
    breaker = Breaker(Watch(), failures=5, rest=15)
    assert all(breaker.admit() for _ in range(20))
    for _ in range(20):
        breaker.failed()
    assert breaker.wait == 15
    assert not breaker.admit()


def test_what_any_call_would_meet_opens_it_at_once() -> None:
    breaker = Breaker(Watch(), rest=15)
    assert all(breaker.admit() for _ in range(3))
    for _ in range(3):
        breaker.tripped()
    assert (breaker.wait, breaker.closed) == (15, False)


class BreakerMachine(RuleBasedStateMachine):
    """Against a model: at most one call while it is not trusted, and never no call for ever."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Watch()
        self.breaker = Breaker(self.clock, failures=3, rest=10)
        self.under_way = 0
        self.failures = 0
        self.probing = False

    @rule()
    def call(self) -> None:
        trusted = self.failures < 3
        admitted = self.breaker.admit()
        if admitted:
            assert trusted or not self.probing
            self.probing = not trusted
            self.under_way += 1

    @rule(end=st.sampled_from(["succeeded", "failed", "tripped", "abandoned"]))
    def end(self, end: str) -> None:
        if not self.under_way:
            return
        self.under_way -= 1
        getattr(self.breaker, end)()
        self.probing = False
        if end == "succeeded":
            self.failures = 0
        elif end == "failed":
            self.failures += 1
        elif end == "tripped":
            self.failures = max(self.failures, 3)

    @rule(seconds=st.floats(0, 700))
    def wait(self, seconds: float) -> None:
        self.clock.time += seconds

    @invariant()
    def it_never_rests_for_ever(self) -> None:
        assert 0 <= self.breaker.wait <= MAX_REST


TestBreaker = BreakerMachine.TestCase
