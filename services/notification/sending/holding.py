"""Whether a channel's server is left alone, as the ends of tries tell.

One that is silent again and again, or that refuses us and not a message, would end all deliveries
alike. They are held then, those of all practices, and one of them is tried now and then: no try is
wasted, nothing fails one by one, and operations hears of it once.
"""

from collections.abc import Callable

import structlog

from contracts.channels import Channel
from contracts.events import FailureReason
from services.notification.deliveries import metrics
from services.notification.deliveries.events import Reply
from services.notification.refusals.refusal import About
from services.notification.sending.breaker import Breaker
from services.notification.sending.sender import Contact

log = structlog.get_logger(__name__)

MOST_REST = 120.0  # seconds between two probes: visits may begin soon


class Holding:
    """Of one channel, in one process. `clock` in seconds."""

    def __init__(self, channel: Channel, clock: Callable[[], float]) -> None:
        self._channel = channel
        self._breaker = Breaker(clock, most_rest=MOST_REST)

    @property
    def probing(self) -> bool:
        """Whether what is tried is tried to see if the server is back."""
        return not self._breaker.closed

    @property
    def doubted(self) -> bool:
        """Whether the last try that showed anything went wrong."""
        return self._breaker.failures > 0

    def admit(self, most: int) -> int:
        """How many of `most` tries may begin: all, one as a probe, or none.

        After a probe `learn` or `unused` has to follow.
        """
        if not self._breaker.admit():
            return 0
        return 1 if self.probing else most

    def unused(self) -> None:
        """There was nothing to probe with."""
        if self.probing:
            self._breaker.abandoned()

    def learn(self, contact: Contact, reply: Reply, *, probe: bool) -> None:
        """Take in how a try ended."""
        breaker, held = self._breaker, self.probing
        if held and not probe and contact is not Contact.GOOD:
            return  # begun before: adds nothing to what is known
        first = not self.doubted
        match contact:
            case Contact.GOOD:
                breaker.succeeded()
            case Contact.SILENT | Contact.SEEMS_TO_REFUSE_US:
                breaker.failed()
            case Contact.REFUSES_US:
                breaker.tripped()
            case Contact.NONE:
                breaker.abandoned()
        if self.probing is not held:
            metrics.held.labels(self._channel.value).set(not held)
        if self.probing and not held:
            self._alert("deliveries of all practices are held", contact, reply)
        elif held and not self.probing:
            log.info("deliveries are no longer held", channel=self._channel.value)
        elif first and _speaks_of_us(reply):
            self._alert("server refuses us", contact, reply)

    def _alert(self, event: str, contact: Contact, reply: Reply) -> None:
        log.error(
            event,
            channel=self._channel.value,
            server=contact.value,
            reply_code=reply.code,
            status_code=reply.status,
            reason=reply.reason,
        )


def _speaks_of_us(reply: Reply) -> bool:
    """Whether it is about all mail, by a rule or a list, for good or for a while."""
    by_rule = reply.reason in {FailureReason.POLICY, FailureReason.BLOCKED}
    return reply.about is About.ALL_MAIL and by_rule
