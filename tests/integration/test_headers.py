"""Safe headers on every answer: every route of every process, whatever it answers."""

import re
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from chassis.headers import HSTS, SAFE
from dashboard.app import build as dashboard
from dashboard.settings import Settings as DashboardSettings
from services.notification.app import build as notification
from services.notification.settings import Settings as NotificationSettings
from services.scheduling.app import build as scheduling
from services.scheduling.settings import Settings as SchedulingSettings
from services.status.app import build as status
from services.status.settings import Settings as StatusSettings
from tests.conftest import Stack
from tests.support import Practice, http_client

BUILT = {
    "scheduling": lambda: scheduling(SchedulingSettings.model_construct()),
    "notification": lambda: notification(NotificationSettings.model_construct()),
    "status": lambda: status(StatusSettings.model_construct()),
    "dashboard": lambda: dashboard(
        DashboardSettings.model_construct(public_url="http://127.0.0.1:8400")
    ),
}
SOME = "01932c7e-5a00-7000-8000-00000000000f"

LOCAL = {
    "mailbox": ("/", "/style.css", "/messages/none", "/api/messages", "/nothing", "/docs"),
    "phones": ("/", "/style.css", "/api/messages", "/nothing", "/docs"),
    "identity": ("/authorize", "/logout", "/jwks", "/style.css", "/nothing", "/docs"),
}


def routes(router: FastAPI | APIRouter) -> Iterator[tuple[str, str]]:
    """Method and path of every route; FastAPI keeps those of an included router in it."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from routes(included)
        elif isinstance(route, APIRoute):
            for method in sorted(route.methods or ()):
                yield method, re.sub(r"{[^}]+}", SOME, route.path)


def check(answer: httpx.Response, where: str) -> None:
    for name in SAFE:
        assert name.lower() in answer.headers, (where, name)
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in answer.headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'", where
    assert policy["frame-ancestors"] == "'none'", where
    assert policy["base-uri"] == "'none'", where
    assert "script-src" not in policy or policy["script-src"] == "'self'", where
    assert answer.headers["x-content-type-options"] == "nosniff", where
    assert answer.headers["x-frame-options"] == "DENY", where
    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}, where
    assert "server" not in answer.headers, where


@pytest.mark.parametrize("name", BUILT)
async def test_every_route_answers_with_safe_headers(
    stack: Stack, practice: Practice, name: str
) -> None:
    found = list(routes(BUILT[name]()))
    assert len(found) > 1, found
    unknown = [("GET", "/nothing"), ("PUT", "/v1/practice"), ("GET", "/docs")]
    if name == "dashboard":
        unknown += [("GET", "/static/main.js"), ("GET", "/static/none.js")]
    token = {"Authorization": f"Bearer {stack.token(practice.id)}"}
    async with http_client(base_url=stack.url(name)) as client:
        for method, path in [*found, *unknown]:
            for headers in ({}, token):
                async with client.stream(method, path, headers=headers) as answer:
                    check(answer, f"{method} {path}")
                    kept = answer.headers["cache-control"]
                    open_ = path.startswith("/static/") or path == "/v1/jwks"
                    assert open_ or kept == "no-store", path
        assert (await client.get("/docs")).status_code in {400, 404}


@pytest.mark.parametrize("name", BUILT)
async def test_what_operations_ask_for_has_them_too(stack: Stack, name: str) -> None:
    url = stack.operations_url(name)
    async with http_client(base_url=url) as client:
        for method, path in [*routes(BUILT[name]().operations), ("GET", "/nothing")]:
            check(await client.request(method, path), f"{method} {path}")


@pytest.mark.parametrize("name", LOCAL)
async def test_the_pages_of_the_demo_have_them_too(stack: Stack, name: str) -> None:
    async with http_client(base_url=stack.url(name)) as client:
        for path in LOCAL[name]:
            check(await client.get(path), path)


async def test_an_unexpected_error_has_them_too() -> None:
    app = scheduling(SchedulingSettings.model_construct(environment="production"))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/v1/jwks")  # nothing was started
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    check(answer, "500")
    assert answer.headers["strict-transport-security"] == HSTS


@pytest.mark.parametrize("environment", ["local", "production"])
async def test_https_is_asked_for_where_there_is_https(
    environment: Literal["local", "production"],
) -> None:
    app = scheduling(SchedulingSettings.model_construct(environment=environment))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        answer = await client.get("/health/live")
    assert ("strict-transport-security" in answer.headers) == (environment == "production")
