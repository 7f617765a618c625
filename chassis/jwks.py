"""The public keys (JWK Set, RFC 7517) that an issuer signs its tokens with."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from multidict import CIMultiDict

from chassis.kept_connections import USED_AGAIN_WITHIN
from chassis.problems import KnownProblem
from chassis.said import Said

log = structlog.get_logger(__name__)

MAX_AGE = 600.0  # seconds until keys are asked for anew: a withdrawn key holds no longer
RETRY = 10.0  # seconds between two requests, whatever key ids callers make up
FIRST_RETRY = 1.0  # seconds, while no keys are known at all
TIMEOUT = httpx.Timeout(5.0)
CONNECTIONS = 50  # to one issuer
MOST_BYTES = 256 * 1024
MOST_LOGGED = 20  # keys left out, of one set
KID_LENGTH = 100  # of what is logged

ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "ES384", "PS256", "RS256"]
# What a public key for one of them is made of (RFC 7518, section 6; RFC 8037, section 2).
_MEMBERS = {"RSA": ["n", "e"], "EC": ["crv", "x", "y"], "OKP": ["crv", "x"]}
_CURVES = {"EC": ["P-256", "P-384"], "OKP": ["Ed25519", "Ed448"]}
_COMMON = ["kty", "use", "key_ops", "alg", "kid"]


class KeysUnavailable(KnownProblem):
    """503: the issuer's keys were never read, so no token can be judged."""

    status = 503
    type_ = "keys-unavailable"
    title = Said("Token sind gerade nicht prüfbar.", "Tokens can't be checked now.")
    advice = Said(
        "Nach `Retry-After` Sekunden wiederholen; es ist nichts geschehen.",
        "Repeat it after `Retry-After` seconds; nothing was done.",
    )
    headers_ = CIMultiDict({"Retry-After": "2"})


class NoUsableKey(ValueError):
    """A text is no JWK Set, or none of its keys is one that signatures can be checked with."""


class NotUnderstood(Exception):
    """One key of a set can't be used; the message says why, without any of its material."""


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
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.warning("keys not read", error=type(error).__qualname__)
        self._next_try = self._now() + (FIRST_RETRY if self._keys is None else RETRY)


def key_source(place: str, tls: ssl.SSLContext | None = None) -> Keys:
    """Keys at a URL, asked for as `tls` says, or in a file.

    Raises OSError, ValueError for a file without usable ones.
    """
    if not is_url(place):
        try:
            return FixedKeys(read_keys(Path(place).read_text()))
        except (OSError, ValueError) as error:
            # Said here: what ends a start is logged without its text (chassis/logs.py).
            why = str(error) if isinstance(error, NoUsableKey) else type(error).__qualname__
            log.error("keys not read", file=place, why=why)
            raise

    async def fetch() -> KeySet:
        async with client_for(place, tls=tls) as client:
            return await fetch_keys(client, place)

    return FetchedKeys(fetch)


async def fetch_keys(client: httpx.AsyncClient, url: str) -> KeySet:
    """The keys at `url`. Raises httpx.HTTPError, httpx.InvalidURL, ValueError."""
    response = await client.get(url)
    response.raise_for_status()
    if len(response.content) > MOST_BYTES:
        raise ValueError("too many keys")
    return read_keys(response.text)


def read_keys(text: str) -> KeySet:
    """The keys of a JWK Set that signatures can be checked with. Raises NoUsableKey.

    A key that is not understood is left out and costs the others nothing (RFC 7517, section 5).
    """
    keys: list[Key] = []
    left_out: list[dict[str, str | None]] = []
    for listed in _listed_keys(text):
        try:
            keys.append(_read_key(listed))
        except NotUnderstood as error:
            left_out.append({"kid": _kid(listed), "why": str(error)})
    if left_out:
        log.info("keys left out", count=len(left_out), keys=left_out[:MOST_LOGGED])
    if not keys:
        raise NoUsableKey(f"no key to check signatures with, of {len(left_out)}")
    return KeySet(keys)


def _listed_keys(text: str) -> list[Any]:
    try:
        listed = json.loads(text)["keys"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise NoUsableKey("not a JWK Set") from None
    if not isinstance(listed, list):
        raise NoUsableKey("not a JWK Set")
    return listed


def _read_key(listed: Any) -> Key:
    """One public key; members beyond those it needs are ignored (RFC 7517, section 4)."""
    if not isinstance(listed, dict):
        raise NotUnderstood("no JSON object")
    kty = listed.get("kty")
    if not isinstance(kty, str) or kty not in _MEMBERS:
        raise NotUnderstood("kty unknown")
    if listed.get("use", "sig") != "sig":
        raise NotUnderstood("use is not sig")
    if listed.get("alg", ALGORITHMS[0]) not in ALGORITHMS:
        raise NotUnderstood("alg not accepted")
    operations = listed.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise NotUnderstood("key_ops without verify")
    if kty in _CURVES and listed.get("crv") not in _CURVES[kty]:
        raise NotUnderstood("crv unknown")
    needed = {name: listed[name] for name in _COMMON + _MEMBERS[kty] if name in listed}
    try:
        return JWKRegistry.import_key(needed)
    except JoseError as error:  # names members, and no value of them
        raise NotUnderstood(error.description) from None
    except ValueError:
        raise NotUnderstood("members that make no key") from None


def _kid(listed: Any) -> str | None:
    kid = listed.get("kid") if isinstance(listed, dict) else None
    return ascii(kid[:KID_LENGTH])[1:-1] if isinstance(kid, str) else None


def client_for(
    url: str, *, internally: str = "", tls: ssl.SSLContext | None = None
) -> httpx.AsyncClient:
    """A client for an issuer. A proxy from the environment may carry only what is encrypted.

    `internally` is where requests to the issuer go instead, under the Host of its own address.
    """

    async def take_inner_way(request: httpx.Request) -> None:
        asked = str(request.url)
        if internally and asked.startswith(f"{url.rstrip('/')}/"):
            request.url = httpx.URL(internally.rstrip("/") + asked[len(url.rstrip("/")) :])

    return httpx.AsyncClient(
        verify=tls or True,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=USED_AGAIN_WITHIN),
        trust_env=(internally or url).startswith("https:"),
        event_hooks={"request": [take_inner_way]},
    )


def is_url(place: str) -> bool:
    """Whether this is meant as a URL, not as a file."""
    return place.startswith(("http:", "https:"))
