"""What one process of the service has, made by its wiring, and how routes come by it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from chassis.auth import Caller, needs
from chassis.database import Database
from chassis.sealing import Sealer
from contracts.rights import Right
from services.webhooks.addresses import Reach


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    db: Database
    sealer: Sealer
    reach: Reach
    retention: timedelta
    most_endpoints: int
    wake_worker: Callable[[], None]


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]
WebhookManager = Annotated[Caller, needs(Right.MANAGE_WEBHOOKS)]
