"""What arrived, for tests (JSON) and in the browser (German, without scripts)."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.trustedhost import TrustedHostMiddleware

from chassis.headers import SafeHeaders
from local.listening import LOOPBACK
from local.mailbox.store import Store, Summary, attachments, body, header, parse
from local.markup import linked, local_time

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# Mail is a stranger's HTML: no scripts, nothing from the network. A link opens a page of its own.
MAIL_SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {MAIL_SANDBOX}"
)
LINKS_OPEN_OUTSIDE = '<base target="_blank">'

_HERE = Path(__file__).parent
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def create_app(store: Store, names: Sequence[str] = LOOPBACK) -> FastAPI:
    """The mailbox's web side over a store."""
    app = FastAPI(
        title="Mailbox of the local demo",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    app.add_middleware(SafeHeaders)
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.filters["linked"] = linked
    templates.filters["local_time"] = local_time

    def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(
            templates.get_template(template).render(values),
            status,
            # same-origin: its own form is known by the Origin that it sends
            headers={"Content-Security-Policy": PAGE_POLICY, "Referrer-Policy": "same-origin"},
        )

    @app.get("/api/messages")
    async def messages(to: str | None = None) -> dict[str, Any]:
        """All messages, or those to one address; newest first."""
        return {"messages": [_listed(each) for each in store.newest_first(to)]}

    @app.get("/api/messages/{key}")
    async def message(key: str) -> Response:
        """One message, decoded and raw."""
        summary = store.summary(key)
        if summary is None:
            return JSONResponse({"detail": "There is no such message."}, 404)
        return JSONResponse({**_listed(summary), **_decoded(store.raw(key))})

    @app.delete("/api/messages", status_code=204)
    async def clear() -> None:
        """Forget all messages."""
        store.clear()

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        return {}

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        return page("list.html.j2", messages=store.newest_first())

    @app.post("/empty", include_in_schema=False)
    async def empty(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        if urlsplit(origin).netloc != request.headers["host"]:
            return page("missing.html.j2", 403)
        store.clear()
        return RedirectResponse("/", 303)

    @app.get("/messages/{key}", include_in_schema=False)
    async def show(key: str) -> HTMLResponse:
        summary = store.summary(key)
        if summary is None:
            return page("missing.html.j2", 404)
        decoded = _decoded(store.raw(key))
        sender = decoded.pop("from") or summary.sender
        return page(
            "message.html.j2", message=summary, sender=sender, sandbox=MAIL_SANDBOX, **decoded
        )

    @app.get("/messages/{key}/html", include_in_schema=False)
    async def mail_body(key: str) -> HTMLResponse:
        html = None
        if store.summary(key) is not None:
            html = body(parse(store.raw(key)), "html")
        if html is None:
            return page("missing.html.j2", 404)
        head = _HEAD.search(html)
        at = head.end() if head else 0
        return HTMLResponse(
            html[:at] + LINKS_OPEN_OUTSIDE + html[at:],
            headers={"Content-Security-Policy": MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"},
        )

    @app.get("/messages/{key}/attachments/{number}", include_in_schema=False)
    async def attachment(key: str, number: int) -> Response:
        found = attachments(parse(store.raw(key))) if store.summary(key) else []
        if not 1 <= number <= len(found):
            return page("missing.html.j2", 404)
        name = quote(found[number - 1].name, safe="")
        # Saved, never shown: it is a stranger's.
        return Response(
            found[number - 1].content,
            media_type="application/octet-stream",
            headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
        )

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response((_HERE / "style.css").read_text(), media_type="text/css")

    return app


def _listed(summary: Summary) -> dict[str, Any]:
    return {
        "id": summary.id,
        "received_at": summary.received_at.isoformat(),
        "envelope_from": summary.sender,
        "envelope_to": summary.recipients,
        "subject": summary.subject,
        "message_id": summary.message_id,
    }


def _decoded(raw: bytes) -> dict[str, Any]:
    message = parse(raw)
    return {
        "from": header(message, "From"),
        "to": header(message, "To"),
        "headers": [[name, header(message, name)] for name in dict.fromkeys(message.keys())],
        "text": body(message, "plain"),
        "html": body(message, "html"),
        "attachments": [each.name for each in attachments(message)],
        "raw": raw.decode("latin-1"),
    }
