"""Notices follow the invitation: sent to who may know of the appointment, told of either way."""

from datetime import timedelta

import pytest
from uuid_utils.compat import uuid7

from chassis.database import Database
from chassis.sealing import Sealer
from contracts.channels import Channel
from contracts.envelope import decode
from contracts.events import (
    AppointmentRescheduled,
    Event,
    InvitationFailed,
    InvitationPending,
    InvitationRequested,
    NoticeDelivered,
    NoticeFailed,
    NoticeKind,
    NoticeOutcome,
    NoticePending,
    NoticeRequested,
    Recipients,
    SendNowRequested,
    WithdrawalRequested,
)
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import (
    Accepted,
    Bounced,
    DeliveryEvent,
    FailedForNow,
    Refused,
    Reply,
)
from services.notification.sending.claims import Claims
from services.notification.sending.due import DueDelivery
from tests.database.notification.support import (
    apply,
    claimed,
    deliveries_of,
    delivery_of,
    handle,
    invitation,
    invited,
    notice,
    now,
)

GONE = Reply(550, "5.1.1")
BOTH = Recipients(email="erika@example.org", sms="+4917139200")
HOUR = timedelta(hours=1)


def moved(request: InvitationRequested) -> NoticeRequested:
    start = request.start + HOUR
    return notice(
        request,
        NoticeKind.MOVED,
        appointment_version=2,
        start=start,
        not_after=start,
        previous_start=request.start,
    )


def cancelled(request: InvitationRequested) -> NoticeRequested:
    return notice(request, NoticeKind.CANCELLED, appointment_version=2)


async def published(db: Database) -> list[Event]:
    async with db.system() as tx:
        rows = await tx.fetch("SELECT headers, value FROM outbox ORDER BY id")
    return [
        decode([(name, text.encode()) for name, text in row["headers"].items()], row["value"]).event
        for row in rows
    ]


async def told_of(db: Database, request: NoticeRequested) -> list[NoticeOutcome]:
    """What was published of a notice."""
    found = [each for each in await published(db) if isinstance(each, NoticeOutcome)]
    assert {each.notice_id for each in found} <= {request.notice_id}
    return found


async def of_kind(db: Database, request: InvitationRequested, kind: str) -> Delivery:
    (found,) = [each for each in await deliveries_of(db, request) if each.kind == kind]
    return found


async def taken(db: Database, channel: Channel = Channel.EMAIL) -> list[DueDelivery]:
    """What a worker takes that comes by now."""
    claims = Claims(db, channel, lease=60, share=9, now=now, wake_relay=lambda: None)
    found, _ = await claims.take(9)
    return [each.due for each in found]


