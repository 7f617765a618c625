"""What the routes of the dashboard use, and how they get it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, FastAPI, Request

from chassis.auth import SAFE_METHODS
from dashboard.login import Login
from dashboard.sessions import Session, Sessions
from dashboard.upstreams import Upstreams


@dataclass(frozen=True, slots=True)
class Dashboard:
    """The parts that the routes use, one of each in a process; open as long as it serves."""

    login: Login
    sessions: Sessions
    upstreams: Upstreams

    @classmethod
    def of(cls, app: FastAPI) -> "Dashboard":
        """The parts that `provide` gave to a running application."""
        found: Dashboard = app.state.dashboard
        return found

    def provide(self, app: FastAPI) -> None:
        """Give these parts to the routes of an application."""
        app.state.dashboard = self

    def session_cookie(self, request: Request) -> str | None:
        """The secret of the browser's session, if it sent one; not checked."""
        return request.cookies.get(self.login.cookies.session)


async def _dashboard(request: Request) -> Dashboard:
    return Dashboard.of(request.app)


DashboardDep = Annotated[Dashboard, Depends(_dashboard)]


async def _session(request: Request, dashboard: DashboardDep) -> Session:
    cookie = dashboard.session_cookie(request)
    session = await dashboard.sessions.find(cookie)
    if request.method not in SAFE_METHODS:
        await dashboard.sessions.touch(cookie)
    return session


SessionDep = Annotated[Session, Depends(_session)]
"""Who is logged in; writing counts as activity. Raises NotLoggedIn, LoginUnavailable."""
