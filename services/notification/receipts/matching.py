"""Which delivery a receipt is about, and what it may say of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.notification.bounces import EvidenceKind
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import EvidenceEvent
from services.notification.receipts.receipt import By, Finding, Receipt, Reference

PAUSE_WHILE_SENDING = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a receipt at this look; with `due_at` it is looked at again."""

    receipt: Receipt
    finding: Finding
    delivery: Delivery | None = None
    matched_by: By | None = None
    evidence: EvidenceEvent | None = None
    due_at: datetime | None = None


def match(
    receipt: Receipt,
    finding: Finding,
    deliveries: Mapping[UUID, Delivery],
    found: Mapping[Reference, UUID],
    now: datetime,
) -> Settled:
    """Of the deliveries that the references lead to (`found`), the first that it can be about.

    What names only deliveries of another channel, or that another gateway has, is dropped.
    """
    # Read again it would fail again; and what an organizer names is known or forgotten.
    final = finding.kind in {EvidenceKind.UNREADABLE, EvidenceKind.ANSWER}
    elsewhere = False
    for reference in finding.references:
        delivery_id = found.get(reference)
        delivery = None if delivery_id is None else deliveries.get(delivery_id)
        if delivery is None:
            continue
        if not _can_be_about(receipt, delivery):
            elsewhere = True
            continue
        if delivery.state is State.SENDING and not final:
            # Under way: how this try ends is recorded first.
            due_at = now + PAUSE_WHILE_SENDING
            return Settled(receipt, finding, delivery, reference.by, due_at=due_at)
        evidence = finding.evidence(receipt.id, _proof(reference, finding, delivery))
        return Settled(receipt, finding, _bound(delivery, receipt), reference.by, evidence)
    if elsewhere:
        return Settled(receipt, finding, matched_by=By.ELSEWHERE)
    waits = bool(finding.references) and not final
    return Settled(receipt, finding, due_at=receipt.next_look(now) if waits else None)


def _can_be_about(receipt: Receipt, delivery: Delivery) -> bool:
    return receipt.channel is delivery.channel and (
        receipt.gateway is None or delivery.gateway in {None, receipt.gateway}
    )


def _proof(reference: Reference, finding: Finding, delivery: Delivery) -> By:
    """The strongest of the references to this delivery."""
    return next(
        (
            each.by
            for each in finding.references
            if each.by is By.ENVELOPE_ID and each.delivery_id == delivery.id
        ),
        reference.by,
    )


def _bound(delivery: Delivery, receipt: Receipt) -> Delivery:
    """After a try without an answer, the gateway that reports first is the one that has it."""
    if delivery.gateway is None and delivery.handed_over_at is not None:
        return replace(delivery, gateway=receipt.gateway)
    return delivery
