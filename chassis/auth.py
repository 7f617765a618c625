"""Who is calling: a bearer JWT (RFC 9068 style) bound to one practice, and what it may do.

Two issuers are trusted: the identity provider, whose tokens name a person's roles, and the
scheduling service, whose tokens carry the scopes of the API key that they were exchanged for.
Each issuer's tokens are checked with its own keys alone.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, NoReturn
from uuid import UUID

import structlog
from fastapi import Depends, Request, Response, Security
from fastapi.openapi.models import OAuth2, OAuthFlowAuthorizationCode, OAuthFlowClientCredentials
from fastapi.openapi.models import OAuthFlows as Flows
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from multidict import CIMultiDict

from chassis.clock import Clock, utc_now
from chassis.jwks import ALGORITHMS, Keys
from chassis.problems import KnownProblem
from chassis.said import Said
from chassis.settings import AuthSettings
from chassis.throttle import Throttle, TooManyRequests
from chassis.tracing import PRACTICE
from contracts import rights
from contracts.rights import Right, Role

log = structlog.get_logger(__name__)

TYPES = {"jwt", "at+jwt", "application/at+jwt"}  # RFC 9068, section 4, and who came before it
CLOCK_SKEW = 30  # seconds
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NAME_LENGTH = 200
PRACTICE_CLAIM = "practice_id"  # of the tokens of API keys, and unless it is set, of people's
MOST_VERIFIED = 10_000  # tokens that are known again; some 10 MB
# What the description of the APIs can name; an installation has its own.
DEMO_TOKENS = "http://127.0.0.1:8401/v1/tokens"
DEMO_LOGINS = "http://127.0.0.1:8428"
# What reading a made-up token can end in; RecursionError is JSON nested a thousand deep.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)

Claims = Mapping[str, Any]


class CallerKind(StrEnum):
    """What a token stands for."""

    PERSON = "person"
    API_KEY = "api_key"


@dataclass(frozen=True, slots=True)
class Caller:
    """The practice on whose behalf a request is made, what it may do, and until when.

    `name` is what the token calls a person, if it does.
    """

    practice_id: UUID
    subject: str
    expires_at: datetime
    rights: frozenset[Right]
    kind: CallerKind = CallerKind.PERSON
    name: str | None = None
    roles: tuple[Role, ...] = ()

    def may(self, right: Right) -> bool:
        """Whether the token carries this right."""
        return right in self.rights


class NotAuthenticated(KnownProblem):
    """401: no token, or one that does not hold. Says no more than that."""

    status = 401
    type_ = "not-authenticated"
    title = Said("Ein gültiges Token ist nötig.", "A valid bearer token is needed.")
    advice = Said(
        "Ein neues Token holen, bei `POST /v1/tokens` oder beim Identitätsanbieter, und die "
        "Anfrage damit wiederholen. Token gelten nur Minuten.",
        "Get a new token, at `POST /v1/tokens` or from the identity provider, and repeat the "
        "request with it. Tokens hold for minutes alone.",
    )
    headers_ = CIMultiDict({"WWW-Authenticate": "Bearer"})


class NoPractice(KnownProblem):
    """403: the token holds, and names no practice."""

    status = 403
    type_ = "no-practice"
    title = Said("Das Token gehört zu keiner Praxis.", "The token belongs to no practice.")
    advice = Said(
        "Der Betreiber gibt dem Konto beim Identitätsanbieter eine Praxis.",
        "The operator gives the account a practice, at the identity provider.",
    )


class MissingRight(KnownProblem):
    """403: the token holds, and does not allow this (RFC 6750, section 3.1)."""

    status = 403
    type_ = "missing-right"
    title = Said("Das Token erlaubt das nicht.", "The token does not allow this.")
    advice = Said(
        "`needed` nennt die Rechte. Ein API-Schlüssel hat die, mit denen er angelegt wurde; eine "
        "Person die ihrer Rollen.",
        "`needed` names the rights. An API key has those that it was made with, a person those of "
        "their roles.",
    )

    def __init__(self, needed: Iterable[str]) -> None:
        names = sorted(needed)
        challenge = f'Bearer error="insufficient_scope", scope="{" ".join(names)}"'
        super().__init__(headers={"WWW-Authenticate": challenge}, needed=names)


@dataclass(frozen=True, slots=True)
class Issuer:
    """One whose tokens are trusted, and how to read them."""

    name: str
    keys: Keys
    audience: str
    practice_claim: str
    kind: CallerKind
    rights: Callable[[Claims], frozenset[Right]]
    roles: Callable[[Claims], tuple[Role, ...]] = lambda _: ()


def identity_provider(settings: AuthSettings, keys: Keys) -> Issuer:
    """The issuer of the tokens that stand for people."""
    return Issuer(
        name=settings.auth_issuer,
        keys=keys,
        audience=settings.auth_audience,
        practice_claim=settings.auth_practice_claim,
        kind=CallerKind.PERSON,
        rights=lambda claims: rights.of_roles(_names(claims, settings.auth_roles_claim)),
        roles=lambda claims: rights.known_roles(_names(claims, settings.auth_roles_claim)),
    )


def api_keys(keys: Keys) -> Issuer:
    """The scheduling service as the issuer of the tokens that stand for API keys."""
    return Issuer(
        name=rights.KEY_TOKEN_ISSUER,
        keys=keys,
        audience=rights.TOKEN_AUDIENCE,
        practice_claim=PRACTICE_CLAIM,
        kind=CallerKind.API_KEY,
        rights=lambda claims: rights.of_scopes(_names(claims, "scope")),
    )


@dataclass(frozen=True, slots=True)
class _Verified:
    """A token that held: whom it stands for, and under which of the issuer's keys."""

    caller: Caller
    issuer: Issuer
    kid: str | None
    keys: KeySet


