"""Writes the checked-in descriptions of the contracts from the code, or checks that they are fresh.

    python -m tools.generate            writes
    python -m tools.generate --check    exits with 1 and names each stale file

It looks into the services for their OpenAPI, docs/settings.md and the settings that the Helm chart
takes, and into the contracts for docs/kafka.md and the chart's topics and accounts.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml

from chassis.openapi import CONTACT
from chassis.service import Application
from contracts.access import OTHER_SYSTEM
from contracts.events import Event
from contracts.sealed_bodies import CONTENT_TYPE
from contracts.topics import EVENT_OF, TOPIC_OF, TOPICS, Topic
from tools import access_table, chart, grafana, settings_table

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts"
SERVICES = ("scheduling", "notification", "status")

HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "ce_subject"],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {
            "type": "string",
            "format": "uuid",
            "description": "UUIDv7; the same on repeats.",
        },
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "format": "uri-reference"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {
            "type": "string",
            "format": "uuid",
            "description": "The appointment id; of DailyMailRequested the practice's.",
        },
        "ce_signature": {
            "type": "string",
            "pattern": r"^\d{1,3}\.[\w-]{86}$",
            "description": "Ed25519 by the producer, `<key number>.<base64url>`, over ce_id, "
            'ce_type, ce_source, ce_time, ce_subject and the body, behind „einladung/event/v1"; '
            "before each part its length in 4 bytes, big-endian. Other systems may ignore it.",
        },
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
}
SEALED_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": [*HEADERS["required"], "ce_sealed"],
    "properties": HEADERS["properties"]
    | {
        "ce_sealed": {
            "type": "string",
            "pattern": r"^\d{1,3}$",
            "description": "Number of notification's key for which the body, as the schema has it, "
            "is sealed by HPKE (RFC 9180: base mode, X25519, HKDF-SHA256, AES-256-GCM, info "
            '„einladung/body/v1"). Without this header the body is in clear.',
        },
        "content-type": {"type": "string", "const": CONTENT_TYPE},
    },
}

# How a system logs in; which of these, and where, each installation says.
LOGINS: dict[str, Any] = {
    "scram": {
        "type": "scramSha512",
        "description": "The account's name and password, over TLS.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "OAUTHBEARER with a token of the installation's identity provider.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": "https://login.example.org/token",
                "availableScopes": {},
            }
        },
    },
    "certificate": {"type": "X509", "description": "A client certificate (mutual TLS)."},
}
SERVER: dict[str, Any] = {
    "host": "kafka.example.org:9093",
    "pathname": "",  # FastStream's reader of AsyncAPI wants one
    "protocol": "kafka-secure",
    "description": "As an installation names it. Other systems read the topics without patient "
    f'data, in consumer groups whose names begin with „{OTHER_SYSTEM}"; nobody but the producer '
    "writes.",
    "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in LOGINS],
}


def json_schema(event: type[Event]) -> dict[str, Any]:
    """JSON Schema 2020-12 of an event's body."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{event.type.replace('.', ':')}",
        **event.model_json_schema(mode="serialization"),
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of all topics; Modelina, as of 5, does not know 3.1."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Einladung",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in Kafka's binary content mode. The key of every "
            "message is the appointment id, of DailyMailRequested the practice's. Within v1 there "
            "are only additions.",
            "contact": CONTACT,
            "license": {"name": "Apache-2.0"},
            "tags": [
                {"name": "events", "description": "What became of appointments and messages."}
            ],
        },
        "defaultContentType": "application/json",
        "servers": {"production": SERVER},
        "channels": {_channel_id(topic): _channel(topic) for topic in TOPICS},
        "operations": {
            f"receive_{_channel_id(topic)}": {
                "action": "receive",
                "summary": f"Follow {topic.name}.",
                "description": _following(topic),
                "channel": {"$ref": f"#/channels/{_channel_id(topic)}"},
            }
            for topic in TOPICS
        },
        "components": {
            "securitySchemes": LOGINS,
            "schemas": {"CloudEventHeaders": HEADERS, "SealedEventHeaders": SEALED_HEADERS},
            "messages": {event.__name__: _message(event) for event in EVENT_OF.values()},
        },
    }


def openapi(service: str) -> dict[str, dict[str, Any]]:
    """OpenAPI 3.1 of one service, and of what it offers operators, by the file's name."""
    settings = importlib.import_module(f"services.{service}.settings").Settings
    app: Application = importlib.import_module(f"services.{service}.app").build(
        settings.model_construct()
    )
    found = {service: app.openapi(), f"{service}-operations": app.operations.openapi()}
    return {name: description for name, description in found.items() if description["paths"]}


def files() -> dict[Path, str]:
    """Every generated file with its content."""
    found = {
        CONTRACTS / "schemas" / f"{event.__name__}.json": _json(json_schema(event))
        for event in EVENT_OF.values()
    }
    found[CONTRACTS / "asyncapi.yaml"] = yaml.safe_dump(asyncapi(), sort_keys=False, width=100)
    for service in SERVICES:
        for name, description in openapi(service).items():
            found[CONTRACTS / "openapi" / f"{name}.json"] = _json(description)
    found[ROOT / "docs" / "settings.md"] = settings_table.page()
    found[ROOT / "docs" / "kafka.md"] = access_table.page()
    found[chart.CHART / "values.schema.json"] = chart.schema()
    found[chart.CHART / "files" / "contract.json"] = chart.contract()
    found[chart.CHART / "files" / "grafana.json"] = grafana.board()
    return found


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": topic.purpose,
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in topic.events
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {"retention.ms": topic.retention_ms},
                "bindingVersion": "0.5.0",
            }
        },
    }


def _following(topic: Topic) -> str:
    readers = "notification alone" if topic.patient_data else "other systems, too"
    return (
        f"{topic.purpose} Read by {readers}. An event may come again, with the same `ce_id`, and "
        "those of one appointment come in order within a topic, not between topics."
    )


def _message(event: type[Event]) -> dict[str, Any]:
    headers = "SealedEventHeaders" if TOPIC_OF[event].patient_data else "CloudEventHeaders"
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": (event.__doc__ or "").partition("\n")[0],
        "contentType": "application/json",
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        # Without a schemaFormat, which would be truer: tools then read it as it is, and generate
        # fields that are required and unions that are ones.
        "payload": {"$ref": f"./schemas/{event.__name__}.json"},
        "bindings": {
            "kafka": {"key": {"type": "string", "format": "uuid"}, "bindingVersion": "0.5.0"}
        },
    }


def _channel_id(topic: Topic) -> str:
    return topic.name.removeprefix("clinic.").removesuffix(".v1").replace(".", "_")


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    check = parser.parse_args().check
    stale = [
        (path, content)
        for path, content in files().items()
        if not path.exists() or path.read_text() != content
    ]
    for path, content in stale:
        name = path.relative_to(ROOT)
        if check:
            print(f"{name} is stale: run make generate", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            print(f"wrote {name}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
