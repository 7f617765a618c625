"""Whether the promises held, from what was seen: answers, journals, topics, databases. Pure.

The journals of mail server and gateway are the truth about what left and what came back; all else
has to fit them.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MOST_COPIES = 2  # of one mail, under one Message-ID: the one and at most one more
TRIES = {"email": MOST_COPIES, "sms": 1}  # without a clean reply, after which nobody knows
FAILED_STATES = frozenset({"failed", "rejected", "expired"})
RED, GREEN = "failed", "delivered"


class Promise(StrEnum):
    """What can be broken."""

    LOST = "lost"
    STUCK = "stuck"
    FALSE_GREEN = "false green"
    FALSE_RED = "false red"
    COPY = "copy too many"
    OTHER_ID = "copy under another id"
    ORDER = "order"
    AUDIT = "audit"
    MADE_UP = "not asked for"


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the API accepted with 2xx."""

    appointment_id: str
    attempt: int
    channel: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """Notification's row."""

    id: str
    appointment_id: str
    attempt: int
    channel: str
    message_id: str
    state: str
    unanswered: int  # copies that may have gone out, without a clean reply


@dataclass(frozen=True, slots=True)
class MailLine:
    """Of the mail server's journal: refused, taken, or sent back (then with an action)."""

    event: str
    to: str
    message_id: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class TextLine:
    """Of the gateway's journal: refused, taken, or a receipt (then with a state).

    It was offered, and is a „receipt" once that was answered: what is taken while the answer is
    lost counts as well as what nobody could take.
    """

    event: str
    reference: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """On a topic. `number` rises within its `stream`; 0 has none."""

    topic: str
    partition: int
    offset: int
    key: str
    event_id: str
    stream: str
    number: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Status's indicator."""

    overall: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise, of which appointment (or topic, or queue), and how."""

    promise: Promise
    subject: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything seen."""

    invitations: Sequence[Invitation]
    unanswered: int = 0  # requests that nobody was told the end of
    appointments: Collection[str]
    deliveries: Sequence[Delivery]
    mails: Sequence[MailLine]
    texts: Sequence[TextLine]
    indicators: Mapping[str, Shown]
    records: Sequence[Record]
    entries: Sequence[tuple[str, str]]  # of the audit log: action, appointment
    chain_fault: str = ""  # what verifying the audit log said
    queues: Mapping[str, int] = field(default_factory=dict)  # what still waits


def check(seen: Evidence) -> list[Broken]:
    """Every promise that was broken; none is the best news."""
    return [
        *_indicators(seen),
        *_copies(seen),
        *_order(seen.records),
        *_audit(seen),
        *(
            Broken(Promise.STUCK, name, f"{waiting} still wait")
            for name, waiting in seen.queues.items()
            if waiting
        ),
    ]


class _Fates:
    """What the journals say became of each delivery."""

    def __init__(self, seen: Evidence) -> None:
        self._refused_mails = {line.to for line in seen.mails if line.event == "refused"}
        self._taken = {line.message_id for line in seen.mails if line.event == "taken"}
        self._bounced = {
            line.message_id
            for line in seen.mails
            if line.event == "sent back" and line.action == "failed"
        }
        self._refused_texts = {line.reference for line in seen.texts if line.event == "refused"}
        self._receipts: dict[str, set[str]] = defaultdict(set)
        self._offered: dict[str, set[str]] = defaultdict(set)
        for line in seen.texts:
            if line.event == "receipt":
                self._receipts[line.reference].add(line.state)
            if line.event == "offered":
                self._offered[line.reference].add(line.state)

    def right(self, delivery: Delivery, recipient: str) -> str | None:
        """What has to be shown; None where nothing proves anything."""
        if delivery.channel == "email":
            if delivery.message_id in self._bounced:
                return RED
            if delivery.message_id in self._taken:
                return GREEN
            return RED if recipient in self._refused_mails else None
        states = self._receipts[delivery.id]
        if states & FAILED_STATES or delivery.id in self._refused_texts:
            return RED
        return GREEN if "delivered" in states else None

    def allowed(self, delivery: Delivery, recipient: str) -> Collection[str | None]:
        """What may be shown: that, or what a receipt says of which nobody knows who took it."""
        offered = self._offered[delivery.id]
        return {
            self.right(delivery, recipient),
            RED if offered & FAILED_STATES else None,
            GREEN if "delivered" in offered else None,
        }


