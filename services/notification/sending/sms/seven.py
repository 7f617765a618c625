"""seven.io.

Sources: docs.seven.io/en/rest-api (endpoints/sms, endpoints/status-reports, signing, webhooks),
the OpenAPI description in github.com/seven-io/api-schemes, and for the response codes and the
webhook's signature github.com/seven-io/js-client (README, WebhookVerifier). Not documented, and
therefore read with care: that `dlr` times are German wall-clock time (the examples say so), and
whether a repeated webhook is signed anew (if not, repeats are refused, and polling finds out).

Codes come in the body with HTTP 200, alone or as `success`. The account needs a webhook for the
event „dlr" as JSON to the receipts' URL.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.notification.deliveries.events import Reply
from services.notification.sending.sender import Contact, Verdict
from services.notification.sending.sms import gateway as gateways
from services.notification.sending.sms import receipts, signatures
from services.notification.sending.sms.gateway import GatewayResult, TextMessage
from services.notification.sending.sms.receipts import (
    Forged,
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

ZONE = ZoneInfo("Europe/Berlin")
RELOAD_LOCK = timedelta(seconds=180)  # the same text to the same number within it is refused
PAGE_SIZE = 100  # entries of the journal
MAX_PAGES = 5

TAKEN, PARTLY_TAKEN, RELOAD_LOCKED = 100, 101, 402


@dataclass(frozen=True, slots=True)
class _Meaning:
    verdict: Verdict
    status: str | None = None
    gateway_at_fault: bool = False
    contact: Contact = Contact.NONE


_PERMANENT = _Meaning(Verdict.PERMANENT, gateways.INVALID_NUMBER)
_MESSAGE = _Meaning(Verdict.TECHNICAL)  # another gateway would refuse it as well
_ACCOUNT = _Meaning(
    Verdict.TECHNICAL, gateway_at_fault=True, contact=Contact.REFUSES_US
)  # as it would refuse every message
_MEANINGS = {
    201: _ACCOUNT,  # sender
    202: _PERMANENT,  # recipient
    300: _ACCOUNT,
    301: _MESSAGE,  # no recipient
    305: _MESSAGE,  # text
    306: _ACCOUNT,  # sender
    401: _MESSAGE,  # text too long
    RELOAD_LOCKED: _Meaning(Verdict.TEMPORARY),
    403: _Meaning(Verdict.TEMPORARY),  # daily limit of this recipient
    500: _ACCOUNT,  # credit
    600: _Meaning(Verdict.TEMPORARY, gateway_at_fault=True),  # carrier
    900: _ACCOUNT,  # login
    901: _ACCOUNT,
    902: _ACCOUNT,  # rights
    903: _ACCOUNT,  # our address
}

_STATES = {
    "DELIVERED": (ReceiptState.DELIVERED, None),
    "NOTDELIVERED": (ReceiptState.FAILED, gateways.OTHER),
    "BUFFERED": (ReceiptState.BUFFERED, None),
    "TRANSMITTED": (ReceiptState.ACCEPTED, None),
    "ACCEPTED": (ReceiptState.ACCEPTED, None),
    "EXPIRED": (ReceiptState.EXPIRED, gateways.EXPIRED),
    "REJECTED": (ReceiptState.REJECTED, gateways.BLOCKED),
    "FAILED": (ReceiptState.FAILED, gateways.OTHER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SevenAccount:
    """From the account's developer settings."""

    api_key: str
    signing_key: str
    receipts_url: str  # as it is entered there, to the letter: it is part of what is signed
    url: str = "https://gateway.seven.io/api"

    def __repr__(self) -> str:
        """Without the keys."""
        return "SevenAccount(…)"


