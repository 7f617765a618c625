"""Twilio.

Sources: github.com/twilio/twilio-oai (twilio_api_v2010: Messages), twilio.com/docs/usage/security
(signature), twilio.com/docs/messaging/guides/track-outbound-message-status, and the error pages
under twilio.com/docs/api/errors. The signature is computed as twilio-python 9.9 does it, which
also tries the address with and without its port.

Twilio knows no reference of ours: it travels in the query of the StatusCallback, which is signed.
After a lost reply there is therefore nothing to ask by, but a late callback still names the
message. Its signature holds no time: a replay is recognised by the receipt's key alone.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

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

# Codes that speak of the recipient, with what they come to.
STATUSES = {
    21211: gateways.INVALID_NUMBER,  # invalid To
    21214: gateways.UNKNOWN_NUMBER,  # To can't be reached
    21217: gateways.INVALID_NUMBER,  # does not look like a number
    21265: gateways.INVALID_NUMBER,  # To is a short code
    21610: gateways.BLOCKED,  # answered STOP
    21614: gateways.UNKNOWN_NUMBER,  # no mobile number
    21635: gateways.UNKNOWN_NUMBER,  # a landline
    30003: gateways.UNREACHABLE,
    30004: gateways.BLOCKED,
    30005: gateways.UNKNOWN_NUMBER,
    30006: gateways.UNKNOWN_NUMBER,  # landline, or a network that can't be reached
    30007: gateways.BLOCKED,  # filtered by a network
    30036: gateways.EXPIRED,
}
_REFUSED_AT_ONCE = {21211, 21214, 21217, 21265, 21610, 21614, 21635}
_LATER = {14107, 20429, 21611, 30001, 30022, 63038}  # too many for now, or for today
_ABOUT_THE_MESSAGE = {21602, 21617, 21619}  # empty or too long

_STATES = {
    "accepted": ReceiptState.ACCEPTED,
    "scheduled": ReceiptState.ACCEPTED,
    "queued": ReceiptState.ACCEPTED,
    "sending": ReceiptState.ACCEPTED,
    "sent": ReceiptState.ACCEPTED,
    "delivered": ReceiptState.DELIVERED,
    "read": ReceiptState.DELIVERED,
    "undelivered": ReceiptState.FAILED,
    "failed": ReceiptState.FAILED,
    "canceled": ReceiptState.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TwilioAccount:
    """From Twilio's console."""

    account_sid: str
    auth_token: str
    receipts_url: str  # as Twilio reaches it, to the letter: it is part of what is signed
    url: str = "https://api.twilio.com"

    def __repr__(self) -> str:
        """Without the token."""
        return "TwilioAccount(…)"


