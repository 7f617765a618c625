"""Where a list of appointments goes on: behind which of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis import cursors
from services.scheduling.name_search import Named


@dataclass(frozen=True, slots=True, order=True)
class ListPlace:
    """That of the appointment which comes at this moment of the list, and has this id."""

    at: datetime
    appointment_id: UUID

    @classmethod
    def of_named(cls, named: Named) -> Self:
        """Its place in the list by start."""
        return cls(*named[1:])

    @property
    def cursor(self) -> str:
        """The place as callers hand it back."""
        return cursors.pack(self.at, self.appointment_id)

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises ValueError for what is none of ours."""
        at, appointment_id = cursors.unpack(cursor)
        if at is None:
            raise ValueError("here each moment is known")
        return cls(at, appointment_id)
