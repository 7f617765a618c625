"""What comes back says what, of which delivery, and how long it waits for it. Row by row."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from contracts.channels import Channel
from contracts.events import FailureReason
from services.notification.bounces import EvidenceKind, Reading, read
from services.notification.deliveries.delivery import Delivery, State
from services.notification.deliveries.events import (
    Accepted,
    AutoReplied,
    Bounced,
    Complained,
    Confirmed,
    Delayed,
    Disputed,
    EvidenceEvent,
    Reply,
)
from services.notification.receipts.matching import match
from services.notification.receipts.receipt import (
    By,
    Finding,
    Receipt,
    Reference,
    finding_of_gateway,
    finding_of_mail,
    unreadable,
)
from services.notification.receipts.return_path import ORGANIZER, SignedAddress
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.sending.sms.receipts import ReceiptState
from tests.support.deliveries import NOW, minutes, new

ID, OURS, OTHER = UUID(int=9), UUID(int=77), UUID(int=78)
TAGS = Tags({1: bytes(32)}, purpose=ENVELOPE_ID)
ORGANIZERS = SignedAddress("rueck@praxis.example", {1: bytes(32)}, purpose=ORGANIZER)
REPLY = Reply(None, "5.1.1", FailureReason.UNKNOWN_USER)
MAIL = Receipt(id=ID, channel=Channel.EMAIL, received_at=NOW, tries=0, reference=None)
TEXT = Receipt(
    id=ID,
    channel=Channel.SMS,
    received_at=NOW,
    tries=0,
    reference=None,
    gateway="seven",
    said=ReceiptState.ACCEPTED,
)


def finding(
    kind: EvidenceKind = EvidenceKind.FAILED,
    *references: Reference,
    permanent: bool | None = None,
) -> Finding:
    return Finding(kind, permanent, "5.1.1", FailureReason.UNKNOWN_USER, references)


# --- how long it waits ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tries", "seconds"), [(0, 1), (1, 2), (5, 32), (11, 2048), (12, 3600), (5000, 3600)]
)
def test_pauses_double_up_to_an_hour(tries: int, seconds: int) -> None:
    assert replace(MAIL, tries=tries).next_look(NOW) == NOW + timedelta(seconds=seconds)


def test_a_receipt_waits_seven_days() -> None:
    receipt = replace(MAIL, tries=50)
    last = NOW + timedelta(days=7, hours=-1)
    assert receipt.next_look(last - timedelta(seconds=1)) is not None
    assert receipt.next_look(last) is None


def test_a_new_receipt_was_never_read() -> None:
    assert MAIL.readings == 0


# --- what it says ---------------------------------------------------------------------------------

BY_SERVER = [By.ENVELOPE_ID, By.REFERENCE, By.GATEWAY_ID]


@pytest.mark.parametrize(
    ("kind", "by", "permanent", "event"),
    [
        *((EvidenceKind.DELIVERED, by, None, Confirmed(ID, REPLY)) for by in BY_SERVER),
        (EvidenceKind.DELIVERED, By.RETURN_PATH, None, Accepted(REPLY, receipt_id=ID)),
        (EvidenceKind.DELIVERED, By.MESSAGE_ID, None, None),
        *(
            (EvidenceKind.FAILED, by, said, Bounced(ID, REPLY, permanent=said is not False))
            for by in (*BY_SERVER, By.RETURN_PATH)
            for said in (True, None, False)
        ),
        *(
            (EvidenceKind.FAILED, By.MESSAGE_ID, said, Disputed(ID, REPLY))
            for said in (True, None, False)
        ),
        *(
            row
            for by in (*BY_SERVER, By.RETURN_PATH, By.MESSAGE_ID)
            for row in (
                (EvidenceKind.ACCEPTED, by, None, Accepted(REPLY, receipt_id=ID)),
                (EvidenceKind.DELAYED, by, None, Delayed(ID, REPLY)),
                (EvidenceKind.AUTO_REPLY, by, None, AutoReplied(ID)),
                (EvidenceKind.COMPLAINT, by, None, Complained(ID)),
                (EvidenceKind.NOT_A_BOUNCE, by, None, None),
                (EvidenceKind.UNREADABLE, by, None, None),
            )
        ),
    ],
)
def test_what_it_means_depends_on_how_it_names_the_delivery(
    kind: EvidenceKind, by: By, permanent: bool | None, event: EvidenceEvent | None
) -> None:
    assert finding(kind, permanent=permanent).evidence(ID, by) == event


@pytest.mark.parametrize(
    ("said", "kind", "permanent"),
    [
        (ReceiptState.ACCEPTED, EvidenceKind.ACCEPTED, None),
        (ReceiptState.BUFFERED, EvidenceKind.DELAYED, None),
        (ReceiptState.DELIVERED, EvidenceKind.DELIVERED, None),
        (ReceiptState.FAILED, EvidenceKind.FAILED, True),
        (ReceiptState.REJECTED, EvidenceKind.FAILED, True),
        (ReceiptState.EXPIRED, EvidenceKind.FAILED, False),
    ],
)
def test_what_a_gateway_says(
    said: ReceiptState, kind: EvidenceKind, permanent: bool | None
) -> None:
    found = finding_of_gateway(replace(TEXT, said=said, status="5.1.1"), said)
    assert (found.kind, found.permanent, found.status) == (kind, permanent, "5.1.1")
    failed = kind is EvidenceKind.FAILED
    assert found.reason == (FailureReason.UNKNOWN_USER if failed else None)


def test_a_gateway_names_the_delivery_by_our_reference_before_its_own() -> None:
    named = replace(TEXT, reference=OURS, gateway_id="g-1")
    ours, its_own = (
        Reference(By.REFERENCE, OURS),
        Reference(By.GATEWAY_ID, gateway="seven", gateway_id="g-1"),
    )
    for receipt, references in (
        (named, [ours, its_own]),
        (replace(named, reference=None), [its_own]),
        (replace(named, gateway_id=None), [ours]),
    ):
        assert [*finding_of_gateway(receipt, ReceiptState.ACCEPTED).references] == references


READING = Reading(
    EvidenceKind.FAILED,
    permanent=False,
    status="4.4.7",
    reason=FailureReason.EXPIRED,
    original_message_id="<1@praxis.example>",
    envelope_id=" tag ",
)


def test_a_mail_names_it_by_return_path_then_envelope_id_then_message_id() -> None:
    found = finding_of_mail(replace(MAIL, reference=OURS), READING)
    assert (found.kind, found.permanent, found.status, found.reason) == (
        EvidenceKind.FAILED,
        False,
        "4.4.7",
        FailureReason.EXPIRED,
    )
    by = [Reference(By.RETURN_PATH, OURS), Reference(By.ENVELOPE_ID, tag="tag")]
    by.append(Reference(By.MESSAGE_ID, message_id="<1@praxis.example>"))
    assert [*found.references] == by
    assert [*finding_of_mail(MAIL, READING).references] == by[1:]
    assert not finding_of_mail(MAIL, Reading(EvidenceKind.DELAYED)).references


def test_of_a_mail_that_can_not_be_read_the_return_path_is_left() -> None:
    assert unreadable(replace(MAIL, reference=OURS)) == Finding(
        EvidenceKind.UNREADABLE, None, None, None, [Reference(By.RETURN_PATH, OURS)]
    )
    assert not unreadable(MAIL).references


def test_a_mail_is_read() -> None:
    assert finding_of_mail(MAIL, read(MAIL.content)).kind is EvidenceKind.NOT_A_BOUNCE


def test_an_envelope_id_counts_where_we_have_signed_it() -> None:
    by_path = Reference(By.RETURN_PATH, OTHER)
    forger = Tags({1: b"x" * 32}, purpose=ENVELOPE_ID)
    signed, made_up = (Reference(By.ENVELOPE_ID, tag=tags.of(OURS)) for tags in (TAGS, forger))
    found = finding(EvidenceKind.FAILED, by_path, made_up, signed).verified(TAGS, ORGANIZERS)
    assert [*found.references] == [by_path, Reference(By.ENVELOPE_ID, OURS)]
    assert found.kind is EvidenceKind.FAILED


def test_an_organizer_counts_where_we_have_signed_it() -> None:
    stranger = SignedAddress("rueck@praxis.example", {1: b"x" * 32}, purpose=ORGANIZER)
    ours, made_up = (
        Reference(By.ORGANIZER, address=each.of(OURS)) for each in (ORGANIZERS, stranger)
    )
    answered = finding(EvidenceKind.ANSWER, made_up, ours)
    found = answered.verified(TAGS, ORGANIZERS)
    assert [*found.references] == [Reference(By.ORGANIZER, organizer=OURS)]


def test_ways_to_name_a_delivery_are_counted_under_these_names() -> None:
    assert [by.value for by in By] == [
        *("return_path", "envelope_id", "message_id", "reference", "gateway_id"),
        *("organizer", "elsewhere"),
    ]


# --- which delivery it is about -------------------------------------------------------------------

PATH = Reference(By.RETURN_PATH, OURS)
ENVELOPE = Reference(By.ENVELOPE_ID, OURS)
MESSAGE = Reference(By.MESSAGE_ID, message_id="<1@praxis.example>")
TICKED = replace(new(), id=OURS, state=State.ACCEPTED, handed_over_at=NOW)


def test_the_first_reference_that_leads_to_a_delivery_decides() -> None:
    other = replace(TICKED, id=OTHER)
    said = finding(EvidenceKind.FAILED, PATH, MESSAGE)
    both = {OURS: TICKED, OTHER: other}
    settled = match(MAIL, said, both, {PATH: OURS, MESSAGE: OTHER}, NOW)
    assert (settled.delivery, settled.matched_by) == (TICKED, By.RETURN_PATH)
    assert isinstance(settled.evidence, Bounced)
    settled = match(MAIL, said, both, {MESSAGE: OTHER}, NOW)
    assert (settled.delivery, settled.matched_by) == (other, By.MESSAGE_ID)
    settled = match(MAIL, said, {OTHER: other}, {PATH: OURS, MESSAGE: OTHER}, NOW)
    assert (settled.delivery, settled.due_at) == (other, None)


def test_the_strongest_reference_to_it_says_what_it_proves() -> None:
    said = finding(EvidenceKind.DELIVERED, PATH, ENVELOPE)
    settled = match(MAIL, said, {OURS: TICKED}, {PATH: OURS, ENVELOPE: OURS}, NOW)
    assert (settled.matched_by, type(settled.evidence)) == (By.RETURN_PATH, Confirmed)
    of_another = replace(ENVELOPE, delivery_id=OTHER)
    said = finding(EvidenceKind.DELIVERED, PATH, of_another)
    settled = match(MAIL, said, {OURS: TICKED}, {PATH: OURS}, NOW)
    assert isinstance(settled.evidence, Accepted)


FINAL = [EvidenceKind.UNREADABLE, EvidenceKind.ANSWER]


@pytest.mark.parametrize("kind", [EvidenceKind.FAILED, EvidenceKind.COMPLAINT, *FINAL])
def test_what_names_nothing_that_is_known_is_looked_at_again_if_that_can_change(
    kind: EvidenceKind,
) -> None:
    again = None if kind in FINAL else NOW + timedelta(seconds=1)
    settled = match(MAIL, finding(kind, PATH), {}, {}, NOW)
    assert (settled.delivery, settled.matched_by, settled.due_at) == (None, None, again)
    assert match(MAIL, finding(kind), {}, {}, NOW).due_at is None


def test_while_a_try_is_under_way_it_is_looked_at_again_a_second_later() -> None:
    sending = replace(TICKED, state=State.SENDING)
    settled = match(MAIL, finding(EvidenceKind.FAILED, PATH), {OURS: sending}, {PATH: OURS}, NOW)
    assert (settled.due_at, settled.evidence) == (NOW + timedelta(seconds=1), None)
    assert (settled.delivery, settled.matched_by) == (sending, By.RETURN_PATH)
    for kind in FINAL:  # how the try ends makes no difference
        settled = match(MAIL, finding(kind, PATH), {OURS: sending}, {PATH: OURS}, NOW)
        assert (settled.due_at, settled.delivery) == (None, sending)


BY_ID = Reference(By.REFERENCE, OURS)


def of_gateway(gateway: str | None, *, handed_over: bool) -> Delivery:
    return replace(
        TICKED,
        channel=Channel.SMS,
        state=State.UNKNOWN,
        gateway=gateway,
        handed_over_at=NOW - minutes(1) if handed_over else None,
    )


def test_a_text_is_heard_of_by_the_gateway_that_may_have_it() -> None:
    said = finding(EvidenceKind.DELIVERED, BY_ID)

    def heard(delivery: Delivery, receipt: Receipt = TEXT) -> Delivery | None:
        return match(receipt, said, {OURS: delivery}, {BY_ID: OURS}, NOW).delivery

    known = of_gateway("seven", handed_over=True)
    assert heard(known) == known
    assert heard(of_gateway("twilio", handed_over=True)) is None
    assert heard(of_gateway(None, handed_over=True)) == known  # it has it, then
    unsent = of_gateway(None, handed_over=False)
    assert heard(unsent) == unsent
    assert heard(replace(known, channel=Channel.EMAIL)) is None
    assert heard(known, MAIL) is None
    assert heard(replace(known, channel=Channel.EMAIL, gateway="x"), MAIL) is not None
    other = replace(TEXT, gateway=None)  # of which no gateway is named it may be any's
    assert heard(known, other) == known


def test_what_is_of_another_channel_is_passed_over_for_a_later_reference() -> None:
    text = replace(TICKED, id=OTHER, channel=Channel.SMS)
    said = finding(EvidenceKind.FAILED, PATH, MESSAGE)
    found = {PATH: OTHER, MESSAGE: OURS}
    settled = match(MAIL, said, {OTHER: text, OURS: TICKED}, found, NOW)
    assert (settled.delivery, settled.matched_by) == (TICKED, By.MESSAGE_ID)
    settled = match(MAIL, said, {OTHER: text}, found, NOW)
    assert (settled.delivery, settled.matched_by) == (None, By.ELSEWHERE)
    assert (settled.due_at, settled.evidence) == (None, None)
