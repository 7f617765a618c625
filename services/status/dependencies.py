"""What one process of the service has, made by its wiring, and how routes come by it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.auth import Caller, needs
from chassis.database import Database
from contracts.rights import Right
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


async def database(services: Annotated[Services, Depends(services)]) -> Database:
    """FastAPI dependency: the service's database."""
    return services.db


State = Annotated[Services, Depends(services)]
Db = Annotated[Database, Depends(database)]
StatusReader = Annotated[Caller, needs(Right.READ_STATUS)]
