"""The phones, for tests (JSON) and in the browser (German, without scripts)."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, Field
from starlette.middleware.trustedhost import TrustedHostMiddleware

from chassis.headers import SafeHeaders
from local.journal import Journal
from local.listening import LOOPBACK
from local.markup import linked, local_time
from local.sms_gateway import seven_api, webhook_api
from local.sms_gateway.front import Front
from local.sms_gateway.network import Network, Weather
from local.sms_gateway.phones import Step
from local.sms_gateway.store import Message, Store

PAGE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",  # its own form is known by the Origin that it sends
}
STATES = {
    "accepted": "unterwegs",
    "buffered": "wartet auf das Handy",
    "delivered": "zugestellt",
    "failed": "nicht zugestellt",
    "rejected": "vom Netz abgelehnt",
    "expired": "abgelaufen",
}

_HERE = Path(__file__).parent


class ReceiptRequest(BaseModel):
    """A receipt to send by hand."""

    state: Literal["accepted", "buffered", "delivered", "failed", "rejected", "expired"]
    code: Annotated[str, Field(max_length=40)] | None = None


def create_app(
    store: Store,
    network: Network,
    *,
    secret: str,
    receipts_url: str,
    names: Sequence[str] = LOOPBACK,
    receivers: Collection[str] = LOOPBACK,
    journal: Journal | None = None,
) -> FastAPI:
    """Both gateway APIs, the API for tests, and the page.

    It answers to `names` and sends receipts to hosts that are among `receivers` alone.
    """
    app = FastAPI(
        title="SMS gateway of the local demo",
        version="1",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    app.add_middleware(SafeHeaders)
    front = Front(store, network, receivers, journal or Journal())
    app.include_router(webhook_api.router(store, front, secret))
    app.include_router(seven_api.router(store, front, secret, receipts_url))
    _add_tests_api(app, store, network)
    _add_pages(app, store)
    return app


def _add_tests_api(app: FastAPI, store: Store, network: Network) -> None:
    @app.get("/api/messages")
    async def messages(to: str | None = None) -> dict[str, Any]:
        """All messages, or those to one number in E.164; newest first."""
        return {"messages": [_shown(each) for each in store.newest_first(to)]}

    @app.get("/api/messages/{key}")
    async def message(key: str) -> Response:
        """One message."""
        found = store.get(key)
        return _missing() if found is None else JSONResponse(_shown(found))

    @app.post("/api/messages/{key}/receipts", status_code=204)
    async def tell(key: str, body: ReceiptRequest) -> Response:
        """Send a receipt, and return when it was answered."""
        found = store.get(key)
        if found is None:
            return _missing()
        await network.tell(found, Step(0, body.state, body.code))
        return Response(status_code=204)

    @app.delete("/api/messages", status_code=204)
    async def clear() -> None:
        """Forget all messages and the receipts that are on their way."""
        await network.forget()
        store.clear()

    @app.get("/api/weather")
    async def weather() -> Weather:
        """How the network behaves."""
        return network.weather

    @app.put("/api/weather")
    async def change(weather: Weather) -> Weather:
        """Let it behave otherwise; what is left out becomes as it was in the beginning."""
        network.weather = weather
        return weather

    @app.get("/health/ready", include_in_schema=False)
    async def ready() -> dict[str, str]:
        return {}


def _add_pages(app: FastAPI, store: Store) -> None:
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    templates.filters["linked"] = linked
    templates.filters["local_time"] = local_time
    templates.filters["state"] = STATES.__getitem__

    def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
        return HTMLResponse(templates.get_template(template).render(values), status, headers=PAGE)

    @app.get("/", include_in_schema=False)
    async def index() -> HTMLResponse:
        phones: dict[str, list[Message]] = {}
        for each in store.newest_first():
            phones.setdefault(each.to, []).append(each)
        return page("phones.html.j2", phones=phones, now=datetime.now(UTC))

    @app.post("/empty", include_in_schema=False)
    async def empty(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        if urlsplit(origin).netloc != request.headers["host"]:
            return page("refused.html.j2", 403)
        store.clear()
        return RedirectResponse("/", 303)

    @app.get("/style.css", include_in_schema=False)
    async def style() -> Response:
        return Response((_HERE / "style.css").read_text(), media_type="text/css")


def _shown(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "api": message.api,
        "reference": message.reference,
        "to": message.to,
        "sender": message.sender,
        "text": message.text,
        "received_at": message.received_at.isoformat(),
        "state": message.state,
        "code": message.code,
    }


def _missing() -> JSONResponse:
    return JSONResponse({"detail": "There is no such message."}, 404)
