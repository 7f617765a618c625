"""A span for each try, in the trace of what was requested: how long it took, and its verdict."""

from dataclasses import dataclass

from opentelemetry.trace import SpanKind

from chassis import tracing
from contracts.channels import Channel
from services.notification.sending.sender import Outgoing, Sender, SendResult


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
        parent = outgoing.delivery.traceparent
        with tracing.span(f"send {self.channel}", parent, kind=SpanKind.CLIENT) as span:
            result = await self.sender.send(outgoing)
            span.set_attribute("einladung.verdict", result.verdict.value)
            if result.gateway is not None:
                span.set_attribute("einladung.gateway", result.gateway)
            return result

    async def close(self) -> None:
        """Close idle connections."""
        await self.sender.close()
