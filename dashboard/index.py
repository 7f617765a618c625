"""The page itself, for whoever has a session, and the files that it is made of."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles

from dashboard.dependencies import DashboardDep
from dashboard.problems import NotLoggedIn

FOLDER = Path(__file__).parent / "static"

router = APIRouter(include_in_schema=False)


@router.get("/")
async def index(dashboard: DashboardDep, request: Request) -> Response:
    """The page, or the way to the login."""
    public_url = dashboard.login.public_url
    if request.url.hostname != urlsplit(public_url).hostname:
        return RedirectResponse(public_url)  # where the cookies are
    cookie = dashboard.session_cookie(request)
    if cookie is None:
        return RedirectResponse("/login", 303)
    try:
        await dashboard.sessions.touch(cookie)
    except NotLoggedIn:
        return RedirectResponse("/abgelaufen", 303)
    return FileResponse(FOLDER / "index.html")


class RevalidatedFiles(StaticFiles):
    """The page's files. They are small and must fit together: asked for anew each time."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """A file, or that it has not changed."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
