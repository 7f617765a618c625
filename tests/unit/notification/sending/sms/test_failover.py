"""Fail-over: the next gateway only while the message surely did not go out."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notification.sending.breaker import Breaker
from services.notification.sending.sender import Contact, Verdict
from services.notification.sending.sms.failover import Failover, Line
from services.notification.sending.sms.gateway import GatewayResult, TextMessage
from services.notification.sending.sms.receipts import GatewayReceipt, ReceiptRequest, ReceiptState
from tests.support.watch import Watch

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REFERENCE = UUID(int=7)
TEXT = TextMessage(reference=REFERENCE, to="+491713920001", body="Text", sender="Praxis")

ACCEPTED = GatewayResult(Verdict.ACCEPTED)
PERMANENT = GatewayResult(Verdict.PERMANENT)
LATER = GatewayResult(Verdict.TEMPORARY)  # the recipient's daily limit, say
DOWN = GatewayResult(Verdict.TEMPORARY, gateway_at_fault=True)
BUSY = GatewayResult(Verdict.TEMPORARY, not_before=NOW + timedelta(60), gateway_at_fault=True)
LOST = GatewayResult(Verdict.REPLY_LOST, gateway_at_fault=True)
TECHNICAL = GatewayResult(Verdict.TECHNICAL, gateway_at_fault=True)
NO_LOGIN = replace(TECHNICAL, contact=Contact.REFUSES_US)
OUR_TEXT = GatewayResult(Verdict.TECHNICAL)
EVERY = [ACCEPTED, PERMANENT, LATER, DOWN, BUSY, LOST, TECHNICAL, OUR_TEXT]


@dataclass
class Scripted:
    """A gateway that answers as told."""

    name: str
    result: GatewayResult
    longest_send: float = 30
    knows: GatewayReceipt | None = None
    sent: list[TextMessage] = field(default_factory=list)

    async def send(self, text: TextMessage) -> GatewayResult:
        self.sent.append(text)
        return self.result

    async def query(self, reference: UUID, gateway_id: str | None = None) -> GatewayReceipt | None:
        return self.knows

    def parse_receipts(self, request: ReceiptRequest) -> Sequence[GatewayReceipt]:
        return []

    async def close(self) -> None:
        pass


def chain(
    *results: GatewayResult, clock: Watch | None = None, per_second: float = 1000
) -> tuple[Failover, list[Scripted]]:
    clock = clock or Watch()
    gateways = [Scripted(f"g{number}", result) for number, result in enumerate(results)]
    lines = [Line(gateway, per_second, Breaker(clock)) for gateway in gateways]
    return Failover(lines, now=lambda: NOW), gateways


@pytest.mark.parametrize(
    ("first", "asks_second"),
    [
        (ACCEPTED, False),
        (PERMANENT, False),
        (LATER, False),
        (LOST, False),
        (OUR_TEXT, False),
        (DOWN, True),
        (BUSY, True),
        (TECHNICAL, True),
    ],
)
async def test_who_is_asked(first: GatewayResult, asks_second: bool) -> None:
    failover, (_, second) = chain(first, ACCEPTED)
    result = await failover.send(TEXT)
    assert bool(second.sent) is asks_second
    assert result.verdict is (Verdict.ACCEPTED if asks_second else first.verdict)


@given(st.lists(st.sampled_from(EVERY), min_size=1, max_size=4))
async def test_at_most_one_gateway_may_have_taken_it(results: list[GatewayResult]) -> None:
    failover, gateways = chain(*results)
    result = await failover.send(TEXT)
    asked = [gateway for gateway in gateways if gateway.sent]
    assert all(len(gateway.sent) == 1 for gateway in asked)
    may_have_it = [each for each in asked if each.result.verdict in {"accepted", "reply_lost"}]
    assert len(may_have_it) <= 1
    if may_have_it:
        assert result == may_have_it[0].result
    assert (result.verdict is Verdict.ACCEPTED) == any(e.result is ACCEPTED for e in asked)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ((TECHNICAL, TECHNICAL), Verdict.TECHNICAL),
        ((TECHNICAL, DOWN), Verdict.TEMPORARY),
        ((DOWN, TECHNICAL), Verdict.TEMPORARY),
        ((DOWN, DOWN), Verdict.TEMPORARY),
    ],
)
async def test_hope_is_kept_while_one_may_recover(
    results: tuple[GatewayResult, ...], verdict: Verdict
) -> None:
    failover, _ = chain(*results)
    assert (await failover.send(TEXT)).verdict is verdict


@pytest.mark.parametrize(
    ("results", "contact"),
    [
        ((ACCEPTED,), Contact.GOOD),
        ((PERMANENT,), Contact.GOOD),
        ((LATER,), Contact.GOOD),
        ((OUR_TEXT,), Contact.GOOD),
        ((NO_LOGIN,), Contact.REFUSES_US),
        ((NO_LOGIN, NO_LOGIN), Contact.REFUSES_US),
        ((NO_LOGIN, TECHNICAL), Contact.SEEMS_TO_REFUSE_US),
        ((TECHNICAL, NO_LOGIN), Contact.SEEMS_TO_REFUSE_US),
        ((NO_LOGIN, ACCEPTED), Contact.GOOD),
        ((NO_LOGIN, PERMANENT), Contact.GOOD),
        ((NO_LOGIN, DOWN), Contact.NONE),
        ((BUSY, NO_LOGIN), Contact.NONE),
        ((NO_LOGIN, LOST), Contact.NONE),
        ((DOWN,), Contact.NONE),  # for its own breaker
    ],
)
async def test_what_the_gateways_together_show_of_the_channel(
    results: tuple[GatewayResult, ...], contact: Contact
) -> None:
    failover, _ = chain(*results)
    assert (await failover.send(TEXT)).contact is contact


async def test_a_gateway_that_rests_may_take_what_the_other_refuses() -> None:
    failover, (resting, _) = chain(BUSY, NO_LOGIN)
    await failover.send(TEXT)
    result = await failover.send(TEXT)
    assert len(resting.sent) == 1
    assert (result.verdict, result.contact) == (Verdict.TEMPORARY, Contact.NONE)


async def test_a_busy_gateway_is_left_alone_as_long_as_it_asked() -> None:
    clock = Watch()
    failover, (gateway,) = chain(BUSY, clock=clock)
    assert (await failover.send(TEXT)).not_before == NOW + timedelta(60)
    clock.time += 60 * 86400 - 1
    assert (await failover.send(TEXT)).not_before == NOW + timedelta(seconds=1)
    assert len(gateway.sent) == 1
    clock.time += 2
    gateway.result = ACCEPTED
    assert (await failover.send(TEXT)).verdict is Verdict.ACCEPTED


async def test_what_fails_again_and_again_is_skipped_and_then_tried_once() -> None:
    clock = Watch()
    failover, (first, second) = chain(DOWN, ACCEPTED, clock=clock)
    for _ in range(9):
        assert (await failover.send(TEXT)).verdict is Verdict.ACCEPTED
    assert (len(first.sent), len(second.sent)) == (5, 9)
    clock.time += 15
    for _ in range(3):
        await failover.send(TEXT)
    assert len(first.sent) == 6
    clock.time += 30
    first.result = ACCEPTED
    for _ in range(3):
        await failover.send(TEXT)
    assert (len(first.sent), len(second.sent)) == (9, 12)


async def test_a_wrong_login_is_told_for_every_message() -> None:
    failover, _ = chain(TECHNICAL)
    assert {(await failover.send(TEXT)).verdict for _ in range(20)} == {Verdict.TECHNICAL}


async def test_a_full_gateway_passes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notification.sending.sms.failover.RATE_LIMIT_TIMEOUT", 0.05)
    gateways = [Scripted("slow", ACCEPTED), Scripted("fast", ACCEPTED)]
    clock = Watch()
    lines = [
        Line(gateways[0], 0.01, Breaker(clock)),
        Line(gateways[1], 1000, Breaker(clock)),
    ]
    failover = Failover(lines, now=lambda: NOW)
    for _ in range(3):
        assert (await failover.send(TEXT)).verdict is Verdict.ACCEPTED
    assert [len(gateway.sent) for gateway in gateways] == [1, 2]
    alone = Failover([lines[0]], now=lambda: NOW)
    assert (await alone.send(TEXT)).verdict is Verdict.TEMPORARY


async def test_asking_goes_to_the_gateway_that_had_it() -> None:
    failover, (first, second) = chain(LOST, LOST)
    receipt = GatewayReceipt(
        gateway="g1", reference=REFERENCE, gateway_id="1", state=ReceiptState.DELIVERED, at=NOW
    )
    second.knows = receipt
    assert await failover.query(REFERENCE) is receipt
    assert await failover.query(REFERENCE, "g1", "1") is receipt
    assert await failover.query(REFERENCE, "g0") is None
    assert await failover.query(REFERENCE, "gone") is None
    assert failover.longest_send > first.longest_send + second.longest_send
