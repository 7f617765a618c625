"""The identity provider as the dashboard sees it: OpenID Connect Core 1.0, code flow with PKCE.

Everything but its issuer is read from its discovery document, when it is first needed: a provider
that is away keeps people from logging in, and the dashboard from nothing else.
"""

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx
import structlog
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from chassis.auth import CLOCK_SKEW
from chassis.jwks import ALGORITHMS, FetchedKeys, KeysUnavailable, fetch_keys

log = structlog.get_logger(__name__)

METADATA_AGE = 3600.0  # seconds
RETRY = 2.0  # seconds between two questions for it while it can't be read
MAX_BYTES = 256 * 1024


class ProviderUnavailable(Exception):
    """The provider does not answer, or not in its role."""


class LoginRefused(Exception):
    """The provider, or what it says, gives no login: the code, the token or the claims are bad."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we need of the discovery document (OpenID Connect Discovery 1.0, section 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    names_issuer: bool  # RFC 9207
    secret_by_post: bool

    @classmethod
    def read(cls, found: Mapping[str, Any], issuer: str) -> Self:
        """Raises ValueError or KeyError for a document that is not this issuer's."""
        if found["issuer"] != issuer:
            raise ValueError("the document is another issuer's")
        methods = found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        read = cls(
            authorization_endpoint=found["authorization_endpoint"],
            token_endpoint=found["token_endpoint"],
            jwks_uri=found["jwks_uri"],
            end_session_endpoint=found.get("end_session_endpoint"),
            names_issuer=found.get("authorization_response_iss_parameter_supported") is True,
            secret_by_post="client_secret_basic" not in methods,
        )
        endpoints = (
            read.authorization_endpoint,
            read.token_endpoint,
            read.jwks_uri,
            read.end_session_endpoint or issuer,
        )
        if issuer.startswith("https:") and not all(url.startswith("https:") for url in endpoints):
            raise ValueError("an address in the document is not https")
        return read


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave."""

    access_token: str
    refresh_token: str | None
    id_token: str | None


class Provider:
    """One identity provider and our client there."""

    def __init__(
        self,
        *,
        issuer: str,
        client_id: str,
        client_secret: str,
        scope: str,
        parameters: Mapping[str, str],
        client: httpx.AsyncClient,
    ) -> None:
        self.issuer = issuer
        self.keys = FetchedKeys(self._fetch_keys)
        self._client_id = client_id
        self._client_secret = client_secret
        self._scope = scope
        self._parameters = dict(parameters)
        self._client = client
        self._metadata: Metadata | None = None
        self._next_read = time.monotonic()
        self._lock = asyncio.Lock()

    async def metadata(self) -> Metadata:
        """The discovery document; an old one serves on in an outage. Raises ProviderUnavailable."""
        if time.monotonic() >= self._next_read:
            async with self._lock:
                if time.monotonic() >= self._next_read:
                    await self._discover()
        if self._metadata is None:
            raise ProviderUnavailable
        return self._metadata

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, challenge: str, anew: bool
    ) -> str:
        """Where to log in. `anew` asks for another account. Raises ProviderUnavailable."""
        endpoint = (await self.metadata()).authorization_endpoint
        parameters = {
            **self._parameters,
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": self._scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        if anew:
            parameters["prompt"] = "login"
        return _with_query(endpoint, parameters)

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Tokens:
        """Tokens for a code. Raises LoginRefused, ProviderUnavailable."""
        return await self._tokens(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": verifier,
            }
        )

    async def refresh(self, refresh_token: str) -> Tokens:
        """New tokens. Raises LoginRefused when the provider ended the login, else as above."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def identify(self, id_token: str | None, nonce: str) -> str:
        """The name in an ID token that is ours and new (Core 1.0, section 3.1.3.7).

        Raises LoginRefused, ProviderUnavailable.
        """
        try:
            unchecked = jws.extract_compact((id_token or "").encode())
            keys = await self.keys.having(unchecked.headers().get("kid"))
            claims = jwt.decode(id_token or "", keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                leeway=CLOCK_SKEW,
                iss={"essential": True, "value": self.issuer},
                aud={"essential": True, "value": self._client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
            ).validate(claims)
            if claims.get("azp", self._client_id) != self._client_id:
                raise LoginRefused("made for another client")
            if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
                raise LoginRefused("not the response to this request")
            return str(claims.get("name") or claims.get("preferred_username") or "")[:200]
        except KeysUnavailable:
            raise ProviderUnavailable from None
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise LoginRefused(type(error).__qualname__) from None

    async def end_session_url(self, id_token: str | None, *, back_to: str) -> str | None:
        """Where to log out (RP-Initiated Logout 1.0), if the provider offers that."""
        try:
            endpoint = (await self.metadata()).end_session_endpoint
        except ProviderUnavailable:
            return None
        if endpoint is None:
            return None
        parameters = {"client_id": self._client_id, "post_logout_redirect_uri": back_to}
        return _with_query(endpoint, parameters | ({"id_token_hint": id_token} if id_token else {}))

    async def _tokens(self, form: dict[str, str]) -> Tokens:
        metadata = await self.metadata()
        auth = None
        if not self._client_secret:
            form["client_id"] = self._client_id
        elif metadata.secret_by_post:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        else:  # RFC 6749, section 2.3.1
            auth = httpx.BasicAuth(quote(self._client_id, ""), quote(self._client_secret, ""))
        try:
            response = await self._client.post(
                metadata.token_endpoint,
                data=form,
                auth=auth or httpx.USE_CLIENT_DEFAULT,
                headers={"Accept": "application/json"},
            )
            if response.status_code in {400, 401, 403}:
                raise LoginRefused(f"token endpoint: {response.status_code}")
            response.raise_for_status()
            found = response.json()
            if str(found["token_type"]).lower() != "bearer":
                raise ValueError("no bearer token")
            return Tokens(
                str(found["access_token"]), found.get("refresh_token"), found.get("id_token")
            )
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("no tokens", error=type(error).__qualname__)
            raise ProviderUnavailable from None

    async def _discover(self) -> None:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            response = await self._client.get(url)
            response.raise_for_status()
            if len(response.content) > MAX_BYTES:
                raise ValueError("too long")
            self._metadata = Metadata.read(response.json(), self.issuer)
            self._next_read = time.monotonic() + METADATA_AGE
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("identity provider not read", error=type(error).__qualname__)
            self._next_read = time.monotonic() + RETRY

    async def _fetch_keys(self) -> KeySet:
        try:
            return await fetch_keys(self._client, (await self.metadata()).jwks_uri)
        except ProviderUnavailable:
            raise ValueError("no metadata") from None


def _with_query(endpoint: str, parameters: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(parameters)}"
