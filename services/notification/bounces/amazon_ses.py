"""Notifications of Amazon's service as JSON, as it mails them to an address.

https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

import json
from typing import Any

from services.notification.bounces import addresses
from services.notification.bounces.mime import Mail
from services.notification.bounces.result import EvidenceKind, Reading
from services.notification.refusals.reading import read_refusal

MAX_LENGTH = 200_000


def read_notification(mail: Mail) -> Reading | None:
    """What the notification says; None if the mail is none."""
    for part in mail.own:
        text = part.text.lstrip()[:MAX_LENGTH]
        if (text.startswith("{") and "notificationType" in text) or (
            text.startswith("{") and "eventType" in text
        ):
            found = _read(text)
            if found is not None:
                return found
    return None


def _read(text: str) -> Reading | None:
    try:
        # Long lines are folded with an exclamation mark at the end (sendmail's habit).
        content, _ = json.JSONDecoder(strict=False).raw_decode(text.replace("!\n ", ""))
        if "Message" in content:
            content = json.loads(content["Message"], strict=False)
        return _reading(content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _reading(content: dict[str, Any]) -> Reading | None:
    message_id = next(
        (
            str(one["value"])
            for one in content.get("mail", {}).get("headers", [])
            if one["name"].lower() == "message-id"
        ),
        None,
    )
    match content.get("notificationType") or content.get("eventType"):
        case "Bounce":
            bounce = content["bounce"]
            bounced = bounce["bouncedRecipients"]
            said = [str(one.get("diagnosticCode") or "") for one in bounced]
            status = next((str(one["status"]) for one in bounced if one.get("status")), None)
            found = read_refusal(
                *said, f"{bounce.get('bounceType')} {bounce.get('bounceSubType')}", status=status
            )
            permanent = found.permanent if found.status else bounce.get("bounceType") == "Permanent"
            recipients = addresses.unique(
                addresses.clean(str(one["emailAddress"])) for one in bounced
            )
            return Reading(
                EvidenceKind.FAILED,
                permanent,
                found.status,
                tuple(recipients),
                found.reason,
                message_id,
            )
        case "Complaint":
            listed = content["complaint"]["complainedRecipients"]
            recipients = addresses.unique(
                addresses.clean(str(one["emailAddress"])) for one in listed
            )
            return Reading(
                EvidenceKind.COMPLAINT, recipients=tuple(recipients), original_message_id=message_id
            )
        case "Delivery":
            recipients = addresses.unique(
                addresses.clean(str(one)) for one in content["delivery"]["recipients"]
            )
            return Reading(
                EvidenceKind.DELIVERED, recipients=tuple(recipients), original_message_id=message_id
            )
        case _:
            return None
