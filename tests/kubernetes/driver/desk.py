"""Somebody of the practice at the dashboard: desk ADDRESS OVERALL makes an appointment there.

Logs in through the identity provider as a browser does, and waits until the appointment shows what
it is to show; prints its indicator.
"""

import asyncio
import json
import ssl
import sys
import time
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from tests.kubernetes.driver.traffic import AUTHORITY, Json, form

DASHBOARD = "https://einladung-dashboard.einladung-test:8400"
ORIGIN = "https://termine.example.org"
PATIENCE = 90.0  # seconds
POLL = 0.5  # seconds


class Desk:
    """A browser that knows the dashboard by its public name."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, method: str, path: str, **how: object) -> httpx.Response:
        """What the dashboard answers."""
        headers = {
            "Host": urlsplit(ORIGIN).netloc,
            "Origin": ORIGIN,
            "Idempotency-Key": uuid4().hex,
        }
        url = DASHBOARD + path
        return await self._http.request(method, url, headers=headers, **how)  # type: ignore[arg-type]

    async def log_in(self) -> None:
        """Through the identity provider."""
        asked = await self.ask("GET", "/login")
        assert asked.status_code == 303, asked.text
        picked = await self._http.post(asked.headers["location"], data={"person": "praxis"})
        assert picked.status_code == 303, picked.text
        back = picked.headers["location"]
        assert back.startswith(ORIGIN), back
        entered = await self.ask("GET", back.removeprefix(ORIGIN))
        assert (entered.status_code, entered.headers["location"]) == (303, "/"), entered.text

    async def invite(self, address: str) -> str:
        """„Einladen"; the appointment's id."""
        made = await self.ask("POST", "/api/scheduling/appointments", json=form(address))
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def shows(self, id_: str, overall: str) -> Json:
        """What it shows in the end."""
        deadline = time.monotonic() + PATIENCE
        shown: Json = {}
        while shown.get("overall") != overall and time.monotonic() < deadline:
            await asyncio.sleep(POLL)
            answer = await self.ask("GET", f"/api/status/indicators/{id_}")
            shown = answer.json()
        return shown


async def main(address: str, overall: str) -> None:
    """From the login to the tick or the mark."""
    context = ssl.create_default_context(cafile=AUTHORITY)
    async with httpx.AsyncClient(verify=context, timeout=30) as http:
        desk = Desk(http)
        await desk.log_in()
        print(json.dumps(await desk.shows(await desk.invite(address), overall)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
