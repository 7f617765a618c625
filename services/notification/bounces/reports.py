"""Delivery status reports (RFC 3464, RFC 6522, RFC 6533), also where their form is damaged.

The fields are looked for in the parts that are declared as a report, and where there is none in
any text: gateways declare them as text/plain, and lose boundaries.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.events import FailureReason
from services.notification.bounces import addresses
from services.notification.bounces.mime import REPORTS, Mail
from services.notification.bounces.result import EvidenceKind
from services.notification.refusals.reading import read_refusal
from services.notification.refusals.refusal import Refusal, Stage

MAX_LINES = 4_000
MAX_RECIPIENTS = 200
MAX_DIAGNOSED = 8_000  # characters of what is said of all recipients

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{2,40})[ \t]*:[ \t]?(.*)")
_NAMES = frozenset(
    {
        "final-recipient",
        "original-recipient",
        "x-actual-recipient",
        "action",
        "status",
        "diagnostic-code",
        "remote-mta",
        "reporting-mta",
        "original-envelope-id",
        "arrival-date",
        "last-attempt-date",
        "will-retry-until",
        "received-from-mta",
        "dsn-gateway",
        "final-log-id",
        "x-smtp-status",
        "x-original-message-id",
    }
)
_START = re.compile(
    r"^(?:Final-Recipient|Original-Recipient|X-Actual-Recipient)[ \t]*:", re.I | re.M
)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
# As they are written, „error" by OpenSMTPD. Some add comments.
_ACTIONS: tuple[tuple[tuple[str, ...], EvidenceKind], ...] = (
    (("fail", "error", "undeliver", "bounce", "expire", "reject"), EvidenceKind.FAILED),
    (("delay", "defer"), EvidenceKind.DELAYED),
    (("deliver",), EvidenceKind.DELIVERED),
)
_PASSED_ON = ("relay", "expand")


@dataclass(slots=True)
class Recipient:
    """The fields of one recipient."""

    fields: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """As the last server knew it, or as we wrote it where that is no full address."""
        names = ("final-recipient", "original-recipient", "x-actual-recipient")
        found = [addresses.of_report(self.fields.get(name, "")) for name in names]
        known = [one for one in found if one]
        full = [one for one in known if "." in one.rpartition("@")[2]]
        return next(
            iter(full or known or addresses.find(self.fields.get("diagnostic-code", ""))), ""
        )

    @property
    def original(self) -> str:
        """As we wrote it; or the empty string."""
        return addresses.of_report(self.fields.get("original-recipient", ""))

    @property
    def status(self) -> str | None:
        """The RFC 3463 code, without comment and leading zeros."""
        found = _STATUS.search(self.fields.get("status", ""))
        return None if found is None else f"{found[1]}.{int(found[2])}.{int(found[3])}"

    @property
    def diagnostic(self) -> str:
        """What the server said."""
        said = self.fields.get("diagnostic-code", "")
        type_, semicolon, rest = said.partition(";")
        said = rest.strip() if semicolon and len(type_) < 20 else said
        return " ".join(
            [said, self.fields.get("x-smtp-status", ""), self.fields.get("status", "")[5:]]
        )

    @property
    def passed_on(self) -> bool:
        """Whether the mail went where nobody reports from (RFC 3464 section 2.3.3)."""
        return self.fields.get("action", "").strip().lower().startswith(_PASSED_ON)

    @property
    def kind(self) -> EvidenceKind | None:
        """What happened; None where the mail was only passed on, or nothing is said.

        „relayed" and „expanded" are no proof that the message arrived: the mark stays as it is.
        """
        if self.passed_on:
            return None
        action = self.fields.get("action", "").strip().lower()
        for starts, kind in _ACTIONS:
            if action.startswith(starts):
                return kind
        status = self.status or ""
        known = status != "" or self.diagnostic.strip() != ""
        return EvidenceKind.FAILED if known and not status.startswith("2") else None


@dataclass(frozen=True, slots=True)
class Report:
    """A report's fields on the message and on each recipient."""

    envelope_id: str | None
    recipients: Sequence[Recipient]

    @property
    def kind(self) -> EvidenceKind | None:
        """The worst that is reported: a failure, else a delay, else a delivery."""
        kinds = {recipient.kind for recipient in self.recipients}
        return next(
            (
                kind
                for kind in (EvidenceKind.FAILED, EvidenceKind.DELAYED, EvidenceKind.DELIVERED)
                if kind in kinds
            ),
            None,
        )

    @property
    def says_something(self) -> bool:
        """Whether it tells what happened, if only that the mail was passed on."""
        return any(one.kind is not None or one.passed_on for one in self.recipients)

    def of(self, kind: EvidenceKind) -> list[Recipient]:
        """The recipients to whom this happened."""
        return [recipient for recipient in self.recipients if recipient.kind is kind]

    def diagnosis(self, refused: Mapping[str, Stage]) -> Refusal:
        """Of the failed recipients, the first with a reason that says something.

        `refused` is the command that was refused for each, where the mail's words tell it.
        """
        first: Refusal | None = None
        left = MAX_DIAGNOSED
        for one in self.of(EvidenceKind.FAILED) or self.of(EvidenceKind.DELAYED):
            if left <= 0:
                break
            said = one.diagnostic[:left]
            left -= len(said)
            names = (one.address.lower(), one.original.lower())
            reported = next(filter(None, map(refused.get, names)), None)
            found = read_refusal(said, status=one.status, reported=reported)
            if found.reason not in {None, FailureReason.OTHER}:
                return found
            first = first or found
        return first or Refusal()


