"""Several gateways in order: the next one is tried only while the message surely did not go out.

After a lost reply nobody else is asked to send: two SMS are worse than an honest „unknown".

A gateway that fails again and again has a breaker of its own. Where every gateway refuses us, what
is said of the channel (`Contact`) lets the deliveries of all practices be held.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from aiolimiter import AsyncLimiter

from chassis.clock import Clock, utc_now
from services.notification.deliveries import metrics
from services.notification.sending.breaker import Breaker
from services.notification.sending.sender import Contact, Verdict
from services.notification.sending.sms.gateway import Gateway, GatewayResult, TextMessage
from services.notification.sending.sms.receipts import GatewayReceipt

log = structlog.get_logger(__name__)

RATE_LIMIT_TIMEOUT = 2.0  # seconds to wait for a place under a gateway's rate limit


@dataclass(frozen=True, slots=True)
class Line:
    """A gateway with what protects it: its breaker and how many messages it takes a second."""

    gateway: Gateway
    per_second: float
    breaker: Breaker = field(default_factory=lambda: Breaker(time.monotonic))
    limiter: AsyncLimiter = field(init=False)

    def __post_init__(self) -> None:
        # A burst of one second's worth, and at least one message.
        burst = max(self.per_second, 1.0)
        object.__setattr__(self, "limiter", AsyncLimiter(burst, burst / self.per_second))


class Failover:
    """Sends over the first gateway that takes the message."""

    def __init__(self, lines: Sequence[Line], *, now: Clock = utc_now) -> None:
        if not lines:
            raise ValueError("at least one gateway is needed")
        self._lines = tuple(lines)
        self._now = now
        for line in self._lines:
            resting = metrics.gateway_resting.labels(line.gateway.name)
            resting.set_function(partial(_resting, line.breaker))

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended, every gateway included."""
        return sum(RATE_LIMIT_TIMEOUT + line.gateway.longest_send for line in self._lines)

    async def send(self, text: TextMessage) -> GatewayResult:
        """Try each gateway at most once."""
        refusals: list[GatewayResult] = []
        temporary: GatewayResult | None = None
        for line in self._lines:
            result = await self._try(line, text)
            if result is None:
                continue
            if not result.gateway_at_fault:
                return replace(result, contact=Contact.GOOD)
            if result.verdict is Verdict.REPLY_LOST:
                return result
            if result.verdict is Verdict.TECHNICAL:
                log.warning("gateway unusable", gateway=line.gateway.name, code=result.reply.code)
                refusals.append(result)
            else:
                temporary = result
        if len(refusals) == len(self._lines):
            return _refused_by_all(refusals)
        # One that rests, is full, or failed for now may take it yet: no reason to give up.
        return replace(
            temporary or GatewayResult(Verdict.TEMPORARY, gateway_at_fault=True),
            not_before=self._first_chance(),
        )

    async def query(
        self, reference: UUID, gateway: str | None = None, gateway_id: str | None = None
    ) -> GatewayReceipt | None:
        """What a gateway knows of the message; without a name the first that knows any."""
        for line in self._lines:
            if gateway is not None and line.gateway.name != gateway:
                continue
            receipt = await line.gateway.query(reference, gateway_id)
            if receipt is not None:
                return receipt
        return None

    async def close(self) -> None:
        """Close idle connections."""
        for line in self._lines:
            await line.gateway.close()

    async def _try(self, line: Line, text: TextMessage) -> GatewayResult | None:
        """One try; None where this gateway can't take anything now."""
        if not line.breaker.admit():
            return None
        try:
            async with asyncio.timeout(RATE_LIMIT_TIMEOUT):
                await line.limiter.acquire()
        except BaseException as error:
            line.breaker.abandoned()
            if isinstance(error, TimeoutError):
                return None
            raise
        try:
            result = await line.gateway.send(text)
        except BaseException:
            line.breaker.abandoned()
            raise
        self._note(line.breaker, result)
        return result

    def _note(self, breaker: Breaker, result: GatewayResult) -> None:
        if result.verdict is Verdict.TECHNICAL:
            breaker.abandoned()  # it answers; what is wrong is for operations to mend
        elif result.gateway_at_fault:
            breaker.failed()
            if result.not_before is not None:
                breaker.rest((result.not_before - self._now()).total_seconds())
        else:
            breaker.succeeded()

    def _first_chance(self) -> datetime | None:
        wait = min(line.breaker.wait for line in self._lines)
        return self._now() + timedelta(seconds=wait) if wait else None


def _resting(breaker: Breaker) -> float:
    return float(not breaker.closed)


def _refused_by_all(refusals: Sequence[GatewayResult]) -> GatewayResult:
    surely = all(each.contact is Contact.REFUSES_US for each in refusals)
    contact = Contact.REFUSES_US if surely else Contact.SEEMS_TO_REFUSE_US
    return replace(refusals[-1], contact=contact)
