"""Every conversation of the table, with the pool over real sockets and what the worker makes of it.

The rows run side by side in one process; ten minutes of waiting take none (`HurriedLoop`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import DeliveryOutcome, FailureReason
from services.notification.bounces import read
from services.notification.deliveries.delivery import State
from services.notification.deliveries.events import Accepted, Bounced, Requested
from services.notification.deliveries.retries import RetryPolicy
from services.notification.deliveries.transitions import transition
from services.notification.receipts.receipt import By, Receipt, finding_of_mail
from services.notification.sending.email.smtp_pool import Envelope, SmtpPool, SmtpServer
from services.notification.sending.endings import ending
from services.notification.sending.sender import SendResult, Verdict
from services.scheduling import addresses
from tests.support.bounces import STYLES, bounce
from tests.support.certificates import LOOPBACK, self_signed, showing
from tests.support.deliveries import LEASE, NOW, OK, after, claim, new
from tests.support.hurried_loop import HurriedLoop
from tests.support.scripted_smtp import Answer, Say, ScriptedSmtp, Talk
from tests.unit.notification.sending.email.conversations import Row, rows

ROWS = {row.name: row for row in rows()}
REFUSALS = {name: row for name, row in ROWS.items() if row.refusal}
ABOUT_THE_RECIPIENT = {"rcpt", "data", "dot"}
AT_A_TIME = 50
MORE_TRIES = 3  # after the row's talks, to see that nothing more is sent
RECIPIENT, RECIPIENT_BEYOND_ASCII = "patient@example.org", "jürgen@example.org"
SENDER, OUR_HOST = "rueck@praxis.example", "192.0.2.1"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a row."""

    first: SendResult
    copies: int  # taken, or maybe taken, as the pool says
    handed_over: int  # final dots announced to the worker
    messages: int  # whose final dot the server has seen
    same: bool  # whether they were all the same
    state: State
    dead: bool


def filled(talk: Talk, recipient: str) -> Talk:
    """The talk with the addresses in their places."""
    return {stage: _filled(answer, recipient) for stage, answer in talk.items()}


def _filled(answer: Answer, recipient: str) -> Answer:
    if isinstance(answer, str):
        return words_of(answer, recipient)
    if isinstance(answer, Say):
        words = answer.words
        return (
            replace(answer, words=words_of(words, recipient)) if isinstance(words, str) else answer
        )
    return [cast(Say, _filled(each, recipient)) for each in answer]


def words_of(words: str, recipient: str = RECIPIENT) -> str:
    """A reply with the addresses in their places."""
    for name, value in (("{to}", recipient), ("{from}", SENDER), ("{ip}", OUR_HOST)):
        words = words.replace(name, value)
    return words


class Attempt:
    """A delivery as the worker and the outcomes see it, without their databases."""

    def __init__(self) -> None:
        self._skipped = timedelta()
        self.delivery = new(starts_in=timedelta(days=1))
        self.dead = False
        self._apply(Requested())

    @property
    def to_be_sent(self) -> bool:
        """Whether it is tried again."""
        return self.delivery.state in {State.QUEUED, State.RETRYING}

    async def go(self, send: Callable[[], Awaitable[SendResult]]) -> SendResult:
        """A try, at the time at which it is due."""
        assert self.delivery.due_at is not None
        self._skipped += max(self.delivery.due_at - self._now, timedelta())
        self._apply(claim(self._now + timedelta(hours=1)))
        result = await send()
        self._apply(
            ending(result, self.delivery, LEASE, retry=RetryPolicy(), now=self._now, jitter=0.5)
        )
        return result

    @property
    def _now(self) -> Any:
        return NOW + timedelta(seconds=asyncio.get_running_loop().time()) + self._skipped

    def _apply(self, event: Any) -> None:
        step = transition(self.delivery, event, self._now)
        self.delivery = step.delivery
        for outcome in step.outcomes:
            self._remember(outcome)

    def _remember(self, outcome: DeliveryOutcome) -> None:
        verdict = addresses.verdict(outcome)
        if verdict is not None:
            self.dead = verdict.dead


