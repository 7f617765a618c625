"""Where a list of appointments goes on: behind which of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from chassis import cursors


@dataclass(frozen=True, slots=True)
class ListPlace:
    """In a list by start: that of the appointment which starts then and has this id."""

    starts_at: datetime
    appointment_id: UUID

    @property
    def cursor(self) -> str:
        """The place as callers hand it back."""
        return cursors.pack(self.starts_at, self.appointment_id)

    @classmethod
    def of(cls, cursor: str) -> Self:
        """Raises ValueError for what is none of ours."""
        starts_at, appointment_id = cursors.unpack(cursor)
        if starts_at is None:
            raise ValueError("here each start is known")
        return cls(starts_at, appointment_id)
