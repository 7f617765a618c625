"""At every route of the APIs: a parameter it does not know is refused, and 405 says what goes."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from chassis.service import Application
from services.notification.app import build as notification
from services.notification.settings import Settings as NotificationSettings
from services.scheduling.app import build as scheduling
from services.scheduling.settings import Settings as SchedulingSettings
from services.status.app import build as status
from services.status.settings import Settings as StatusSettings
from services.webhooks.app import build as webhooks
from services.webhooks.settings import Settings as WebhooksSettings
from tests.support.settings import NOTIFICATION, SCHEDULING, SERVICE, WEBHOOKS

SCHEDULING_APP = scheduling(SchedulingSettings(**dict[str, Any](SCHEDULING)))
APPS = {
    "scheduling": SCHEDULING_APP,
    "scheduling-operations": SCHEDULING_APP.operations,
    "status": status(StatusSettings(**dict[str, Any](SERVICE))),
    "notification": notification(NotificationSettings(**dict[str, Any](NOTIFICATION))),
    "webhooks": webhooks(WebhooksSettings(**dict[str, Any](WEBHOOKS))),
}
RECEIPTS = "/v1/receipts/"  # gateways choose the address, and what they add to it


def operations() -> Iterator[Any]:
    for name, app in APPS.items():
        for path, methods in app.openapi()["paths"].items():
            if not path.startswith(RECEIPTS):
                for method in methods:
                    yield pytest.param(app, method, path, id=f"{name} {method} {path}")


async def ask(app: Application, method: str, path: str) -> httpx.Response:
    filled = re.sub(r"\{\w+\}", "0197c5b0-0000-7000-8000-000000000001", path)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", trust_env=False
    ) as client:
        return await client.request(method, filled)


@pytest.mark.parametrize(("app", "method", "path"), list(operations()))
async def test_an_unknown_parameter_is_refused_by_its_name(
    app: Application, method: str, path: str
) -> None:
    answer = await ask(app, method, f"{path}?updated_sinc=x&limit=many&from=x")
    assert answer.status_code == 422
    told = {each["field"]: each["code"] for each in answer.json()["errors"]}
    assert told["updated_sinc"] == "unknown"
    assert "422" in app.openapi()["paths"][path][method]["responses"]


async def test_what_else_is_wrong_with_a_query_is_told_with_it() -> None:
    answer = await ask(APPS["scheduling"], "GET", "/v1/appointments?datum=x&limit=0&from=x&id=1")
    assert {each["field"]: each["code"] for each in answer.json()["errors"]} == {
        "datum": "unknown",
        "limit": "out_of_range",
        "from": "invalid",
        "id.0": "invalid",
    }


@pytest.mark.parametrize(
    ("name", "path", "allowed"),
    [
        ("scheduling", "/v1/appointments", "GET, HEAD, POST"),
        ("scheduling", "/v1/appointments/{id}", "DELETE, GET, HEAD, PATCH"),
        ("scheduling", "/v1/tokens", "POST"),
        ("status", "/v1/indicators", "GET, HEAD"),
        ("webhooks", "/v1/webhooks", "GET, HEAD, POST"),
        ("webhooks", "/v1/webhooks/{id}", "DELETE, GET, HEAD, PATCH"),
        ("scheduling-operations", "/v1/admin/practices", "GET, HEAD, POST"),
    ],
)
async def test_a_method_that_does_not_go_is_answered_with_all_that_do(
    name: str, path: str, allowed: str
) -> None:
    answer = await ask(APPS[name], "PUT" if "PUT" not in allowed else "PATCH", path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
