"""Tells Kafka who may do what, as contracts/access.py has it (ACLs, KIP-11 and KIP-290)."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaTimeoutError, for_code
from aiokafka.protocol.admin import CreateAclsRequest, DescribeAclsRequest

from chassis.kafka import Cluster
from contracts.access import Grant, Operation, Resource, grants

# The numbers of the protocol (org.apache.kafka.common.acl and .resource).
RESOURCE = {Resource.TOPIC: 2, Resource.GROUP: 3}
OPERATION = {Operation.READ: 3, Operation.WRITE: 4, Operation.DELETE: 6}
ANY, LITERAL, PREFIXED, ALLOW = 1, 3, 4, 3
EVERY_HOST = "*"

KNOWN_WITHIN = 30.0  # seconds until the broker goes by what was written
POLL = 0.02  # seconds between two looks

Entry = tuple[int, str, int, str, str, int, int]


class CreateAll(CreateAclsRequest):  # type: ignore[misc] # aiokafka has no types
    """Many entries at once, where aiokafka's own request has one."""

    def __init__(self, entries: Collection[Entry]) -> None:
        self._entries = list(entries)

    def build(self, request_struct_class: Any) -> Any:
        """The request as the broker wants it."""
        return request_struct_class(self._entries)


async def grant(cluster: Cluster, wanted: Sequence[Grant] | None = None) -> None:
    """Allow what is missing, and return once the broker goes by it. Raises KafkaError."""
    entries = {_entry(each) for each in (grants() if wanted is None else wanted)}
    client = AIOKafkaClient(**cluster.arguments)
    await client.bootstrap()
    try:
        node = client.get_random_node()
        missing = entries - await _there(client, node)
        if not missing:
            return
        answer = await client.send(node, CreateAll(missing))
        for code, _ in answer.creation_responses:
            if code:
                raise for_code(code)
        try:
            async with asyncio.timeout(KNOWN_WITHIN):
                while missing - await _there(client, node):  # noqa: ASYNC110 - a broker's state
                    await asyncio.sleep(POLL)
        except TimeoutError:
            raise KafkaTimeoutError from None
    finally:
        await client.close()


def _entry(each: Grant) -> Entry:
    pattern = PREFIXED if each.prefixed else LITERAL
    principal, operation = f"User:{each.account}", OPERATION[each.operation]
    return RESOURCE[each.resource], each.name, pattern, principal, EVERY_HOST, operation, ALLOW


async def _there(client: AIOKafkaClient, node: int) -> set[Entry]:
    question = DescribeAclsRequest(ANY, None, ANY, None, None, ANY, ANY)
    answer = await client.send(node, question)
    if answer.error_code:
        raise for_code(answer.error_code)
    return {
        (kind, name, pattern, *entry)
        for kind, name, pattern, entries in answer.resources
        for entry in entries
    }
