"""The public keys (JWK Set, RFC 7517) that an issuer signs its tokens with."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

import httpx
import structlog
from fastapi_problem.error import StatusProblem
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from multidict import CIMultiDict

log = structlog.get_logger(__name__)

MAX_AGE = 600.0  # seconds until keys are asked for anew: a withdrawn key holds no longer
RETRY = 10.0  # seconds between two requests, whatever key ids callers make up
FIRST_RETRY = 1.0  # seconds, while no keys are known at all
TIMEOUT = httpx.Timeout(5.0)
MOST_BYTES = 256 * 1024


class KeysUnavailable(StatusProblem):
    """503: the issuer's keys were never read, so no token can be judged."""

    status = 503
    type_ = "keys-unavailable"
    title = "Tokens can't be checked now."
    headers_ = CIMultiDict({"Retry-After": "2"})


class Keys(Protocol):
    """Where an issuer's keys come from."""

    async def having(self, kid: str | None) -> KeySet:
        """The keys, with that of id `kid` if there is one. Raises KeysUnavailable."""


class FixedKeys:
    """Keys that do not change while the process runs."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    async def having(self, kid: str | None) -> KeySet:
        """All of them."""
        return self._keys


class FetchedKeys:
    """Keys kept until they are old or a key id is unknown; an outage leaves them in force."""

    def __init__(
        self,
        fetch: Callable[[], Awaitable[KeySet]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: KeySet | None = None
        self._stale_at = self._next_try = now()
        self._lock = asyncio.Lock()

    async def having(self, kid: str | None) -> KeySet:
        """The keys, asked for anew where that may help. Raises KeysUnavailable."""
        if self._should_ask(kid) and not (self._lock.locked() and self._knows(kid)):
            async with self._lock:
                if self._should_ask(kid):
                    await self._ask()
        if self._keys is None:
            raise KeysUnavailable
        return self._keys

    def _should_ask(self, kid: str | None) -> bool:
        now = self._now()
        return now >= self._next_try and (now >= self._stale_at or not self._knows(kid))

    def _knows(self, kid: str | None) -> bool:
        return self._keys is not None and (kid is None or any(key.kid == kid for key in self._keys))

    async def _ask(self) -> None:
        try:
            self._keys = await self._fetch()
            self._stale_at = self._now() + MAX_AGE
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("keys not read", error=type(error).__qualname__)
        self._next_try = self._now() + (FIRST_RETRY if self._keys is None else RETRY)


def key_source(place: str) -> Keys:
    """Keys at a URL or in a file."""
    if not is_url(place):
        return FixedKeys(read_keys(Path(place).read_text()))

    async def fetch() -> KeySet:
        async with client_for(place) as client:
            return await fetch_keys(client, place)

    return FetchedKeys(fetch)


async def fetch_keys(client: httpx.AsyncClient, url: str) -> KeySet:
    """The keys at `url`. Raises httpx.HTTPError, JoseError, ValueError, KeyError, TypeError."""
    response = await client.get(url)
    response.raise_for_status()
    if len(response.content) > MOST_BYTES:
        raise ValueError("too many keys")
    return read_keys(response.text)


def read_keys(text: str) -> KeySet:
    """The public keys of a JWK Set; raises JoseError, ValueError, KeyError, TypeError."""
    keys = [key for key in json.loads(text)["keys"] if key.get("use", "sig") == "sig"]
    return KeySet.import_key_set({"keys": keys})


def client_for(url: str, *, internally: str = "") -> httpx.AsyncClient:
    """A client for an issuer. A proxy from the environment may carry only what is encrypted.

    `internally` is where requests to the issuer go instead, under the Host of its own address.
    """

    async def take_inner_way(request: httpx.Request) -> None:
        asked = str(request.url)
        if internally and asked.startswith(f"{url.rstrip('/')}/"):
            request.url = httpx.URL(internally.rstrip("/") + asked[len(url.rstrip("/")) :])

    return httpx.AsyncClient(
        timeout=TIMEOUT,
        trust_env=(internally or url).startswith("https:"),
        event_hooks={"request": [take_inner_way]},
    )


def is_url(place: str) -> bool:
    """Whether this is meant as a URL, not as a file."""
    return place.startswith(("http:", "https:"))
