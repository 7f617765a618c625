"""Complaints: feedback reports (RFC 5965), and those of Microsoft that follow no standard."""

import re

from services.notification.bounces import addresses
from services.notification.bounces.mime import Mail

_TYPE = re.compile(r"^Feedback-Type[ \t]*:[ \t]*(\S+)", re.I | re.M)
_AGENT = re.compile(r"^(?:User-Agent|Version)[ \t]*:", re.I | re.M)
_RECIPIENT = re.compile(
    r"^(?:Original-Rcpt-To|Removal-Recipient|Original-Recipient)[ \t]*:[ \t]*(.{3,300})$",
    re.I | re.M,
)
_OF_MICROSOFT = re.compile(r"complaint about message from", re.I)
_MICROSOFT = re.compile(r"staff@hotmail\.com|complaints@email-abuse\.amazonses\.com", re.I)


def is_complaint(mail: Mail) -> bool:
    """Whether the mail reports that somebody called a message unwanted."""
    if mail.parameters.get("report-type", "").lower() == "feedback-report":
        return True
    if any(part.type == "message/feedback-report" for part in mail.own):
        return True
    if _OF_MICROSOFT.search(mail.head.get("subject")) and _MICROSOFT.search(mail.head.get("from")):
        return True
    if mail.head.get("x-arf").lower() == "yes" or mail.head.get("x-xarf"):
        return True
    return any(
        _TYPE.search(part.text[:5_000]) and _AGENT.search(part.text[:5_000]) for part in mail.own
    )


def complaining(mail: Mail) -> list[str]:
    """The recipients who complained, where the report has not blacked them out."""
    found: list[str] = []
    for part in mail.own:
        hits = _RECIPIENT.finditer(part.text[:20_000])
        found.extend(addresses.of_report(hit[1]) for hit in hits)
    for part in mail.parts:
        if part.returned:
            found.extend(addresses.of_header(part.head.get("x-hmxmroriginalrecipient")))
            hidden = re.search(
                r"^X-HmXmrOriginalRecipient:[ \t]*(.{3,300})$", part.text[:20_000], re.I | re.M
            )
            if hidden:
                found.extend(addresses.find(hidden[1]))
    return addresses.unique(found)
