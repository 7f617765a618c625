"""One page per room. Who comes with a token for it is let in, as Jitsi would.

As with Jitsi the token is in the address's fragment, so the page reads it, and asks with it.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, JSONResponse
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from pydantic import BaseModel
from starlette.middleware.trustedhost import TrustedHostMiddleware

from local.listening import LOOPBACK
from local.rooms import AUDIENCE, ISSUER, SUBJECT

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ROOM = re.compile(r"[0-9a-f]{32}")
STATIC = {"style.css", "room.js"}
_HERE = Path(__file__).parent


class Coming(BaseModel):
    """Somebody with a token."""

    token: str


def create_app(secret: str, names: Sequence[str] = LOOPBACK) -> FastAPI:
    """The rooms; `secret` is what Jitsi calls app_secret."""
    app = FastAPI(
        title="Video rooms of the local demo", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    key = OctKey.import_key(secret)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {}

    @app.get("/{room}")
    async def page(room: str) -> Response:
        if room not in STATIC and not ROOM.fullmatch(room):
            return Response(status_code=404)
        return FileResponse(_HERE / (room if room in STATIC else "room.html"), headers=HEADERS)

    @app.post("/{room}")
    async def enter(room: str, coming: Coming) -> Response:
        guest = _guest(coming.token, room, key)
        if guest is None:
            return JSONResponse({}, 403, HEADERS)
        leads = guest.get("moderator") == "true"
        return JSONResponse({"name": guest.get("name"), "leads": leads}, headers=HEADERS)

    return app


def _guest(token: str, room: str, key: OctKey) -> dict[str, str] | None:
    """Who the token says is coming; None if it does not hold for this room."""
    try:
        claims = jwt.decode(token, key, algorithms=["HS256"]).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True, "value": SUBJECT},
            room={"essential": True, "value": room},
            exp={"essential": True},
            nbf={"essential": True},
        ).validate(claims)
        user: dict[str, str] = claims["context"]["user"]
    except (JoseError, ValueError, KeyError, TypeError):
        return None
    return user
