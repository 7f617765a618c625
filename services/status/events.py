"""Kafka in: from events on the wire to facts about an appointment."""

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

from prometheus_client import Counter, Histogram

from chassis import tracing
from chassis.database import Connection
from contracts.envelope import Received
from contracts.events import (
    AppointmentCorrected,
    AppointmentDeleted,
    AppointmentErased,
    AppointmentEvent,
    AppointmentFollowedUp,
    AppointmentScheduled,
    Delivered,
    DeliveryOutcome,
    Failed,
    InvitationAnswered,
    InvitationDelivered,
    InvitationFailed,
    InvitationIssued,
    InvitationPending,
    InvitationUnconfirmed,
    NoticeDelivered,
    NoticeFailed,
    NoticeOutcome,
    NoticePending,
    NoticeUnconfirmed,
    Pending,
    VisitJoined,
)
from contracts.events import Outcome as OutcomeEvent
from contracts.topics import APPOINTMENTS, OUTCOMES
from services.status import store
from services.status.facts import (
    Answered,
    Corrected,
    Deleted,
    Erased,
    Fact,
    FollowedUp,
    Issued,
    Joined,
    Notice,
    Outcome,
    Scheduled,
    State,
)
from services.status.feeds import Feeds
from services.status.store import News, Shown

TOPICS = (APPOINTMENTS, OUTCOMES)
GROUP = "status"
PARTITIONS = sum(topic.partitions for topic in TOPICS)

STATES: dict[type[DeliveryOutcome], State] = {
    InvitationPending: State.PENDING,
    InvitationDelivered: State.DELIVERED,
    InvitationFailed: State.FAILED,
    InvitationUnconfirmed: State.UNCONFIRMED,
    NoticePending: State.PENDING,
    NoticeDelivered: State.DELIVERED,
    NoticeFailed: State.FAILED,
    NoticeUnconfirmed: State.UNCONFIRMED,
}

changed = Counter("indicator_changes_total", "Indicators changed, by what they show", ["overall"])
lag = Histogram(
    "indicator_lag_seconds",
    "From the event's time to its effect on the indicator",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600),
)
to_tick = Histogram(
    "tick_seconds",
    "From an invitation's request to what its first tick stands on",
    ["channel"],
    buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400),
)


class Events:
    """Handles batches, and tells the open streams of this process what they changed."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds
        self._news: Mapping[UUID, News] = {}

    async def handle(self, tx: Connection, received: Sequence[Received]) -> None:
        """Take in one batch within the consumer's transaction."""
        self._news = await handle(tx, received)

    def tell(self) -> None:
        """It is committed."""
        for practice_id, news in self._news.items():
            self._feeds.tell(practice_id, news)
        self._news = {}


async def handle(tx: Connection, received: Sequence[Received]) -> Mapping[UUID, News]:
    """Take in one batch within the consumer's transaction; what it changed, by practice."""
    known = [
        store.Known(each.id, event.practice_id, event.appointment_id, fact)
        for each in received
        if isinstance(event := each.event, AppointmentEvent) and (fact := fact_of(each)) is not None
    ]
    recorded = await store.record(tx, known)
    for change in chain.from_iterable(each.changes for each in recorded.news.values()):
        if isinstance(change, Shown):
            changed.labels("deleted" if change.body is None else change.body["overall"]).inc()
    traces = {each.id: tracing.exemplar(each.traceparent) for each in received}
    for tick in recorded.ticks:
        seconds = tick.after.total_seconds()
        to_tick.labels(tick.channel.value).observe(seconds, traces[tick.event_id])
    now = time.time()
    for each in received:
        lag.observe(max(0.0, now - each.time.timestamp()), traces[each.id])
    return recorded.news


def fact_of(received: Received) -> Fact | None:
    """What an event says about an appointment; None if it says nothing that is known here."""
    fact: Fact | None = None
    match received.event:
        case AppointmentScheduled() as event:  # rescheduled, too
            fact = Scheduled(event.version, event.start, event.duration_minutes, received.time)
        case InvitationIssued() as event:
            fact = Issued(event.attempt, frozenset(event.channels), received.time, event.version)
        case AppointmentCorrected() as event:
            unsent = frozenset(event.unsent)
            fact = Corrected(event.version, event.attempt, unsent, event.occurred_at)
        case AppointmentDeleted():
            fact = Deleted(received.time)
        case AppointmentErased():
            fact = Erased(received.time)
        case OutcomeEvent() as event:
            fact = Outcome(attempt=event.attempt, **_said(event))
        case NoticeOutcome() as event:
            fact = Notice(
                event.notice_id,
                event.kind,
                event.appointment_version,
                withheld=event.withheld if isinstance(event, NoticeFailed) else None,
                **_said(event),
            )
        case InvitationAnswered() as event:
            fact = Answered(event.appointment_version, event.answer, event.occurred_at)
        case AppointmentFollowedUp() as event:
            fact = FollowedUp(frozenset(event.causes), event.occurred_at)
        case VisitJoined() as event:
            fact = Joined(event.role, event.occurred_at)
    return fact


def _said(event: DeliveryOutcome) -> dict[str, Any]:
    """What an invitation's and a notice's outcome say alike."""
    return {
        "channel": event.channel,
        "sequence": event.sequence,
        "state": STATES[type(event)],
        "at": event.occurred_at,
        "evidence": event.evidence if isinstance(event, Delivered | Failed) else None,
        "category": event.category if isinstance(event, Failed) else None,
        "reason": event.reason if isinstance(event, Failed) else None,
        "status_code": event.status_code,
        "late": event.late,
        "waits_until": event.waits_until if isinstance(event, Pending) else None,
    }
