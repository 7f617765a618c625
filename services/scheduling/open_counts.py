"""Asks the status service how much is open at a practice, with a token of our own for it."""

import asyncio
import ssl
from datetime import timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx
from pydantic import AwareDatetime, BaseModel, NonNegativeInt, ValidationError

from chassis.clock import Clock
from chassis.kept_connections import USED_AGAIN_WITHIN
from contracts.rights import Right
from services.scheduling.keys.mint import Mint

TIMEOUT = 5.0  # seconds, for the whole answer
CONNECTIONS = 2
FRESH = timedelta(minutes=15)  # an answer that rests on older knowledge is none


class CountUnknown(Exception):
    """Nobody says now how much is open. The text says why, and names no practice."""


class _Answer(BaseModel):
    """What counts of the status service's answer."""

    open_count: NonNegativeInt
    as_of: AwareDatetime | None


class OpenCounts:
    """One pool of connections to the status service."""

    def __init__(self, url: str, mint: Mint, tls: ssl.SSLContext | None, now: Clock) -> None:
        self._mint = mint
        self._now = now
        limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=USED_AGAIN_WITHIN)
        # trust_env: a proxy from the environment must not see the token.
        self._client = httpx.AsyncClient(
            base_url=url, verify=tls or True, limits=limits, timeout=TIMEOUT, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def of(self, practice_id: UUID) -> int:
        """How many coming appointments need a person. Raises CountUnknown."""
        token = self._mint.own_token(practice_id, frozenset({Right.READ_STATUS}))
        try:
            async with asyncio.timeout(TIMEOUT):
                response = await self._client.get(
                    "/v1/indicators",
                    params={"open": "true", "limit": 1},
                    headers={"Authorization": f"Bearer {token}"},
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise CountUnknown(type(error).__qualname__) from None
        if response.status_code != httpx.codes.OK:
            raise CountUnknown(f"status {response.status_code}")
        try:
            answer = _Answer.model_validate_json(response.content)
        except ValidationError:
            raise CountUnknown("not an answer") from None
        if answer.as_of is None or self._now() - answer.as_of > FRESH:
            raise CountUnknown("not up to date")
        return answer.open_count
