"""The generic gateway: JSON over HTTP, for whoever offers or bridges to none of the others.

What the other side has to do, all of it signed by Standard Webhooks (see `signatures`) under one
shared secret, in both directions:

    POST {url}/messages
    Idempotency-Key: <reference>    the same key is never sent twice, whatever happens in between
    {"reference": <UUID>, "to": <E.164>, "text": …, "sender": …, "receipts_url": …}

| response                        | meaning |
|---------------------------------|---------|
| 200, 201, 202 `{"id": …}`       | taken; the same response to a repeat of the key |
| 400, 422 `{"code": …}`          | not taken: the recipient by one of the codes, else our fault |
| 401, 402, 403, 404              | not taken: login, credit, configuration |
| 409                             | the same key is being worked on |
| 408, 429, 503 with Retry-After  | not taken, later |
| any other 5xx                   | not known |

    GET {url}/messages/{reference}    one receipt as below, or 404; the path stands for the body
    POST {receipts_url}               {"receipts": [{"id", "reference", "state", "at", "code"}]}

`state` is one of accepted, buffered, delivered, failed, rejected, expired; `at` is ISO 8601 with
its offset; `code` is invalid_number, unknown_number, blocked, unreachable, or the gateway's own,
or missing.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notification.deliveries.events import Reply
from services.notification.sending.sender import Verdict
from services.notification.sending.sms import gateway as gateways
from services.notification.sending.sms import receipts, signatures
from services.notification.sending.sms.gateway import GatewayResult, TextMessage
from services.notification.sending.sms.receipts import (
    GatewayReceipt,
    ReceiptRequest,
    ReceiptState,
    Unreadable,
)
from services.notification.sending.sms.transport import (
    HttpLimits,
    HttpResponse,
    NoResponse,
    NotSent,
    Transport,
)

STATUSES = {
    "invalid_number": gateways.INVALID_NUMBER,
    "unknown_number": gateways.UNKNOWN_NUMBER,
    "unreachable": gateways.UNREACHABLE,
    "blocked": gateways.BLOCKED,
}
_ABOUT_THE_RECIPIENT = {"invalid_number", "unknown_number", "blocked"}
_FAILURES = {
    ReceiptState.FAILED: gateways.OTHER,
    ReceiptState.REJECTED: gateways.BLOCKED,
    ReceiptState.EXPIRED: gateways.EXPIRED,
}
MAX_RECEIPTS = 1000  # in one call


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookAccount:
    """Where the gateway is, and what both sides know."""

    url: str
    secret: str  # whsec_…
    receipts_url: str
    name: str = "webhook"

    def __repr__(self) -> str:
        """Without the secret."""
        return f"WebhookAccount({self.name})"


class WebhookGateway:
    """A client of the API above."""

    def __init__(
        self, account: WebhookAccount, limits: HttpLimits, *, now: Callable[[], datetime]
    ) -> None:
        self.name = account.name
        self.longest_send = limits.total
        self._receipts_url = account.receipts_url
        self._key = signatures.read_secret(account.secret)
        self._now = now
        self._transport = Transport(account.url, limits)

    async def send(self, text: TextMessage) -> GatewayResult:
        """Try once."""
        reference = str(text.reference)
        body = _json(
            {
                "reference": reference,
                "to": text.to,
                "text": text.body,
                "sender": text.sender,
                "receipts_url": self._receipts_url,
            }
        )
        headers = {
            **signatures.sign(self._key, reference, body, self._now()),
            "idempotency-key": reference,
            "content-type": "application/json",
        }
        try:
            response = await self._transport.call("POST", "messages", body=body, headers=headers)
        except NotSent:
            return self._result(Verdict.TEMPORARY, gateway_at_fault=True)
        except NoResponse:
            return self._result(Verdict.REPLY_LOST, gateway_at_fault=True)
        return self._judge(response)

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        """Ask by reference; this API needs no id."""
        path = f"messages/{reference}"
        headers = signatures.sign(self._key, str(reference), path.encode(), self._now())
        try:
            response = await self._transport.call("GET", path, headers=headers)
        except (NotSent, NoResponse):
            return None
        if response.status != 200:
            return None
        try:
            return self._receipt(response.json(), self._now())
        except Unreadable:
            return None

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        """All or none. Raises Forged or Unreadable."""
        signatures.verify(self._key, request.headers, request.body, request.received_at)
        try:
            entries = json.loads(request.body)["receipts"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise Unreadable("receipts is missing") from None
        if not isinstance(entries, list) or len(entries) > MAX_RECEIPTS:
            raise Unreadable("receipts is no list, or too long")
        return [self._receipt(entry, request.received_at) for entry in entries]

    async def close(self) -> None:
        """Close idle connections."""
        await self._transport.close()

    def _judge(self, response: HttpResponse) -> GatewayResult:
        reply = Reply(response.status)
        if response.status == 409:
            return self._result(Verdict.REPLY_LOST, reply)
        refused = gateways.refused(response, self.name, self._now())
        if refused is not None:
            return refused
        found = response.json()
        if 200 <= response.status < 300:
            gateway_id = receipts.gateway_id(found.get("id"))
            if gateway_id is None:
                return self._result(Verdict.REPLY_LOST, reply, gateway_at_fault=True)
            return self._result(Verdict.ACCEPTED, reply, gateway_id=gateway_id)
        code = found.get("code")
        if code in _ABOUT_THE_RECIPIENT:
            return self._result(Verdict.PERMANENT, Reply(response.status, STATUSES[code]))
        return self._result(Verdict.TECHNICAL, reply)

    def _result(
        self,
        verdict: Verdict,
        reply: Reply | None = None,
        *,
        gateway_id: str | None = None,
        gateway_at_fault: bool = False,
    ) -> GatewayResult:
        return GatewayResult(
            verdict,
            reply or Reply(),
            gateway=self.name,
            gateway_id=gateway_id,
            gateway_at_fault=gateway_at_fault,
        )

    def _receipt(self, entry: Any, received_at: datetime) -> GatewayReceipt:
        if not isinstance(entry, dict):
            raise Unreadable("a receipt is no object")
        reference = receipts.reference(entry.get("reference"))
        gateway_id = receipts.gateway_id(entry.get("id"))
        if reference is None and gateway_id is None:
            raise Unreadable("a receipt has neither reference nor id")
        try:
            state = ReceiptState(str(entry.get("state")))
        except ValueError:
            raise Unreadable("a receipt has no known state") from None
        code = receipts.error_code(entry.get("code"))
        failure = _FAILURES.get(state)
        return GatewayReceipt(
            gateway=self.name,
            reference=reference,
            gateway_id=gateway_id,
            state=state,
            at=receipts.moment(entry.get("at"), received_at),
            error_code=code,
            status=failure and STATUSES.get(code or "", failure),
        )


def _json(content: dict[str, str]) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
