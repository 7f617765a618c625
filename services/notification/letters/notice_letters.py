"""What a notice says of its appointment: kept with it, as it was when the notice was requested.

An invitation always says what is known by now. A notice must not: a cancellation is sent when
nothing of the appointment is known any more, and a move names two times.
"""

from datetime import datetime
from typing import Any

from services.notification.sending.channel import Letter

KEY = "appointment"  # in the sealed letter
OF_APPOINTMENT = ("appointment_version", "start", "duration_minutes", "time_zone")


def written(letter: Letter) -> dict[str, Any]:
    """What to seal, as JSON."""
    previous = letter.previous_start
    return {name: getattr(letter, name) for name in OF_APPOINTMENT} | {
        "start": letter.start.isoformat(),
        "previous_start": previous and previous.isoformat(),
    }


def read(sealed: dict[str, Any] | None) -> dict[str, Any] | None:
    """The letter's fields of the appointment; None where it has none of its own."""
    if sealed is None:
        return None
    previous = sealed["previous_start"]
    return sealed | {
        "start": datetime.fromisoformat(sealed["start"]),
        "previous_start": previous and datetime.fromisoformat(previous),
    }
