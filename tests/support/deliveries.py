"""Deliveries and what happens to them, for tests of their transitions."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from contracts.channels import Channel
from contracts.events import DeliveryOutcome
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import Claimed, DeliveryEvent, Reply, Requested
from services.notification.deliveries.transitions import transition

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE_END = NOW + timedelta(minutes=5)
LEASE, OTHER_LEASE = UUID(int=1), UUID(int=2)
OK, GREYLISTED, UNKNOWN_USER = Reply(250, "2.0.0"), Reply(450, "4.2.0"), Reply(550, "5.1.1")
ACTIVE = {State.QUEUED, State.SENDING, State.RETRYING}


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def new(*, starts_in: timedelta = timedelta(days=1)) -> Delivery:
    """A delivery by mail before its first transition."""
    return Delivery(
        id=uuid4(),
        practice_id=uuid4(),
        appointment_id=uuid4(),
        invitation_id=uuid4(),
        attempt=1,
        channel=Channel.EMAIL,
        message_id="<1@praxis.example>",
        requested_at=NOW,
        requested_version=1,
        starts_at=NOW + starts_in,
    )


def claim(until: datetime = LEASE_END) -> Claimed:
    """A worker takes it."""
    return Claimed(LEASE, until)


def after(delivery: Delivery, *events: DeliveryEvent, now: datetime = NOW) -> Transition:
    """The last transition of `events`."""
    step = Transition(delivery)
    for event in events:
        step = transition(step.delivery, event, now)
    return step


def sending(**times: timedelta) -> Delivery:
    """A delivery that is being sent."""
    return after(new(**times), Requested(), claim()).delivery


def one(step: Transition) -> DeliveryOutcome:
    """The one outcome that is published."""
    (outcome,) = step.outcomes
    return outcome
