"""Logging in and out at the identity provider, step by step."""

import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from prometheus_client import Counter

from chassis.auth import Caller, NoPractice, NotAuthenticated, TokenVerifier
from chassis.jwks import KeysUnavailable
from chassis.throttle import AddressThrottle
from dashboard import pages
from dashboard.login_attempt import MAX_ATTEMPTS, TERM, Attempt, Cookies
from dashboard.oidc import LoginRefused, Provider, ProviderUnavailable, Tokens
from dashboard.sessions import Sessions

log = structlog.get_logger(__name__)

CALLBACK = "/login/callback"
LOGGED_OUT = "/abgemeldet"

logins = Counter("dashboard_logins_total", "Logins by how they ended", ["outcome"])


class _Ended(Exception):
    """A login that came to nothing, and the page that says so."""

    def __init__(self, outcome: str, page: pages.Page, *, id_token: str | None = None) -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.page = page
        self.id_token = id_token


@dataclass(frozen=True, slots=True)
class Login:
    """The steps of a login, each with its response to the browser."""

    provider: Provider
    verifier: TokenVerifier
    sessions: Sessions
    cookies: Cookies
    public_url: str
    longest: int  # seconds a session lasts at most
    throttle: AddressThrottle

    async def begin(self, request: Request) -> Response:
        """Send the browser to the provider."""
        if wait := self.throttle.wait(request, "begin"):
            return self._too_many(wait)
        attempt = Attempt.begin(request.query_params.get("zurueck", ""))
        try:
            url = await self.provider.authorization_url(
                redirect_uri=self.public_url + CALLBACK,
                state=attempt.state,
                nonce=attempt.nonce,
                challenge=attempt.challenge,
                anew=request.query_params.get("konto") == "anderes",
            )
        except ProviderUnavailable:
            return self._ended("unavailable", pages.NO_PROVIDER)
        response = RedirectResponse(url, 303)
        present = self.cookies.attempts(request.cookies)
        for name in present[: max(0, len(present) - MAX_ATTEMPTS + 1)]:
            self._forget(response, name)
        self._remember(response, self.cookies.attempt(attempt.state), attempt.cookie, TERM)
        return response

    async def finish(self, request: Request) -> Response:
        """The provider's authorization response, by way of the browser."""
        if wait := self.throttle.wait(request, "finish"):
            return self._too_many(wait)
        parameters = request.query_params
        state = parameters.get("state", "")
        name = self.cookies.attempt(state)
        attempt = Attempt.read(request.cookies.get(name, ""))
        if not (attempt.secret and hmac.compare_digest(attempt.state.encode(), state.encode())):
            return self._ended("unknown", pages.FAILED)
        try:
            tokens, person, caller = await self._checked(parameters, attempt)
        except _Ended as ended:
            response = self._ended(ended.outcome, ended.page, await self._way_out(ended))
        else:
            await self.sessions.end(request.cookies.get(self.cookies.session))
            secret = await self.sessions.open(tokens, caller, person)
            response = RedirectResponse(f"/{attempt.target}", 303)
            self._remember(response, self.cookies.session, secret, self.longest)
            logins.labels("done").inc()
        self._forget(response, name)
        return response

    async def leave(self, request: Request) -> dict[str, str]:
        """End the session here; where the browser is to go to end it at the provider as well."""
        session = await self.sessions.end(request.cookies.get(self.cookies.session))
        back_to = self.public_url + LOGGED_OUT
        url = None
        if session is not None:
            url = await self.provider.end_session_url(session.id_token, back_to=back_to)
        return {"location": url or back_to}

    def without_session(self, response: Response) -> None:
        """Let the response take the session's cookie away."""
        self._forget(response, self.cookies.session)

    async def _checked(
        self, parameters: Mapping[str, str], attempt: Attempt
    ) -> tuple[Tokens, str, Caller]:
        """Tokens, the person's name, and what the services will take them for. Raises _Ended."""
        try:
            await self._check_issuer(parameters.get("iss"))
            if parameters.get("error") == "access_denied":
                raise _Ended("cancelled", pages.CANCELLED)
            if "error" in parameters:
                raise _Ended("refused", pages.FAILED)
            tokens = await self.provider.redeem(
                parameters.get("code", ""),
                verifier=attempt.verifier,
                redirect_uri=self.public_url + CALLBACK,
            )
            person = await self.provider.identify(tokens.id_token, attempt.nonce)
            caller = await self._caller(tokens)
        except (ProviderUnavailable, KeysUnavailable):
            raise _Ended("unavailable", pages.NO_PROVIDER) from None
        except LoginRefused:
            raise _Ended("refused", pages.FAILED) from None
        return tokens, person, caller

    async def _caller(self, tokens: Tokens) -> Caller:
        """Whom the services take the token for. Raises _Ended, KeysUnavailable."""
        try:
            caller = await self.verifier.verify(tokens.access_token)
            if caller.rights:
                return caller
        except NotAuthenticated:
            # The set-up's fault: no JWT, or not for our audience.
            log.error("the access token is none that the services take")
        except NoPractice:
            pass
        raise _Ended("no-access", pages.NO_ACCESS, id_token=tokens.id_token)

    async def _way_out(self, ended: _Ended) -> str | None:
        """To another account one comes by logging out at the provider, where it offers that."""
        if ended.id_token is None:
            return None
        return await self.provider.end_session_url(
            ended.id_token, back_to=self.public_url + LOGGED_OUT
        )

    async def _check_issuer(self, issuer: str | None) -> None:
        """Whether the response is our provider's (RFC 9207). Raises _Ended."""
        names_itself = (await self.provider.metadata()).names_issuer
        if issuer != self.provider.issuer and (names_itself or issuer is not None):
            raise _Ended("refused", pages.FAILED)

    def _ended(self, outcome: str, page: pages.Page, href: str | None = None) -> Response:
        logins.labels(outcome).inc()
        log.info("no login", outcome=outcome)
        return pages.render(page, href=href)

    def _too_many(self, wait: float) -> Response:
        response = self._ended("too-many", pages.TOO_MANY)
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response

    def _remember(self, response: Response, name: str, value: str, seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=seconds,
            secure=self.cookies.secure,
            httponly=True,
            samesite="lax",
        )

    def _forget(self, response: Response, name: str) -> None:
        response.delete_cookie(name, secure=self.cookies.secure, httponly=True, samesite="lax")
