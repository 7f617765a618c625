"""What one process of the service has, made by its wiring, and how routes come by it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.database import Database
from services.status.feeds import Feeds
from services.status.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    db: Database
    feeds: Feeds
    settings: Settings


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]


async def database(services: State) -> Database:
    """FastAPI dependency: the service's database."""
    return services.db


Db = Annotated[Database, Depends(database)]
