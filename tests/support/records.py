"""Records as a reader gets them of Kafka."""

from collections.abc import Mapping

from aiokafka import ConsumerRecord

from contracts.envelope import encode
from contracts.events import Event
from contracts.signatures import HEADER, EventSigner


def signed_record(
    event: Event, seeds: Mapping[int, bytes], *, offset: int
) -> "ConsumerRecord[bytes, bytes]":
    """The event as whoever has these seeds publishes it."""
    message = encode(event, source="/test")
    attributes = {name: value.decode() for name, value in message.headers}
    signature = EventSigner(seeds).sign(attributes, message.value)
    return ConsumerRecord(
        topic=message.topic,
        partition=0,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=message.key.encode(),
        value=message.value,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=[*message.headers, (HEADER, signature.encode())],
    )
