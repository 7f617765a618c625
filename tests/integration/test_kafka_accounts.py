"""Kafka as its accounts meet it: what contracts/access.py does not allow can't be done."""

import asyncio
from dataclasses import replace

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.admin import DeleteRecordsRequest

from chassis.kafka import Cluster
from chassis.kafka_settings import Security
from contracts.access import ACCOUNTS, OTHER_SYSTEM, Operation, Resource, grants
from contracts.topics import ALL_TOPICS, REQUESTED
from local import acls
from local.kafka_setup import ADMIN, CONTROLLER
from tests.conftest import Stack
from tests.support import PATIENCE, Practice
from tests.support.topics import reading

EVERYBODY = (*ACCOUNTS, OTHER_SYSTEM)
TOPICS = [topic.name for topic in ALL_TOPICS]
NO_ANSWER = 10  # seconds, where none is to come


def may(account: str, operation: Operation, topic: str) -> bool:
    return any(
        (each.account, each.operation, each.resource, each.name)
        == (account, operation, Resource.TOPIC, topic)
        for each in grants()
    )


def heard(consumer: AIOKafkaConsumer) -> bool:
    """Whether the broker has answered a fetch of each partition."""
    partitions = consumer.assignment()
    return bool(partitions) and all(consumer.highwater(each) is not None for each in partitions)


async def read(cluster: Cluster, topic: str) -> None:
    """Fetch from the topic's beginning. Raises what the broker says."""
    consumer = cluster.consumer(topic, group_id=None, auto_offset_reset="earliest")
    try:
        async with asyncio.timeout(PATIENCE):
            await consumer.start()
            while not heard(consumer):
                await consumer.getmany(timeout_ms=100)
    finally:
        await consumer.stop()


async def write(cluster: Cluster, topic: str) -> None:
    """Publish rubbish. Raises what the broker says."""
    async with asyncio.timeout(PATIENCE), cluster.producer(enable_idempotence=False) as producer:
        await producer.send_and_wait(topic, b"rubbish", key=b"nobody")


async def delete(cluster: Cluster, topic: str) -> None:
    """Remove nothing, which needs the right as well. Raises what the broker says."""
    client = AIOKafkaClient(**cluster.arguments)  # aiokafka's admin sends nothing for some topics
    await client.bootstrap()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await client.send(
                client.get_random_node(),
                DeleteRecordsRequest([(topic, [(0, 0)])], int(PATIENCE * 1000)),
            )
    finally:
        await client.close()
    [(_, [(_, _, code, *_)], *_)] = answer.topics
    if code:
        raise for_code(code)


TRIES = {Operation.READ: read, Operation.WRITE: write, Operation.DELETE: delete}


@pytest.mark.parametrize("account", EVERYBODY)
async def test_an_account_can_do_with_each_topic_what_it_is_granted_and_nothing_else(
    stack: Stack, account: str
) -> None:
    cluster = stack.kafka.login(account)

    async def refused(operation: Operation, topic: str) -> bool:
        try:
            await TRIES[operation](cluster, topic)
        except TopicAuthorizationFailedError:
            return True
        return False

    wanted = [
        (operation, topic)
        for operation in TRIES
        for topic in TOPICS
        # what a service may write, is written by it, and rubbish there would be parked
        if not (operation is Operation.WRITE and may(account, operation, topic))
    ]
    answers = await asyncio.gather(*(refused(*each) for each in wanted))
    wrong = [
        (operation, topic, answer)
        for (operation, topic), answer in zip(wanted, answers, strict=True)
        if answer is may(account, operation, topic)
    ]
    assert not wrong


async def test_an_invitation_is_read_by_notification_alone(
    practice: Practice, stack: Stack
) -> None:
    created = await practice.create()
    await practice.shows(created["id"], "delivered")
    async with reading(stack, REQUESTED.name) as consumer:  # it is there
        async for record in consumer:
            if record.key.decode() == created["id"]:
                break
    for account in ("scheduling", "status", OTHER_SYSTEM):
        with pytest.raises(TopicAuthorizationFailedError):
            await read(stack.kafka.login(account), REQUESTED.name)


async def test_another_system_can_not_join_a_service_s_group(stack: Stack) -> None:
    """It would take partitions, and their events, away from the service."""
    consumer = stack.kafka.login(OTHER_SYSTEM).consumer(
        "clinic.invitations.outcomes.v1", group_id="status"
    )
    try:
        with pytest.raises(GroupAuthorizationFailedError):
            await asyncio.wait_for(consumer.start(), PATIENCE)
    finally:
        await consumer.stop()


@pytest.mark.parametrize("account", EVERYBODY)
async def test_no_account_grants_itself_more_or_makes_topics(stack: Stack, account: str) -> None:
    cluster = stack.kafka.login(account)
    with pytest.raises(ClusterAuthorizationFailedError):
        await acls.grant(cluster)
    admin = cluster.admin()
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic("clinic.mine", 1, 1)])
    finally:
        await admin.close()
    assert [for_code(code) for _, code, *_ in answer.topic_errors] == [
        TopicAuthorizationFailedError
    ]


@pytest.mark.parametrize("security", ["plaintext", "sasl_plaintext"])
@pytest.mark.parametrize("port", ["kafka", "kafka_controller"])
async def test_without_a_login_nobody_is_let_in(
    stack: Stack, security: Security, port: str
) -> None:
    address = f"127.0.0.1:{getattr(stack.ports, port)}"
    known = stack.kafka.login(ADMIN)
    for name in (ADMIN, CONTROLLER, "stranger"):
        stranger = replace(
            known, bootstrap=address, security=security, username=name, password="guessed"
        )
        admin = stranger.admin(request_timeout_ms=2000)
        with pytest.raises((KafkaConnectionError, TimeoutError)):
            async with asyncio.timeout(NO_ANSWER):
                await admin.start()
        await admin.close()
