"""Keys are exchanged here for short-lived tokens, which every service checks by itself.

POST /v1/tokens is the client credentials grant of OAuth 2.0 (RFC 6749, section 4.4), so that any
OAuth library can be a client. A revoked key's last token holds for its term and no longer.
"""

from typing import Annotated, Any, Literal
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from pydantic import BaseModel, Field

from chassis import problems
from chassis.clock import utc_now
from chassis.database import Database
from chassis.openapi import AUTHENTICATE_BASIC, NO_STORE, answer
from contracts.rights import Right
from services.scheduling.api.dependencies import Db, State
from services.scheduling.keys.key import ClinicSystem, Key
from services.scheduling.keys.mint import TOKEN_SECONDS, Mint
from services.scheduling.keys.store import API_KEYS
from services.scheduling.problems import (
    InvalidClient,
    InvalidScope,
    NoForm,
    RepeatedField,
    TokenRefused,
    UnsupportedGrantType,
)

log = structlog.get_logger(__name__)


class TokenView(BaseModel):
    """A token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105
    expires_in: int = Field(default=TOKEN_SECONDS, description="seconds")
    scope: str = Field(description="What it allows, separated by spaces.")


class TokenErrorView(BaseModel):
    """Why there is no token (RFC 6749, section 5.2), with a problem's members beside it."""

    error: Literal["invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type"]
    type: str
    code: str
    title: str
    status: int


router = APIRouter(prefix="/v1", tags=["tokens"])


class _Basic(HTTPBasic):
    """As FastAPI's, but what can't be read is no key, and refused as one."""

    async def __call__(  # type: ignore[override]
        self, request: Request
    ) -> HTTPBasicCredentials | None:
        try:
            return await super().__call__(request)
        except HTTPException:
            return None


_basic = _Basic(
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


async def token_mint(services: State) -> Mint:
    """FastAPI dependency: what signs tokens."""
    return services.mint


async def limit_exchanges(request: Request, services: State) -> None:
    """FastAPI dependency: guessing keys is slow. Raises TooManyRequests."""
    services.secrets_tried.take(request)


TokenMint = Annotated[Mint, Depends(token_mint)]


@router.post(
    "/tokens",
    openapi_extra=_FORM,
    response_model=TokenView,
    dependencies=[Depends(limit_exchanges)],
    responses=answer(200, Cache_Control=NO_STORE)
    | {
        400: {
            "model": TokenErrorView,
            "description": "The request is not one of RFC 6749, section 4.4",
            "headers": {"Cache-Control": NO_STORE},
        },
        401: {
            "model": TokenErrorView,
            "description": "The API key does not hold",
            "headers": {"Cache-Control": NO_STORE, "WWW-Authenticate": AUTHENTICATE_BASIC},
        },
        429: problems.response("Too many requests; Retry-After says when to come back"),
    },
)
async def issue_token(
    request: Request,
    response: Response,
    credentials: Annotated[HTTPBasicCredentials | None, Depends(_basic)],
    db: Db,
    mint: TokenMint,
) -> TokenView | JSONResponse:
    """Exchange an API key for a token that holds for five minutes: keep it that long."""
    try:
        token = await _token(await request.body(), credentials, db, mint)
    except TokenRefused as refused:  # as clients of OAuth expect it: as JSON
        answered = JSONResponse(None, refused.status, refused.headers)
        problems.said(refused.marshal(), request, answered)
        return answered
    response.headers["Cache-Control"] = "no-store"
    return token


async def _token(
    body: bytes, credentials: HTTPBasicCredentials | None, db: Database, mint: Mint
) -> TokenView:
    form = _form(body)
    if form.get("grant_type") != "client_credentials":
        raise UnsupportedGrantType
    if credentials is None:
        raise InvalidClient
    async with db.system() as tx:
        key = await API_KEYS.use(tx, credentials.username, credentials.password, utc_now())
    if key is None:
        known = API_KEYS.is_id(credentials.username)
        log.info("API key refused", key=credentials.username if known else None)
        raise InvalidClient
    scopes = _scopes(key, form.get("scope"))
    return TokenView(access_token=mint.token(key, scopes), scope=" ".join(sorted(scopes)))


@router.get("/jwks")
async def read_keys(mint: TokenMint, response: Response) -> dict[str, Any]:
    """The public keys that these tokens are signed with (JWK Set, RFC 7517)."""
    response.headers["Cache-Control"] = "max-age=60"
    return dict(mint.keys.as_dict(private=False))


def _scopes(key: Key[ClinicSystem], requested: str | None) -> frozenset[Right]:
    """The scopes asked for, all of the key's where none are. Raises InvalidScope."""
    if requested is None:
        return key.owner.scopes
    names = set(requested.split())
    scopes = frozenset(right for right in key.owner.scopes if right in names)
    if len(scopes) != len(names) or not scopes:
        raise InvalidScope
    return scopes


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; one that comes twice is refused, as RFC 6749 asks."""
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=20, strict_parsing=bool(body))
    except ValueError:
        raise NoForm from None
    if any(len(values) > 1 for values in fields.values()):
        raise RepeatedField
    return {name: values[0] for name, values in fields.items()}
