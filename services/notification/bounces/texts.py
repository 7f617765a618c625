"""Reading what servers write in words, by the rules of `families` and by flufl.bounce."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cache

from flufl.bounce import all_failures

from contracts.events import FailureReason
from services.notification.bounces import addresses, families
from services.notification.bounces.mime import MAX_LINE, Mail
from services.notification.bounces.original import BEGINS
from services.notification.bounces.result import EvidenceKind
from services.notification.refusals.refusal import Refusal
from services.notification.refusals.spelling import also_plain

log = logging.getLogger(__name__)

MAX_LINES = 1_500
MAX_RECIPIENTS = 50
OPENING = 300  # characters
# What flufl.bounce is given: its patterns take quadratic time in a line, and each reads every line.
FLUFL_MAX_LINES = 300
FLUFL_MAX_LINE = 300


@dataclass(frozen=True, slots=True)
class Text:
    """The report in words, and what follows it of the returned message."""

    lines: Sequence[str]
    returned: str

    @property
    def whole(self) -> str:
        """The lines in one."""
        return "\n".join(self.lines)


@dataclass(frozen=True, slots=True)
class Rule:
    """A family with its patterns compiled."""

    name: str
    text: re.Pattern[str]
    recipients: Sequence[re.Pattern[str]]
    diagnosis: Sequence[re.Pattern[str]]
    header: str
    header_says: re.Pattern[str]
    reason: FailureReason | None
    everyday: bool

    def knows(self, mail: Mail, text: str) -> bool:
        """Whether the mail is of this family."""
        if self.header and not self.header_says.search(mail.head.get(self.header)):
            return False
        return self.text.search(text) is not None


@dataclass(frozen=True, slots=True)
class Account:
    """What the words tell: whom it is about, and what was said, the narrowest first."""

    recipients: Sequence[str]
    said: Sequence[str]
    reason: FailureReason | None = None


@cache
def rules() -> Sequence[Rule]:
    """All families, compiled once."""
    return tuple(_rule(family) for family in families.FAMILIES)


def _rule(family: families.Family) -> Rule:
    header, _, says = family.head.partition(": ")
    return Rule(
        family.name,
        _compile(family.text),
        [_compile(one) for one in family.recipients],
        [_compile(one) for one in family.diagnosis],
        header,
        _compile(says),
        family.reason,
        family.everyday,
    )


@cache
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(also_plain(pattern), re.I | re.M)


def report_text(mail: Mail) -> Text:
    """The text that the mail's own parts hold, up to where the returned message begins."""
    parts = [part for part in mail.own if part.text.strip()]
    plain = [part for part in parts if part.type != "text/html"] or parts
    lines: list[str] = []
    returned = ""
    for part in plain:
        own = part.text.split("\n", MAX_LINES)[:MAX_LINES]
        cut = next((at for at, line in enumerate(own) if BEGINS.match(line[:200])), len(own))
        lines.extend(line[:MAX_LINE].rstrip() for line in own[:cut])
        if cut < len(own) and not returned:
            returned = "\n".join(own[cut:])[:50_000]
        if len(lines) > MAX_LINES:
            break
    return Text(lines[:MAX_LINES], returned)


def recognise(mail: Mail, text: Text) -> Rule | None:
    """The family whose words stand first in the text."""
    whole = text.whole[:20_000]
    found = [
        (hit.start(), at, rule)
        for at, rule in enumerate(rules())
        if rule.knows(mail, whole) and (hit := rule.text.search(whole))
    ]
    return min(found)[2] if found else None


def begins_with(text: Text, rule: Rule | None) -> bool:
    """Whether a family's words open the text, where people greet and explain first."""
    return rule is not None and rule.text.search(text.whole.lstrip()[:OPENING]) is not None


def is_terse(text: Text) -> bool:
    """Whether it says of one message to somebody that it failed, and greets nobody."""
    whole = text.whole[:6_000]
    of_one = _compile(families.OF_ONE).search(whole) is not None
    return of_one and _compile(families.GREETING).search(whole) is None


def is_circular(text: Text) -> bool:
    """Whether it greets and names no address, as what goes to all customers of a server does."""
    whole = text.whole[:6_000]
    return "@" not in whole and _compile(families.GREETING).search(whole) is not None


def account(mail: Mail, text: Text, rule: Rule | None, ours: Iterable[str]) -> Account:
    """What is told: the address by the family's rule, the mail's headers, flufl.bounce, any line.

    `ours` are the addresses to which the mail came back: those who sent are not who was missed.
    """
    by_rule, said = _by_rule(text, rule) if rule else ([], [])
    recipients = next((found for found in _ways(mail, text, by_rule, ours) if found), [])
    return Account(recipients, said, rule.reason if rule else None)