class TokenVerifier:
    """Checks signature, issuer, audience and term of tokens.

    A token that held is known again by its SHA-256, at most until it expires, and under the very
    set of keys that it was checked with: once the issuer's keys are read anew it is checked anew,
    so a key that is withdrawn holds no longer than for a token that is new here.
    """

    def __init__(self, *issuers: Issuer, now: Clock = utc_now) -> None:
        self._issuers = {issuer.name: issuer for issuer in issuers}
        self._now = now
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    async def verify(self, token: str) -> Caller:
        """The caller behind `token`; raises NotAuthenticated, NoPractice, KeysUnavailable."""
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        known = self._verified.get(digest)
        if known is not None and await self._still_holds(known):
            return known.caller
        self._verified.pop(digest, None)
        verified = await self._verify(token)
        self._verified[digest] = verified
        if len(self._verified) > MOST_VERIFIED:
            self._verified.popitem(last=False)
        return verified.caller

    async def _still_holds(self, known: _Verified) -> bool:
        """Whether nothing has changed. Asks for the keys as for any token."""
        keys = await known.issuer.keys.having(known.kid)
        return keys is known.keys and self._now() < known.caller.expires_at

    async def _verify(self, token: str) -> _Verified:
        try:
            unchecked = jws.extract_compact(token.encode())
            if unchecked.headers().get("typ", "JWT").lower() not in TYPES:
                raise ValueError("a token for something else, as logging out")
            issuer = self._issuers[json.loads(unchecked.payload)["iss"]]
            kid = unchecked.headers().get("kid")
            keys = await issuer.keys.having(kid)
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                leeway=CLOCK_SKEW,
                iss={"essential": True, "value": issuer.name},
                aud={"essential": True, "value": issuer.audience},
                exp={"essential": True},
                sub={"essential": True},
            ).validate(claims)
            subject, term = str(claims["sub"]), datetime.fromtimestamp(claims["exp"], UTC)
        except (JoseError, *MALFORMED):
            raise NotAuthenticated from None
        try:
            practice_id = UUID(find_claim(claims, issuer.practice_claim))
        except (ValueError, TypeError, AttributeError):
            raise NoPractice from None
        caller = Caller(
            practice_id=practice_id,
            subject=subject,
            expires_at=term,
            rights=issuer.rights(claims),
            kind=issuer.kind,
            name=_display_name(claims),
            roles=issuer.roles(claims),
        )
        return _Verified(caller, issuer, kid, keys)

    def practice_of(self, token: str) -> str | None:
        """For logs: the practice of a token that was verified before; None if it is none."""
        found = (practice_in(token, each.practice_claim) for each in self._issuers.values())
        return next(filter(None, found), None)


@dataclass(frozen=True, slots=True)
class Access:
    """What decides who gets in, as the application's wiring sets it in `app.state.access`."""

    verifier: TokenVerifier
    writes: Throttle | None = None  # how often each caller may write; None: as often as it likes


