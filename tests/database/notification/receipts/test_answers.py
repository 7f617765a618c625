"""Calendars' answers: from the mail that came back to the event that tells of it."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.events import (
    Answer,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentRescheduled,
    ErasureReason,
    InvitationAnswered,
    InvitationRequested,
    NoticeKind,
    NoticeRequested,
    Recipients,
)
from services.notification.bounces import Reading, read
from services.notification.deliveries.delivery import Delivery
from services.notification.letters.letter import LetterKind
from services.notification.receipts import store as receipt_store
from services.notification.receipts.reader import ReceiptReader
from services.notification.receipts.return_path import ReturnPath
from services.notification.receipts.store import ReturnedMail
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.sending.due import NOBODY, Turns, lock_due
from tests.database.notification.support import (
    deliveries_of,
    handle,
    invitation,
    now,
    reading,
)
from tests.support import eventually
from tests.support.answers import COMMENT, SHAPES, reply

KEYS = {1: bytes(32)}
RETURN_PATH = ReturnPath("rueck@praxis.example", KEYS)


async def invited(
    db: Database, sealer: Sealer, **changes: Any
) -> tuple[InvitationRequested, Delivery]:
    """An invitation by mail whose calendar file asks for an answer."""
    request = invitation(asks_for_answer=True, **changes)
    await handle(db, sealer, request)
    return request, await newest(db, request)


async def newest(db: Database, request: InvitationRequested) -> Delivery:
    return (await deliveries_of(db, request))[-1]


def answer(delivery: Delivery, shape: str = "outlook", **said: Any) -> bytes:
    assert delivery.organizer is not None
    organizer = RETURN_PATH.organizer.of(delivery.organizer)
    return reply(shape, **{"uid": str(delivery.appointment_id), "organizer": organizer} | said)


async def take(db: Database, sealer: Sealer, *mails: bytes) -> list[Any]:
    """Let these mails come back and be read; the receipts."""
    async with db.system() as tx:
        returned = [ReturnedMail(mail, RETURN_PATH.find(mail)) for mail in mails]
        await receipt_store.store_mail(tx, sealer, returned, now())
    reader = ReceiptReader(
        db,
        sealer=sealer,
        envelope_ids=Tags(KEYS, purpose=ENVELOPE_ID),
        organizers=RETURN_PATH.organizer,
        read_mail=read_here,
        poll=0.05,
        wake_relay=lambda: None,
        now=now,
    )

    async def settled() -> Sequence[Any] | None:
        async with db.system() as tx:
            rows = await tx.fetch("SELECT * FROM receipts ORDER BY received_at, id")
        return rows if all(row["due_at"] is None for row in rows) else None

    async with reading(reader):
        return list(await eventually(settled, "the answers are read"))


async def read_here(content: bytes) -> Reading:
    return read(content)


async def told(db: Database) -> list[InvitationAnswered]:
    """What waits to be published, in order."""
    async with db.system() as tx:
        rows = await tx.fetch(
            "SELECT value FROM outbox WHERE headers->>'ce_type' = $1 ORDER BY id",
            InvitationAnswered.type,
        )
    return [InvitationAnswered.model_validate(json.loads(row["value"])) for row in rows]


@pytest.mark.parametrize("shape", SHAPES)
async def test_an_answer_is_told_once_and_nothing_of_it_is_kept(
    notification_db: Database, sealer: Sealer, shape: str
) -> None:
    request, delivery = await invited(notification_db, sealer)
    given = now().replace(microsecond=0) + timedelta(seconds=1)
    mail = answer(delivery, shape, said="DECLINED", at=given)
    with capture_logs() as logged:
        receipts = await take(
            notification_db, sealer, mail, mail.replace(b"Message-ID: <", b"Message-ID: <2.")
        )
    (event,) = await told(notification_db)
    assert event.invitation_id == request.invitation_id
    assert event.appointment_id == request.appointment_id
    assert (event.appointment_version, event.answer) == (1, Answer.DECLINED)
    assert request.start - timedelta(days=2) < event.occurred_at <= now()
    for row in receipts:
        assert (row["kind"], row["matched_by"], row["content"]) == ("answer", "organizer", None)
        assert row["delivery_id"] == delivery.id
    assert COMMENT not in str(logged) + str(receipts)


async def test_a_change_of_mind_is_told_and_a_late_repeat_is_not(
    notification_db: Database, sealer: Sealer
) -> None:
    _, delivery = await invited(notification_db, sealer)
    accepted = answer(delivery, said="ACCEPTED")
    await take(notification_db, sealer, accepted)
    await take(notification_db, sealer, answer(delivery, "gmail", said="DECLINED"))
    await take(notification_db, sealer, accepted.replace(b"<o1@", b"<o2@"))
    answers = await told(notification_db)
    assert [each.answer for each in answers][:2] == [Answer.ACCEPTED, Answer.DECLINED]
    moments = [each.occurred_at for each in answers]
    assert moments == sorted(set(moments))


async def test_an_answer_to_an_older_version_is_told_with_it(
    notification_db: Database, sealer: Sealer
) -> None:
    request, delivery = await invited(notification_db, sealer)
    moved = AppointmentRescheduled(
        appointment_id=request.appointment_id,
        practice_id=request.practice_id,
        version=2,
        start=request.start + timedelta(hours=1),
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    await handle(notification_db, sealer, moved)
    mails = [answer(delivery, sequence=2), answer(delivery, sequence=1, said="ACCEPTED")]
    await take(notification_db, sealer, *mails, answer(delivery, sequence=3))
    assert {(each.appointment_version, each.answer) for each in await told(notification_db)} == {
        (2, Answer.DECLINED),
        (1, Answer.ACCEPTED),
    }


async def test_what_is_forged_or_of_another_appointment_changes_nothing(
    notification_db: Database, sealer: Sealer
) -> None:
    _, delivery = await invited(notification_db, sealer)
    _, other = await invited(notification_db, sealer)
    assert delivery.organizer is not None
    strangers = [
        "rueck@praxis.example",
        "rueck+" + "a" * 44 + "@praxis.example",
        RETURN_PATH.of(delivery.id),
        RETURN_PATH.organizer.of(UUID(int=1)),
        ReturnPath("rueck@praxis.example", {1: b"x" * 32}).organizer.of(delivery.organizer),
    ]
    mails = [answer(delivery, "gmail", organizer=each) for each in strangers]
    mails.append(answer(delivery, uid=str(other.appointment_id)))
    receipts = await take(notification_db, sealer, *mails)
    assert await told(notification_db) == []
    assert all(row["content"] is None for row in receipts)


async def test_an_answer_ends_with_the_link_that_came_with_it(
    notification_db: Database, sealer: Sealer
) -> None:
    """The first address was a stranger's."""
    request, stranger_s = await invited(notification_db, sealer)
    corrected = request.model_copy(
        update={
            "attempt": 2,
            "appointment_version": 2,
            "link_version": 2,
            "channels": Recipients(email="Erika.M@example.org"),
        }
    )
    await handle(notification_db, sealer, corrected)
    patient_s = await newest(notification_db, request)
    assert patient_s.organizer != stranger_s.organizer
    await take(notification_db, sealer, answer(stranger_s, said="ACCEPTED"))
    assert await told(notification_db) == []
    await take(notification_db, sealer, answer(patient_s, sequence=2, said="TENTATIVE"))
    (event,) = await told(notification_db)
    assert event.answer is Answer.TENTATIVE
    # The address stays, the number was corrected: the same entry, under a new link.
    again = corrected.model_copy(update={"attempt": 3, "appointment_version": 3, "link_version": 3})
    await handle(notification_db, sealer, again)
    assert (await newest(notification_db, request)).organizer == patient_s.organizer
    await take(notification_db, sealer, answer(patient_s, sequence=2, said="DECLINED"))
    assert len(await told(notification_db)) == 2
    # By SMS alone, under a new link: the mail is void.
    by_sms = again.model_copy(
        update={"attempt": 4, "link_version": 4, "channels": Recipients(sms="+4917139200")}
    )
    await handle(notification_db, sealer, by_sms)
    await take(notification_db, sealer, answer(patient_s, sequence=3, said="ACCEPTED"))
    assert len(await told(notification_db)) == 2


