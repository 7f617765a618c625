"""As much of seven.io's API as its client uses; sources are named there."""

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from local.markup import ZONE
from local.sms_gateway.front import LARGEST, Cut, Front
from local.sms_gateway.network import SEVEN_STATES, seven_time
from local.sms_gateway.phones import Reply
from local.sms_gateway.store import LONGEST_TEXT, Message, Store


def router(store: Store, front: Front, secret: str, receipts_url: str) -> APIRouter:
    """POST sms and GET journal/outbound. The API key is the shared secret."""
    api = APIRouter(prefix="/seven/api")

    def welcome(request: Request) -> bool:
        key = request.headers.get("x-api-key", "")
        return hmac.compare_digest(key.encode(), secret.encode())

    @api.post("/sms")
    async def send(request: Request) -> Response:
        """Take a message; a repeat is another one."""
        try:
            submitted = _read(await request.body()) if welcome(request) else _refuse(900)
        except _Refused as refused:
            return _plain(refused.code)
        reply = front.reply(submitted["to"], submitted["reference"])
        answer = _ANSWERS.get(reply)
        if answer is not None:
            return answer()
        message = await front.take(
            api="seven",
            receipts_url=receipts_url,
            **submitted,
        )
        return Cut() if reply is Reply.TAKEN_AND_CUT else _taken(message)

    @api.get("/journal/outbound")
    async def journal(
        request: Request,
        id: int | None = None,  # noqa: A002
        date_from: str | None = None,
        limit: int = 100,
        offset: int = 0,
    ) -> Response:
        """Sent messages, newest first."""
        if not welcome(request):
            return _plain(900)
        found = [each for each in store.newest_first() if each.api == "seven"]
        if id is not None:
            found = [each for each in found if int(each.id) == id]
        if date_from is not None:
            first = datetime.fromisoformat(date_from).replace(tzinfo=ZONE)
            found = [each for each in found if each.received_at >= first]
        shown = found[offset : offset + min(limit, 100)]
        return JSONResponse([_entry(each) for each in shown])

    return api


class _Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _refuse(code: int) -> NoReturn:
    raise _Refused(code)


def _read(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body) if len(body) <= LARGEST else {}
        submitted = {
            name: str(found.get(name, "")) for name in ("to", "text", "from", "foreign_id")
        }
    except (ValueError, AttributeError):
        _refuse(301)
    number = submitted["to"].removeprefix("+").removeprefix("00")
    if not number.isdecimal():
        _refuse(202 if number else 301)
    if not 0 < len(submitted["text"]) <= LONGEST_TEXT:
        _refuse(401 if submitted["text"] else 305)
    return {
        "to": f"+{number}",
        "text": submitted["text"],
        "sender": submitted["from"],
        "reference": submitted["foreign_id"],
    }


def _plain(code: int) -> Response:
    return Response(str(code), media_type="text/plain")


_ANSWERS: dict[Reply, Callable[[], Response]] = {
    Reply.INVALID: lambda: _plain(202),
    Reply.TEXT_REFUSED: lambda: _plain(305),
    Reply.BUSY_ONCE: lambda: Response(status_code=429),
    Reply.DOWN_ONCE: lambda: Response(status_code=503),
    Reply.CUT: Cut,
}


def _taken(message: Message) -> JSONResponse:
    sent: dict[str, Any] = {
        "id": _id(message),
        "sender": message.sender,
        "recipient": message.to.removeprefix("+"),
        "text": message.text,
        "success": True,
        "error": None,
        "error_text": None,
    }
    return JSONResponse({"success": "100", "sms_type": "direct", "messages": [sent]})


def _entry(message: Message) -> dict[str, Any]:
    told = message.state != "accepted"
    return {
        "id": _id(message),
        "from": message.sender,
        "to": message.to.removeprefix("+"),
        "text": message.text,
        "timestamp": seven_time(message.received_at),
        "foreign_id": message.reference,
        "dlr": SEVEN_STATES[message.state] if told else None,
        "dlr_timestamp": seven_time(message.at) if told else None,
    }


def _id(message: Message) -> str:
    return message.id.lstrip("0")
