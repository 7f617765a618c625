"""The scheduling and status APIs, asked on behalf of one caller."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
from fastapi import Request, Response

from chassis.upstreams import UpstreamNoAnswer, Upstreams
from services.fhir.systems import Json, Resource

UNAUTHORIZED, CONFLICT = 401, 409
PASSED_BACK = ("Retry-After", "WWW-Authenticate", "Content-Language", "Vary")


class Refused(Exception):
    """A service has answered with a problem, which is the caller's to know as it is."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.status = answer.status_code
        self.content = answer.content
        self.other = _other(answer)
        self.headers = {
            name: answer.headers[name] for name in PASSED_BACK if name in answer.headers
        }


def _other(answer: httpx.Response) -> str | None:
    """Which appointment stands against it, where one has the same external reference."""
    if answer.status_code != CONFLICT:
        return None
    try:
        found = answer.json()["appointment_id"]
    except (ValueError, LookupError, TypeError):
        return None
    return found if isinstance(found, str) else None


async def pass_on(_request: Request, error: Exception) -> Response:
    """The answer to a caller whose request a service has refused."""
    if not isinstance(error, Refused):
        raise error
    return Response(
        error.content, error.status, error.headers, media_type="application/problem+json"
    )


@dataclass(frozen=True, slots=True)
class Apis:
    """Raises Refused, UpstreamUnavailable, UpstreamNoAnswer."""

    upstreams: Upstreams
    token: str
    accepted: Callable[[], None]  # told once a service has found that the token holds
    language: str | None = None

    async def zone(self) -> ZoneInfo:
        """On whose clock the practice is."""
        practice = await self._json("scheduling", "/v1/practice")
        return ZoneInfo(practice["time_zone"])

    async def named(self, ids: Sequence[str]) -> list[Json]:
        """Those of these appointments that there are."""
        if not ids:
            return []
        query = [("id", each) for each in ids]
        answer = await self._json("scheduling", "/v1/appointments", query)
        return list(answer["appointments"])

    async def of_days(
        self, first: date, last: date, *, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """Those that start on these days, and where the next page begins."""
        days = [("from", first.isoformat()), ("to", last.isoformat())]
        return await self._page(days, limit, cursor)

    async def changed(
        self, since: datetime, *, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """What changed then or later, deleted ones too, and where the next page begins."""
        return await self._page([("updated_since", since.isoformat())], limit, cursor)

    async def referred(
        self, references: Mapping[str, str], *, limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        """Those that have all of these references, and where the next page begins."""
        return await self._page([*references.items()], limit, cursor)

    async def _page(
        self, asked: Sequence[tuple[str, str]], limit: int, cursor: str | None
    ) -> tuple[list[Json], str | None]:
        query = [*asked, ("limit", str(limit))]
        if cursor is not None:
            query.append(("cursor", cursor))
        answer = await self._json("scheduling", "/v1/appointments", query)
        return list(answer["appointments"]), answer["next"]

    async def create(self, asked: Resource, key: str | None) -> Json:
        """A new appointment, with its invitation; once for each key."""
        answer = await self._ask(
            "scheduling",
            "POST",
            "/v1/appointments",
            headers={"Idempotency-Key": key} if key else {},
            body=asked,
        )
        found: Json = answer.json()
        return found

    async def cancel(self, appointment_id: str, if_match: str | None) -> None:
        """Delete it, and tell the patient."""
        await self._ask(
            "scheduling",
            "DELETE",
            f"/v1/appointments/{appointment_id}?notify=true",
            headers={"If-Match": if_match} if if_match else {},
        )

    async def timelines(self, appointment_ids: Sequence[str]) -> list[Json]:
        """What happened to these appointments, of which anything is known."""
        if not appointment_ids:
            return []
        query = [("appointment_id", each) for each in appointment_ids]
        answer = await self._json("status", "/v1/timelines", query)
        return list(answer["timelines"])

    async def _json(self, service: str, path: str, query: Sequence[tuple[str, str]] = ()) -> Json:
        target = f"{path}?{urlencode(query)}" if query else path
        found: Json = (await self._ask(service, "GET", target)).json()
        return found

    async def _ask(
        self,
        service: str,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Resource | None = None,
    ) -> httpx.Response:
        carried = {"Accept": "application/json", **(headers or {})}
        if self.language:
            carried["Accept-Language"] = self.language
        content = b""
        if body is not None:
            carried["Content-Type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False).encode()
        answer = await self.upstreams.request(
            service, method, target, token=self.token, headers=carried, body=content
        )
        if answer.is_success:
            self.accepted()
            return answer
        if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
            if answer.is_client_error and answer.status_code != UNAUTHORIZED:
                self.accepted()
            raise Refused(answer)
        raise UpstreamNoAnswer  # nothing of ours: something stands between
