"""What one process of the service has, made by its wiring, and how routes come by it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.clock import Clock
from chassis.database import Database
from services.notification.sending.sms.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    db: Database
    gateways: Mapping[str, Gateway]
    wake_reader: Callable[[], None]  # called after every receipt that was stored
    clock: Clock


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]