def _ways(
    mail: Mail, text: Text, by_rule: Iterable[str], ours: Iterable[str]
) -> Iterator[list[str]]:
    """What each way finds, the surest first, one only asked if the one before found nobody."""
    yield _others(by_rule, ours) or _others(by_rule, ours, roles=True)
    yield _others(addresses.of_header(mail.head.get("x-failed-recipients")), (), roles=True)
    yield _others(_by_flufl(mail, text), ours)
    whole = text.whole[:20_000]
    for pattern in map(_compile, families.ANYWHERE):
        yield _others((addresses.clean(hit[1]) for hit in pattern.finditer(whole)), ours)


def anywhere(text: Text, ours: Iterable[str], original: Sequence[str]) -> list[str]:
    """As the last resort: the only address in the text, or those to whom the message went."""
    found = _others(addresses.find_all(text.whole[:20_000]), ours)
    known = {address.lower() for address in original}
    both = [one for one in found if one.lower() in known]
    return both or (found if len(found) == 1 else []) or list(original) or found[:1]


def _others(found: Iterable[str], ours: Iterable[str], *, roles: bool = False) -> list[str]:
    """Without ours, and without those of mail systems unless they may be meant."""
    not_these = {address.lower() for address in ours}
    return [
        one
        for one in addresses.unique(found)
        if one.lower() not in not_these and (roles or not addresses.is_role(one))
    ][:MAX_RECIPIENTS]


def _by_rule(text: Text, rule: Rule) -> tuple[list[str], list[str]]:
    start = next((at for at, line in enumerate(text.lines) if rule.text.search(line)), 0)
    lines = text.lines[start:]
    recipients: list[str] = []
    after = len(lines)
    for pattern in rule.recipients:
        for at, line in enumerate(lines):
            hit = pattern.search(line)
            address = addresses.clean(hit[1]) if hit else ""
            if address and len(recipients) < MAX_RECIPIENTS:
                recipients.append(address)
                after = min(after, at)
        if recipients:
            break
    said = []
    for pattern in rule.diagnosis:
        for at, line in enumerate(lines):
            hit = pattern.search(line)
            if hit:
                rest = hit[1] if hit.re.groups and hit[1] else ""
                said.append(" ".join([rest, *lines[at + 1 : at + 4]]))
                break
    if after < len(lines):
        said.append("\n".join(lines[after : after + 30]))
    return recipients, said


def _by_flufl(mail: Mail, text: Text) -> list[str]:
    """The addresses that flufl.bounce finds in the report's words, without the returned message."""
    message = Message()
    # It fails on a sender that it can't parse.
    message["From"] = next(iter(addresses.of_header(mail.head.get("from"))), "nobody@invalid")
    for name in ("Subject", "X-Mailer"):
        value = mail.head.get(name.lower())[:300]
        if value:
            message[name] = " ".join(value.split())
    lines = [line[:FLUFL_MAX_LINE] for line in text.lines[:FLUFL_MAX_LINES]]
    message["Content-Type"] = "text/plain; charset=utf-8"
    message.set_payload("\n".join(lines).encode("ascii", "replace").decode("ascii"))
    try:
        temporary, permanent = all_failures(message)
    except Exception:  # what it does not foresee is no reason to read no further
        log.exception("flufl.bounce failed")
        return []
    return [addresses.clean(found.decode("latin-1")) for found in sorted(permanent or temporary)]


def tone(said: Sequence[str], found: Refusal) -> EvidenceKind:
    """Whether the words tell of a failure or of a delay.

    „Delayed" is said of what was given up in the end, too: a code decides, then what was given up.
    """
    if not _compile(families.STILL_TRIED).search("\n".join(said)):
        return EvidenceKind.FAILED
    for_good = {str(each)[0] for each in (found.status, found.code) if each} == {"5"}
    if for_good or _compile(families.GIVEN_UP).search(_unconditional(said)):
        return EvidenceKind.FAILED
    return EvidenceKind.DELAYED


def speaks_of_success(said: Sequence[str], found: Refusal) -> bool:
    """Whether the words say that the message arrived, and nothing of one that did not."""
    refused = found.status is not None or found.code is not None
    if refused or found.reason not in {None, FailureReason.OTHER}:
        return False
    surely = _unconditional(said)
    arrived = _compile(families.ARRIVED).search(surely) is not None
    return arrived and _compile(families.BUT).search(surely) is None


def sentences(mail: Mail, text: Text) -> list[str]:
    """The subject and what is said, each sentence in one line."""
    said = f"{mail.head.get('subject')}\n\n{text.whole[:6_000]}"
    return [" ".join(each.split()) for each in _compile(r"(?<=[.!?])\s|\n\s*\n").split(said)]


def _unconditional(said: Iterable[str]) -> str:
    """Without what only may happen."""
    return "\n".join(each for each in said if not _compile(families.IF).search(each))


def speaks_of_failure(text: Text) -> bool:
    """Whether the words say that something did not arrive."""
    return _compile(families.NOT_DELIVERED).search(text.whole[:6_000]) is not None
