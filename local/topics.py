"""Creates the topics of the contracts, with who may do what: neither comes by itself."""

from collections.abc import Sequence

from aiokafka.admin import NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from chassis.kafka import Cluster
from contracts.topics import ALL_TOPICS, Topic
from local import acls


async def create(cluster: Cluster, topics: Sequence[Topic] = ALL_TOPICS) -> None:
    """Create what is missing; existing topics stay as they are. Raises KafkaError."""
    await _create(cluster, topics)
    await acls.grant(cluster)


async def _create(cluster: Cluster, topics: Sequence[Topic]) -> None:
    admin = cluster.admin()
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        new = [topic for topic in topics if topic.name not in existing]
        if not new:
            return
        response = await admin.create_topics([_new(topic) for topic in new])
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code != 0 and error is not TopicAlreadyExistsError:
                raise error(f"topic {name}")
    finally:
        await admin.close()


def _new(topic: Topic) -> NewTopic:
    configs = {"retention.ms": str(topic.retention_ms)}
    if topic.segment_ms is not None:
        configs["segment.ms"] = str(topic.segment_ms)
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=1,
        topic_configs=configs,
    )
