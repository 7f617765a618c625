"""The product as its containers' users have it: compose's commands and the published ports."""

import json
import os
import subprocess
from typing import Any
from uuid import uuid4

import httpx

from local.processes import REPOSITORY
from tests.compose.__main__ import PATIENCE_OF_START
from tests.support import PATIENCE, Json, Practice, eventually

PROJECT = "einladung-test"
DASHBOARD = "http://127.0.0.1:8400"
SCHEDULING = "http://127.0.0.1:8401"
MAILBOX = "http://127.0.0.1:8426"
MAILPIT = "http://127.0.0.1:8430"
SERVICES = ("scheduling", "notification", "status", "webhooks", "dashboard")
OURS = (*SERVICES, "fhir", "mailbox", "phones", "identity-provider", "rooms")
# seconds for a command
TIMEOUT = 60.0 + int(os.environ.get(PATIENCE_OF_START, "240"))


def compose(*arguments: str) -> str:
    """Run `docker compose`, which must succeed, and return its output."""
    return docker("compose", "--project-name", PROJECT, "--progress", "quiet", *arguments)


def docker(*arguments: str) -> str:
    """Run `docker`, which must succeed, and return its output."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        timeout=TIMEOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr[-2000:]}"
    return done.stdout


def inspected(service: str) -> list[Json]:
    """What the engine knows of a service's containers."""
    ids = compose("ps", "--all", "--quiet", service).split()
    found: list[Json] = json.loads(docker("inspect", *ids))
    return found


class Desk:
    """Somebody of the practice at the dashboard, logged in."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def log_in(self) -> None:
        """Through the identity provider, as a browser goes."""
        asked = await self._http.get("/login")
        assert asked.status_code == 303, asked.text
        picked = await self._http.post(asked.headers["location"], data={"person": "praxis"})
        assert picked.status_code == 303, picked.text
        entered = await self._http.get(picked.headers["location"])
        assert (entered.status_code, entered.headers["location"]) == (303, "/"), entered.text
        assert (await self._http.get("/")).status_code == 200

    async def try_to_create(self, **changes: Any) -> httpx.Response:
        """„Einladen"."""
        own = {"Origin": DASHBOARD, "Idempotency-Key": uuid4().hex}
        form = Practice.form(**changes)
        return await self._http.post("/api/scheduling/appointments", json=form, headers=own)

    async def create(self, **changes: Any) -> Json:
        """„Einladen", which must succeed."""
        answer = await self.try_to_create(**changes)
        assert answer.status_code == 201, answer.text
        created: Json = answer.json()
        return created

    async def shows(self, created: Json, overall: str, patience: float = PATIENCE) -> Json:
        """Wait for the tick or the mark."""

        async def ask() -> Json | None:
            answer = await self._http.get(f"/api/status/indicators/{created['id']}")
            if answer.status_code != 200:
                return None
            found: Json = answer.json()
            return found if found["overall"] == overall else None

        return await eventually(ask, f"indicator {overall}", patience)


async def mails(to: str) -> list[Json]:
    """What the mailbox has for this address."""
    async with httpx.AsyncClient(base_url=MAILBOX) as http:
        found: list[Json] = (await http.get("/api/messages", params={"to": to})).json()["messages"]
        return found
