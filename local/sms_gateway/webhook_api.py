"""The generic API, the gateway's side. Described in the client's module `webhook_gateway`."""

import json
import re
from collections.abc import Callable
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from local.sms_gateway.front import LARGEST, Cut, Front
from local.sms_gateway.network import receipt
from local.sms_gateway.phones import Reply
from local.sms_gateway.signing import Webhooks
from local.sms_gateway.store import LONGEST_TEXT, Message, Store

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
LATER = {"Retry-After": "1"}


def router(store: Store, front: Front, secret: str) -> APIRouter:
    """POST and GET of messages."""
    api = APIRouter(prefix="/v1")
    webhooks = Webhooks(secret)

    @api.post("/messages")
    async def send(request: Request) -> Response:
        """Take a message, once for each Idempotency-Key."""
        body = await request.body()
        if not webhooks.genuine(request.headers, body):
            return _refusal(401, "login")
        submitted = _read(body, front) if len(body) <= LARGEST else None
        if submitted is None or submitted["reference"] != request.headers.get("idempotency-key"):
            return _refusal(422, "invalid_request")
        if not E164.fullmatch(submitted["to"]):
            return _refusal(422, "invalid_number")
        earlier = store.by_reference("webhook", submitted["reference"])
        if earlier is not None:
            return _taken(earlier)
        reply = front.reply(submitted["to"], submitted["reference"])
        refusal = _REFUSALS.get(reply)
        if refusal is not None:
            return refusal()
        message = await front.take(api="webhook", **submitted)
        return Cut() if reply is Reply.TAKEN_AND_CUT else _taken(message)

    @api.get("/messages/{reference}")
    async def ask(reference: UUID, request: Request) -> Response:
        """How a message fares."""
        path = f"messages/{reference}"
        if not webhooks.genuine(request.headers, path.encode()):
            return _refusal(401, "login")
        message = store.by_reference("webhook", str(reference))
        if message is None:
            return _refusal(404, "unknown_message")
        return JSONResponse(receipt(message, message.state, message.code, message.at))

    return api


_REFUSALS: dict[Reply, Callable[[], Response]] = {
    Reply.INVALID: lambda: _refusal(422, "invalid_number"),
    Reply.TEXT_REFUSED: lambda: _refusal(422, "text"),
    Reply.BUSY_ONCE: lambda: _refusal(429, "busy", LATER),
    Reply.DOWN_ONCE: lambda: _refusal(503, "down", LATER),
    Reply.CUT: Cut,
}


def _read(body: bytes, front: Front) -> dict[str, str] | None:
    try:
        found = json.loads(body)
        submitted = {
            name: found[name] for name in ("reference", "to", "text", "sender", "receipts_url")
        }
        UUID(submitted["reference"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not all(isinstance(value, str) for value in submitted.values()):
        return None
    whole = 0 < len(submitted["text"]) <= LONGEST_TEXT and front.stays_here(
        submitted["receipts_url"]
    )
    return submitted if whole else None


def _taken(message: Message) -> JSONResponse:
    return JSONResponse({"id": message.id}, 202)


def _refusal(status: int, code: str, headers: dict[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"code": code}, status, headers)
