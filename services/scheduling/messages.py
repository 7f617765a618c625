"""Counting what is written to patients, in the transaction that requests it.

In the database, so that every key and every replica counts with the others. Invitations, and moves
that the patient is to be told of, are refused past a bound, aloud. Reminders and cancellations are
counted and never refused: nobody is there to be told.
"""

from collections.abc import Collection
from datetime import datetime

from prometheus_client import Counter

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

counted = Counter("messages_counted_total", "Letters to patients requested", ["channel"])
refused = Counter("messages_refused_total", "Requests that a bound refused", ["bound"])


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
    for message in messages:
        held_up = free_again(await message_store.reached(tx, message, most, now - DAY))
        if held_up is not None:
            bound, until = held_up
            refused.labels(bound).inc()
            raise TooManyMessages(
                bound, most[bound], until.astimezone(practice.zone), (until - now).total_seconds()
            )


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
