"""What a returned mail means: delivery status reports so far."""

import re
from dataclasses import dataclass
from enum import StrEnum

from contracts.events import FailureReason
from services.notification.reasons import reason_of


class Kind(StrEnum):
    """What kind of mail it is."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    AUTO_REPLY = "auto_reply"
    COMPLAINT = "complaint"
    NOT_A_BOUNCE = "not_a_bounce"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail says of an earlier one."""

    kind: Kind
    permanent: bool | None
    status: str | None
    recipients: tuple[str, ...]
    reason: FailureReason | None
    original_message_id: str | None
    envelope_id: str | None
    original_recipients: tuple[str, ...]


def read(content: bytes) -> Reading:
    """The meaning of a mail, as bytes on the wire. Never raises."""

    def found(pattern: str) -> str | None:
        hits = list(re.finditer(pattern, content.decode("latin-1"), re.M | re.I))
        hit = hits[-1] if hits else None
        return hit[1].strip() if hit else None

    action = found(r"^Action: (\S+)")
    kind = {
        "failed": Kind.FAILED,
        "delayed": Kind.DELAYED,
        "delivered": Kind.DELIVERED,
        "relayed": Kind.DELIVERED,
    }.get(action or "", Kind.NOT_A_BOUNCE)
    if "Auto-Submitted: auto-replied" in content.decode("latin-1") and not action:
        kind = Kind.AUTO_REPLY
    status = found(r"^Status: (\S+)")
    return Reading(
        kind,
        None if kind is not Kind.FAILED else not (status or "5").startswith("4"),
        status,
        (),
        reason_of(status),
        found(r"^Message-ID: (<\d\S*>)"),
        found(r"^Original-Envelope-Id: (\S+)"),
        (),
    )
