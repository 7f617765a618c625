"""Counting what is written to patients, in the transaction that requests it.

In the database, so that every key and every replica counts with the others. Invitations, and moves
that the patient is to be told of, are refused past a bound, aloud. Reminders and cancellations are
counted and never refused: nobody is there to be told.
"""

from collections import Counter
from collections.abc import Collection, Sequence
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
from services.scheduling.headroom import Headroom, Scope
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
    by a few more where many requests come at one moment, since they do not wait for each other, or
    where several processes come near the bound within a minute (`Headroom`).
    """
    messages = _messages(sealer, appointment, appointment.channels)
    await message_store.lock_addresses(tx, messages)
    most = {bound: bounds.most(bound, practice) for bound in Bound}
    written = await message_store.written(tx, [(each, most) for each in messages], now - DAY)
    for each in written:
        held_up = free_again(each.reached)
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
    headroom: Headroom,
    appointments: Sequence[tuple[Appointment, Practice]],
    now: datetime,
) -> set[UUID]:
    """Which of these, of several practices, may be written to with all that come before them.

    Who is not among them has to ask alone (`check`): two to one address, and what comes near a
    bound. What a practice has written in its day is counted when its `headroom` is used up.
    """
    addresses: set[bytes] = set()
    before: Counter[Scope] = Counter()
    asked: list[tuple[Message, dict[Bound, int], dict[Bound, Scope]]] = []
    for appointment, practice in appointments:
        messages = _messages(sealer, appointment, appointment.channels)
        written_to = {message.fingerprints[0] for message in messages}
        if not addresses.isdisjoint(written_to):
            continue
        addresses |= written_to
        for message in messages:
            most = {bound: bounds.most(bound, practice) for bound in Bound}
            to_count: dict[Bound, Scope] = {}
            for bound, country in _shared(message):
                scope = message.practice_id, country, most[bound]
                if headroom.take(scope, now):
                    del most[bound]
                else:
                    to_count[bound] = scope
                    most[bound] -= before[scope]
                before[scope] += 1
            if min(most.values()) > 0:
                asked.append((message, most, to_count))
    await message_store.lock_addresses(tx, [message for message, _, _ in asked])
    written = await message_store.written(
        tx, [(message, most) for message, most, _ in asked], now - DAY
    )
    free: Counter[UUID] = Counter()
    for (message, most, to_count), each in zip(asked, written, strict=True):
        if free_again(each.reached) is None:
            free[message.appointment_id] += 1
        for bound, scope in to_count.items():
            headroom.counted(scope, most[bound] - each.letters[bound] - 1, now)
    return {each.id for each, _ in appointments if free[each.id] == len(each.channels)}


def _shared(message: Message) -> list[tuple[Bound, str | None]]:
    """The bounds that letters to anybody share, with the country that one is of."""
    if message.country is None:
        return [(Bound.PRACTICE, None)]
    return [(Bound.PRACTICE, None), (Bound.COUNTRY, message.country)]


async def count(
    tx: Writer,
    sealer: Sealer,
    appointment: Appointment,
    channels: Collection[Channel],
    now: datetime,
) -> None:
    """Count what the patient is written over these channels."""
    await add(tx, sealer, appointment, channels, now)
    tell(channels)


async def add(
    tx: Writer,
    sealer: Sealer,
    appointment: Appointment,
    channels: Collection[Channel],
    now: datetime,
) -> None:
    """As `count`, where it may be undone and done again: who does it tells of it, after that."""
    await message_store.add(tx, _messages(sealer, appointment, channels), now)


def tell(channels: Collection[Channel]) -> None:
    """Have the metric know of letters that are counted."""
    for channel in channels:
        counted.labels(channel).inc()


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
