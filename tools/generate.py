"""Writes the checked-in descriptions of the contracts from the code, or checks that they are fresh.

    python -m tools.generate            writes, and takes away what nothing is written to any more
    python -m tools.generate --check    exits with 1 and names each stale file

It looks into the services for their OpenAPI, docs/settings.md and the settings that the Helm chart
takes, and into the contracts for docs/kafka.md, the chart's topics and accounts and the Python
client's events. docs/api/ shows what it describes. Chart and client get the product's version.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from chassis import problem_pages, problems
from chassis.openapi import CONTACT
from chassis.service import Application
from contracts.access import OTHER_SYSTEM
from contracts.envelope import schema_id
from contracts.events import Event
from contracts.problems import FILE
from contracts.sealed_bodies import CONTENT_TYPE
from contracts.topics import EVENT_OF, TOPIC_OF, TOPICS, Topic
from contracts.version import VERSION
from local.modules import SERVICES
from tools import access_table, api_pages, chart, client, grafana, settings_table

ROOT = Path(__file__).parents[1]
CONTRACTS = ROOT / "contracts"
PROBLEMS = ROOT / "docs" / "problems"
API_PAGES = ROOT / "docs" / "api"
# In which every file is generated.
FOLDERS = (CONTRACTS / "schemas", CONTRACTS / "openapi", PROBLEMS, API_PAGES)

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
        "ce_dataschema": {
            "type": "string",
            "format": "uri",
            "description": "`$id` of the schema of the body. Since 1.1.0.",
        },
        "ce_practiceid": {
            "type": "string",
            "format": "uuid",
            "description": "The practice, as in the body. Since 1.1.0.",
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

PROBLEMS_HEAD = """# Problems

Every refusal and failure of the APIs is an `application/problem+json` (RFC 9457):

- `code` is for programs, and one of these. There may be new ones within v1: go by the HTTP
  status then.
- `type` is a URI reference, resolved against the address that was asked: `/v1/problems/<code>`
  at each service shows the page of the table, without a token.
- `title`, `detail` and the `message` of each of `errors` are for people, in German, or in English
  for `Accept-Language: en`; they change without notice.
- Everything that is wrong with an input comes at once, in `errors`: `field`, `code`
  ([the list](invalid-input.md)), `message`, and maybe `options`.

For programs the same is in `contracts/problems.json`.

| code | HTTP status | English | Deutsch |
|---|---|---|---|"""


def json_schema(event: type[Event]) -> dict[str, Any]:
    """JSON Schema 2020-12 of an event's body."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_id(event),
        **event.model_json_schema(mode="serialization"),
    }


def asyncapi() -> dict[str, Any]:
    """AsyncAPI 3.0 of all topics; Modelina, as of 5, does not know 3.1."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Einladung",
            "version": VERSION,
            "description": "CloudEvents 1.0 in Kafka's binary content mode. The key of every "
            "message is the appointment id, of DailyMailRequested the practice's. Within v1 there "
            "are only additions: docs/versions.md.",
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
    schemas = {event.__name__: json_schema(event) for event in EVENT_OF.values()}
    events = asyncapi()
    apis = {name: each for service in SERVICES for name, each in openapi(service).items()}
    found = {
        CONTRACTS / "schemas" / f"{name}.json": as_json(schema) for name, schema in schemas.items()
    }
    found[CONTRACTS / "asyncapi.yaml"] = yaml.safe_dump(events, sort_keys=False, width=100)
    for name, description in apis.items():
        found[CONTRACTS / "openapi" / f"{name}.json"] = as_json(description)
    public = {name: apis[name] for name in SERVICES}
    for name, page in api_pages.pages(public, events, schemas).items():
        found[API_PAGES / name] = page
    found |= problem_docs()
    found[ROOT / "docs" / "settings.md"] = settings_table.page()
    found[ROOT / "docs" / "kafka.md"] = access_table.page()
    found |= client.files()
    found[chart.CHART / "Chart.yaml"] = chart.described()
    found[chart.CHART / "values.schema.json"] = chart.schema()
    found[chart.CHART / "files" / "contract.json"] = chart.contract()
    found[chart.CHART / "files" / "grafana.json"] = grafana.board()
    return found


def problem_docs() -> dict[Path, str]:
    """The catalogue of problems, a page of each code, and what leads to them."""
    codes = dict(problems.FIELD_CODES)
    for service in (*SERVICES, "fhir"):
        of_service = importlib.import_module(f"services.{service}.problems")
        codes |= getattr(of_service, "FIELD_CODES", {})
    importlib.import_module("dashboard.app")
    catalogue = problem_pages.of_classes(codes)
    found = {
        PROBLEMS / f"{code}.md": problem_pages.markdown(code, catalogue)
        for code in catalogue["problems"]
    }
    rows = [
        f"| [{code}]({code}.md) | {problem_pages.statuses(each)} "
        f"| {_titles(each['en'])} | {_titles(each['de'])} |"
        for code, each in catalogue["problems"].items()
    ]
    page = "\n".join([PROBLEMS_HEAD, *rows, ""])
    return found | {PROBLEMS / "README.md": page, FILE: as_json(catalogue)}


def _titles(kinds: list[dict[str, str]]) -> str:
    return " ".join(dict.fromkeys(kind["title"] for kind in kinds))


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


def as_json(content: dict[str, Any]) -> str:
    """As it is checked in."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def left_over(generated: Collection[Path]) -> list[Path]:
    """Files that were generated once, of what is gone."""
    there = (path for folder in FOLDERS for path in folder.iterdir())
    return sorted(path for path in there if path not in generated)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, name stale files")
    check = parser.parse_args().check
    wanted = files()
    stale = [
        path for path, content in wanted.items() if not path.exists() or path.read_text() != content
    ]
    gone = left_over(wanted)
    for path in (*stale, *gone):
        name = path.relative_to(ROOT)
        if check:
            print(f"{name} is stale: run make generate", file=sys.stderr)
        elif path in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[path])
            print(f"wrote {name}")
        else:
            path.unlink()
            print(f"removed {name}")
    return 1 if check and (stale or gone) else 0


if __name__ == "__main__":
    sys.exit(main())
