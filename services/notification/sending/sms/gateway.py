"""What every SMS gateway can do, and what its answers mean for a delivery."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Protocol
from uuid import UUID

from services.notification.deliveries.events import Reply
from services.notification.sending.sender import Contact, SendResult, Verdict
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptRequest
from services.notification.sending.sms.transport import HttpResponse

# What any other message would be answered with, too. Other refusals may yet be about the recipient,
# as where a country is not open to an account.
OF_THE_ACCOUNT = {HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED}
MAX_RETRY_AFTER = timedelta(hours=24)  # that a Retry-After is believed

# RFC 3463, in the words of the phone network.
INVALID_NUMBER = "5.1.3"
UNKNOWN_NUMBER = "5.1.1"
UNREACHABLE = "5.4.1"
BLOCKED = "5.7.1"
EXPIRED = "5.4.7"
OTHER = "5.0.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """One message. The reference is ours, the same for every try; `to` is in E.164."""

    reference: UUID
    to: str
    body: str
    sender: str

    def __repr__(self) -> str:
        """The reference alone."""
        return f"TextMessage({self.reference})"


@dataclass(frozen=True, slots=True)
class GatewayResult(SendResult):
    """How a try ended.

    `gateway_at_fault` says that the cause lies with the gateway or our account there, not with
    this message: another gateway may do better. Of one that refuses us `contact` says whether it
    surely would refuse every message; all else that a try shows is the fail-over's to say.
    """

    gateway_at_fault: bool = False


class Gateway(Protocol):
    """Sends single messages over one provider, asks for them, and reads its receipts."""

    @property
    def name(self) -> str:
        """Its name in settings, receipts and metrics."""
        ...

    @property
    def longest_send(self) -> float:
        """Seconds after which a try has ended."""
        ...

    async def send(self, text: TextMessage) -> GatewayResult:
        """Try once. Never raises for what the gateway does."""
        ...

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        """What the gateway knows of a message: polling, or after a lost reply.

        None where it knows nothing or can't be asked, which does not mean that nothing was sent.
        """
        ...

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        """The receipts in a webhook call. Raises Forged or Unreadable."""
        ...

    async def close(self) -> None:
        """Close idle connections."""
        ...


def refused(response: HttpResponse, gateway: str, now: datetime) -> GatewayResult | None:
    """What an HTTP status alone says; None where the body decides (2xx, 400, 422).

    429 and 503 say that nothing was taken, and so does 408 (RFC 9110). The other 5xx may come
    from a proxy or a fault half-way: the message may have gone out.
    """
    status = response.status
    reply = Reply(status)
    if 200 <= status < 300 or status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}:
        return None
    if status in {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.REQUEST_TIMEOUT,
    }:
        not_before = retry_after(response.headers, now)
        return GatewayResult(
            Verdict.TEMPORARY, reply, not_before, gateway=gateway, gateway_at_fault=True
        )
    if status >= 500:
        return GatewayResult(Verdict.REPLY_LOST, reply, gateway=gateway, gateway_at_fault=True)
    return GatewayResult(
        Verdict.TECHNICAL,
        reply,
        gateway=gateway,
        gateway_at_fault=True,
        contact=Contact.REFUSES_US if status in OF_THE_ACCOUNT else Contact.SEEMS_TO_REFUSE_US,
    )


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the server wants the next try (RFC 9110 section 10.2.3); None where it says nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        seconds = min(int(value[:10]), MAX_RETRY_AFTER.total_seconds())
        return now + timedelta(seconds=seconds)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(at, now), now + MAX_RETRY_AFTER)
