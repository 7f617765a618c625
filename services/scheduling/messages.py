"""Counting what is written to patients, in the transaction that requests it.

In the database, so that every key and every replica counts with the others. Invitations, and moves
that the patient is to be told of, are refused past a bound, aloud. Reminders and cancellations are
counted and never refused: nobody is there to be told.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from prometheus_client import Counter as Count

from chassis.database import Connection
from chassis.sealing import Sealer
from chassis.together import Writer
from contracts.channels import Channel
from contracts.events import NoticeRequested
from services.scheduling import message_store
from services.scheduling.addresses import fingerprint, fingerprints, mailbox
from services.scheduling.appointments import Appointment
from services.scheduling.bounds import DAY, Bound, Bounds, free_again
from services.scheduling.message_store import Message
from services.scheduling.phone_numbers import country_of
from services.scheduling.practice import Practice
from services.scheduling.problems import TooManyMessages

counted = Count("messages_counted_total", "Letters to patients requested", ["channel"])
refused = Count("messages_refused_total", "Requests that a bound refused", ["bound"])


async def check(
    tx: Connection,
    sealer: Sealer,
    bounds: Bounds,
    practice: Practice,
    appointment: Appointment,
    now: datetime,
) -> None:
    """Whether the appointment's patient may be written to now. Raises TooManyMessages.

    Of one address and one appointment exactly as often as is allowed; of a practice and a country
    by a few more where many requests come at one moment, since they do not wait for each other.
    """
    messages = _messages(sealer, appointment, appointment.channels)
    await message_store.lock_addresses(tx, messages)
    most = {bound: bounds.most(bound, practice) for bound in Bound}
    reached = await message_store.reached(tx, [(each, most) for each in messages], now - DAY)
    for each in reached:
        held_up = free_again(each)
        if held_up is not None:
            bound, until = held_up
            refused.labels(bound).inc()
            raise TooManyMessages(
                bound, most[bound], until.astimezone(practice.zone), (until - now).total_seconds()
            )


async def surely_free(
    tx: Connection,
    sealer: Sealer,
    bounds: Bounds,
    appointments: Sequence[tuple[Appointment, Practice]],
    now: datetime,
) -> set[UUID]:
    """Which of these, of several practices, may be written to with all that come before them.

    Who is not among them has to ask alone (`check`): two to one address, and what comes near a
    bound.
    """
    addresses: set[bytes] = set()
    before: Counter[tuple[UUID, str | None]] = Counter()
    asked: list[tuple[Message, Mapping[Bound, int]]] = []
    for appointment, practice in appointments:
        messages = _messages(sealer, appointment, appointment.channels)
        written_to = {message.fingerprints[0] for message in messages}
        if not addresses.isdisjoint(written_to):
            continue
        addresses |= written_to
        for message in messages:
            most = {bound: bounds.most(bound, practice) for bound in Bound}
            most[Bound.PRACTICE] -= before[practice.id, None]
            most[Bound.COUNTRY] -= before[practice.id, message.country]
            before[practice.id, None] += 1
            if message.country is not None:
                before[practice.id, message.country] += 1
            asked.append((message, most))
    asked = [(message, most) for message, most in asked if min(most.values()) > 0]
    await message_store.lock_addresses(tx, [message for message, _ in asked])
    reached = await message_store.reached(tx, asked, now - DAY)
    free: Counter[UUID] = Counter(
        message.appointment_id
        for (message, _), each in zip(asked, reached, strict=True)
        if free_again(each) is None
    )
    return {each.id for each, _ in appointments if free[each.id] == len(each.channels)}


async def count(
    tx: Writer,
    sealer: Sealer,
    appointment: Appointment,
    channels: Collection[Channel],
    now: datetime,
) -> None:
    """Count what the patient is written over these channels."""
    messages = _messages(sealer, appointment, channels)
    await message_store.add(tx, messages, now)
    for message in messages:
        counted.labels(message.channel).inc()


async def count_notice(
    tx: Connection, sealer: Sealer, appointment: Appointment, notice: NoticeRequested, now: datetime
) -> None:
    """Count a notice over the channels that it goes out on."""
    channels = [each for each in Channel if notice.channels.address(each) is not None]
    await count(tx, sealer, appointment, channels, now)


def _messages(
    sealer: Sealer, appointment: Appointment, channels: Collection[Channel]
) -> list[Message]:
    return [
        Message(
            practice_id=appointment.practice_id,
            appointment_id=appointment.id,
            channel=channel,
            fingerprints=[
                fingerprint(sealer, appointment.practice_id, channel, mailbox(address)),
                *fingerprints(sealer, appointment.practice_id, channel, mailbox(address)),
            ],
            country=country_of(address) if channel is Channel.SMS else None,
        )
        for channel in channels
        if (address := appointment.address(channel)) is not None
    ]
