"""The clients against the simulated gateway, a process of its own, receipts included."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from local.ports import free_port
from local.processes import Child, http_ok
from services.notification.sending.sender import Verdict
from services.notification.sending.sms.gateway import Gateway, TextMessage
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptRequest, ReceiptState
from services.notification.sending.sms.seven import SevenAccount, SevenGateway
from services.notification.sending.sms.transport import HttpLimits
from services.notification.sending.sms.webhook import WebhookAccount, WebhookGateway
from tests.support import PATIENCE, eventually, http_client
from tests.support.http_server import Answer, Seen, Server, serve

LIMITS = HttpLimits(connect=PATIENCE, write=PATIENCE, read=PATIENCE, total=PATIENCE)


def number(digits: str) -> str:
    return f"+4917139200{digits}"


@dataclass
class Simulator:
    """The gateway's process, the receiver of its receipts, and a client of each of its APIs."""

    child: Child
    admin: httpx.AsyncClient
    receiver: Server
    webhook: WebhookGateway
    seven: SevenGateway

    def gateway(self, name: str) -> Gateway:
        return self.webhook if name == "webhook" else self.seven

    async def weather(self, **changes: float) -> None:
        (await self.admin.put("/api/weather", json={"delay": 0.02} | changes)).raise_for_status()

    async def phone(self, digits: str) -> list[dict[str, Any]]:
        found = await self.admin.get("/api/messages", params={"to": number(digits)})
        messages: list[dict[str, Any]] = found.json()["messages"]
        return messages

    async def receipts(self, count: int, *messages: TextMessage) -> list[GatewayReceipt]:
        """The first `count` receipts for these messages, in the order they came."""
        wanted = {message.reference for message in messages}

        async def come() -> list[GatewayReceipt] | None:
            found = [receipt for call in self.receiver.seen for receipt in self._read(call)]
            found = [receipt for receipt in found if receipt.reference in wanted]
            return found if len(found) >= count else None

        return await eventually(come, f"{count} receipts")

    def _read(self, call: Seen) -> Sequence[GatewayReceipt]:
        request = ReceiptRequest(
            method=call.method,
            query=call.query,
            headers=call.headers,
            body=call.body,
            received_at=datetime.now(UTC),
        )
        return self.gateway(call.path.removeprefix("/")).parse_receipts(request)


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    folder: Path = tmp_path_factory.mktemp("sms")
    async with serve() as receiver:
        port, secret = free_port(), folder / "secret"
        child = Child(
            "sms gateway",
            lambda: (
                *(sys.executable, "-m", "local.sms_gateway", "--http-port", str(port)),
                *("--folder", folder / "messages", "--secret-file", secret),
                *("--receipts-url", f"{receiver.url}/seven"),
            ),
            log=folder / "log",
            ready=partial(http_ok, port, "/health/ready"),
        )
        await child.start()
        url, shared = f"http://127.0.0.1:{port}", secret.read_text()
        webhook = WebhookGateway(
            WebhookAccount(url=f"{url}/v1", secret=shared, receipts_url=f"{receiver.url}/webhook"),
            LIMITS,
            now=lambda: datetime.now(UTC),
        )
        seven = SevenGateway(
            SevenAccount(
                api_key=shared,
                signing_key=shared,
                receipts_url=f"{receiver.url}/seven",
                url=f"{url}/seven/api",
            ),
            LIMITS,
            now=lambda: datetime.now(UTC),
        )
        async with http_client(base_url=url) as admin:
            yield Simulator(child, admin, receiver, webhook, seven)
        await webhook.close()
        await seven.close()
        await child.stop()


@pytest_asyncio.fixture
async def simulator(running: Simulator) -> Simulator:
    """Without messages, in fair weather, its receipts taken."""
    await running.admin.delete("/api/messages")
    await running.weather()
    running.receiver.seen.clear()
    running.receiver.answer(Answer(204))
    return running


def text(digits: str) -> TextMessage:
    return TextMessage(
        reference=uuid4(),
        to=number(digits),
        body="Praxis: Videosprechstunde\nhttps://praxis.example/besuch/Ab_-9",
        sender="Praxis",
    )


BOTH = pytest.mark.parametrize("name", ["webhook", "seven"])


@BOTH
async def test_a_message_arrives_and_its_receipt_names_it(name: str, simulator: Simulator) -> None:
    gateway, message = simulator.gateway(name), text("01")
    result = await gateway.send(message)
    assert result.verdict is Verdict.ACCEPTED
    (receipt,) = await simulator.receipts(1, message)
    assert (receipt.reference, receipt.gateway_id) == (message.reference, result.gateway_id)
    assert receipt.state is ReceiptState.DELIVERED
    (shown,) = await simulator.phone("01")
    assert (shown["text"], shown["sender"], shown["state"]) == (message.body, "Praxis", "delivered")


@BOTH
@pytest.mark.parametrize(
    ("digits", "states"),
    [
        ("02", ["failed"]),
        ("07", ["delivered", "delivered"]),
        ("08", ["delivered"]),
        ("09", ["buffered", "delivered"]),
        ("10", ["buffered", "expired"]),
        ("13", ["delivered", "buffered"]),
        ("14", ["delivered", "failed"]),
        ("16", ["rejected"]),
    ],
)
async def test_what_the_phones_tell(
    name: str, digits: str, states: list[str], simulator: Simulator
) -> None:
    gateway, message = simulator.gateway(name), text(digits)
    result = await gateway.send(message)
    assert result.verdict is Verdict.ACCEPTED
    if digits == "08":
        assert len(simulator.receiver.seen) == 1  # before the reply
    receipts = await simulator.receipts(len(states), message)
    assert sorted(each.state for each in receipts) == sorted(states)
    assert receipts[0].state == states[0]
    assert {each.gateway_id for each in receipts} == {result.gateway_id}
    assert all(each.status for each in receipts if each.state in {"failed", "expired"})
    if digits == "07":
        assert receipts[0].key == receipts[1].key
    if digits == "13":
        assert receipts[1].at < receipts[0].at


