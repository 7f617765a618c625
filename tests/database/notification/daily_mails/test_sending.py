"""A daily mail goes out once: however often it is asked for, and whatever the server does."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.events import DailyMailRequested
from contracts.mailboxes import Mailbox
from services.notification.daily_mails import store
from services.notification.daily_mails.mail import DailyMails
from services.notification.daily_mails.sending import DailyMailSending, ServerAway
from services.notification.deliveries.events import Reply
from services.notification.deliveries.retries import RetryPolicy
from services.notification.sending.sender import Contact, SendResult, Verdict
from tests.database.notification.support import handle, now

PRACTICE = uuid7()
ADDRESS = "leitung@praxis.example"
ACCEPTED = SendResult(Verdict.ACCEPTED, contact=Contact.GOOD)
REFUSED = SendResult(Verdict.PERMANENT, Reply(code=550, status="5.1.1"), contact=Contact.GOOD)
LATER = SendResult(Verdict.TEMPORARY, Reply(code=451), contact=Contact.GOOD)
MISCONFIGURED = SendResult(Verdict.TECHNICAL, contact=Contact.REFUSES_US)
AWAY = SendResult(Verdict.TEMPORARY, contact=Contact.SILENT)
NO_REPLY = SendResult(Verdict.REPLY_LOST, contact=Contact.SILENT)


class Server:
    """Takes what is posted, and answers as scripted; the last answer stays. Has the clock."""

    def __init__(self, *script: SendResult | BaseException) -> None:
        self.script = list(script)
        self.posted: list[tuple[UUID, Mailbox, bytes]] = []
        self.hand_over: BaseException | None = None  # what happens before the final dot
        self.moment: datetime | None = None  # until a test sets it, the clock goes as others do

    def __call__(self) -> datetime:
        return self.moment or now()

    async def post(
        self, reference: UUID, mailbox: Mailbox, message: bytes, hand_over: Callable[[], None]
    ) -> SendResult:
        if self.hand_over is not None:
            raise self.hand_over
        hand_over()
        self.posted.append((reference, mailbox, message))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def sending(db: Database, sealer: Sealer, server: Server) -> DailyMailSending:
    return DailyMailSending(
        db,
        DailyMails("einladung@praxis.example"),
        server.post,
        sealer=sealer,
        retry=RetryPolicy(),
        longest_send=60,
        poll=1,
        now=server,
        jitter=lambda: 0.5,
    )


def request(**changes: Any) -> DailyMailRequested:
    return DailyMailRequested(
        **{
            "practice_id": PRACTICE,
            "day": date(2026, 11, 28),
            "recipient": ADDRESS,
            "practice_name": "Praxis am See",
            "open_count": 3,
            "link": "https://termine.example/#/offen",
            "not_after": now() + timedelta(hours=12),
        }
        | changes
    )


async def row(db: Database) -> Any:
    async with db.practice(PRACTICE) as tx:
        (found,) = await tx.fetch("SELECT * FROM daily_mails")
    return found


async def try_all(db: Database, sealer: Sealer, server: Server, tries: int = 100) -> None:
    """Try again and again, each time once the mail is due."""
    loop = sending(db, sealer, server)
    for _ in range(tries):
        with suppress(ServerAway):
            await loop.turn()
        due_at = (await row(db))["due_at"]
        if due_at is None:
            return
        server.moment = due_at
    raise AssertionError("it never ends")


def ended(result: str) -> float:
    return REGISTRY.get_sample_value("daily_mails_total", {"result": result}) or 0.0


async def test_one_request_is_one_mail_whose_words_are_forgotten(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(ACCEPTED)
    before = ended("sent")
    await handle(notification_db, sealer, request(), request())
    kept = await row(notification_db)
    assert ADDRESS.encode() not in kept["mail"]
    loop = sending(notification_db, sealer, server)
    assert await loop.turn()
    assert not await loop.turn()
    ((reference, mailbox, message),) = server.posted
    assert mailbox.address == ADDRESS
    assert b"Subject: 3 Termine sind offen" in message
    done = await row(notification_db)
    assert reference == done["id"]
    assert f"Message-ID: {done['message_id']}".encode() in message
    assert (done["mail"], done["due_at"]) == (None, None)
    assert ended("sent") == before + 1


async def test_a_day_has_one_mail_and_the_next_day_another(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(ACCEPTED)
    loop = sending(notification_db, sealer, server)
    for day, count in ((28, 3), (28, 5), (29, 4)):
        await handle(notification_db, sealer, request(day=date(2026, 11, day), open_count=count))
        await loop.turn()
    subjects = [b"3 Termine" in message for _, _, message in server.posted]
    assert subjects == [True, False]


async def test_two_processes_send_it_once(notification_db: Database, sealer: Sealer) -> None:
    server = Server(ACCEPTED)
    await handle(notification_db, sealer, request())
    turns = [sending(notification_db, sealer, server).turn() for _ in "abc"]
    assert sorted(await asyncio.gather(*turns)) == [False, False, True]
    assert len(server.posted) == 1


async def test_one_that_is_not_taken_is_tried_again_under_the_same_id(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(LATER, MISCONFIGURED, AWAY, ACCEPTED)
    await handle(notification_db, sealer, request())
    await try_all(notification_db, sealer, server)
    assert len(server.posted) == 4
    assert len({reference for reference, _, _ in server.posted}) == 1


@pytest.mark.parametrize("result", [MISCONFIGURED, AWAY])
async def test_a_server_that_takes_nothing_is_not_asked_without_a_pause(
    notification_db: Database, sealer: Sealer, result: SendResult
) -> None:
    await handle(notification_db, sealer, request())
    with pytest.raises(ServerAway):
        await sending(notification_db, sealer, Server(result)).turn()


async def test_it_is_given_up_when_it_has_had_its_time(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(LATER)
    before = ended("failed")
    wanted = request()
    await handle(notification_db, sealer, wanted)
    await try_all(notification_db, sealer, server)
    assert server() < wanted.not_after
    assert 5 < len(server.posted) < 100
    assert ended("failed") == before + 1


async def test_a_late_one_is_not_sent(notification_db: Database, sealer: Sealer) -> None:
    server = Server(ACCEPTED)
    await handle(notification_db, sealer, request(not_after=now()))
    assert await sending(notification_db, sealer, server).turn()
    assert server.posted == []
    assert (await row(notification_db))["mail"] is None


@pytest.mark.parametrize(
    ("server", "changes"),
    [
        (Server(REFUSED), {}),
        (Server(ACCEPTED), {"practice_name": "\x00"}),
        (Server(ACCEPTED), {"recipient": "a..b@praxis.example"}),
    ],
)
async def test_one_that_can_not_arrive_ends_at_once_and_is_counted(
    notification_db: Database, sealer: Sealer, server: Server, changes: dict[str, str]
) -> None:
    before = ended("failed")
    await handle(notification_db, sealer, request(**changes))
    await try_all(notification_db, sealer, server, tries=1)
    assert ended("failed") == before + 1


async def test_without_a_clean_reply_one_further_copy_follows_and_no_more(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(NO_REPLY, LATER, NO_REPLY, ACCEPTED)
    before = ended("unknown")
    await handle(notification_db, sealer, request())
    await try_all(notification_db, sealer, server)
    assert len(server.posted) == 3  # the second was refused, for certain
    assert ended("unknown") == before + 1


async def test_a_process_that_dies_leaves_it_to_others_twice_at_most(
    notification_db: Database, sealer: Sealer
) -> None:
    server = Server(asyncio.CancelledError())
    await handle(notification_db, sealer, request())
    for _ in range(4):
        try:
            await sending(notification_db, sealer, server).turn()
        except asyncio.CancelledError:
            server.moment = (await row(notification_db))["due_at"]
    assert len(server.posted) == 2
    assert (await row(notification_db))["mail"] is None


async def test_a_fault_of_ours_ends_no_loop(notification_db: Database, sealer: Sealer) -> None:
    server = Server(ValueError(), ACCEPTED)
    await handle(notification_db, sealer, request())
    await try_all(notification_db, sealer, server)
    assert len(server.posted) == 2
    server = Server(ACCEPTED)
    server.hand_over = ValueError()
    await handle(notification_db, sealer, request(day=date(2026, 11, 29)))
    assert await sending(notification_db, sealer, server).turn()
    async with notification_db.practice(PRACTICE) as tx:
        waiting = await tx.fetch("SELECT unanswered FROM daily_mails WHERE due_at IS NOT NULL")
    assert [row["unanswered"] for row in waiting] == [0]


async def test_a_process_that_ends_before_the_final_dot_gives_it_back(
    notification_db: Database, sealer: Sealer
) -> None:
    await handle(notification_db, sealer, request())
    server = Server(ACCEPTED)
    server.hand_over = asyncio.CancelledError()
    for _ in range(3):  # as often as it may be: nothing went out
        with pytest.raises(asyncio.CancelledError):
            await sending(notification_db, sealer, server).turn()
    server.hand_over = None
    assert await sending(notification_db, sealer, server).turn()
    assert len(server.posted) == 1


async def test_who_comes_back_late_ends_nothing(notification_db: Database, sealer: Sealer) -> None:
    await handle(notification_db, sealer, request())
    moment = now()
    async with notification_db.system() as tx:
        first = await store.claim(tx, moment, moment)
        second = await store.claim(tx, moment, moment + timedelta(minutes=1))
        assert first is not None
        assert second is not None
        assert not await store.end(tx, first)
        assert not await store.again(tx, first, moment, unanswered=0)
        assert await store.end(tx, second)
        assert not await store.end(tx, second)


async def test_it_is_forgotten_after_two_weeks(notification_db: Database, sealer: Sealer) -> None:
    await handle(notification_db, sealer, request())
    await try_all(notification_db, sealer, Server(ACCEPTED))
    async with notification_db.system() as tx:
        assert not await store.purge(tx, now())
    await row(notification_db)
    async with notification_db.system() as tx:
        await store.purge(tx, now() + store.KEPT + timedelta(seconds=1))
        assert await tx.fetchval("SELECT count(*) FROM daily_mails") == 0
