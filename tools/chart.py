"""What the Helm chart (deploy/helm) has of the code: each component's settings, topics and rights.

`values.schema.json` is values.schema.yaml with what can be set, so that a chart's value is refused
where a setting would be; `files/contract.json` has what templates ask for; Chart.yaml has the
product's version.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from contracts.access import ACCOUNTS, OTHER_SYSTEM, Resource, grants
from contracts.topics import ALL_TOPICS, Topic
from local.modules import PROGRAMS
from tools.product import PRODUCT
from tools.settings_table import settings_of

HELM = Path(__file__).parents[1] / "deploy" / "helm"
CHART = HELM / "einladung"

# What a pod is, and where files are mounted in it, is the templates' own.
OF_THE_POD = {
    *("environment", "network", "host", "port", "operations_host", "operations_port"),
    *("tls_certificate_file", "tls_key_file", "tls_client_ca_file", "tls_ca_file"),
    *("kafka_bootstrap", "kafka_security", "kafka_mechanism", "kafka_token_url", "kafka_scope"),
    *("kafka_ca_file", "kafka_cert_file", "kafka_key_file"),
    *("auth_issuer", "auth_jwks", "intake_host", "intake_port"),
}
# Settings that the templates derive, unless they are set: from `hosts`, and they say if neither is,
# or from where the services are.
DERIVED = {"link_base_url", "public_url", "api_keys_jwks"}
# Public keys are made and rotated with the private ones, so they stand beside them.
PUBLIC_KEYS = {"event_public_keys", "request_public_keys"}
# Which of these is needed hangs on how Kafka is logged in to.
OF_THE_LOGIN = {"kafka_password", "kafka_client_secret"}


def schema() -> str:
    """values.schema.json."""
    found = yaml.safe_load((HELM / "values.schema.yaml").read_text())
    for component in PROGRAMS:
        found["$defs"] |= _settings(component)
        found["$defs"][f"{component}_secrets"] = _secrets(component)
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def contract() -> str:
    """files/contract.json."""
    found = {
        "secrets": {name: list(required_secrets(name)) for name in PROGRAMS},
        "otherSystem": OTHER_SYSTEM,
        "topics": [_topic(topic) for topic in ALL_TOPICS],
        "accounts": {name: list(_acls(name)) for name in (*ACCOUNTS, OTHER_SYSTEM)},
    }
    return json.dumps(found, indent=2) + "\n"


def described() -> str:
    """Chart.yaml, with the product's version: the chart's own, and the images'."""
    text = (CHART / "Chart.yaml").read_text()
    text = re.sub(r"^version: .*$", f"version: {PRODUCT}", text, flags=re.MULTILINE)
    return re.sub(r"^appVersion: .*$", f'appVersion: "{PRODUCT}"', text, flags=re.MULTILINE)


def required_secrets(component: str) -> Iterator[str]:
    """Names of the settings without which it does not start and which only a Secret may hold."""
    for name, field in fields(component).items():
        if field.is_required() and is_secret(name, field):
            yield name


def fields(component: str) -> Mapping[str, FieldInfo]:
    """Its settings, by their names in lower case and without prefix."""
    return settings_of(PROGRAMS[component]).model_fields


def is_secret(name: str, field: FieldInfo) -> bool:
    """Whether it has no place in a ConfigMap."""
    return "SecretStr" in str(field.annotation) or name in PUBLIC_KEYS


def _secrets(component: str) -> dict[str, Any]:
    more = [
        name
        for name, field in fields(component).items()
        if is_secret(name, field) and not field.is_required() and name not in OF_THE_LOGIN
    ]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string"},
            "more": {"type": "array", "uniqueItems": True}
            | ({"items": {"enum": more}} if more else {"maxItems": 0}),
        },
    }


def _settings(component: str) -> dict[str, Any]:
    """Of a component, with the definitions it refers to, under names of its own."""
    prefix = f"#/$defs/{component}_"
    whole = json.loads(
        json.dumps(settings_of(PROGRAMS[component]).model_json_schema()).replace("#/$defs/", prefix)
    )
    taken = {
        name: field
        for name, field in fields(component).items()
        if name not in OF_THE_POD and not is_secret(name, field)
    }
    by_alias = whole["properties"]
    prefix_of_variables = str(settings_of(PROGRAMS[component]).model_config.get("env_prefix", ""))
    properties = {
        name: _bare(by_alias.get(name) or by_alias[(prefix_of_variables + name).upper()])
        for name in taken
    }
    required = [name for name, field in taken.items() if field.is_required()]
    definitions = {f"{component}_{name}": each for name, each in whole.get("$defs", {}).items()}
    return {
        **definitions,
        f"{component}_settings": {
            "type": "object",
            "additionalProperties": False,
            "properties": properties,
            "required": [name for name in required if name not in DERIVED],
        },
    }


def _bare(described: Mapping[str, Any]) -> dict[str, Any]:
    """Without the default, which is the service's, and the title, which is the name."""
    return {name: each for name, each in described.items() if name not in {"default", "title"}}


def _topic(topic: Topic) -> dict[str, Any]:
    config = {"retention.ms": str(topic.retention_ms)}
    if topic.segment_ms is not None:
        config["segment.ms"] = str(topic.segment_ms)
    return {
        "name": topic.name,
        "partitions": topic.partitions,
        "config": config,
        "readers": list(topic.readers),
    }


def _acls(account: str) -> Iterator[dict[str, Any]]:
    """As a KafkaUser has them; what it may do with one thing together."""
    operations: dict[tuple[Resource, str, bool], list[str]] = {}
    for each in grants():
        if each.account == account:
            place = (each.resource, each.name, each.prefixed)
            operations.setdefault(place, []).append(each.operation.value)
    for (resource, name, prefixed), may in operations.items():
        pattern = "prefix" if prefixed else "literal"
        yield {
            "resource": {"type": resource.value, "name": name, "patternType": pattern},
            "operations": may,
        }
