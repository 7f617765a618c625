"""Who may do what at Kafka, against what the services do."""

import importlib
from types import ModuleType

import pytest

from contracts.access import ACCOUNTS, OTHER_SYSTEM, Grant, Operation, Resource, grants
from contracts.topics import REQUESTED, TOPICS
from local.modules import SERVICES

READING = {
    "scheduling": "events",
    "notification": "requests",
    "status": "events",
    "webhooks": "events",
}


def module(service: str) -> ModuleType:
    return importlib.import_module(f"services.{service}.{READING[service]}")


def allowed(operation: Operation, resource: Resource = Resource.TOPIC) -> set[tuple[str, str]]:
    return {
        (each.account, each.name)
        for each in grants()
        if each.operation is operation and each.resource is resource
    }


def test_every_service_has_an_account() -> None:
    assert set(ACCOUNTS) == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_read_what_it_reads_and_no_more(service: str) -> None:
    reading = {topic.name for topic in module(service).TOPICS}
    # what it has told itself, after a restore
    reading |= {each.name for each in TOPICS if each.read_back and each.producer == service}
    erasing = {REQUESTED.dead_letters.name} if service == "notification" else set()
    assert {name for who, name in allowed(Operation.READ) if who == service} == reading | erasing
    assert (service, module(service).GROUP) in allowed(Operation.READ, Resource.GROUP)


def test_only_the_producer_of_a_topic_writes_it() -> None:
    for topic in TOPICS:
        writers = {who for who, name in allowed(Operation.WRITE) if name == topic.name}
        assert writers == {topic.producer}


def test_only_notification_reads_patients_data_and_takes_it_out_again() -> None:
    for name in (REQUESTED.name, REQUESTED.dead_letters.name):
        for operation in (Operation.READ, Operation.DELETE):
            assert {who for who, what in allowed(operation) if what == name} == {"notification"}


def test_other_systems_read_what_holds_no_patient_data_in_groups_of_their_own() -> None:
    of_others = {each for each in grants() if each.account == OTHER_SYSTEM}
    public = {topic.name for topic in TOPICS if not topic.patient_data}
    assert of_others == {
        Grant(OTHER_SYSTEM, Operation.READ, Resource.GROUP, OTHER_SYSTEM, prefixed=True),
        *(Grant(OTHER_SYSTEM, Operation.READ, Resource.TOPIC, name) for name in public),
    }
    assert not any(account.startswith(OTHER_SYSTEM) for account in ACCOUNTS)
