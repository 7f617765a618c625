"""The provider's addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from fastapi.security import HTTPBasic
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from chassis.headers import SafeHeaders
from local.identity import CLIENT_ID, Identity
from local.identity_provider.grants import CODE_TERM, REFRESH_TERM, Grant, Tickets
from local.identity_provider.persons import PERSONS, Person
from local.listening import LOOPBACK

ACCESS_TERM = 300  # seconds
_HERE = Path(__file__).parent
_BASIC = HTTPBasic(auto_error=False)


@dataclass(frozen=True, slots=True)
class Client:
    """The one client: the dashboard."""

    redirect_uri: str
    after_logout: str


class Provider:
    """What the addresses do."""

    def __init__(self, identity: Identity, client: Client) -> None:
        self._identity = identity
        self._client = client
        self._codes = Tickets(CODE_TERM)
        self._refresh_tokens = Tickets(REFRESH_TERM)

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        issuer = self._identity.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "end_session_endpoint": f"{issuer}/logout",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["Ed25519"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "authorization_response_iss_parameter_supported": True,
        }

    def fault(self, asked: Mapping[str, str]) -> str | None:
        """What is wrong with an authorization request; None when it is good."""
        wanted = {
            "client_id": CLIENT_ID,
            "redirect_uri": self._client.redirect_uri,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        wrong = [name for name, value in wanted.items() if asked.get(name) != value]
        wrong += [name for name in ("state", "code_challenge") if not asked.get(name)]
        return ", ".join(wrong) or None

    def agreed(self, asked: Mapping[str, str], person: Person | None) -> str:
        """Where the browser goes next; `None` is somebody who does not want to log in."""
        answer = {"state": asked["state"], "iss": self._identity.issuer}
        if person is None:
            answer["error"] = "access_denied"
        else:
            answer["code"] = self._codes.issue(
                Grant(person, asked["redirect_uri"], asked.get("nonce"), asked["code_challenge"])
            )
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        """Tokens for a code or a refresh token; None if it does not hold."""
        if form.get("grant_type") == "authorization_code":
            grant = self._codes.redeem(form.get("code", ""))
            if grant is None or form.get("redirect_uri") != grant.redirect_uri:
                return None
            return self._tokens(grant) if grant.proven_by(form.get("code_verifier", "")) else None
        if form.get("grant_type") == "refresh_token":
            grant = self._refresh_tokens.redeem(form.get("refresh_token", ""))
            return self._tokens(grant) if grant else None
        return None

    def after_logout(self, asked: Mapping[str, str]) -> str | None:
        """Where to go after logging out, if that is the client's own address."""
        to = asked.get("post_logout_redirect_uri")
        return to if to == self._client.after_logout else None

    def _tokens(self, grant: Grant) -> dict[str, Any]:
        person, term = grant.person, ACCESS_TERM
        claims = {"aud": CLIENT_ID, "sub": person.id, "name": person.name}
        if grant.nonce is not None:
            claims["nonce"] = grant.nonce
        return {
            "access_token": self._identity.token(
                person.practice_id,
                subject=person.id,
                name=person.name,
                roles=person.roles,
                lifetime=term,
            ),
            "token_type": "Bearer",
            "expires_in": term,
            "refresh_token": self._refresh_tokens.issue(grant),
            "id_token": self._identity.sign(claims, lifetime=term),
        }


def create_app(
    identity: Identity,
    client: Client,
    *,
    names: Sequence[str] = LOOPBACK,
) -> FastAPI:
    """The provider as an application."""
    app = FastAPI(
        title="Identity provider of the local demo",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    app.add_middleware(SafeHeaders)
    provider = Provider(identity, client)
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    # A form's redirect is held to the policy as well.
    forms_to = f"'self' {'{0.scheme}://{0.netloc}'.format(urlsplit(client.redirect_uri))}"
    policy = (
        f"default-src 'none'; style-src 'self'; form-action {forms_to}; "
        "base-uri 'none'; frame-ancestors 'none'"
    )

    def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
        headers = {"Content-Security-Policy": policy}
        return HTMLResponse(templates.get_template(template).render(values), status, headers)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> dict[str, Any]:
        return provider.discovery()

    @app.get("/jwks")
    async def jwks() -> dict[str, Any]:
        return identity.jwks

    @app.get("/authorize")
    async def ask(request: Request) -> HTMLResponse:
        fault = provider.fault(request.query_params)
        if fault:
            return page("refused.html.j2", 400, fault=fault)
        return page("pick.html.j2", persons=PERSONS.values(), query=request.url.query)

    @app.post("/authorize")
    async def pick(request: Request) -> Response:
        fault = provider.fault(request.query_params)
        if fault:
            return page("refused.html.j2", 400, fault=fault)
        picked = await _form(request)
        to = provider.agreed(request.query_params, PERSONS.get(picked.get("person", "")))
        return RedirectResponse(to, 303, {"Cache-Control": "no-store"})

    @app.post("/token")
    async def token(request: Request) -> JSONResponse:
        known = await _BASIC(request)
        if known is None or (known.username, known.password) != (
            CLIENT_ID,
            identity.client_secret,
        ):
            return JSONResponse({"error": "invalid_client"}, 401)
        tokens = provider.redeem(await _form(request))
        headers = {"Cache-Control": "no-store"}
        if tokens is None:
            return JSONResponse({"error": "invalid_grant"}, 400, headers)
        return JSONResponse(tokens, headers=headers)

    @app.get("/logout")
    async def logout(request: Request) -> Response:
        to = provider.after_logout(request.query_params)
        if to is None:
            return page("refused.html.j2", 400, fault="post_logout_redirect_uri")
        return RedirectResponse(to, 303)

    @app.get("/style.css")
    async def style() -> Response:
        return Response((_HERE / "style.css").read_text(), media_type="text/css")

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {}

    return app


async def _form(request: Request) -> dict[str, str]:
    fields = parse_qs((await request.body()).decode(errors="replace"), max_num_fields=20)
    return {name: values[0] for name, values in fields.items()}
