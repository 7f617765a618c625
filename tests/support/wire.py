"""Events as they come from Kafka: signed by their producer, or made up by somebody else."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from uuid import UUID

from contracts.envelope import Headers, Received, Untrusted, decode, encode
from contracts.events import Event
from contracts.signatures import HEADER, EventSigner, EventVerifier, public_keys
from contracts.topics import TOPIC_OF

SEEDS = {
    producer: {1: bytes([number]) * 32}
    for number, producer in enumerate(("scheduling", "notification", "status"), start=1)
}
STRANGER = {1: b"x" * 32}
VERIFIER = EventVerifier({producer: public_keys(seeds) for producer, seeds in SEEDS.items()})


@dataclass(frozen=True)
class OnTheWire:
    """A message, whoever wrote it."""

    headers: Headers
    value: bytes

    @cached_property
    def received(self) -> Received | None:
        """What a consumer makes of it, by the function that all read with; None: it is parked."""
        try:
            return decode(self.headers, self.value, VERIFIER)
        except Untrusted:
            return None


def genuine(event: Event, number: int, at: datetime) -> OnTheWire:
    """As its producer tells it, with this number and time."""
    return _signed(event, number, at, SEEDS[TOPIC_OF[type(event)].producer])


def forgeries(event: Event, number: int, at: datetime) -> list[OnTheWire]:
    """The same by the other services, by a stranger, by nobody, and under a borrowed signature."""
    producer = TOPIC_OF[type(event)].producer
    others = [seeds for name, seeds in SEEDS.items() if name != producer]
    signed, other = genuine(event, number, at), genuine(event, number + 1, at)
    bare = [each for each in signed.headers if each[0] != HEADER]
    borrowed = [each for each in other.headers if each[0] == HEADER]
    return [
        *(_signed(event, number, at, seeds) for seeds in (*others, STRANGER)),
        *(OnTheWire(headers, signed.value) for headers in (bare, [*bare, *borrowed])),
    ]


def _signed(event: Event, number: int, at: datetime, seeds: dict[int, bytes]) -> OnTheWire:
    message = encode(event, source="/einladung/test")
    attributes = {name: value.decode() for name, value in message.headers}
    attributes |= {"ce_id": str(UUID(int=number)), "ce_time": at.astimezone(UTC).isoformat()}
    attributes[HEADER] = EventSigner(seeds).sign(attributes, message.value)
    headers = [(name, value.encode()) for name, value in attributes.items()]
    return OnTheWire(headers, message.value)
