"""A span and a line of the log for each try: its verdict, in the trace of what was requested."""

from dataclasses import dataclass

import structlog
from opentelemetry.trace import SpanKind

from chassis import tracing
from contracts.channels import Channel
from services.notification.sending.sender import Outgoing, Sender, SendResult

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TracedSender:
    """Sends as another does. The trace does not go beyond us: what it is, is nobody else's."""

    sender: Sender
    channel: Channel

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, whatever the other side does."""
        return self.sender.longest_send

    async def send(self, outgoing: Outgoing) -> SendResult:
        """Try once. Raises as the other does."""
        delivery, outcome = outgoing.delivery, "broken off"
        with tracing.span(
            f"send {self.channel}", delivery.traceparent, kind=SpanKind.CLIENT
        ) as span:
            try:
                result = await self.sender.send(outgoing)
                outcome = result.verdict.value
            except Exception as error:
                outcome = type(error).__qualname__
                raise
            finally:
                log.info(
                    "tried",
                    channel=self.channel.value,
                    outcome=outcome,
                    delivery_id=str(delivery.id),
                    practice=str(delivery.practice_id),
                    trace_id=tracing.trace_id(span),
                )
            span.set_attribute("einladung.verdict", outcome)
            if result.gateway is not None:
                span.set_attribute("einladung.gateway", result.gateway)
            return result

    async def close(self) -> None:
        """Close idle connections."""
        await self.sender.close()
