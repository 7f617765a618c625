"""docs/kafka.md: the topics and who may do what with them, from contracts/access.py."""

from contracts.access import ACCOUNTS, OTHER_SYSTEM, Grant, Operation, Resource, grants
from contracts.topics import ALL_TOPICS, Topic

HEAD = f"""\
# Kafka: topics and accounts

Written by `make generate` from `contracts/topics.py` and `contracts/access.py`; `make check` tells
when it is stale. Why it is so is told in [adr/0023](adr/0023-kafka-is-not-for-everybody.md).

Every service logs in under a name of its own: by SCRAM-SHA-512, by OAUTHBEARER with a token of the
identity provider, or by a client certificate (`…_KAFKA_SECURITY` and what follows it in
[settings.md](settings.md)). Production refuses a plain connection. `{OTHER_SYSTEM}` stands for
another system that reads along: give each an account of its own with these rights. It reads every
practice's events, so let in only who may know the times of all. The demo, the containers and the
tests run with just these accounts and rights.
"""

TABLE = """\
## Who may do what

Read, write and delete as Kafka's ACLs have them; each includes Describe. Nobody else may anything;
topics are made, and dead letters published again, by an administrator.
"""

COMMANDS = """\
## On a cluster of your own

The brokers need `authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer`
(without `allow.everyone.if.no.acl.found`) and `auto.create.topics.enable=false`. By certificates,
`ssl.principal.mapping.rules` makes the names below of the certificates' subjects. Then, with more
replicas where there are more brokers:

```sh
login="--bootstrap-server kafka.example.org:9093 --command-config admin.properties"
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, TABLE, _table(), COMMANDS + _commands() + "```\n"])


def _table() -> str:
    accounts = (*ACCOUNTS, OTHER_SYSTEM)
    rows = [f"| `{topic.name}` | {_cells(topic.name)} |" for topic in ALL_TOPICS]
    groups = " | ".join(f"`{_group(account)}`" for account in accounts)
    head = " | ".join(f"`{account}`" for account in accounts)
    rule = "|".join(["---"] * (len(accounts) + 1))
    return "\n".join(
        [f"| topic | {head} |", f"|{rule}|", *rows, f"| consumer group | {groups} |", ""]
    )


def _cells(topic: str) -> str:
    return " | ".join(
        ", ".join(
            each.operation.value.lower()
            for each in sorted(grants(), key=lambda each: list(Operation).index(each.operation))
            if (each.account, each.name) == (account, topic)
        )
        or "–"
        for account in (*ACCOUNTS, OTHER_SYSTEM)
    )


def _group(account: str) -> str:
    [group] = {
        each.name + ("…" if each.prefixed else "")
        for each in grants()
        if each.account == account and each.resource is Resource.GROUP
    }
    return group


def _commands() -> str:
    return "".join(
        [*(_creation(topic) for topic in ALL_TOPICS), *(_permission(each) for each in grants())]
    )


def _creation(topic: Topic) -> str:
    configs = f" --config retention.ms={topic.retention_ms}"
    if topic.segment_ms is not None:
        configs += f" --config segment.ms={topic.segment_ms}"
    partitions = f" --partitions {topic.partitions} --replication-factor 3"
    return f"kafka-topics.sh $login --create --topic {topic.name}{partitions}{configs}\n"


def _permission(each: Grant) -> str:
    pattern = " --resource-pattern-type prefixed" if each.prefixed else ""
    return (
        f"kafka-acls.sh $login --add --allow-principal User:{each.account}"
        f" --operation {each.operation} --{each.resource} {each.name}{pattern}\n"
    )
