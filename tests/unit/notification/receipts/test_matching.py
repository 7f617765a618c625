"""However receipts are forged: nothing gets greener, nothing stops, no address is called dead."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.events import DeliveryOutcome, InvitationDelivered
from local.mailbox.reports import REPORTS, Mail, compose
from services.notification.bounces import EvidenceKind, read
from services.notification.deliveries.delivery import Delivery, State, Transition
from services.notification.deliveries.events import (
    Accepted,
    Claimed,
    DeliveryEvent,
    FailedForNow,
    LeaseExpired,
    Misconfigured,
    ReceiptMissing,
    Refused,
    Released,
    ReplyLost,
    Requested,
    Superseded,
    Withdrawn,
)
from services.notification.deliveries.transitions import transition
from services.notification.receipts.matching import Settled, match
from services.notification.receipts.receipt import (
    By,
    Finding,
    Receipt,
    finding_of_gateway,
    finding_of_mail,
)
from services.notification.receipts.return_path import PURPOSE, ReturnPath
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.sending.sms.receipts import ReceiptState
from services.scheduling.addresses import verdict
from tests.support.deliveries import (
    GREYLISTED,
    LEASE,
    LEASE_END,
    NOW,
    OK,
    OTHER_LEASE,
    UNKNOWN_USER,
    claim,
    minutes,
    new,
)
from tests.support.deliveries import after as follow

KEYS = {1: bytes(32)}
RETURN_PATH = ReturnPath("rueck@praxis.example", {1: bytes(32)})
ENVELOPE_IDS = Tags(KEYS, purpose=ENVELOPE_ID)
OURS = UUID(int=77)
MESSAGE_ID = "<7c2f1d2e-31ab-4c4b-9a43-3a4c1f1c9b10@praxis.example>"
OUR_GATEWAY, OTHER_GATEWAY = "webhook", "seven"
RECEIPT = UUID(int=9)


def delivery_by(channel: Channel) -> Delivery:
    return replace(new(), id=OURS, message_id=MESSAGE_ID, channel=channel)


def mail(
    role: str,
    *,
    reference: UUID | None = None,
    envelope_id: str | None = None,
    message_id: str = "<another@example.org>",
) -> Receipt:
    """What a server, or whoever plays one, sends back; `reference` is by a genuine return path."""
    returned = Mail(
        sender="rueck@praxis.example",
        recipient="erika@example.org",
        content=f"Message-ID: {message_id}\r\n\r\n".encode(),
        envelope_id=envelope_id,
        notify=frozenset({"SUCCESS", "FAILURE", "DELAY"}),
    )
    content = compose(returned, REPORTS[role])
    assert content is not None
    return Receipt(
        id=RECEIPT,
        channel=Channel.EMAIL,
        received_at=NOW,
        tries=0,
        reference=reference,
        content=content,
    )


def text(said: ReceiptState, gateway: str) -> Receipt:
    """What a gateway says of our delivery, whether it is its own or not."""
    return Receipt(
        id=RECEIPT,
        channel=Channel.SMS,
        received_at=NOW,
        tries=0,
        reference=OURS,
        gateway=gateway,
        gateway_id=f"id-at-{gateway}",
        said=said,
        status="5.1.1" if said is ReceiptState.REJECTED else None,
    )


@lru_cache
def finding_of(receipt: Receipt) -> Finding:
    if receipt.said is None:
        found = finding_of_mail(receipt, read(receipt.content))
    else:
        found = finding_of_gateway(receipt, receipt.said)
    return found.verified(ENVELOPE_IDS, RETURN_PATH.organizer)


def settled(delivery: Delivery, receipt: Receipt) -> Settled:
    """What the reader makes of a receipt while this is the only delivery there is."""
    finding = finding_of(receipt)
    found = {
        each: delivery.id
        for each in finding.references
        if each.delivery_id == delivery.id
        or each.message_id == delivery.message_id
        or (each.gateway_id and (each.gateway, each.gateway_id))
        == (delivery.gateway, delivery.gateway_id)
    }
    return match(receipt, finding, {delivery.id: delivery}, found, NOW)


def told(delivery: Delivery, receipt: Receipt) -> Transition:
    """The delivery after a receipt."""
    one = settled(delivery, receipt)
    if one.delivery is None or one.evidence is None:
        return Transition(delivery)
    return transition(one.delivery, one.evidence, NOW)


ROLES = ["spaeter-unbekannt", "spaeter-voll", "zugestellt", "verzoegert", "abwesend"]


def made_up_envelope_ids() -> Iterator[str | None]:
    genuine = ENVELOPE_IDS.of(OURS)
    yield None
    yield from (str(OURS), OURS.hex, MESSAGE_ID.strip("<>").partition("@")[0])
    yield Tags(KEYS, purpose=PURPOSE).of(OURS)  # of the return path, which the patient sees
    yield Tags({1: b"x" * 32}, purpose=ENVELOPE_ID).of(OURS)
    yield genuine[:-2] + ("a" if genuine[-2] != "a" else "b") + genuine[-1]


FORGED = [
    mail(role, envelope_id=made_up, message_id=message_id)
    for role in ROLES
    for made_up in made_up_envelope_ids()
    for message_id in (MESSAGE_ID, f"<{OURS}@praxis.example>")
] + [text(said, OTHER_GATEWAY) for said in ReceiptState]
GENUINE = {
    Channel.EMAIL: [
        mail(role, reference=OURS, envelope_id=envelope_id)
        for role in ROLES
        for envelope_id in (None, ENVELOPE_IDS.of(OURS))
    ],
    Channel.SMS: [text(said, OUR_GATEWAY) for said in ReceiptState],
}

LEASES = st.sampled_from([LEASE, OTHER_LEASE])
OWN: st.SearchStrategy[DeliveryEvent] = st.one_of(
    st.builds(Claimed, LEASES, st.just(LEASE_END)),
    st.builds(Claimed, LEASES, st.just(LEASE_END)),
    st.just(Accepted(OK, OUR_GATEWAY, f"id-at-{OUR_GATEWAY}")),
    st.builds(FailedForNow, LEASES, st.just(GREYLISTED), st.sampled_from([None, NOW])),
    st.builds(ReplyLost, LEASES, st.just(NOW), st.just(OUR_GATEWAY)),
    st.builds(Refused, LEASES, st.just(UNKNOWN_USER)),
    st.builds(Misconfigured, LEASES, st.just(UNKNOWN_USER)),
    st.builds(Released, LEASES),
    st.sampled_from([LeaseExpired(), ReceiptMissing(), Superseded(), Withdrawn()]),
)


@dataclass(frozen=True)
class Forgery:
    """A receipt of somebody who has seen the mail, or of a gateway that did not get the message."""

    receipt: Receipt


Step = DeliveryEvent | Receipt | Forgery


BEGINNINGS: dict[str, list[DeliveryEvent]] = {
    "queued": [],
    "put off": [claim(), FailedForNow(LEASE, GREYLISTED, NOW)],
    "maybe sent": [claim(), ReplyLost(LEASE, NOW, OUR_GATEWAY)],
    "maybe sent twice": [claim(), ReplyLost(LEASE, NOW), claim(), ReplyLost(LEASE, NOW)],
    "under way": [claim()],
    "taken": [claim(), Accepted(OK, OUR_GATEWAY, f"id-at-{OUR_GATEWAY}")],
    "refused": [claim(), Refused(LEASE, UNKNOWN_USER)],
    "given up": [claim(), FailedForNow(LEASE, GREYLISTED, None)],
    "our fault": [claim(), Misconfigured(LEASE, UNKNOWN_USER)],
}


def begun(channel: Channel, beginning: str) -> Delivery:
    return follow(delivery_by(channel), Requested(), *BEGINNINGS[beginning]).delivery


def stories(channel: Channel) -> st.SearchStrategy[list[Step]]:
    forged = st.builds(Forgery, st.sampled_from(FORGED))
    return st.lists(st.one_of(OWN, st.sampled_from(GENUINE[channel]), forged, forged), max_size=12)


def greenness(delivery: Delivery) -> int:
    if delivery.state is State.DELIVERED:
        return 3
    if delivery.state is State.ACCEPTED and delivery.channel is Channel.EMAIL:
        return 2
    return 0 if delivery.state is State.FAILED else 1


def is_dead(outcome: DeliveryOutcome) -> bool:
    found = verdict(outcome)
    return found is not None and found.dead


def after_forgery(before: Delivery, receipt: Receipt) -> Delivery:
    """The delivery after a forged receipt, which must not have done more than it may."""
    step = told(before, receipt)
    assert greenness(step.delivery) <= greenness(before)
    assert not any(isinstance(each, InvitationDelivered) for each in step.outcomes)
    assert not any(map(is_dead, step.outcomes))
    if greenness(before) != 2:
        assert step.delivery == before
    assert step.delivery == before or step.delivery.disputed
    return step.delivery


def is_possible(receipt: Receipt, delivery: Delivery) -> bool:
    """Whether the message may be at this gateway, for all we know."""
    return delivery.channel is receipt.channel is Channel.SMS and delivery.gateway is None


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("channel", Channel)
def test_no_forgery_does_more_than_take_a_tick_back(channel: Channel, beginning: str) -> None:
    before = begun(channel, beginning)
    for receipt in FORGED:
        if not is_possible(receipt, before):
            after_forgery(before, receipt)


# Of a try from before the database was restored: the row knows of none.
TAKEN_UNTRIED: tuple[Channel, list[Step]] = (
    Channel.EMAIL,
    [
        Accepted(OK),
        Forgery(mail("spaeter-unbekannt", message_id=MESSAGE_ID)),
        mail("zugestellt", reference=OURS, envelope_id=ENVELOPE_IDS.of(OURS)),
    ],
)


@settings(max_examples=400)
@given(
    st.sampled_from(Channel).flatmap(lambda each: st.tuples(st.just(each), stories(each))),
    st.sampled_from(sorted(BEGINNINGS)),
)
@example(TAKEN_UNTRIED, "queued")
def test_nothing_that_is_forged_makes_anything_greener(
    story: tuple[Channel, list[Step]], beginning: str
) -> None:
    """Against the same history without the forgeries."""
    channel, steps = story
    honest = forged = begun(channel, beginning)
    for step in steps:
        if isinstance(step, Forgery):
            if not is_possible(step.receipt, forged):
                forged = after_forgery(forged, step.receipt)
        elif isinstance(step, Receipt):
            honest, forged = told(honest, step).delivery, told(forged, step).delivery
        else:
            now = LEASE_END if isinstance(step, LeaseExpired) else NOW
            honest = transition(honest, step, now).delivery
            forged = transition(forged, step, now).delivery
        assert greenness(forged) <= greenness(honest)
        if greenness(honest) == 2:
            assert forged.state is State.ACCEPTED or forged.disputed
        else:
            assert (forged.state, forged.category) == (honest.state, honest.category)
            assert (forged.due_at, forged.tries) == (honest.due_at, honest.tries)


def ticked() -> Delivery:
    return follow(delivery_by(Channel.EMAIL), Requested(), claim(), Accepted(OK)).delivery


def texted() -> Delivery:
    taken = Accepted(OK, OUR_GATEWAY, f"id-at-{OUR_GATEWAY}")
    return follow(delivery_by(Channel.SMS), Requested(), claim(), taken).delivery


def test_the_message_id_takes_a_tick_back_and_no_more() -> None:
    step = told(ticked(), mail("spaeter-unbekannt", message_id=MESSAGE_ID))
    assert (step.delivery.state, step.delivery.disputed) == (State.FAILED, True)
    assert not any(map(is_dead, step.outcomes))
    before = ticked()
    assert told(before, mail("zugestellt", message_id=MESSAGE_ID)) == Transition(before)


def test_what_a_newer_attempt_replaced_keeps_nothing_of_a_dispute() -> None:
    step = told(ticked(), mail("spaeter-unbekannt", message_id=MESSAGE_ID))
    after = transition(step.delivery, Superseded(), NOW).delivery
    assert (after.state, after.category, after.disputed) == (State.SUPERSEDED, None, False)


@pytest.mark.parametrize("made_up", [*made_up_envelope_ids()])
def test_an_envelope_id_that_is_not_signed_names_nothing(made_up: str | None) -> None:
    one = settled(ticked(), mail("spaeter-unbekannt", envelope_id=made_up))
    assert one.delivery is None


@pytest.mark.parametrize(
    ("envelope_id", "state"), [(None, State.ACCEPTED), (ENVELOPE_IDS.of(OURS), State.DELIVERED)]
)
@pytest.mark.parametrize("reference", [OURS, None], ids=["to the return path", "to the stem"])
def test_only_what_knows_the_envelope_id_confirms(
    envelope_id: str | None, state: State, reference: UUID | None
) -> None:
    receipt = mail("zugestellt", reference=reference, envelope_id=envelope_id)
    assert told(ticked(), receipt).delivery.state is state


def test_somebody_elses_envelope_id_confirms_nothing() -> None:
    receipt = mail("zugestellt", reference=OURS, envelope_id=ENVELOPE_IDS.of(UUID(int=78)))
    one = settled(ticked(), receipt)
    assert one.matched_by is By.RETURN_PATH
    assert isinstance(one.evidence, Accepted)


def test_a_bounce_to_the_return_path_is_believed() -> None:
    step = told(ticked(), mail("spaeter-unbekannt", reference=OURS))
    assert (step.delivery.state, step.delivery.disputed) == (State.FAILED, False)
    assert all(map(is_dead, step.outcomes))


def test_the_return_path_ends_the_doubt_after_a_lost_reply() -> None:
    lost = follow(delivery_by(Channel.EMAIL), Requested(), claim()).delivery
    lost = transition(lost, ReplyLost(LEASE, NOW), NOW).delivery
    assert lost.state is State.RETRYING
    assert told(lost, mail("zugestellt", reference=OURS)).delivery.state is State.ACCEPTED


@pytest.mark.parametrize("said", [ReceiptState.REJECTED, ReceiptState.DELIVERED])
def test_a_gateway_is_not_heard_of_a_mail_nor_of_what_another_one_took(said: ReceiptState) -> None:
    for delivery, gateway in ((ticked(), OUR_GATEWAY), (texted(), OTHER_GATEWAY)):
        one = settled(delivery, text(said, gateway))
        assert (one.delivery, one.matched_by, one.due_at) == (None, By.ELSEWHERE, None)
    one = settled(texted(), text(said, OUR_GATEWAY))
    assert one.delivery is not None


def test_mail_is_not_heard_of_a_text_message() -> None:
    one = settled(texted(), mail("spaeter-unbekannt", message_id=MESSAGE_ID))
    assert (one.delivery, one.matched_by) == (None, By.ELSEWHERE)


def test_the_gateway_that_reports_first_after_a_lost_lease_has_it() -> None:
    sent = follow(delivery_by(Channel.SMS), Requested(), claim()).delivery
    unknown = transition(sent, LeaseExpired(), NOW + minutes(5)).delivery
    assert (unknown.state, unknown.gateway) == (State.UNKNOWN, None)
    arrived = told(unknown, text(ReceiptState.DELIVERED, OUR_GATEWAY)).delivery
    assert (arrived.state, arrived.gateway) == (State.DELIVERED, OUR_GATEWAY)
    assert told(arrived, text(ReceiptState.REJECTED, OTHER_GATEWAY)).delivery == arrived


def test_while_a_try_is_under_way_its_end_is_waited_for() -> None:
    sent = follow(delivery_by(Channel.EMAIL), Requested(), claim()).delivery
    one = settled(sent, mail("spaeter-unbekannt", reference=OURS))
    assert one.due_at is not None
    assert one.evidence is None
    assert one.finding.kind is EvidenceKind.FAILED