async def test_a_notice_to_who_was_invited_is_told_of_to_its_end(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await invited(notification_db, sealer)
    asked = moved(request)
    await handle(notification_db, sealer, asked)
    await taken(notification_db)
    sent = await of_kind(notification_db, request, "moved")
    assert sent.state is State.SENDING
    await apply(
        notification_db,
        sent.id,
        Accepted(Reply(250)),
        Bounced(uuid7(), Reply(None, "5.1.1"), permanent=True),
    )
    queued, delivered, bounced = await told_of(notification_db, asked)
    assert isinstance(queued, NoticePending)
    assert isinstance(delivered, NoticeDelivered)
    assert isinstance(bounced, NoticeFailed)
    assert (bounced.late, bounced.category, bounced.withheld) == (True, "permanent", None)
    assert [each.sequence for each in (queued, delivered, bounced)] == [1, 2, 3]
    assert {(each.kind, each.appointment_version) for each in (queued, delivered, bounced)} == {
        (NoticeKind.MOVED, 2)
    }


async def test_moved_while_the_invitation_is_under_way_it_names_the_new_time_and_that_is_all(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    asked = moved(request)
    await handle(notification_db, sealer, request)
    await handle(notification_db, sealer, asked)
    (told,) = (await told_of(notification_db, asked))[1:]
    assert isinstance(told, NoticeFailed)
    assert (told.category, told.withheld) == ("cancelled", "in_invitation")
    (due,) = await taken(notification_db)
    letter = due.open(sealer, due.delivery)
    assert (letter.kind, letter.start, letter.appointment_version) == ("invitation", asked.start, 2)


@pytest.mark.parametrize("after_the_try", [True, False])
async def test_deleted_while_the_invitation_is_under_way_nothing_is_sent_at_all(
    notification_db: Database, sealer: Sealer, after_the_try: bool
) -> None:
    """Whichever topic is read first: the deletion itself is not needed for it."""
    request, lease = await claimed(notification_db, sealer)
    delivery = await delivery_of(notification_db, request)
    retry = FailedForNow(lease, Reply(450), now())
    if not after_the_try:
        await apply(notification_db, delivery.id, retry)
    asked = cancelled(request)
    await handle(notification_db, sealer, asked)
    if after_the_try:
        assert await taken(notification_db) == []
        assert (await of_kind(notification_db, request, "cancelled")).state is State.QUEUED
        await apply(notification_db, delivery.id, retry)
    assert await taken(notification_db) == []
    assert {each.state for each in await deliveries_of(notification_db, request)} == {
        State.CANCELLED
    }
    told = (await told_of(notification_db, asked))[-1]
    assert isinstance(told, NoticeFailed)
    assert (told.category, told.withheld) == ("cancelled", "not_invited")
    ends = [each for each in await published(notification_db) if isinstance(each, InvitationFailed)]
    assert [each.category for each in ends] == ["cancelled"]


@pytest.mark.parametrize("kind", NoticeKind)
async def test_a_notice_waits_for_the_end_of_a_try_and_goes_out_where_it_was_taken(
    notification_db: Database, sealer: Sealer, kind: NoticeKind
) -> None:
    request, _ = await claimed(notification_db, sealer)
    delivery = await delivery_of(notification_db, request)
    asked = notice(request, kind, previous_start=request.start - HOUR)
    await handle(notification_db, sealer, asked)
    assert await taken(notification_db) == []
    await apply(notification_db, delivery.id, Accepted(Reply(250)))
    (due,) = await taken(notification_db)
    assert due.delivery.kind == kind.value


async def test_an_invitation_that_went_out_with_the_new_time_needs_no_notice(
    notification_db: Database, sealer: Sealer
) -> None:
    """The move is told a minute later; the invitation was sent within it."""
    request = invitation()
    asked = moved(request)
    await handle(
        notification_db,
        sealer,
        request.model_copy(
            update={"start": asked.start, "not_after": asked.start, "appointment_version": 2}
        ),
    )
    (due,) = await taken(notification_db)
    await apply(notification_db, due.delivery.id, Accepted(Reply(250)))
    await handle(notification_db, sealer, asked)
    told = (await told_of(notification_db, asked))[-1]
    assert isinstance(told, NoticeFailed)
    assert told.withheld == "in_invitation"


@pytest.mark.parametrize("told_of_it", [True, False])
@pytest.mark.parametrize("channel", Channel)
async def test_moved_there_and_back_who_was_told_of_the_one_is_told_of_the_other(
    notification_db: Database, sealer: Sealer, channel: Channel, told_of_it: bool
) -> None:
    to = Recipients(**{channel.value: getattr(BOTH, channel)})
    request = invitation(channels=to)
    there = moved(request)
    back = moved(request).model_copy(
        update={
            "appointment_version": 3,
            "start": request.start,
            "not_after": request.start,
            "previous_start": there.start,
        }
    )
    for asked, arrives in ((request, True), (there, told_of_it)):
        await handle(notification_db, sealer, asked)
        await taken(notification_db, channel)
        (sent,) = [
            each
            for each in await deliveries_of(notification_db, request)
            if each.state is State.SENDING
        ]
        assert sent.lease is not None
        end = Accepted(Reply(250)) if arrives else Refused(sent.lease, GONE)
        await apply(notification_db, sent.id, end)
    await handle(notification_db, sealer, back)
    found = [each.delivery for each in await taken(notification_db, channel)]
    assert [(each.kind, each.starts_at) for each in found] == (
        [("moved", request.start)] if told_of_it else []
    )
    if not told_of_it:
        last = [each for each in await published(notification_db) if is_of(each, back)][-1]
        assert isinstance(last, NoticeFailed)
        assert last.withheld == "in_invitation"


def is_of(event: Event, request: NoticeRequested) -> bool:
    return isinstance(event, NoticeOutcome) and event.notice_id == request.notice_id


@pytest.mark.parametrize("kind", NoticeKind)
async def test_each_channel_for_itself(
    notification_db: Database, sealer: Sealer, kind: NoticeKind
) -> None:
    request = invitation(channels=BOTH)
    await handle(notification_db, sealer, request)
    await taken(notification_db, Channel.EMAIL)
    await taken(notification_db, Channel.SMS)
    ends: dict[Channel, DeliveryEvent] = {Channel.EMAIL: Accepted(Reply(250))}
    for each in await deliveries_of(notification_db, request):
        assert each.lease is not None
        await apply(notification_db, each.id, ends.get(each.channel, Refused(each.lease, GONE)))
    asked = moved(request) if kind is NoticeKind.MOVED else notice(request, kind)
    await handle(notification_db, sealer, asked)
    last = {each.channel: each for each in await told_of(notification_db, asked)}
    assert isinstance(last[Channel.EMAIL], NoticePending)
    assert isinstance(last[Channel.SMS], NoticeFailed)


async def test_a_bounce_that_comes_before_the_notice_goes_out_withholds_it(
    notification_db: Database, sealer: Sealer
) -> None:
    request, delivery_id = await invited(notification_db, sealer)
    asked = notice(request, NoticeKind.REMINDER)
    await handle(notification_db, sealer, asked)
    await apply(notification_db, delivery_id, Bounced(uuid7(), GONE, permanent=True))
    assert await taken(notification_db) == []
    told = (await told_of(notification_db, asked))[-1]
    assert isinstance(told, NoticeFailed)
    assert told.withheld == "not_invited"


async def test_who_got_the_link_is_told_though_it_is_being_sent_again(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await invited(notification_db, sealer)
    again = request.model_copy(update={"attempt": 2})
    asked = cancelled(request)
    await handle(notification_db, sealer, again)
    await handle(notification_db, sealer, asked)
    (due,) = await taken(notification_db)
    assert due.delivery.kind == "cancelled"


async def test_whose_address_was_put_right_is_not_told_what_a_stranger_got(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await invited(notification_db, sealer)
    right = Recipients(email="erika.mustermann@example.org")
    again = request.model_copy(update={"attempt": 2, "channels": right})
    asked = cancelled(again)
    await handle(notification_db, sealer, again)
    await handle(notification_db, sealer, asked)
    assert await taken(notification_db) == []


def corrected(request: InvitationRequested, *channels: Channel) -> WithdrawalRequested:
    """The address over these is another one now."""
    return WithdrawalRequested(
        appointment_id=request.appointment_id,
        practice_id=request.practice_id,
        appointment_version=2,
        attempt=request.attempt,
        channels=channels or [Channel.EMAIL],
        occurred_at=now(),
    )


async def test_nothing_goes_to_an_address_that_was_corrected(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation(channels=BOTH)
    await handle(notification_db, sealer, request, corrected(request, Channel.SMS))
    mail, text = sorted(
        await deliveries_of(notification_db, request), key=lambda each: each.channel
    )
    assert (mail.state, text.state) == (State.QUEUED, State.CANCELLED)
    assert await taken(notification_db, Channel.SMS) == []
    failed = (await published(notification_db))[-1]
    assert isinstance(failed, InvitationFailed)
    assert (failed.channel, failed.category) == (Channel.SMS, "cancelled")


async def test_what_was_asked_after_a_correction_goes_out_though_that_is_told_again(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request, corrected(request))
    again = request.model_copy(update={"attempt": 2, "appointment_version": 2})
    await handle(notification_db, sealer, again)
    await handle(notification_db, sealer, corrected(request))
    states = {each.attempt: each.state for each in await deliveries_of(notification_db, request)}
    assert states == {1: State.SUPERSEDED, 2: State.QUEUED}


async def test_what_is_being_sent_as_an_address_is_corrected_has_no_second_try(
    notification_db: Database, sealer: Sealer
) -> None:
    request, lease = await claimed(notification_db, sealer)
    await handle(notification_db, sealer, corrected(request))
    sent = await delivery_of(notification_db, request)
    assert sent.state is State.SENDING
    await apply(notification_db, sent.id, FailedForNow(lease, Reply(450), now()))
    assert (await delivery_of(notification_db, request)).state is State.CANCELLED


async def test_who_was_told_is_told_at_the_corrected_address(
    notification_db: Database, sealer: Sealer
) -> None:
    request, _ = await invited(notification_db, sealer)
    asked = cancelled(request).model_copy(
        update={"channels": Recipients(email="new@example.org"), "corrected": [Channel.EMAIL]}
    )
    await handle(notification_db, sealer, corrected(request), asked)
    (due,) = await taken(notification_db)
    letter = due.open(sealer, due.delivery)
    assert (letter.kind, letter.recipient) == ("cancelled", "new@example.org")


async def test_who_was_not_told_is_not_told_at_the_corrected_address_either(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    asked = cancelled(request).model_copy(
        update={"channels": Recipients(email="new@example.org"), "corrected": [Channel.EMAIL]}
    )
    await handle(notification_db, sealer, request, corrected(request), asked)
    assert await taken(notification_db) == []
    withheld = (await told_of(notification_db, asked))[-1]
    assert isinstance(withheld, NoticeFailed)
    assert withheld.withheld == "not_invited"


@pytest.mark.parametrize("one_batch", [True, False])
@pytest.mark.parametrize("kind", [WithdrawalRequested, SendNowRequested])
async def test_a_move_counts_though_what_says_no_time_was_read_before_it(
    notification_db: Database,
    sealer: Sealer,
    kind: type[WithdrawalRequested | SendNowRequested],
    one_batch: bool,
) -> None:
    """Topics are not ordered with each other."""
    request, _ = await invited(notification_db, sealer)
    asked = moved(request).model_copy(update={"appointment_version": 3})
    overtaking: Event = corrected(request, Channel.SMS).model_copy(
        update={"appointment_version": 3}
    )
    if kind is SendNowRequested:
        overtaking = SendNowRequested(
            appointment_id=request.appointment_id,
            practice_id=request.practice_id,
            appointment_version=3,
            occurred_at=now(),
        )
    move = AppointmentRescheduled(
        appointment_id=request.appointment_id,
        practice_id=request.practice_id,
        version=2,
        start=asked.start,
        duration_minutes=20,
        time_zone="Europe/Berlin",
    )
    if one_batch:
        await handle(notification_db, sealer, overtaking, move, asked)
    else:
        for event in (overtaking, move, asked):
            await handle(notification_db, sealer, event)
    assert (await of_kind(notification_db, request, "invitation")).starts_at == asked.start
    (due,) = await taken(notification_db)
    assert (due.delivery.kind, due.delivery.starts_at) == ("moved", asked.start)


@pytest.mark.parametrize("one_batch", [True, False])
async def test_sent_again_to_another_number_the_move_that_waited_goes_to_neither(
    notification_db: Database, sealer: Sealer, one_batch: bool
) -> None:
    """Nor is a mail, or the new attempt, the worse for it."""
    request = invitation(channels=BOTH)
    await handle(notification_db, sealer, request)
    for channel in Channel:
        await taken(notification_db, channel)
    for each in await deliveries_of(notification_db, request):
        await apply(notification_db, each.id, Accepted(Reply(250)))
    morning = now() + 9 * HOUR
    asked = moved(request).model_copy(update={"sms_not_before": morning})
    await handle(notification_db, sealer, asked)
    before = len(await published(notification_db))
    again = request.model_copy(
        update={
            "attempt": 2,
            "appointment_version": 3,
            "start": asked.start,
            "not_after": asked.start,
            "channels": Recipients(email=BOTH.email, sms="+491713920002"),
        }
    )
    withdrawal = corrected(request, Channel.SMS).model_copy(
        update={"attempt": 2, "appointment_version": 3}
    )
    if one_batch:
        await handle(notification_db, sealer, withdrawal, again)
    else:
        await handle(notification_db, sealer, withdrawal)
        await handle(notification_db, sealer, again)
    assert {
        (each.kind, each.attempt, each.channel): each.state
        for each in await deliveries_of(notification_db, request)
    } == {
        ("invitation", 1, Channel.EMAIL): State.SUPERSEDED,
        ("invitation", 1, Channel.SMS): State.SUPERSEDED,
        ("invitation", 2, Channel.EMAIL): State.QUEUED,
        ("invitation", 2, Channel.SMS): State.QUEUED,
        ("moved", 1, Channel.EMAIL): State.QUEUED,
        ("moved", 1, Channel.SMS): State.CANCELLED,
    }
    told = (await published(notification_db))[before:]
    (withdrawn,) = [each for each in told if isinstance(each, NoticeOutcome)]
    assert isinstance(withdrawn, NoticeFailed)
    assert (withdrawn.channel, withdrawn.category, withdrawn.withheld) == ("sms", "cancelled", None)
    assert [each.attempt for each in told if isinstance(each, InvitationPending)] == [2, 2]
    assert not [each for each in told if isinstance(each, InvitationFailed)]
    texts = [each.open(sealer, each.delivery) for each in await taken(notification_db, Channel.SMS)]
    assert [(each.kind, each.recipient) for each in texts] == [("invitation", "+491713920002")]


async def test_an_attempt_that_a_newer_one_replaces_at_once_is_not_said_to_have_failed(
    notification_db: Database, sealer: Sealer
) -> None:
    request = invitation()
    await handle(notification_db, sealer, request)
    other = Recipients(email="erika.mustermann@example.org")
    again = request.model_copy(update={"attempt": 2, "appointment_version": 2, "channels": other})
    await handle(notification_db, sealer, corrected(request), again)
    states = {each.attempt: each.state for each in await deliveries_of(notification_db, request)}
    assert states == {1: State.SUPERSEDED, 2: State.QUEUED}
    told = await published(notification_db)
    assert not [each for each in told if isinstance(each, InvitationFailed)]
