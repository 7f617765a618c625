"""Counters, by kind, channel and outcome only."""

from collections.abc import Iterable

from prometheus_client import Counter, Gauge

from contracts.events import Delivered, DeliveryOutcome, Failed, NoticeOutcome, Pending

deliveries = Counter(
    "deliveries_total",
    "Transitions of deliveries that were published",
    ["kind", "channel", "outcome", "detail"],
)
leases_expired = Counter("delivery_leases_expired_total", "Tries whose end nobody recorded")
held = Gauge(
    "deliveries_held",
    "1 while a server is left alone and all practices' deliveries wait",
    ["channel"],
)
gateway_resting = Gauge(
    "sms_gateway_resting", "1 while a gateway is left alone but for a probe", ["gateway"]
)
smtp_connections = Gauge(
    "smtp_connections", "To the mail server: in use, idle, and how many may be", ["state"]
)

daily_mails = Counter(
    "daily_mails_total",
    "How daily mails to practices ended; one that was sent may be returned later",
    ["result"],
)

receipts = Counter(
    "receipts_total", "What came back and how its delivery was found", ["kind", "matched_by"]
)
answers = Counter(
    "calendar_answers_total",
    "What patients' calendars answered, and what became of it",
    ["answer", "fate"],
)
bounce_reader_failures = Counter(
    "bounce_reader_failures_total",
    "Readings of returned mail that failed: by a fault of ours (error), or past a limit",
    ["cause"],
)
kept_mail_bytes = Gauge("kept_mail_bytes", "Sealed mail that no delivery is known for, in all")
kept_mail_dropped = Counter(
    "kept_mail_dropped_total", "Mails that were not kept for as long as they could have been"
)


def count(outcomes: Iterable[DeliveryOutcome]) -> None:
    """Count what is published."""
    for outcome in outcomes:
        match outcome:
            case Pending():
                became, detail = "pending", outcome.state.value
            case Delivered():
                became, detail = "delivered", outcome.evidence.value
            case Failed():
                became, detail = "failed", (outcome.evidence or outcome.category).value
            case _:
                became, detail = "unconfirmed", ""
        kind = outcome.kind.value if isinstance(outcome, NoticeOutcome) else "invitation"
        deliveries.labels(kind, outcome.channel.value, became, detail).inc()
