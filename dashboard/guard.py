"""Which requests the dashboard takes at all, and the policy of its pages.

Against a page of another origin that makes the browser write (CSRF): Fetch Metadata, and the
Origin header for browsers without it; a writing request with neither is refused, and the session's
cookie is SameSite=Lax besides. Links from elsewhere do not lead to the API or to proofs either:
reading leaves entries in the audit log, and they are to be of what somebody meant to do. Against
DNS rebinding: a list of host names.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.auth import SAFE_METHODS
from chassis.limits import refusal
from dashboard.problems import CrossSite, UnknownHost

READS_PATIENTS = ("/api/", "/nachweis/")
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",  # forms go out by script only: no patient data in an address
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)


class Guard:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], origin: str) -> None:
        self.app = app
        self._hosts = hosts
        self._origin = origin

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one ASGI connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        headers = Headers(scope=scope)
        app = self.app
        if _host(f"//{headers.get('host', '')}") not in self._hosts:
            app = refusal(UnknownHost)
        elif not self._may_come(scope["method"], path, headers):
            app = refusal(CrossSite)
        await app(scope, receive, send)

    def _may_come(self, method: str, path: str, headers: Headers) -> bool:
        """Whether no other site makes a request that it should not."""
        if method not in SAFE_METHODS:
            return self._is_our_page(headers)
        elsewhere = headers.get("sec-fetch-site") in {"same-site", "cross-site"}
        return not (elsewhere and path.startswith(READS_PATIENTS))

    def _is_our_page(self, headers: Headers) -> bool:
        """Whether our own page makes this request."""
        site = headers.get("sec-fetch-site")
        if site is not None and site != "same-origin":
            return False
        origin = headers.get("origin")
        return origin == self._origin or (origin is None and site is not None)


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
