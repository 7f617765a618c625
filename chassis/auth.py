"""Who is calling: a bearer JWT (RFC 9068 style) bound to one practice."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_problem.error import Problem
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

AUDIENCE = "einladung"
ALGORITHMS = ["EdDSA", "Ed25519", "ES256", "RS256"]
CLOCK_SKEW = 30  # seconds


@dataclass(frozen=True, slots=True)
class Caller:
    """The practice on whose behalf a request is made, and until when its token holds."""

    practice_id: UUID
    subject: str
    expires_at: datetime


class NotAuthenticated(Problem):
    """401: no token, or one that does not hold. Says no more than that."""

    def __init__(self) -> None:
        super().__init__(
            title="A valid bearer token is needed.",
            type_="not-authenticated",
            status=401,
            headers={"WWW-Authenticate": "Bearer"},
        )


class TokenVerifier:
    """Checks signature, issuer, audience and term of tokens against a set of public keys."""

    def __init__(self, keys: KeySet, issuer: str) -> None:
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
            leeway=CLOCK_SKEW,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": AUDIENCE},
            exp={"essential": True},
            sub={"essential": True},
        )

    @classmethod
    def from_file(cls, path: Path, issuer: str) -> "TokenVerifier":
        """Read the keys (JWK Set, RFC 7517); raises OSError or ValueError."""
        return cls(KeySet.import_key_set(json.loads(path.read_text())), issuer)

    def verify(self, token: str) -> Caller:
        """The caller behind `token`; raises NotAuthenticated."""
        try:
            claims = jwt.decode(token, self._keys, algorithms=ALGORITHMS).claims
            self._claims.validate(claims)
            return Caller(
                practice_id=UUID(claims["practice_id"]),
                subject=str(claims["sub"]),
                expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            )
        except (JoseError, ValueError, KeyError, TypeError, AttributeError):
            raise NotAuthenticated from None


_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT")


async def caller(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """FastAPI dependency: the authenticated caller."""
    if credentials is None:
        raise NotAuthenticated
    verifier: TokenVerifier = request.app.state.verifier
    return verifier.verify(credentials.credentials)


Authenticated = Annotated[Caller, Depends(caller)]
