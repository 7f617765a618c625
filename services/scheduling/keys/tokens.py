"""API keys are exchanged here for short-lived tokens, which every service checks by itself.

POST /v1/tokens is the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4), so that any
OAuth library can be a client. A revoked key's last token holds for its term and no longer.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import parse_qs

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from fastapi_problem.error import Problem
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey
from pydantic import BaseModel, Field
from uuid_utils.compat import uuid7

from chassis import problems
from chassis.database import Database
from chassis.throttle import Throttle, address_of
from contracts.rights import KEY_TOKEN_ISSUER, TOKEN_AUDIENCE, Right
from services.scheduling.keys import api_keys
from services.scheduling.keys import store as key_store
from services.scheduling.keys.api_keys import ApiKey

log = structlog.get_logger(__name__)

TERM = 300  # seconds
ALGORITHM = "Ed25519"  # RFC 9864


class TokenRefused(Problem):
    """An error of RFC 6749, section 5.2, that is a problem detail as well."""

    def __init__(self, error: str, title: str, status: int = 400) -> None:
        headers = {"WWW-Authenticate": 'Basic realm="API key"'} if status == 401 else {}
        super().__init__(
            title=title,
            type_=error.replace("_", "-"),
            status=status,
            headers={"Cache-Control": "no-store", **headers},
            error=error,
        )


class TokenView(BaseModel):
    """A token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int = Field(default=TERM, description="seconds")
    scope: str = Field(description="What it allows, separated by spaces.")


class Mint:
    """Signs tokens. The seed of the highest number signs; tokens of the others still hold."""

    def __init__(self, seeds: Mapping[int, bytes]) -> None:
        self._signing, *others = (_key(seeds[number]) for number in sorted(seeds, reverse=True))
        self.keys = KeySet([self._signing, *others])

    def token(self, key: ApiKey, scopes: frozenset[Right]) -> str:
        """A token for the key's practice with these scopes."""
        now = int(time.time())
        claims = {
            "iss": KEY_TOKEN_ISSUER,
            "aud": TOKEN_AUDIENCE,
            "sub": key.id,
            "client_id": key.id,
            "jti": str(uuid7()),
            "practice_id": str(key.practice_id),
            "scope": " ".join(sorted(scopes)),
            "iat": now,
            "exp": now + TERM,
        }
        header = {"alg": ALGORITHM, "kid": self._signing.kid, "typ": "at+jwt"}
        return jwt.encode(header, claims, self._signing, algorithms=[ALGORITHM])


def _key(seed: bytes) -> OKPKey:
    pem = Ed25519PrivateKey.from_private_bytes(seed).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return OKPKey.import_key(pem, {"use": "sig", "alg": ALGORITHM})


router = APIRouter(prefix="/v1", tags=["tokens"])
_basic = HTTPBasic(
    auto_error=False,
    scheme_name="apiKey",
    description="The id of an API key as user name, its secret as password.",
)

_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "required": ["grant_type"],
                    "properties": {
                        "grant_type": {"type": "string", "const": "client_credentials"},
                        "scope": {
                            "type": "string",
                            "description": "Fewer than the key's scopes, separated by spaces; "
                            "left out: all of them.",
                        },
                    },
                }
            }
        },
    }
}


@router.post(
    "/tokens",
    openapi_extra=_FORM,
    responses={
        400: problems.response("The request is not one of RFC 6749, section 4.4"),
        401: problems.response("The API key does not hold"),
        429: problems.response("Too many requests; Retry-After says when to come back"),
    },
)
async def issue_token(
    request: Request,
    response: Response,
    credentials: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
) -> TokenView:
    """Exchange an API key for a token that holds for five minutes."""
    exchanges: Throttle = request.app.state.exchanges
    exchanges.take(address_of(request))
    wish = _form(await request.body())
    if wish.get("grant_type") != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "grant_type has to be client_credentials.")
    if credentials is None:
        raise _unknown_key()
    key = await _used(request.app.state.db, credentials)
    scopes = key.scopes
    if "scope" in wish:
        scopes = frozenset(right for right in key.scopes if right in wish["scope"].split())
        if len(scopes) != len(set(wish["scope"].split())) or not scopes:
            raise TokenRefused("invalid_scope", "The key does not have this scope.")
    mint: Mint = request.app.state.mint
    response.headers["Cache-Control"] = "no-store"
    return TokenView(access_token=mint.token(key, scopes), scope=" ".join(sorted(scopes)))


@router.get("/jwks")
async def read_keys(request: Request, response: Response) -> dict[str, Any]:
    """The public keys that these tokens are signed with (JWK Set, RFC 7517)."""
    mint: Mint = request.app.state.mint
    response.headers["Cache-Control"] = "max-age=60"
    return dict(mint.keys.as_dict(private=False))


async def _used(db: Database, credentials: HTTPBasicCredentials) -> ApiKey:
    now = datetime.now(UTC)
    async with db.system() as tx:
        # what is no key id is not asked for: PostgreSQL takes no NUL in a text
        wanted = api_keys.ID.fullmatch(credentials.username)
        key = await key_store.find(tx, wanted[0]) if wanted else None
        if not api_keys.holds(key, credentials.password, now) or key is None:
            log.info("API key refused", key=wanted[0] if wanted else None)
            raise _unknown_key()
        await key_store.note_use(tx, key, now)
    return key


def _unknown_key() -> TokenRefused:
    return TokenRefused("invalid_client", "The API key does not hold.", 401)


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; one that comes twice is refused, as RFC 6749 asks."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20, strict_parsing=bool(body))
    except ValueError:
        raise TokenRefused("invalid_request", "The body is not a form.") from None
    if any(len(values) > 1 for values in fields.values()):
        raise TokenRefused("invalid_request", "A field comes twice.")
    return {name: values[0] for name, values in fields.items()}
