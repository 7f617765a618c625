"""Bounces that a list manager passes on to the list's owner, inside a mail of its own."""

import re

from services.notification.bounces.mime import MEBIBYTE, Mail

_MANAGER = re.compile(
    r"\b(?:mailman|listserv|majordomo|sympa|ecartis|ezmlm|listproc|smartlist|lyris|petidomo|"
    r"[\w.-]{1,64}-(?:bounces?|owner|request|admin)|owner-[\w.-]{1,64})(?:[+=][^@\s]{0,100})?@",
    re.I,
)
# What they write, each followed by the whole bounce.
_PASSES_ON = re.compile(
    rb"message was received as a bounce|bounce format was not recognized|"
    rb"identified as a possible delivery error|--- ?message in error \(|"
    rb"bounce action notification|has been disabled due to excessive|"
    rb"(?:the )?(?:attached|following|enclosed) (?:message|mail) (?:was|is) (?:a|an) "
    rb"(?:unrecogni[sz]ed )?(?:bounce|delivery error)|unrecogni[sz]ed bounce",
    re.I,
)
_BEGINS = re.compile(rb"^(?:Return-Path|Received|From|Date|Subject): ?\S", re.I | re.M)


def wrapped_bounce(mail: Mail, content: bytes) -> bytes | None:
    """The bounce inside, as bytes on the wire; None where the mail wraps none."""
    senders = (mail.head.get("from"), mail.head.get("sender"), mail.head.get("return-path"))
    if not any(_MANAGER.search(sender) for sender in senders):
        return None
    content = content[:MEBIBYTE]
    passes_on = _PASSES_ON.search(content)
    begins = _BEGINS.search(content, passes_on.end()) if passes_on else None
    return content[begins.start() :] if begins else None