async def test_no_answer_counts_where_none_was_asked_for(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    await take(notification_db, sealer, answer(await newest(notification_db, request)))
    assert await told(notification_db) == []


async def test_no_answer_counts_after_a_deletion_and_none_stays_after_an_erasure(
    notification_db: Database, sealer: Sealer
) -> None:
    request, delivery = await invited(notification_db, sealer)
    await take(notification_db, sealer, answer(delivery, said="ACCEPTED"))
    assert len(await told(notification_db)) == 1
    ids = {"appointment_id": request.appointment_id, "practice_id": request.practice_id}
    await handle(notification_db, sealer, AppointmentDeleted(**ids, version=2))
    await take(notification_db, sealer, answer(delivery, "gmail"))
    erased = AppointmentErased(**ids, version=3, reason=ErasureReason.REQUEST)
    await handle(notification_db, sealer, erased)
    receipts = await take(notification_db, sealer, answer(delivery, "apple"))
    assert len(await told(notification_db)) == 1
    assert [(row["matched_by"], row["content"]) for row in receipts] == [(None, None)]
    async with notification_db.system() as tx:
        assert await tx.fetchval("SELECT count(*) FROM answers") == 0


async def test_a_reminder_does_not_take_the_answer_back(
    notification_db: Database, sealer: Sealer
) -> None:
    request, delivery = await invited(notification_db, sealer)
    async with notification_db.system() as tx:  # who was never told is reminded of nothing
        await tx.execute("UPDATE deliveries SET handed_over_at = now()")
    await take(notification_db, sealer, answer(delivery, said="ACCEPTED"))
    known = request.model_dump(include={*NoticeRequested.model_fields})
    reminder = NoticeRequested(**known, notice_id=uuid7(), kind=NoticeKind.REMINDER)
    await handle(notification_db, sealer, reminder)
    assert await answered(notification_db, sealer) == {
        LetterKind.INVITATION: Answer.ACCEPTED,
        LetterKind.REMINDER: Answer.ACCEPTED,
    }
    moved = reminder.model_copy(
        update={"notice_id": uuid7(), "kind": NoticeKind.MOVED, "appointment_version": 2}
    )
    await handle(notification_db, sealer, moved)
    assert (await answered(notification_db, sealer))[LetterKind.MOVED] is None
    organizers = {each.organizer for each in await deliveries_of(notification_db, request)}
    assert organizers == {delivery.organizer}


async def answered(db: Database, sealer: Sealer) -> dict[LetterKind, Answer | None]:
    """What the letters that are to be sent know of an answer."""
    async with db.system() as tx:
        turns = Turns(after=NOBODY, share=10, under_way={})
        due, _ = await lock_due(tx, Channel.EMAIL, now(), 10, turns)
    return {each.delivery.kind: each.open(sealer, each.delivery).answered for each in due}
