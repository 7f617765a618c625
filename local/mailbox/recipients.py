"""The simulated recipients: how the mailbox answers RCPT TO, and what comes back later."""

from collections import OrderedDict

from local.mailbox.reports import REPORTS, Report

ACCEPTED = "250 2.1.5 OK"
LATER = "451 4.3.0 <{}>: Temporary lookup failure"
REFUSALS = {
    "unbekannt": "550 5.1.1 <{}>: Recipient address rejected: User unknown",
    "voll": "552 5.2.2 <{}>: Mailbox full",
    "abgelehnt": "550 5.7.1 <{}>: Recipient address rejected: Access denied",
    "spaeter": LATER,
}
ENGLISH = {
    "unknown": "unbekannt",
    "full": "voll",
    "rejected": "abgelehnt",
    "later": "spaeter",
    "once-later": "einmal-spaeter",
    "later-unknown": "spaeter-unbekannt",
    "later-full": "spaeter-voll",
    "delayed": "verzoegert",
    "delivered": "zugestellt",
    "away": "abwesend",
}
REMEMBERED = 10_000  # addresses that were told to come later once


class Recipients:
    """Decides about recipients; the only thing it remembers is who was put off once."""

    def __init__(self) -> None:
        self._put_off: OrderedDict[str, None] = OrderedDict()

    def reply(self, address: str) -> str:
        """The SMTP reply to RCPT TO for this address."""
        role = _role(address)
        if role == "einmal-spaeter":
            return self._once_later(address)
        return REFUSALS.get(role, ACCEPTED).format(address)

    def report(self, address: str) -> Report | None:
        """What comes back after the message was taken."""
        return REPORTS.get(_role(address))

    def _once_later(self, address: str) -> str:
        key = address.lower()
        if key in self._put_off:
            return ACCEPTED
        self._put_off[key] = None
        if len(self._put_off) > REMEMBERED:
            self._put_off.popitem(last=False)
        return LATER.format(address)


def _role(address: str) -> str:
    role = address.lower().partition("@")[0].partition("+")[0]
    return ENGLISH.get(role, role)