class TwilioGateway:
    """A client of Twilio's Messages resource."""

    name = "twilio"

    def __init__(
        self, account: TwilioAccount, limits: HttpLimits, *, now: Callable[[], datetime]
    ) -> None:
        self.longest_send = limits.total
        self._account = account
        self._now = now
        self._transport = Transport(
            f"{account.url}/2010-04-01/Accounts/{account.account_sid}",
            limits,
            auth=(account.account_sid, account.auth_token),
        )

    async def send(self, text: TextMessage) -> GatewayResult:
        """Try once."""
        form = {
            "To": text.to,
            "From": text.sender,
            "Body": text.body,
            "StatusCallback": f"{self._account.receipts_url}?reference={text.reference}",
        }
        try:
            response = await self._transport.call("POST", "Messages.json", form=form)
        except NotSent:
            return self._result(Verdict.TEMPORARY, gateway_at_fault=True)
        except NoResponse:
            return self._result(Verdict.REPLY_LOST, gateway_at_fault=True)
        return self._judge(response)

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        """Ask by Twilio's id; without one there is nothing to ask by."""
        if gateway_id is None or not gateway_id.isalnum():
            return None
        try:
            response = await self._transport.call("GET", f"Messages/{gateway_id}.json")
        except (NotSent, NoResponse):
            return None
        found = response.json() if response.status == 200 else {}
        at = _rfc2822(found.get("date_updated"), self._now())
        return self._receipt(
            reference, found.get("sid"), found.get("status"), found.get("error_code"), at
        )

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        """The one receipt of a status callback. Raises Forged or Unreadable."""
        try:
            fields = parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Unreadable("the body is no form") from None
        self._verify(request, fields)
        query = parse_qs(request.query)
        receipt = self._receipt(
            receipts.reference(query.get("reference", [""])[0]),
            fields.get("MessageSid", [None])[0],
            fields.get("MessageStatus", [None])[0],
            fields.get("ErrorCode", [None])[0],
            request.received_at,
        )
        return [] if receipt is None else [receipt]

    async def close(self) -> None:
        """Close idle connections."""
        await self._transport.close()

    def _judge(self, response: HttpResponse) -> GatewayResult:
        found = response.json()
        code = found.get("error_code" if response.status < 300 else "code")
        code = code if isinstance(code, int) else None
        if code in _REFUSED_AT_ONCE:
            return self._result(Verdict.PERMANENT, Reply(code, STATUSES[code]))
        refused = gateways.refused(response, self.name, self._now())
        if refused is not None:
            return refused
        if code in _LATER:
            return self._result(Verdict.TEMPORARY, Reply(code), gateway_at_fault=True)
        if code is not None or response.status >= 300:
            at_fault = code not in _ABOUT_THE_MESSAGE
            return self._result(
                Verdict.TECHNICAL,
                Reply(code or response.status),
                gateway_at_fault=at_fault,
                contact=Contact.SEEMS_TO_REFUSE_US if at_fault else Contact.NONE,
            )
        gateway_id = receipts.gateway_id(found.get("sid"))
        reply = Reply(response.status)
        if gateway_id is None:
            return self._result(Verdict.REPLY_LOST, reply, gateway_at_fault=True)
        return self._result(Verdict.ACCEPTED, reply, gateway_id=gateway_id)

    def _result(
        self,
        verdict: Verdict,
        reply: Reply | None = None,
        *,
        gateway_id: str | None = None,
        gateway_at_fault: bool = False,
        contact: Contact = Contact.NONE,
    ) -> GatewayResult:
        return GatewayResult(
            verdict,
            reply or Reply(),
            gateway=self.name,
            gateway_id=gateway_id,
            gateway_at_fault=gateway_at_fault,
            contact=contact,
        )

    def _receipt(
        self, reference: UUID | None, sid: object, status: object, code: object, at: datetime
    ) -> GatewayReceipt | None:
        gateway_id = receipts.gateway_id(sid)
        state = _STATES.get(str(status))
        if gateway_id is None or state is None:
            return None
        failure = None
        text = receipts.error_code(code)
        if state is ReceiptState.FAILED:
            known = STATUSES.get(int(text)) if text and text.isdigit() else None
            failure = known or gateways.OTHER
        return GatewayReceipt(
            gateway=self.name,
            reference=reference,
            gateway_id=gateway_id,
            state=state,
            at=at,
            error_code=text,
            status=failure,
        )

    def _verify(self, request: ReceiptRequest, fields: dict[str, list[str]]) -> None:
        offered = request.headers.get("x-twilio-signature", "")
        parameters = "".join(
            name + value for name in sorted(fields) for value in sorted(set(fields[name]))
        )
        key = self._account.auth_token.encode()
        genuine = []
        for url in _with_and_without_port(self._account.receipts_url):
            signed = f"{url}?{request.query}" if request.query else url
            mac = hmac.new(key, f"{signed}{parameters}".encode(), hashlib.sha1).digest()
            genuine.append(signatures.same(offered, base64.b64encode(mac).decode()))
        if not any(genuine):
            raise Forged


def _with_and_without_port(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return (
        parts._replace(netloc=host).geturl(),
        parts._replace(netloc=f"{host}:{port}").geturl(),
    )


def _rfc2822(value: object, otherwise: datetime) -> datetime:
    try:
        at = parsedate_to_datetime(value) if isinstance(value, str) else otherwise
    except ValueError:
        return otherwise
    return at if at.tzinfo else otherwise