class SevenGateway:
    """A client of seven.io's REST API."""

    name = "seven"

    def __init__(
        self, account: SevenAccount, limits: HttpLimits, *, now: Callable[[], datetime]
    ) -> None:
        self.longest_send = limits.total
        self._account = account
        self._now = now
        self._transport = Transport(
            account.url,
            limits,
            headers={"X-Api-Key": account.api_key, "Accept": "application/json"},
        )

    async def send(self, text: TextMessage) -> GatewayResult:
        """Try once."""
        content = {
            "to": text.to,
            "text": text.body,
            "from": text.sender,
            "foreign_id": str(text.reference),
        }
        try:
            response = await self._transport.call(
                "POST",
                "sms",
                body=json.dumps(content).encode(),
                headers={"content-type": "application/json"},
            )
        except NotSent:
            return self._result(Verdict.TEMPORARY, gateway_at_fault=True)
        except NoResponse:
            return self._result(Verdict.REPLY_LOST, gateway_at_fault=True)
        refused = gateways.refused(response, self.name, self._now())
        return self._judge(response) if refused is None else refused

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        """By id where there is one; else the newest 500 messages since yesterday are searched."""
        if gateway_id is not None:
            entries = await self._journal({"id": gateway_id})
            return self._newest(entries, lambda entry: str(entry.get("id")) == gateway_id)
        yesterday = (self._now().astimezone(ZONE) - timedelta(days=1)).date().isoformat()
        for page in range(MAX_PAGES):
            entries = await self._journal(
                {"date_from": yesterday, "limit": str(PAGE_SIZE), "offset": str(page * PAGE_SIZE)}
            )
            found = self._newest(entries, lambda one: one.get("foreign_id") == str(reference))
            if found is not None or len(entries) < PAGE_SIZE:
                return found
        return None

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        """One receipt for an event „dlr"; none for any other. Raises Forged or Unreadable."""
        self._verify(request)
        try:
            content = json.loads(request.body)
            if content.get("webhook_event") != "dlr":
                return []
            data = content["data"]
            message_id, state, timestamp = data["msg_id"], data["status"], data.get("timestamp")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unreadable("data has no msg_id or status") from None
        receipt = self._receipt(
            message_id,
            state,
            _wall_clock(timestamp, request.received_at),
            receipts.reference(data.get("foreign_id")),
        )
        return [] if receipt is None else [receipt]

    async def close(self) -> None:
        """Close idle connections."""
        await self._transport.close()

    def _judge(self, response: HttpResponse) -> GatewayResult:
        content = response.json()
        message = _first(content.get("messages"))
        code = _code(content.get("success", response.body.decode(errors="replace")))
        if code == PARTLY_TAKEN or (code == TAKEN and message.get("success") is False):
            code = _code(message.get("error"))
        gateway_id = receipts.gateway_id(message.get("id"))
        if code == TAKEN and gateway_id is not None:
            return self._result(Verdict.ACCEPTED, Reply(code), gateway_id=gateway_id)
        meaning = _MEANINGS.get(code or 0)
        if meaning is not None:
            return self._result(
                meaning.verdict,
                Reply(code, meaning.status),
                self._now() + RELOAD_LOCK if code == RELOAD_LOCKED else None,
                gateway_at_fault=meaning.gateway_at_fault,
                contact=meaning.contact,
            )
        if response.status >= 400:
            return self._result(
                Verdict.TECHNICAL,
                Reply(response.status),
                gateway_at_fault=True,
                contact=Contact.SEEMS_TO_REFUSE_US,
            )
        # Taken without an id, or words we don't know: it may be on its way.
        return self._result(Verdict.REPLY_LOST, Reply(code), gateway_at_fault=True)

    def _result(
        self,
        verdict: Verdict,
        reply: Reply | None = None,
        not_before: datetime | None = None,
        *,
        gateway_id: str | None = None,
        gateway_at_fault: bool = False,
        contact: Contact = Contact.NONE,
    ) -> GatewayResult:
        return GatewayResult(
            verdict,
            reply or Reply(),
            not_before,
            gateway=self.name,
            gateway_id=gateway_id,
            gateway_at_fault=gateway_at_fault,
            contact=contact,
        )

    async def _journal(self, params: dict[str, str]) -> list[dict[str, Any]]:
        try:
            response = await self._transport.call("GET", "journal/outbound", params=params)
            entries = json.loads(response.body) if response.status == 200 else []
        except (NotSent, NoResponse, ValueError):
            return []
        if not isinstance(entries, list):
            return []
        return [entry for entry in entries if isinstance(entry, dict)]

    def _newest(
        self, entries: Sequence[dict[str, Any]], wanted: Callable[[dict[str, Any]], bool]
    ) -> GatewayReceipt | None:
        for entry in filter(wanted, entries):
            at = _wall_clock(entry.get("dlr_timestamp") or entry.get("timestamp"), self._now())
            state = entry.get("dlr") or "ACCEPTED"
            reference = receipts.reference(entry.get("foreign_id"))
            return self._receipt(entry.get("id"), state, at, reference)
        return None

    def _receipt(
        self, message_id: object, state: object, at: datetime, reference: UUID | None
    ) -> GatewayReceipt | None:
        gateway_id = receipts.gateway_id(message_id)
        if gateway_id is None:
            raise Unreadable("msg_id is empty")
        known = _STATES.get(str(state).upper())
        if known is None:
            return None
        return GatewayReceipt(
            gateway=self.name,
            reference=reference,
            gateway_id=gateway_id,
            state=known[0],
            at=at,
            error_code=receipts.error_code(state) if known[1] else None,
            status=known[1],
        )

    def _verify(self, request: ReceiptRequest) -> None:
        timestamp = request.headers.get("x-timestamp", "")
        signatures.require_fresh(timestamp, request.received_at)
        url = self._account.receipts_url
        if request.query:
            url = f"{url}?{request.query}"
        digest = hashlib.md5(request.body, usedforsecurity=False).hexdigest()
        nonce = request.headers.get("x-nonce", "")
        signed = "\n".join((timestamp, nonce, request.method.upper(), url, digest))
        key = self._account.signing_key.encode()
        expected = hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
        if not signatures.same(request.headers.get("x-signature", "").lower(), expected):
            raise Forged


def _first(messages: object) -> dict[str, Any]:
    if isinstance(messages, list) and messages and isinstance(messages[0], dict):
        return messages[0]
    return {}


def _code(value: object) -> int | None:
    text = str(value).strip().strip('"')
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _wall_clock(value: object, otherwise: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else otherwise
    except ValueError:
        return otherwise
    return at if at.tzinfo else at.replace(tzinfo=ZONE)
