"""Since when a patient has been waiting for the practice in the video room. Pure.

1. Waiting begins with the patient's first joining after the practice's last. Opening the link is
   no joining, and nobody says when somebody leaves.
2. What was long before the start was another visit, before a move: it does not count.
3. It ends some time after the appointment's end, when nobody waits any more. Time alone decides
   that, so it is asked for when it is read.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts.events import VisitRole
from services.status.facts import Joined

BEFORE_START = timedelta(hours=12)
AFTER_END = timedelta(hours=1)  # practices run late; nobody waits for longer
WITHOUT_TIMES = timedelta(hours=2)  # after joining, while start and end are not known


def waiting_since(joined: Iterable[Joined], starts_at: datetime | None) -> datetime | None:
    """When the patient joined whom the practice has not joined since; None if nobody did."""
    known = list(joined)
    hosts = [each.at for each in known if each.role is VisitRole.HOST]
    patients = [
        each.at
        for each in known
        if each.role is VisitRole.PATIENT
        and (not hosts or each.at > max(hosts))
        and (starts_at is None or each.at >= starts_at - BEFORE_START)
    ]
    return min(patients, default=None)


def still_waiting(
    since: datetime | None, ends_at: datetime | None, now: datetime
) -> datetime | None:
    """`since` as long as that is still so."""
    if since is None:
        return None
    until = since + WITHOUT_TIMES if ends_at is None else ends_at + AFTER_END
    return since if now < until else None
