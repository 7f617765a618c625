"""How the demo's and the tests' Kafka is set up, wherever it runs: one node that lets in accounts.

Clients log in by SCRAM; node and controller, which are one process, know each other by a password
of their own (PLAIN: SCRAM needs the metadata that it would open). No account but the administrator
may do what contracts/access.py does not say. Plain connections are for a loopback address or the
containers' own network.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chassis.kafka import Cluster
from contracts.access import ACCOUNTS, OTHER_SYSTEM
from local import secret_files

# Constant, as the folder decides what is in it, not the cluster's name.
CLUSTER_ID = "ZWlubGFkdW5nLWxvY2FsMQ"
ADMIN, CONTROLLER = "admin", "controller"
LOGINS = (ADMIN, *ACCOUNTS, OTHER_SYSTEM)
PROPERTIES_FILE, USERS_FILE, START_FILE = "server.properties", "users", "start"
ACCOUNTS_FILE = "accounts.json"

SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


def make_passwords() -> str:
    """A password for every login and for the controller, as JSON."""
    return json.dumps({name: secret_files.key() for name in (*LOGINS, CONTROLLER)})


def login(bootstrap: str, name: str, password: str) -> Cluster:
    """Kafka as an account of it."""
    return Cluster(bootstrap, security="sasl_plaintext", username=name, password=password)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where clients come in: `bind` is host:port, `advertised` what they are sent on to."""

    name: str
    bind: str
    advertised: str
    security: str = "SASL_PLAINTEXT"


def properties(
    listeners: Sequence[Listener],
    *,
    controller_port: int,
    data: str,
    passwords: Mapping[str, str],
    more: Mapping[str, object] | None = None,
) -> str:
    """The broker's server.properties. The first listener is the node's own."""
    controller = f"127.0.0.1:{controller_port}"
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": ",".join(
            [*(f"{each.name}://{each.bind}" for each in listeners), f"CONTROLLER://{controller}"]
        ),
        "advertised.listeners": ",".join(f"{each.name}://{each.advertised}" for each in listeners),
        "listener.security.protocol.map": ",".join(
            [*(f"{each.name}:{each.security}" for each in listeners), "CONTROLLER:SASL_PLAINTEXT"]
        ),
        "inter.broker.listener.name": listeners[0].name,
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": _jaas(
            PLAIN, CONTROLLER, passwords[CONTROLLER], accepts=True
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:{CONTROLLER}",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        # one node has no one to replicate to
        "default.replication.factor": 1,
        "min.insync.replicas": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 5,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # consumers start at once instead of waiting for others to join
        "group.initial.rebalance.delay.ms": 0,
    }
    for each in listeners:
        settings[f"listener.name.{each.name.lower()}.scram-sha-512.sasl.jaas.config"] = _jaas(
            SCRAM, ADMIN, passwords[ADMIN]
        )
    return "".join(f"{name}={value}\n" for name, value in (settings | dict(more or {})).items())


def users(passwords: Mapping[str, str]) -> str:
    """Arguments of `kafka-storage format`, as it reads them from @file: who may log in."""
    return "".join(f"--add-scram\nSCRAM-SHA-512=[{_scram(name, passwords)}]\n" for name in LOGINS)


def start_script(folder: str) -> str:
    """What a container runs: format on the first start, then the broker. The files are there."""
    tools, settings = "/opt/kafka/bin", f"{folder}/{PROPERTIES_FILE}"
    return (
        "set -e\n"
        f"{tools}/kafka-storage.sh format --ignore-formatted --cluster-id {CLUSTER_ID}"
        f" --config {settings} @{folder}/{USERS_FILE} >/dev/null\n"
        f"exec {tools}/kafka-server-start.sh {settings}\n"
    )


def _scram(name: str, passwords: Mapping[str, str]) -> str:
    return f"name={name},password={passwords[name]}"


def _jaas(module: str, name: str, password: str, *, accepts: bool = False) -> str:
    also = f' user_{name}="{password}"' if accepts else ""
    return f'{module} required username="{name}" password="{password}"{also};'
