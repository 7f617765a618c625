"""Routes of logging in and out, and what the page asks about its session."""

from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from dashboard import pages
from dashboard.dependencies import State
from dashboard.login import CALLBACK, LOGGED_OUT
from dashboard.login_attempt import VIEW
from dashboard.problems import LoginUnavailable, NotLoggedIn

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def begin(services: State, request: Request) -> Response:
    """Log in."""
    return await services.login.begin(request)


@router.get(CALLBACK)
async def finish(services: State, request: Request) -> Response:
    """Come back from the provider."""
    return await services.login.finish(request)


@router.get(LOGGED_OUT)
async def logged_out() -> Response:
    """Come back from logging out."""
    return pages.render(pages.LOGGED_OUT)


@router.get("/abgelaufen")
async def expired(services: State, request: Request, zurueck: str = "") -> Response:
    """The session's time is over; after the next login the same view is shown."""
    href = f"/login?{urlencode({'zurueck': zurueck})}" if VIEW.fullmatch(zurueck) else None
    response = pages.render(pages.EXPIRED, href=href)
    with suppress(LoginUnavailable):
        try:
            await services.sessions.find(services.session_cookie(request))
        except NotLoggedIn:
            services.login.without_session(response)
    return response


@router.get("/kein-zugang")
async def no_access() -> Response:
    """The practice is not set up here."""
    return pages.render(pages.NO_ACCESS)


@router.get("/api/session")
async def session(services: State, request: Request) -> dict[str, Any]:
    """Who is logged in, and what the page may offer."""
    found = await services.sessions.find(services.session_cookie(request))
    draft_key = await services.sessions.draft_key(found)
    return {
        "name": found.name,
        "rights": found.rights,
        "draft_key": draft_key,
        "demo_links": services.demo_links,
    }


@router.post("/api/session/activity", status_code=204)
async def activity(services: State, request: Request) -> None:
    """Somebody is at the keyboard: the page's own reloading does not count."""
    await services.sessions.touch(services.session_cookie(request))


@router.delete("/api/session")
async def leave(services: State, request: Request, response: Response) -> dict[str, str]:
    """Log out."""
    services.login.without_session(response)
    return await services.login.leave(request)