def _indicators(seen: Evidence) -> Iterator[Broken]:
    fates = _Fates(seen)
    newest: dict[str, Invitation] = {}
    for each in seen.invitations:
        if each.attempt >= newest.get(each.appointment_id, each).attempt:
            newest[each.appointment_id] = each
    deliveries = {(one.appointment_id, one.attempt, one.channel): one for one in seen.deliveries}
    unanswered = seen.unanswered
    for subject, invitation in newest.items():
        shown, attempt = seen.indicators.get(subject), invitation.attempt
        if shown is not None and shown.attempt == attempt + 1 and unanswered:
            unanswered -= 1  # it was sent again, and nobody was told of it
            attempt += 1
        delivery = deliveries.get((subject, attempt, invitation.channel))
        if subject not in seen.appointments:
            yield Broken(Promise.LOST, subject, "no such appointment")
        elif delivery is None:
            yield Broken(Promise.LOST, subject, f"attempt {attempt}: no delivery")
        elif shown is None or shown.attempt != attempt:
            yield Broken(Promise.LOST, subject, f"shows {shown}, not {attempt}")
        else:
            right = fates.right(delivery, invitation.recipient)
            allowed = fates.allowed(delivery, invitation.recipient)
            yield from _shown(shown, delivery, right, allowed)
    made_up = set(seen.appointments) - newest.keys()
    if len(made_up) > unanswered:
        yield Broken(Promise.MADE_UP, min(made_up), f"{len(made_up)} that nobody was told of")


def _shown(
    shown: Shown, delivery: Delivery, right: str | None, allowed: Collection[str | None]
) -> Iterator[Broken]:
    subject, how = delivery.appointment_id, f"{shown.overall}, {delivery.state}; right: {right}"
    if shown.overall == GREEN and GREEN not in allowed:
        yield Broken(Promise.FALSE_GREEN, subject, how)
    elif shown.overall == RED and RED not in allowed:
        yield Broken(Promise.FALSE_RED, subject, how)
    elif shown.overall not in {GREEN, RED} and not honest(delivery):
        yield Broken(Promise.STUCK if right else Promise.LOST, subject, how)


def honest(delivery: Delivery) -> bool:
    """Whether nobody can know what became of it: that is said (amber, in time), and not guessed."""
    return delivery.state == "unknown" and delivery.unanswered >= TRIES[delivery.channel]


def ended_by_chance(delivery: Delivery) -> bool:
    """The same, but that somebody sent it again before it turned amber: its end says nothing of us.

    One that was being sent just then counts as well.
    """
    return delivery.state == "superseded" and delivery.unanswered >= TRIES[delivery.channel]


def _copies(seen: Evidence) -> Iterator[Broken]:
    by_message = {one.message_id: one for one in seen.deliveries if one.channel == "email"}
    taken = Counter(line.message_id for line in seen.mails if line.event == "taken")
    for message_id, times in taken.items():
        delivery = by_message.get(message_id)
        if delivery is None:
            yield Broken(Promise.OTHER_ID, message_id, "belongs to no delivery")
        elif times > MOST_COPIES:
            yield Broken(Promise.COPY, delivery.appointment_id, f"{times} of one mail")
        elif times > 1 and not delivery.unanswered:
            yield Broken(Promise.COPY, delivery.appointment_id, "two, with none in flight")
    references = {one.id for one in seen.deliveries if one.channel == "sms"}
    taken = Counter(line.reference for line in seen.texts if line.event == "taken")
    for reference, times in taken.items():
        if reference not in references:
            yield Broken(Promise.OTHER_ID, reference, "belongs to no delivery")
        elif times > 1:
            yield Broken(Promise.COPY, reference, f"{times} of one text")
    once = Counter((one.appointment_id, one.attempt, one.channel) for one in seen.deliveries)
    for (subject, attempt, channel), times in once.items():
        if times > 1:
            yield Broken(Promise.OTHER_ID, subject, f"{times} deliveries of {attempt} by {channel}")


def _order(records: Iterable[Record]) -> Iterator[Broken]:
    """Repeats of an event are fine, wherever; what is new has to come in its order."""
    partitions: dict[tuple[str, str], int] = {}
    numbers: dict[tuple[str, str], int] = {}
    known: set[str] = set()
    for each in sorted(records, key=lambda one: (one.topic, one.partition, one.offset)):
        if partitions.setdefault((each.topic, each.key), each.partition) != each.partition:
            yield Broken(Promise.ORDER, each.key, f"{each.topic}: on two partitions")
        if each.event_id in known or not each.number:
            continue
        known.add(each.event_id)
        stream = (each.topic, each.stream)
        if each.number < numbers.get(stream, 0):
            yield Broken(
                Promise.ORDER, each.key, f"{each.topic}: {each.number} after {numbers[stream]}"
            )
        numbers[stream] = max(each.number, numbers.get(stream, 0))


def _audit(seen: Evidence) -> Iterator[Broken]:
    if seen.chain_fault:
        yield Broken(Promise.AUDIT, "chain", seen.chain_fault)
    entered = Counter(seen.entries)
    attempts = Counter(each.appointment_id for each in seen.invitations)
    for subject, times in attempts.items():
        created = entered["appointment_created", subject]
        resent = entered["invitation_resent", subject]
        if created != 1 or resent < times - 1:
            how = f"created {created}, sent again {resent} times; {times} accepted"
            yield Broken(Promise.AUDIT, subject, how)


def copies(seen: Evidence) -> int:
    """How many mails went out once more, as they may."""
    taken = Counter(line.message_id for line in seen.mails if line.event == "taken")
    return sum(times - 1 for times in taken.values())
