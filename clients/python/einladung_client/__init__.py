"""A client of Einladung: invite patients, and follow what became of their invitations."""

from einladung_client.client import Einladung
from einladung_client.connection import Installation, Refused, Unreachable
from einladung_client.models import (
    Appointment,
    Booked,
    Channel,
    Deleted,
    FieldError,
    Indicator,
    Invitation,
    Moved,
    NewAppointment,
    OpenCount,
    Ready,
)
from einladung_client.version import CONTRACTS, VERSION

__all__ = [
    "CONTRACTS",
    "VERSION",
    "Appointment",
    "Booked",
    "Channel",
    "Deleted",
    "Einladung",
    "FieldError",
    "Indicator",
    "Installation",
    "Invitation",
    "Moved",
    "NewAppointment",
    "OpenCount",
    "Ready",
    "Refused",
    "Unreachable",
]