@BOTH
@pytest.mark.parametrize(
    ("digits", "verdict"),
    [
        ("05", Verdict.PERMANENT),
        ("06", Verdict.TEMPORARY),
        ("15", Verdict.TEMPORARY),
        ("17", Verdict.TECHNICAL),
        ("12", Verdict.REPLY_LOST),
    ],
)
async def test_what_is_not_taken_reaches_no_phone(
    name: str, digits: str, verdict: Verdict, simulator: Simulator
) -> None:
    gateway, message = simulator.gateway(name), text(digits)
    assert (await gateway.send(message)).verdict is verdict
    assert await simulator.phone(digits) == []
    assert await gateway.query(message.reference) is None
    if verdict is Verdict.TEMPORARY:
        assert (await gateway.send(message)).verdict is Verdict.ACCEPTED
        assert len(await simulator.phone(digits)) == 1


@BOTH
async def test_after_a_lost_reply_the_gateway_knows(name: str, simulator: Simulator) -> None:
    gateway, message = simulator.gateway(name), text("11")
    assert (await gateway.send(message)).verdict is Verdict.REPLY_LOST

    async def delivered() -> GatewayReceipt | None:
        receipt = await gateway.query(message.reference)
        return receipt if receipt and receipt.state is ReceiptState.DELIVERED else None

    receipt = await eventually(delivered, "the message is found by its reference")
    (told,) = await simulator.receipts(1, message)
    assert told.key == receipt.key


async def test_a_repeat_of_the_key_sends_nothing(simulator: Simulator) -> None:
    message = text("01")
    results = [await simulator.webhook.send(message) for _ in range(3)]
    assert len({result.gateway_id for result in results}) == 1
    assert len(await simulator.phone("01")) == 1


async def test_receipts_are_offered_until_they_are_taken(simulator: Simulator) -> None:
    simulator.receiver.answer(Answer(503), Answer(204))
    message = text("01")
    await simulator.webhook.send(message)
    first, second = await simulator.receipts(2, message)
    assert first.key == second.key


async def test_silence_and_a_receipt_by_hand(simulator: Simulator) -> None:
    message = text("03")
    result = await simulator.webhook.send(message)
    known = await simulator.webhook.query(message.reference)
    assert known is not None
    assert known.state is ReceiptState.ACCEPTED
    await simulator.admin.post(
        f"/api/messages/{result.gateway_id}/receipts", json={"state": "delivered"}
    )
    (receipt,) = await simulator.receipts(1, message)
    assert receipt.state is ReceiptState.DELIVERED


async def test_bad_weather(simulator: Simulator) -> None:
    await simulator.weather(loss=1)
    lost = text("01")
    await simulator.webhook.send(lost)

    async def over() -> bool:
        known = await simulator.webhook.query(lost.reference)
        return known is not None and known.state is ReceiptState.DELIVERED

    await eventually(over, "delivered, though nobody is told")
    assert simulator.receiver.seen == []
    await simulator.weather(failure=1, duplication=1)
    failing = text("01")
    await simulator.webhook.send(failing)
    receipts = await simulator.receipts(2, failing)
    assert [each.state for each in receipts] == ["failed", "failed"]
    await simulator.weather(disorder=1)
    messages = [text("01") for _ in range(20)]
    for message in messages:
        await simulator.webhook.send(message)
    told = await simulator.receipts(20, *messages)
    assert {each.reference for each in told} == {message.reference for message in messages}


async def test_the_page_and_what_is_kept(simulator: Simulator) -> None:
    message = text("01")
    await simulator.webhook.send(message)
    await simulator.receipts(1, message)
    page = await simulator.admin.get("/")
    assert page.status_code == 200
    assert "script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert '<a href="https://praxis.example/besuch/Ab_-9" rel="noreferrer">' in page.text
    assert "zugestellt" in page.text
    await simulator.child.stop()
    await simulator.child.start()
    assert len(await simulator.phone("01")) == 1
    emptied = await simulator.admin.post("/empty", headers={"Origin": "http://elsewhere.example"})
    assert emptied.status_code == 403
    origin = f"http://127.0.0.1:{simulator.admin.base_url.port}"
    await simulator.admin.post("/empty", headers={"Origin": origin})
    assert await simulator.phone("01") == []
    assert "Noch keine SMS" in (await simulator.admin.get("/")).text


async def test_strangers_are_refused(simulator: Simulator) -> None:
    body = json.dumps({"reference": str(uuid4()), "to": number("01"), "text": "x"})
    answers = await asyncio.gather(
        simulator.admin.post("/v1/messages", content=body),
        simulator.admin.get(f"/v1/messages/{uuid4()}"),
        simulator.admin.post("/seven/api/sms", content=body, headers={"X-Api-Key": "x"}),
        simulator.admin.get("/api/messages", headers={"Host": "praxis.example"}),
    )
    assert [answer.status_code for answer in answers] == [401, 401, 200, 400]
    assert answers[2].text == "900"
    assert await simulator.phone("01") == []
