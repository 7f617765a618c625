"""What one process of the dashboard has, made by its wiring, and how routes come by it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from chassis.auth import SAFE_METHODS
from chassis.tracing import PRACTICE
from chassis.upstreams import Upstreams
from dashboard.login import Login
from dashboard.places import Places
from dashboard.sessions import Session, Sessions
from dashboard.streams import Streams

# Of one person, in this process: a page has its stream only while somebody sees it.
STREAMS, DOWNLOADS = 10, 2


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    login: Login
    sessions: Sessions
    upstreams: Upstreams
    streams: Streams
    demo_links: Mapping[str, str]
    stream_places: Places = field(default_factory=lambda: Places(STREAMS))
    download_places: Places = field(default_factory=lambda: Places(DOWNLOADS))

    def session_cookie(self, request: Request) -> str | None:
        """The secret of the browser's session, if it sent one; not checked."""
        return request.cookies.get(self.login.cookies.session)


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]


async def session(request: Request, services: State) -> Session:
    """FastAPI dependency: who is logged in; writing counts as activity.

    Raises NotLoggedIn, LoginUnavailable.
    """
    cookie = services.session_cookie(request)
    found = await services.sessions.find(cookie)
    request.scope[PRACTICE] = services.sessions.practice_of(found)
    if request.method not in SAFE_METHODS:
        await services.sessions.touch(cookie)
    return found


LoggedIn = Annotated[Session, Depends(session)]
