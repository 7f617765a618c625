"""A visitor of the dashboard: a browser without a screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from local.stack import Stack
from tests.support import http_client

SESSION = "einladung-session"


class Visitor:
    """A browser without a screen: it keeps cookies and follows no redirect by itself."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self.stack = stack
        self.http = http
        self.own = {"Origin": stack.url("dashboard"), "Sec-Fetch-Site": "same-origin"}

    async def get(self, path: str, base: str | None = None) -> httpx.Response:
        return await self.http.get((base or self.stack.url("dashboard")) + path)

    async def begin(self, query: str = "") -> str:
        """The provider's address that the dashboard sends us to."""
        answer = await self.get(f"/login{query}")
        assert answer.status_code == 303
        location = answer.headers["location"]
        assert location.startswith(self.stack.url("identity") + "/authorize?")
        return location

    async def agree(self, url: str, person: str = "praxis") -> str:
        """The address of the dashboard that the provider sends us back to."""
        answer = await self.http.post(url, data={"person": person})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def log_in(self, query: str = "", person: str = "praxis") -> httpx.Response:
        return await self.http.get(await self.agree(await self.begin(query), person))

    @property
    def session(self) -> str | None:
        return self.http.cookies.get(SESSION)


@asynccontextmanager
async def new_visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with http_client() as http:
        yield Visitor(stack, http)
