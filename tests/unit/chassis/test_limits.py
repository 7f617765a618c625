"""What a request costs is bounded, a stranger's too: to read it, and to tell what is wrong."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict

from chassis import problems
from chassis.limits import MAX_PARAMETERS, Limits
from chassis.parameters import MOST_NAMED, STRICT
from chassis.problems import MOST_ERRORS, FieldError, InvalidInput
from chassis.said import Said

SHORT = [f"{first}{second}" for first in "abcdefghij" for second in range(1000)]


class Form(BaseModel):
    """A body that takes nothing that it does not know."""

    model_config = ConfigDict(extra="forbid")


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    routes = APIRouter()

    @routes.get("/numbers")
    async def numbers(number: Annotated[list[int], Query()], most: int = 1) -> int:
        return len(number) + most

    @routes.post("/form")
    async def form(given: Form) -> None: ...

    @routes.get("/faults")
    async def faults() -> None:
        raise InvalidInput([FieldError("x", "missing", Said("Fehlt.", "It lacks."))] * 5000)

    @routes.get("/cookies")
    async def cookies(request: Request) -> dict[str, str]:
        return request.cookies

    app.include_router(routes, **STRICT)
    app.add_middleware(Limits, max_body_bytes=64 * 1024)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", trust_env=False
    ) as client:
        yield client


def query(names: Iterable[str], value: Any = "") -> str:
    return "&".join(f"{name}={value}" for name in names)


async def test_a_query_has_as_many_parameters_as_any_list_of_ids_needs(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"/numbers?{query(['number'] * MAX_PARAMETERS, 1)}")
    assert (answer.status_code, answer.json()) == (200, MAX_PARAMETERS + 1)
    for too_many in (query(SHORT), query(["number"] * (MAX_PARAMETERS + 1), 1), "&" * 60_000):
        answer = await client.get(f"/numbers?{too_many}")
        assert (answer.status_code, answer.json()["code"]) == (431, "head-too-large")


async def test_of_unknown_parameters_some_are_named_and_whatever_is_wrong_with_known_ones(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get(f"/numbers?number=x&most=x&{query(SHORT[:500])}")
    errors = answer.json()["errors"]
    assert answer.status_code == 422
    assert [each["field"] for each in errors] == ["number.0", "most", *SHORT[:MOST_NAMED]]


async def test_however_much_is_wrong_the_answer_is_bounded(client: httpx.AsyncClient) -> None:
    for answer in (
        await client.get(f"/numbers?{query(['number'] * 500, 'x')}"),
        await client.post("/form", json=dict.fromkeys(SHORT[:5000], 1)),
        await client.get("/faults"),
    ):
        assert answer.status_code == 422
        assert len(answer.json()["errors"]) == MOST_ERRORS


async def test_a_cookie_that_python_may_read_in_quadratic_time_is_not_read(
    client: httpx.AsyncClient,
) -> None:
    slow = 'slow="' + "\\" * 2000 + '"'
    for sent in (f"{slow}; ours=x; b=y", f"ours=x; {slow};b=y", f"ours=x; b=y;{slow}"):
        answer = await client.get("/cookies", headers={"Cookie": sent})
        assert answer.json() == {"ours": "x", "b": "y"}
    assert (await client.get("/cookies", headers={"Cookie": slow})).json() == {}
