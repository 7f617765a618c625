"""Each gateway client against a server that behaves as the provider documents, on real sockets."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode
from uuid import UUID

import pytest
import pytest_asyncio

from local.ports import free_port
from services.notification.sending.sender import Contact, Verdict
from services.notification.sending.sms import signatures
from services.notification.sending.sms.gateway import Gateway, GatewayResult, TextMessage
from services.notification.sending.sms.receipts import (
    Forged,
    ReceiptRequest,
    ReceiptState,
    Unreadable,
)
from services.notification.sending.sms.seven import SevenAccount, SevenGateway
from services.notification.sending.sms.transport import HttpLimits
from services.notification.sending.sms.twilio import TwilioAccount, TwilioGateway
from services.notification.sending.sms.webhook import WebhookAccount, WebhookGateway
from tests.support import PATIENCE
from tests.support.http_server import Answer, Cut, Half, Server, Silence, serve

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REFERENCE = UUID("01932c7e-5a00-7000-8000-00000000abcd")
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
RECEIPTS = "https://praxis.example/v1/receipts/sms"
TEXT = TextMessage(
    reference=REFERENCE, to="+491713920001", body="Grüße: 1 € für 5 ½", sender="Praxis"
)
PATIENT = HttpLimits(connect=PATIENCE, write=PATIENCE, read=PATIENCE, total=PATIENCE)
QUICK = replace(PATIENT, read=0.3)  # where nothing comes
SID = "SM" + "0123456789abcdef" * 2

Make = Callable[..., Gateway]


def now() -> datetime:
    return NOW


def webhook(url: str, limits: HttpLimits = PATIENT) -> WebhookGateway:
    account = WebhookAccount(url=url, secret=SECRET, receipts_url=RECEIPTS)
    return WebhookGateway(account, limits, now=now)


def seven(url: str, limits: HttpLimits = PATIENT) -> SevenGateway:
    account = SevenAccount(
        api_key="key", signing_key="signing", receipts_url=RECEIPTS, url=f"{url}/api"
    )
    return SevenGateway(account, limits, now=now)


def twilio(url: str, limits: HttpLimits = PATIENT) -> TwilioGateway:
    account = TwilioAccount(account_sid="AC1", auth_token="token", receipts_url=RECEIPTS, url=url)
    return TwilioGateway(account, limits, now=now)


EVERY = pytest.mark.parametrize("make", [webhook, seven, twilio])


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serve() as running:
        yield running


def limits_for(answer: Answer) -> HttpLimits:
    return QUICK if isinstance(answer, Silence) else PATIENT


async def send(make: Make, url: str, limits: HttpLimits = PATIENT) -> GatewayResult:
    gateway = make(url, limits)
    try:
        result = await gateway.send(TEXT)
    finally:
        await gateway.close()
    assert result.gateway == gateway.name
    return result


def answer(status: int, content: Any, **headers: str) -> Answer:
    return Answer(status, json.dumps(content).encode(), headers)


def seven_answer(code: str = "100", **message: Any) -> Answer:
    sent = {"id": "77149843739", "success": True, "error": None} | message
    return answer(200, {"success": code, "sms_type": "direct", "messages": [sent]})


def twilio_error(status: int, code: int, **headers: str) -> Answer:
    content = {"code": code, "message": "To +491713920001 …", "status": status}
    return answer(status, content, **headers)


TAKEN: dict[Make, tuple[Answer, str]] = {
    webhook: (answer(202, {"id": "m-1"}), "m-1"),
    seven: (seven_answer(), "77149843739"),
    twilio: (answer(201, {"sid": SID, "status": "queued", "error_code": None}), SID),
}


@EVERY
async def test_what_is_taken_has_an_id(make: Make, server: Server) -> None:
    good, gateway_id = TAKEN[make]
    server.answer(good)
    result = await send(make, server.url)
    assert (result.verdict, result.gateway_id) == (Verdict.ACCEPTED, gateway_id)
    assert not result.gateway_at_fault


@EVERY
async def test_no_server_means_nothing_went_out(make: Make) -> None:
    result = await send(make, f"http://127.0.0.1:{free_port()}")
    assert (result.verdict, result.gateway_at_fault) == (Verdict.TEMPORARY, True)


@EVERY
@pytest.mark.parametrize(
    "lost",
    [
        Cut(),
        Silence(),
        Half(),
        Answer(500),
        Answer(502),
        Answer(504),
        Answer(200, b"<html>"),
        Answer(200, b"{}"),
        Answer(200, b"x" * 300_000),
    ],
    ids=["cut", "silence", "half", "500", "502", "504", "html", "empty", "huge"],
)
async def test_what_may_have_gone_out_is_never_sent_again(
    make: Make, lost: Answer, server: Server
) -> None:
    server.answer(lost)
    result = await send(make, server.url, limits_for(lost))
    assert (result.verdict, result.gateway_at_fault) == (Verdict.REPLY_LOST, True)
    assert len(server.seen) == 1


@EVERY
@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("7", timedelta(seconds=7)),
        ("Tue, 24 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("Tue, 24 Nov 2020 12:01:00 GMT", timedelta(0)),
        ("99999999999", timedelta(hours=24)),
        ("soon", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_busy_servers_say_when(
    make: Make, status: int, value: str, wait: timedelta | None, server: Server
) -> None:
    server.answer(Answer(status, headers={"Retry-After": value}))
    result = await send(make, server.url)
    assert result.verdict is Verdict.TEMPORARY
    assert result.not_before == (None if wait is None else NOW + wait)
    assert result.gateway_at_fault


@EVERY
@pytest.mark.parametrize("status", [301, 401, 402, 403, 404, 405, 413])
async def test_refusals_of_ourselves_are_for_operations(
    make: Make, status: int, server: Server
) -> None:
    server.answer(Answer(status, headers={"Location": f"{server.url}/elsewhere"}))
    result = await send(make, server.url)
    assert (result.verdict, result.gateway_at_fault) == (Verdict.TECHNICAL, True)
    surely = status in {401, 402}
    assert result.contact is (Contact.REFUSES_US if surely else Contact.SEEMS_TO_REFUSE_US)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("make", "refusal", "contact"),
    [
        (seven, Answer(200, b"500"), Contact.REFUSES_US),  # credit
        (seven, Answer(200, b"900"), Contact.REFUSES_US),  # login
        (seven, Answer(200, b"305"), Contact.NONE),  # text
        (seven, Answer(422, b"{}"), Contact.SEEMS_TO_REFUSE_US),
        (twilio, twilio_error(401, 20003), Contact.REFUSES_US),  # login
        (twilio, twilio_error(400, 21408), Contact.SEEMS_TO_REFUSE_US),  # the recipient's country
        (twilio, twilio_error(400, 21617), Contact.NONE),  # text
        (webhook, answer(422, {"code": "text"}), Contact.NONE),
    ],
)
async def test_which_refusals_would_be_those_of_every_message(
    make: Make, refusal: Answer, contact: Contact, server: Server
) -> None:
    server.answer(refusal)
    assert (await send(make, server.url)).contact is contact


async def test_what_goes_to_a_generic_gateway(server: Server) -> None:
    server.answer(TAKEN[webhook][0])
    await send(webhook, server.url)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/messages")
    assert seen.headers["idempotency-key"] == str(REFERENCE)
    assert json.loads(seen.body) == {
        "reference": str(REFERENCE),
        "to": TEXT.to,
        "text": TEXT.body,
        "sender": "Praxis",
        "receipts_url": RECEIPTS,
    }
    key = signatures.read_secret(SECRET)
    assert signatures.verify(key, seen.headers, seen.body, NOW) == str(REFERENCE)


async def test_what_goes_to_seven(server: Server) -> None:
    server.answer(TAKEN[seven][0])
    await send(seven, server.url)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/api/sms")
    assert seen.headers["x-api-key"] == "key"
    assert json.loads(seen.body) == {
        "to": TEXT.to,
        "text": TEXT.body,
        "from": "Praxis",
        "foreign_id": str(REFERENCE),
    }


async def test_what_goes_to_twilio(server: Server) -> None:
    server.answer(TAKEN[twilio][0])
    await send(twilio, server.url)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
    assert seen.headers["authorization"] == "Basic " + base64.b64encode(b"AC1:token").decode()
    assert parse_qs(seen.body.decode()) == {
        "To": [TEXT.to],
        "From": ["Praxis"],
        "Body": [TEXT.body],
        "StatusCallback": [f"{RECEIPTS}?reference={REFERENCE}"],
    }


@pytest.mark.parametrize(
    ("make", "refusal", "verdict", "status"),
    [
        (webhook, answer(422, {"code": "invalid_number"}), Verdict.PERMANENT, "5.1.3"),
        (webhook, answer(400, {"code": "unknown_number"}), Verdict.PERMANENT, "5.1.1"),
        (webhook, answer(422, {"code": "blocked"}), Verdict.PERMANENT, "5.7.1"),
        (webhook, answer(422, {"code": "text"}), Verdict.TECHNICAL, None),
        (webhook, Answer(422, b"no JSON"), Verdict.TECHNICAL, None),
        (webhook, Answer(409), Verdict.REPLY_LOST, None),
        (seven, Answer(200, b"202"), Verdict.PERMANENT, "5.1.3"),
        (seven, seven_answer("202"), Verdict.PERMANENT, "5.1.3"),
        (
            seven,
            seven_answer("101", id=None, success=False, error="202"),
            Verdict.PERMANENT,
            "5.1.3",
        ),
        (seven, Answer(200, b"402"), Verdict.TEMPORARY, None),
        (seven, Answer(200, b"403"), Verdict.TEMPORARY, None),
        (seven, Answer(200, b"600"), Verdict.TEMPORARY, None),
        (seven, Answer(200, b'"500"'), Verdict.TECHNICAL, None),
        (seven, Answer(200, b"900"), Verdict.TECHNICAL, None),
        (seven, answer(200, {"success": "903"}), Verdict.TECHNICAL, None),
        (seven, Answer(200, b"305"), Verdict.TECHNICAL, None),
        (seven, seven_answer("100", id=None), Verdict.REPLY_LOST, None),
        (seven, Answer(200, b"700"), Verdict.REPLY_LOST, None),
        (twilio, twilio_error(400, 21211), Verdict.PERMANENT, "5.1.3"),
        (twilio, twilio_error(400, 21610), Verdict.PERMANENT, "5.7.1"),
        (twilio, twilio_error(400, 21614), Verdict.PERMANENT, "5.1.1"),
        (twilio, twilio_error(400, 21617), Verdict.TECHNICAL, None),
        (twilio, twilio_error(401, 20003), Verdict.TECHNICAL, None),
        (twilio, twilio_error(400, 21408), Verdict.TECHNICAL, None),
        (twilio, twilio_error(429, 63038), Verdict.TEMPORARY, None),
        (twilio, twilio_error(400, 21611), Verdict.TEMPORARY, None),
    ],
)
async def test_what_the_providers_codes_mean(
    make: Make, refusal: Answer, verdict: Verdict, status: str | None, server: Server
) -> None:
    server.answer(refusal)
    result = await send(make, server.url)
    assert (result.verdict, result.reply.status) == (verdict, status)
    if verdict is Verdict.PERMANENT:
        assert not result.gateway_at_fault


async def test_sevens_reload_lock_is_waited_for(server: Server) -> None:
    server.answer(Answer(200, b"402"))
    result = await send(seven, server.url)
    assert result.not_before == NOW + timedelta(seconds=180)
    assert not result.gateway_at_fault


async def test_connections_are_used_again_and_replaced_when_closed(server: Server) -> None:
    server.answer(TAKEN[webhook][0])
    gateway = webhook(server.url)
    for _ in range(2):
        assert (await gateway.send(TEXT)).verdict is Verdict.ACCEPTED
    assert server.connections == 1
    await server.close_connections()
    assert (await gateway.send(TEXT)).verdict is Verdict.ACCEPTED
    assert server.connections == 2
    await gateway.close()


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "id": "77",
        "foreign_id": str(REFERENCE),
        "timestamp": "2026-11-24 12:30:00.000000",
        "dlr": "DELIVERED",
        "dlr_timestamp": "2026-11-24 12:31:00.000000",
        "to": "491713920001",
    } | changes


@pytest.mark.parametrize(
    ("make", "gateway_id", "found", "state", "status"),
    [
        (webhook, None, answer(404, {}), None, None),
        (
            webhook,
            None,
            answer(200, {"id": "m-1", "reference": str(REFERENCE), "state": "delivered"}),
            ReceiptState.DELIVERED,
            None,
        ),
        (webhook, None, answer(200, {"id": "m-1", "state": "lost"}), None, None),
        (seven, "77", answer(200, [entry()]), ReceiptState.DELIVERED, None),
        (seven, "77", answer(200, []), None, None),
        (seven, None, answer(200, [entry(foreign_id="x"), entry(dlr=None)]), "accepted", None),
        (seven, None, answer(200, [entry(dlr="NOTDELIVERED")]), "failed", "5.0.0"),
        (seven, None, Answer(200, b"900"), None, None),
        (
            twilio,
            SID,
            answer(200, {"sid": SID, "status": "undelivered", "error_code": 30005}),
            ReceiptState.FAILED,
            "5.1.1",
        ),
        (twilio, SID, answer(404, {"code": 20404}), None, None),
        (twilio, None, answer(200, {"sid": SID, "status": "delivered"}), None, None),
    ],
)
async def test_asking(
    make: Make,
    gateway_id: str | None,
    found: Answer,
    state: str | None,
    status: str | None,
    server: Server,
) -> None:
    server.answer(found)
    gateway = make(server.url)
    receipt = await gateway.query(REFERENCE, gateway_id)
    await gateway.close()
    if state is None:
        assert receipt is None
    else:
        assert receipt is not None
        assert (receipt.state, receipt.status, receipt.reference) == (state, status, REFERENCE)


@EVERY
@pytest.mark.parametrize("lost", [Cut(), Silence(), Answer(500), Answer(200, b"[1]")])
async def test_asking_in_vain(make: Make, lost: Answer, server: Server) -> None:
    server.answer(lost)
    gateway = make(server.url, limits_for(lost))
    assert await gateway.query(REFERENCE, SID) is None
    await gateway.close()


async def test_sevens_times_are_german(server: Server) -> None:
    server.answer(answer(200, [entry()]))
    gateway = seven(server.url)
    receipt = await gateway.query(REFERENCE, "77")
    await gateway.close()
    assert receipt is not None
    assert receipt.at == datetime(2026, 11, 24, 11, 31, tzinfo=UTC)


async def test_sevens_journal_is_paged_to_an_end(server: Server) -> None:
    server.answer(answer(200, [entry(foreign_id="x")] * 100))
    gateway = seven(server.url)
    assert await gateway.query(REFERENCE) is None
    await gateway.close()
    assert [parse_qs(each.query)["offset"] for each in server.seen] == [
        [str(offset)] for offset in range(0, 500, 100)
    ]


def request(
    body: bytes, headers: dict[str, str], *, query: str = "", received_at: datetime = NOW
) -> ReceiptRequest:
    return ReceiptRequest(
        method="POST", query=query, headers=headers, body=body, received_at=received_at
    )


def from_webhook(*entries: Any, at: datetime = NOW) -> ReceiptRequest:
    body = json.dumps({"receipts": entries}).encode()
    key = signatures.read_secret(SECRET)
    return request(body, signatures.sign(key, "msg_1", body, at))


def from_seven(content: Any, at: datetime = NOW) -> ReceiptRequest:
    body, timestamp = json.dumps(content).encode(), str(int(at.timestamp()))
    signed = "\n".join((timestamp, "n" * 32, "POST", RECEIPTS, hashlib.md5(body).hexdigest()))
    signature = hmac.new(b"signing", signed.encode(), hashlib.sha256).hexdigest()
    headers = {"x-timestamp": timestamp, "x-nonce": "n" * 32, "x-signature": signature}
    return request(body, headers)


def from_twilio(fields: dict[str, str], url: str = RECEIPTS) -> ReceiptRequest:
    query = f"reference={REFERENCE}"
    signed = f"{url}?{query}" + "".join(name + fields[name] for name in sorted(fields))
    mac = hmac.new(b"token", signed.encode(), hashlib.sha1).digest()
    headers = {"x-twilio-signature": base64.b64encode(mac).decode()}
    return request(urlencode(fields).encode(), headers, query=query)


SEVEN_DLR = {
    "data": {"msg_id": "77149843739", "status": "DELIVERED", "timestamp": "2026-11-24 12:59:00.5"},
    "webhook_event": "dlr",
    "webhook_timestamp": "2026-11-24T12:59:00+01:00",
}
TWILIO_CALL = {
    "MessageSid": SID,
    "MessageStatus": "undelivered",
    "ErrorCode": "30003",
    "To": "+491713920001",
    "Empty": "",
}
GENUINE: dict[Make, ReceiptRequest] = {
    webhook: from_webhook({"id": "m-1", "reference": str(REFERENCE), "state": "delivered"}),
    seven: from_seven(SEVEN_DLR),
    twilio: from_twilio(TWILIO_CALL),
}


async def test_receipts_of_the_generic_gateway() -> None:
    gateway = webhook("http://127.0.0.1:1")
    at = "2026-11-24T11:59:00+00:00"
    found = gateway.parse_receipts(
        from_webhook(
            {"id": "m-1", "reference": str(REFERENCE), "state": "delivered", "at": at},
            {"id": 2, "state": "failed", "code": "unknown_number"},
            {"id": "m-3", "state": "expired", "code": "call +491713920001", "at": "today"},
        )
    )
    assert [(each.gateway_id, each.state, each.status) for each in found] == [
        ("m-1", "delivered", None),
        ("2", "failed", "5.1.1"),
        ("m-3", "expired", "5.4.7"),
    ]
    assert [each.error_code for each in found] == [None, "unknown_number", None]
    assert found[0].reference == REFERENCE
    assert [each.at for each in found] == [NOW - timedelta(minutes=1), NOW, NOW]


async def test_receipts_of_seven() -> None:
    gateway = seven("http://127.0.0.1:1")
    (receipt,) = gateway.parse_receipts(from_seven(SEVEN_DLR))
    assert (receipt.gateway_id, receipt.state) == ("77149843739", ReceiptState.DELIVERED)
    assert receipt.at == datetime(2026, 11, 24, 11, 59, 0, 500_000, tzinfo=UTC)
    assert gateway.parse_receipts(from_seven({"webhook_event": "sms_mo", "data": {}})) == []
    unknown = {"webhook_event": "dlr", "data": {"msg_id": "1", "status": "UNKNOWN"}}
    assert gateway.parse_receipts(from_seven(unknown)) == []


async def test_receipts_of_twilio() -> None:
    gateway = twilio("http://127.0.0.1:1")
    (receipt,) = gateway.parse_receipts(from_twilio(TWILIO_CALL))
    assert (receipt.reference, receipt.gateway_id) == (REFERENCE, SID)
    assert (receipt.state, receipt.error_code, receipt.status) == ("failed", "30003", "5.4.1")
    with_port = RECEIPTS.replace("praxis.example", "praxis.example:443")
    assert gateway.parse_receipts(from_twilio(TWILIO_CALL, with_port))


async def test_repeats_have_the_same_key_and_news_another() -> None:
    gateway = twilio("http://127.0.0.1:1")
    first, again = (gateway.parse_receipts(from_twilio(TWILIO_CALL))[0] for _ in range(2))
    delivered = from_twilio({"MessageSid": SID, "MessageStatus": "delivered"})
    assert first.key == again.key
    assert gateway.parse_receipts(delivered)[0].key != first.key


@EVERY
async def test_forged_receipts(make: Make) -> None:
    gateway = make("http://127.0.0.1:1")
    genuine = GENUINE[make]
    assert gateway.parse_receipts(genuine)
    changed = genuine.body.replace(b"elivered", b"enied").replace(b"DELIVERED", b"FAILED")
    with pytest.raises(Forged):
        gateway.parse_receipts(request(changed, dict(genuine.headers), query=genuine.query))
    with pytest.raises(Forged):
        gateway.parse_receipts(request(genuine.body, {}, query=genuine.query))
    for name in genuine.headers:
        for value in ("", "x", "v1,é", "9" * 400):
            with pytest.raises(Forged):
                gateway.parse_receipts(
                    request(genuine.body, {**genuine.headers, name: value}, query=genuine.query)
                )


@pytest.mark.parametrize("make", [webhook, seven])
@pytest.mark.parametrize("age", [301, -301])
async def test_replayed_receipts(make: Make, age: int) -> None:
    genuine = GENUINE[make]
    late = request(genuine.body, dict(genuine.headers), received_at=NOW + timedelta(seconds=age))
    with pytest.raises(Forged):
        make("http://127.0.0.1:1").parse_receipts(late)


async def test_a_reference_can_not_be_changed_in_twilios_address() -> None:
    genuine = GENUINE[twilio]
    other = f"reference={UUID(int=1)}"
    with pytest.raises(Forged):
        twilio("http://127.0.0.1:1").parse_receipts(
            request(genuine.body, dict(genuine.headers), query=other)
        )


@pytest.mark.parametrize(
    ("make", "bad"),
    [
        (webhook, from_webhook("x")),
        (webhook, from_webhook({"state": "delivered"})),
        (webhook, from_webhook({"id": "1", "state": "gone"})),
        (webhook, from_webhook(*[{"id": "1", "state": "delivered"}] * 1001)),
        (seven, from_seven({"webhook_event": "dlr"})),
        (seven, from_seven([1])),
        (seven, from_seven({"webhook_event": "dlr", "data": {"msg_id": "", "status": "X"}})),
    ],
)
async def test_signed_nonsense(make: Make, bad: ReceiptRequest) -> None:
    with pytest.raises(Unreadable):
        make("http://127.0.0.1:1").parse_receipts(bad)


def test_nothing_of_a_message_shows() -> None:
    assert "49171" not in repr(TEXT) + repr(GENUINE[twilio])
    shown = repr(WebhookAccount(url="https://x", secret=SECRET, receipts_url=RECEIPTS))
    assert SECRET not in shown
