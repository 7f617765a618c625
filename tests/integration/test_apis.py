"""Schemathesis at every API, against the running services: nothing but what is described.

Examples are the same in each run. Left out is the live stream, which has no end (test_stream).
"""

import asyncio
import base64
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from dashboard.proxy import ALLOWED
from local.services import GATEWAY_FILE
from local.sms_gateway.signing import Webhooks
from tests.conftest import Stack
from tests.support import PATIENCE, Practice
from tests.support.keys import operator_key
from tests.support.visitor import SESSION, Visitor, new_visitor

Json = dict[str, Any]

EXAMPLES = 25  # of each operation and mode
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
    allow_header_conformance,
]
REFUSALS = [400, 401, 403, 404, 409, 412, 413, 422, 431]
CONFIG = SchemathesisConfig.from_dict(
    {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}
)
STREAM = "/v1/indicators/stream"
UNTIMED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # the first failure will do: shrinking it may take minutes
    database=None,
    suppress_health_check=list(HealthCheck),
)


def described(service: str) -> Json:
    description: Json = json.loads(Path(f"contracts/openapi/{service}.json").read_text())
    description["paths"].pop(STREAM, None)
    return description


def behind_the_dashboard() -> Json:
    """What the page may ask, as the services describe it. A session stands for the token."""
    whole: Json = {"openapi": "3.1.0", "info": {"title": "dashboard", "version": "1"}, "paths": {}}
    schemas: Json = {}
    for service in ("scheduling", "status"):
        description = described(service)
        schemas |= description["components"]["schemas"]
        for path, operations in description["paths"].items():
            for method, operation in operations.items():
                if (service, path.removeprefix("/v1"), method.upper()) in allowed():
                    del operation["security"]
                    for answer in operation["responses"].values():
                        answer.get("headers", {}).pop("Location", None)  # the service's own path
                    new = path.replace("/v1", f"/api/{service}", 1)
                    whole["paths"].setdefault(new, {})[method] = operation
    return whole | {"components": {"schemas": schemas}}


def allowed() -> set[tuple[str, str, str]]:
    return {
        (service, path.replace(":uuid", ""), method)
        for service, path, methods in ALLOWED
        for method in methods
    }


DESCRIBED = {
    "scheduling": described("scheduling"),
    "status": described("status"),
    "notification": described("notification"),
    "scheduling-operations": described("scheduling-operations"),
    "dashboard": behind_the_dashboard(),
}


def operations() -> Iterator[Any]:
    for name, description in DESCRIBED.items():
        for path, methods in description["paths"].items():
            for method in methods:
                yield pytest.param(name, path, method, id=f"{name} {method.upper()} {path}")


def try_out(name: str, path: str, method: str, url: str, headers: dict[str, str]) -> None:
    """Ask what is valid and what is not; raises for the first answer that is not described."""
    valid = schemathesis.openapi.from_dict(DESCRIBED[name])[path][method]
    ask(valid.as_strategy(generation_mode=GenerationMode.POSITIVE), url, headers, CHECKS)
    # Our own token would make up for one that the fuzzer leaves out on purpose.
    operation = dict(DESCRIBED[name]["paths"][path][method])
    operation.pop("security", None)
    description = DESCRIBED[name] | {"paths": {path: {method: operation}}}
    invalid = schemathesis.openapi.from_dict(description, config=CONFIG)[path][method]
    # An unknown field in a query is no fault, as one in a body is.
    checks = [*CHECKS, negative_data_rejection] if "requestBody" in operation else CHECKS
    with suppress(Unsatisfiable):  # there is nothing in it that could be invalid
        ask(invalid.as_strategy(generation_mode=GenerationMode.NEGATIVE), url, headers, checks)


def ask(
    cases: st.SearchStrategy[Any], url: str, headers: dict[str, str], checks: list[Any]
) -> None:
    @UNTIMED
    @given(case=cases)
    def ask_one(case: Any) -> None:
        case.call_and_validate(base_url=url, headers=headers, checks=checks, timeout=PATIENCE)

    ask_one()


@pytest.mark.parametrize(("name", "path", "method"), list(operations()))
async def test_every_answer_is_a_described_one(
    stack: Stack, practice: Practice, name: str, path: str, method: str
) -> None:
    headers = {"Authorization": f"Bearer {stack.token(practice.id)}"}
    if path == "/v1/tokens":
        headers = {}
    url = stack.url(name.removesuffix("-operations"))
    if name.endswith("-operations"):
        url = stack.operations_url(name.removesuffix("-operations"))
        pair = ":".join(await operator_key(stack)).encode()
        headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    if name == "dashboard":
        async with new_visitor(stack) as visitor:
            headers = await session_headers(visitor)
    await asyncio.to_thread(try_out, name, path, method, url, headers)


async def session_headers(visitor: Visitor) -> dict[str, str]:
    await visitor.log_in(person="leitung")
    return visitor.own | {"Cookie": f"{SESSION}={visitor.session}"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
RECEIPT = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=300) | ANYTHING,
        "reference": st.uuids().map(str) | ANYTHING,
        "state": st.sampled_from(["delivered", "failed", "expired"]) | ANYTHING,
        "code": st.text(max_size=50) | ANYTHING,
        "at": st.datetimes().map(lambda at: at.isoformat() + "Z") | ANYTHING,
    },
)


async def test_a_webhook_takes_whatever_a_gateway_signs(stack: Stack) -> None:
    """With a genuine signature: a fuzzer without the secret never gets past it."""
    hooks = Webhooks((stack.folder.path / GATEWAY_FILE).read_text().strip())
    url = f"{stack.url('notification')}/v1/receipts/webhook"

    def tell_all() -> None:
        with httpx.Client(timeout=PATIENCE) as client:

            @settings(UNTIMED, max_examples=150)
            @given(st.fixed_dictionaries({"receipts": st.lists(RECEIPT, max_size=3)}) | ANYTHING)
            def tell(content: object) -> None:
                body = json.dumps(content).encode()
                answer = client.post(url, content=body, headers=hooks.headers(body))
                assert answer.status_code in {204, 400}, answer.text
                if answer.status_code == 400:
                    assert answer.json()["type"] == "not-understood"

            tell()

    await asyncio.to_thread(tell_all)