def practice_in(token: str, claim: str = PRACTICE_CLAIM) -> str | None:
    """For logs: the practice in a token that whoever has to has verified; None if it names none."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
        return str(UUID(find_claim(claims, claim)))
    except (JoseError, *MALFORMED):
        return None


def find_claim(claims: Claims, name: str) -> Any:
    """A claim's value or None. Dots lead into objects unless a claim is called just so."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _display_name(claims: Claims) -> str | None:
    name = claims.get("name")
    text = " ".join(name.split()) if isinstance(name, str) else ""
    return "".join(each for each in text if each.isprintable())[:NAME_LENGTH] or None


def _names(claims: Claims, name: str) -> list[str]:
    """A list of strings, or one string with spaces between (RFC 8693, section 4.2)."""
    found = find_claim(claims, name)
    if isinstance(found, str):
        return found.split()
    return [each for each in found if isinstance(each, str)] if isinstance(found, list) else []


class _Bearer(HTTPBearer):
    """Reads a bearer token; to callers it is described by the two ways to come by one."""

    def __init__(self) -> None:
        super().__init__(auto_error=False, scheme_name="token")
        self.model = OAuth2(  # type: ignore[assignment]
            description="An access token for an API key (client credentials; it holds for "
            "five minutes, so keep it that long), or a person's, of the identity provider. The "
            "names at each operation are the rights that it needs: scopes of a key, or part of a "
            "person's role. Addresses are those of `make demo`.",
            flows=Flows(
                clientCredentials=OAuthFlowClientCredentials(
                    tokenUrl=DEMO_TOKENS, scopes=_meanings(rights.RIGHTS_OF_KEYS)
                ),
                authorizationCode=OAuthFlowAuthorizationCode(
                    authorizationUrl=f"{DEMO_LOGINS}/authorize",
                    tokenUrl=f"{DEMO_LOGINS}/token",
                    scopes=_meanings(rights.RIGHTS_OF_PEOPLE),
                ),
            ),
        )


def _meanings(of: Iterable[Right]) -> dict[str, str]:
    return {right: rights.MEANING[right] for right in Right if right in of}


_bearer = _Bearer()


async def caller(
    request: Request,
    response: Response,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """FastAPI dependency: the authenticated caller, who has the rights that the route needs."""
    found = await _authenticated(request, credentials)
    if not found.rights.issuperset(needed.scopes):
        refuse(found, needed.scopes)
    _count(request, response, found)
    return found


async def _authenticated(
    request: Request, credentials: HTTPAuthorizationCredentials | None
) -> Caller:
    """The caller whose token this is. Raises NotAuthenticated, NoPractice, KeysUnavailable."""
    if credentials is None:
        raise NotAuthenticated
    access: Access = request.app.state.access
    try:
        found = await access.verifier.verify(credentials.credentials)
    except NotAuthenticated:
        log.info("token refused")
        raise
    request.scope[PRACTICE] = str(found.practice_id)
    return found


def refuse(caller: Caller, needed: Iterable[str]) -> NoReturn:
    """Raises MissingRight: the caller lacks these rights, or has none of them."""
    names = sorted(needed)
    log.info(
        "right missing",
        practice=str(caller.practice_id),
        subject=caller.subject,
        needed=names,
    )
    raise MissingRight(names)


def _count(request: Request, response: Response, caller: Caller) -> None:
    """Count the request if it writes, and tell how many are left. Raises TooManyRequests."""
    if request.method not in SAFE_METHODS:
        response.headers.update(count_write(request, caller))


def count_write(request: Request, caller: Caller) -> Mapping[str, str]:
    """Count one writing request of this caller, whatever its method. Raises TooManyRequests.

    The headers that tell how many are left.
    """
    access: Access = request.app.state.access
    if access.writes is None:
        return {}
    who = f"{caller.practice_id} {caller.subject}"
    wait = access.writes.wait(who)
    standing = access.writes.standing(who, "writes")
    if wait > 0:
        raise TooManyRequests(wait, standing)
    return standing


def needs(*rights: Right) -> Any:
    """For the `Annotated[Caller, …]` of routes that need these rights."""
    return Security(caller, scopes=list(rights))


def needs_one_of(*rights: Right) -> Any:
    """For the `Annotated[Caller, …]` of routes that need one of these rights, as the request is.

    Their `openapi_extra` is `alternatives` of the same.
    """

    async def one_of(request: Request, response: Response) -> Caller:
        found = await _authenticated(request, await _bearer(request))
        if found.rights.isdisjoint(rights):
            refuse(found, rights)
        _count(request, response, found)
        return found

    return Depends(one_of)


def alternatives(*rights: Right) -> dict[str, Any]:
    """What OpenAPI says of a route that needs one of these rights."""
    return {"security": [{_bearer.scheme_name: [right.value]} for right in rights]}