async def play(row: Row, certificate: Path, stranger: Path, **manners: bool) -> Result:
    """Run a row to its end, with a server of these `manners`."""
    context = showing(stranger if row.stranger else certificate) if row.tls != "none" else None
    server = ScriptedSmtp(tls=context, implicit=row.tls == "tls", **manners)
    recipient = RECIPIENT_BEYOND_ASCII if row.utf8 else RECIPIENT
    handed_over: list[str] = []
    async with server.serving() as port:
        pool = SmtpPool(
            SmtpServer(
                host=LOOPBACK,
                port=port,
                tls=row.tls,
                username="praxis" if row.login else None,
                password="geheim" if row.login else None,
                client_name="client.example",
                ca_file=str(certificate),
            )
        )
        message = b"Message-ID: <1@praxis.example>\r\n\r\n" + b"x" * 70 + b"\r\n"
        envelope = Envelope(
            id="1",
            sender=SENDER,
            recipient=recipient,
            message=message + (b"y" * 70 + b"\r\n") * (row.size // 72),
            utf8=row.utf8,
        )

        async def send() -> SendResult:
            return await pool.send(envelope, lambda: handed_over.append(row.name))

        if row.used is not None:
            server.used = filled(row.used, recipient)
            assert (await send()).verdict is Verdict.ACCEPTED
            await asyncio.sleep(1)
            server.taken.clear()
            handed_over.clear()
        attempt = Attempt()
        results: list[SendResult] = []
        while attempt.to_be_sent and len(results) < len(row.talks) + MORE_TRIES:
            server.talk = filled(row.talks[min(len(results), len(row.talks) - 1)], recipient)
            results.append(await attempt.go(send))
        await pool.close()
    return Result(
        first=results[0],
        copies=sum(each.verdict in {Verdict.ACCEPTED, Verdict.REPLY_LOST} for each in results),
        handed_over=len(handed_over),
        messages=len(server.taken),
        same=len({*server.taken}) <= 1,
        state=attempt.delivery.state,
        dead=attempt.dead,
    )


def play_all(names: Iterable[str], folder: Path, **manners: bool) -> dict[str, Result]:
    """Rows by their names, played side by side."""
    certificate, stranger = self_signed(folder / "known.pem"), self_signed(folder / "unknown.pem")
    room = asyncio.Semaphore(AT_A_TIME)

    async def one(name: str) -> tuple[str, Result]:
        async with room:
            return name, await play(ROWS[name], certificate, stranger, **manners)

    async def every() -> list[tuple[str, Result]]:
        return await asyncio.gather(*map(one, names))

    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        return dict(runner.run(every()))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    """All rows, played side by side."""
    return play_all(ROWS, tmp_path_factory.mktemp("certificates"))


def faults(row: Row, result: Result) -> Iterator[str]:
    """What is wrong with it."""
    if result.first.verdict not in row.verdict:
        yield f"verdict: {result.first.verdict}"
    reason = result.first.reply.reason
    unsaid = reason is None and not row.refusal
    if not unsaid and reason not in row.reason:
        yield f"reason: {reason}"
    if result.copies != row.copies:
        yield f"copies: {result.copies}"
    if result.messages != result.handed_over:
        yield f"dots: {result.handed_over} announced, {result.messages} seen"
    if not result.same:
        yield "the copies differ"
    if result.dead != row.dead:
        yield f"dead: {result.dead}"
    if row.ends is not None and result.state is not row.ends:
        yield f"ends: {result.state}"


@pytest.mark.parametrize("name", ROWS)
def test_what_a_conversation_means(results: dict[str, Result], name: str) -> None:
    assert not [*faults(ROWS[name], results[name])]


@pytest.mark.parametrize("manners", [{"one_by_one": True}, {"strict": True}])
def test_commands_said_at_once_mean_what_they_mean_one_by_one(
    results: dict[str, Result], tmp_path: Path, manners: dict[str, bool]
) -> None:
    at_once = {"mail", "rcpt", "data"}
    names = [
        name
        for name, row in ROWS.items()
        if any(at_once & talk.keys() for talk in (*row.talks, row.used or {}))
    ]
    played = play_all(names, tmp_path, **manners)
    assert len(played) > 100
    assert played == {name: results[name] for name in played}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a bounce with a row's words comes to, after the mail had been accepted."""

    reason: FailureReason | None
    dead: bool


def reported(row: Row, style: str, width: int) -> Reported:
    """Read the bounce that the row's words lead to when another server hears them."""
    content = bounce(
        words_of(row.refusal), recipient=RECIPIENT, stage=row.refused_at, style=style, width=width
    )
    receipt = Receipt(
        id=uuid4(),
        channel=Channel.EMAIL,
        received_at=NOW,
        tries=0,
        reference=None,
        content=content,
    )
    event = finding_of_mail(receipt, read(content)).evidence(receipt.id, By.RETURN_PATH)
    assert isinstance(event, Bounced)
    sent = after(new(), Requested(), claim(), Accepted(OK)).delivery
    verdicts = map(addresses.verdict, transition(sent, event, NOW).outcomes)
    return Reported(event.reply.reason, any(each is not None and each.dead for each in verdicts))


def differences(row: Row, said: FailureReason | None, style: str, width: int) -> Iterator[str]:
    """What a bounce says otherwise than the row, or than the dialogue, which said `said`."""
    found = reported(row, style, width)
    if found.reason not in row.reason or found.dead != row.dead:
        yield f"{style}: {found}"
    # What is said before RCPT is about us, which the dialogue knows and a bounce need not tell.
    if row.refused_at in ABOUT_THE_RECIPIENT and found.reason is not said:
        yield f"{style}: {found.reason}, and in the dialogue {said}"


@pytest.mark.parametrize("name", REFUSALS)
def test_a_bounce_with_the_same_words_means_the_same(results: dict[str, Result], name: str) -> None:
    row, said = REFUSALS[name], results[name].first.reply.reason
    wrong = [each for style in STYLES for each in differences(row, said, style, 72)]
    assert not wrong


@given(
    st.sampled_from([*REFUSALS.values()]),
    st.sampled_from(sorted(STYLES)),
    st.integers(40, 400),
)
def test_so_it_does_however_a_server_composes_it(
    results: dict[str, Result], row: Row, style: str, width: int
) -> None:
    said = results[row.name].first.reply.reason
    assert not [*differences(row, said, style, width)]


def test_the_table_is_as_long_as_promised_and_says_where_each_row_is_from() -> None:
    assert len(ROWS) == len([*rows()]) >= 150
    assert all(row.source for row in ROWS.values())
