"""What one process of the service has, made by its wiring, and how routes come by it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from chassis.auth import Caller, needs, needs_one_of
from chassis.database import Database
from chassis.problems import Responses, response
from chassis.throttle import AddressThrottle, Throttle
from contracts.rights import Right
from services.scheduling.audit.log import AuditLog
from services.scheduling.audit.proving import Prover
from services.scheduling.booking import Booking
from services.scheduling.keys.mint import Mint
from services.scheduling.lookups import Lookups
from services.scheduling.problems import NotFound
from services.scheduling.proofs import Proofs
from services.scheduling.visits.hosting import Hosting
from services.scheduling.visits.page import PatientPage

# Of routes that take deleted appointments too.
ALSO_DELETED: Responses = {NotFound.status: response("No such appointment in this practice")}


@dataclass(frozen=True, slots=True)
class Services:
    """Set once, as `app.state.services`, before the first request."""

    db: Database
    booking: Booking
    hosting: Hosting
    patient_page: PatientPage
    proofs: Proofs
    audit_log: AuditLog
    prover: Prover
    lookups: Lookups
    mint: Mint
    address_lookups: Throttle  # of known addresses, by caller
    searches: Throttle  # for patients by name, by practice
    secrets_tried: (
        AddressThrottle  # by address: exchanges of API keys and operators' logins together
    )


async def services(request: Request) -> Services:
    """FastAPI dependency: all of it. Routes ask for a part (`Db`, `Desk` ...)."""
    found: Services = request.app.state.services
    return found


State = Annotated[Services, Depends(services)]


async def database(services: State) -> Database:
    """FastAPI dependency: the service's database."""
    return services.db


Db = Annotated[Database, Depends(database)]

AppointmentReader = Annotated[Caller, needs(Right.READ_APPOINTMENTS)]
AppointmentWriter = Annotated[Caller, needs(Right.WRITE_APPOINTMENTS)]
AppointmentAdmin = Annotated[Caller, needs(Right.DELETE_APPOINTMENTS)]
LinkReader = Annotated[Caller, needs(Right.READ_LINKS)]
CHANGING = (Right.WRITE_APPOINTMENTS, Right.CORRECT_APPOINTMENTS)
AppointmentChanger = Annotated[Caller, needs_one_of(*CHANGING)]
CANCELLING = (Right.DELETE_APPOINTMENTS, Right.CANCEL_APPOINTMENTS)
AppointmentCanceller = Annotated[Caller, needs_one_of(*CANCELLING)]
AuditReader = Annotated[Caller, needs(Right.READ_AUDIT)]
VisitHost = Annotated[Caller, needs(Right.HOST_VISITS)]
