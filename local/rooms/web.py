"""One page per room. Who comes with a token for it is let in, as Jitsi would."""

import re
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.middleware.trustedhost import TrustedHostMiddleware

from local.listening import LOOPBACK
from local.rooms import AUDIENCE, ISSUER, SUBJECT

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
ROOM = re.compile(r"[0-9a-f]{32}")
_HERE = Path(__file__).parent


def create_app(secret: str, names: Sequence[str] = LOOPBACK) -> FastAPI:
    """The rooms; `secret` is what Jitsi calls app_secret."""
    app = FastAPI(
        title="Video rooms of the local demo", docs_url=None, redoc_url=None, redirect_slashes=False
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    key = OctKey.import_key(secret)
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )

    def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(values), status, HEADERS)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {}

    @app.get("/style.css")
    async def style() -> Response:
        return Response((_HERE / "style.css").read_text(), media_type="text/css")

    @app.get("/{room}")
    async def enter(request: Request, room: str) -> HTMLResponse:
        guest = _guest(request.query_params.get("jwt", ""), room, key)
        if guest is None or not ROOM.fullmatch(room):
            return page("refused.html.j2", 403)
        leads = guest.get("moderator") == "true"
        return page("room.html.j2", room=room, name=guest.get("name", ""), leads=leads)

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