def find_report(mail: Mail, *, nested: bool = False) -> Report | None:
    """The report in the declared parts, or else in any text; None if there is none.

    With `nested` also in a message that is attached: gateways pass reports on like this.
    """
    report = _read([part.text for part in mail.own if part.type in REPORTS])
    if report is not None and report.recipients:
        return report
    # Where boundaries are lost the report may have gone to what looks like the original.
    texts = [
        part.text
        for part in mail.parts
        if (nested or part.type not in REPORTS) and _START.search(part.text)
    ]
    return _read(texts[:3]) or report


def _read(texts: Iterable[str]) -> Report | None:
    groups: list[dict[str, str]] = []
    for text in texts:
        groups.extend(_groups(text))
    if not groups:
        return None
    envelope_id: str | None = None
    recipients: list[Recipient] = []
    waiting: dict[str, str] = {}
    for group in groups[:MAX_RECIPIENTS]:
        envelope_id = envelope_id or group.get("original-envelope-id") or None
        if (
            "final-recipient" in group
            or "original-recipient" in group
            or "x-actual-recipient" in group
        ):
            recipients.append(Recipient({**waiting, **group}))
            waiting = {}
        elif "action" in group or "status" in group or "diagnostic-code" in group:
            # Fields that a blank line cut off from their recipient.
            if recipients and not recipients[-1].fields.keys() & group.keys():
                recipients[-1].fields.update(group)
            else:
                waiting = group
    if waiting and not recipients:
        recipients.append(Recipient(waiting))
    return Report(envelope_id, recipients)


def _groups(text: str) -> list[dict[str, str]]:
    """The fields of reports, grouped as blank lines and repeated names part them."""
    groups: list[dict[str, str]] = [{}]
    last = ""
    for line in text.split("\n", MAX_LINES)[:MAX_LINES]:
        if line[:1] in {" ", "\t"} and last and line.strip():
            if len(groups[-1][last]) < 4_000:
                groups[-1][last] += " " + line.strip()[:1_000]
            continue
        if not line.strip():
            if groups[-1]:
                groups.append({})
            last = ""
            continue
        found = _FIELD.match(line[:4_000])
        name = found[1].lower() if found else ""
        if found is None or name not in _NAMES:
            # A diagnosis whose following lines were not indented, as some gateways write.
            if found is None and last == "diagnostic-code" and len(groups[-1][last]) < 4_000:
                groups[-1][last] += " " + line.strip()[:1_000]
            else:
                last = ""
            continue
        if name in groups[-1] and name in {
            "final-recipient",
            "action",
            "status",
            "original-recipient",
        }:
            groups.append({})
        if name not in groups[-1]:
            groups[-1][name] = found[2].strip()
        last = name
    return [group for group in groups if group]
