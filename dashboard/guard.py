"""What every answer of the dashboard carries, and which requests it takes at all.

Against a page of another origin that makes the browser write (CSRF): Fetch Metadata, and the
Origin header for browsers without it; a writing request with neither is refused, and the session's
cookie is SameSite=Lax besides. Against DNS rebinding: a list of host names.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPS = {"/health/live", "/health/ready", "/metrics"}  # asked for by address, not by name
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
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
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


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
        # The page is small and its modules must fit together: asked for anew each time.
        cache = "no-cache" if path.startswith("/static/") else "no-store"

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["Cache-Control"] = cache
            await send(message)

        headers = Headers(scope=scope)
        app = self.app
        if path not in OPS and _host(f"//{headers.get('host', '')}") not in self._hosts:
            app = _refusal("unknown-host", "This host is not served here.", 400)
        elif scope["method"] not in SAFE_METHODS and not self._is_our_page(headers):
            app = _refusal("cross-site", "The request comes from another site.", 403)
        await app(scope, receive, sealed)

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


def _refusal(type_: str, title: str, status: int) -> ASGIApp:
    return JSONResponse(
        {"type": type_, "title": title, "status": status},
        status,
        media_type="application/problem+json",
    )
