"""Who may do what at Kafka: one account for each service, and one for other systems.

Everything else is refused. It follows from the topics: only its producer writes a topic, only its
readers read it (and, where it is told to be read back, its producer), and what holds patient data
is read by nobody else, dead letters included.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from contracts.topics import TOPICS

ACCOUNTS = tuple(
    dict.fromkeys(name for topic in TOPICS for name in (topic.producer, *topic.readers))
)
OTHER_SYSTEM = "reader"


class Operation(StrEnum):
    """As Kafka calls it; each includes Describe."""

    READ = "Read"
    WRITE = "Write"
    DELETE = "Delete"  # of a topic's records, too


class Resource(StrEnum):
    """As Kafka calls it."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an account may do; `prefixed` stands for every name that begins with `name`."""

    account: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False


def grants() -> Iterator[Grant]:
    """All that is allowed."""
    for topic in TOPICS:
        yield Grant(topic.producer, Operation.WRITE, Resource.TOPIC, topic.name)
        if topic.read_back:
            yield Grant(topic.producer, Operation.READ, Resource.TOPIC, topic.name)
        parked = topic.dead_letters.name
        for reader in topic.readers:
            yield Grant(reader, Operation.READ, Resource.TOPIC, topic.name)
            yield Grant(reader, Operation.WRITE, Resource.TOPIC, parked)
            if topic.patient_data:  # which it takes out again, dead letters by their appointment
                yield Grant(reader, Operation.DELETE, Resource.TOPIC, topic.name)
                yield Grant(reader, Operation.READ, Resource.TOPIC, parked)
                yield Grant(reader, Operation.DELETE, Resource.TOPIC, parked)
        if not topic.patient_data:
            yield Grant(OTHER_SYSTEM, Operation.READ, Resource.TOPIC, topic.name)
    for account in ACCOUNTS:
        yield Grant(account, Operation.READ, Resource.GROUP, account)
    yield Grant(OTHER_SYSTEM, Operation.READ, Resource.GROUP, OTHER_SYSTEM, prefixed=True)
