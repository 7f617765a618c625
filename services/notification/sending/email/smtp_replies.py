"""What an SMTP reply means for an invitation (RFC 5321 section 4.2, RFC 3463, RFC 4954).

The same code means different things at different stages, and by different words: 550 for the sender
or for relaying is our fault, 550 for the recipient a wrong address or anything else.
"""

import re

from services.notification.deliveries.events import Reply
from services.notification.refusals.reading import read_refusal
from services.notification.refusals.refusal import About, Stage
from services.notification.sending.sender import Contact, Verdict

# Command unknown, out of order, or parameters not known: client and server don't fit.
_PROTOCOL = {500, 502, 503, 504, 555}
_OURS = {About.US, About.ALL_MAIL}

_STATUS = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")


def classify(stage: Stage, code: int | None, about: About | None = None) -> Verdict:
    """The verdict for a reply `code` at `stage` that is `about` somebody; None: no reply came."""
    if stage is Stage.MESSAGE and (code is None or code // 100 not in {2, 4, 5}):
        return Verdict.REPLY_LOST
    if code is None:
        return Verdict.TEMPORARY
    if stage is Stage.MESSAGE and 200 <= code < 300:
        return Verdict.ACCEPTED
    if 500 <= code < 600:
        ours = stage.before_the_recipient or about in _OURS or code in _PROTOCOL
        # A full mailbox is permanent: the practice can ask for another address at once, which
        # beats waiting up to three days.
        return Verdict.TECHNICAL if ours else Verdict.PERMANENT
    # 4xx, and answers that make no sense where they came: nothing was accepted, try again.
    return Verdict.TEMPORARY


def contact_of(stage: Stage, reply: Reply) -> Contact:
    """What a reply, or its want, says of the server, whatever becomes of the message.

    421 closes the connection whatever it answers (RFC 5321 section 3.8).
    """
    code = reply.code
    if code is None or code == 421 or code // 100 not in {2, 4, 5}:
        return Contact.SILENT
    if reply.about is not About.ALL_MAIL:
        return Contact.GOOD
    if code // 100 == 4:
        return Contact.SILENT
    return Contact.REFUSES_US if stage.before_the_recipient else Contact.SEEMS_TO_REFUSE_US


def read_reply(stage: Stage, code: int, text: str) -> Reply:
    """What is kept of a reply. Never its text, that has addresses."""
    status = enhanced_status(code, text)
    if code // 100 not in {4, 5}:
        return Reply(code, status)
    refusal = read_refusal(f"{code} {text}", code=code, stage=stage)
    return Reply(code, status, refusal.reason, refusal.about)


def enhanced_status(code: int, text: str) -> str | None:
    """The RFC 3463 status at the start of a reply's text (RFC 2034), or None.

    A status whose class contradicts the reply code is ignored (RFC 2034 section 4).
    """
    found = _STATUS.match(text)
    if found is None or int(found[1]) != code // 100:
        return None
    return f"{found[1]}.{int(found[2])}.{int(found[3])}"
