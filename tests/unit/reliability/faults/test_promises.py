"""The checker finds every kind of lie, planted one by one in a campaign without any."""

from dataclasses import replace
from typing import Any

import pytest

from reliability.faults.promises import (
    Delivery,
    Evidence,
    Invitation,
    MailLine,
    Promise,
    Record,
    Shown,
    TextLine,
    check,
    copies,
)

TICK, MARK = Shown("delivered", 1), Shown("failed", 1)
CREATED = "appointment_created"


def mail(subject: str, **how: Any) -> Delivery:
    given: dict[str, Any] = {
        "attempt": 1,
        "channel": "email",
        "state": "accepted",
        "unanswered": 0,
    } | how
    return Delivery(
        id=f"d-{subject}",
        appointment_id=subject,
        message_id=f"<{subject}-{given['attempt']}>",
        **given,
    )


def record(number: int, *, offset: int, partition: int = 0, event_id: str = "") -> Record:
    event_id = event_id or f"{offset}"
    return Record("outcomes", partition, offset, "ok", event_id, "ok 1 email", number)


HONEST = Evidence(
    invitations=[
        Invitation("ok", 1, "email", "erika@example.org"),
        Invitation("refused", 1, "email", "unbekannt@example.org"),
        Invitation("bounced", 1, "email", "spaeter@example.org"),
        Invitation("text", 1, "sms", "+491"),
        Invitation("again", 1, "email", "max@example.org"),
        Invitation("again", 2, "email", "max@example.org"),
        Invitation("twice", 1, "email", "twice@example.org"),
    ],
    appointments={"ok", "refused", "bounced", "text", "again", "twice"},
    deliveries=[
        mail("ok"),
        mail("refused", state="failed"),
        mail("bounced", state="failed"),
        mail("text", channel="sms", state="delivered"),
        mail("again", state="superseded"),
        mail("again", attempt=2),
        mail("twice", unanswered=1),
    ],
    mails=[
        MailLine("taken", "erika@example.org", "<ok-1>"),
        MailLine("refused", "unbekannt@example.org"),
        MailLine("taken", "spaeter@example.org", "<bounced-1>"),
        MailLine("sent back", "spaeter@example.org", "<bounced-1>", "failed"),
        MailLine("taken", "max@example.org", "<again-1>"),
        MailLine("taken", "max@example.org", "<again-2>"),
        MailLine("taken", "twice@example.org", "<twice-1>"),
        MailLine("taken", "twice@example.org", "<twice-1>"),
    ],
    texts=[TextLine("taken", "d-text"), TextLine("receipt", "d-text", "delivered")],
    indicators={
        "ok": TICK,
        "refused": MARK,
        "bounced": MARK,
        "text": TICK,
        "again": Shown("delivered", 2),
        "twice": TICK,
    },
    records=[
        record(1, offset=0),
        record(2, offset=1),
        record(1, offset=2, event_id="0"),  # a repeat
        record(3, offset=3),
    ],
    entries=[
        *((CREATED, name) for name in ("ok", "refused", "bounced", "text", "again", "twice")),
        ("invitation_resent", "again"),
    ],
    queues={"outbox": 0},
)


def shown(subject: str, how: Shown) -> dict[str, Any]:
    return {"indicators": {**HONEST.indicators, subject: how}}


def more(name: str, *added: Any) -> dict[str, Any]:
    return {name: [*getattr(HONEST, name), *added]}


def without(name: str, *gone: Any) -> dict[str, Any]:
    return {name: [each for each in getattr(HONEST, name) if each not in gone]}


UNKNOWN = mail("twice", state="unknown", unanswered=2)


def test_a_campaign_without_lies_breaks_no_promise() -> None:
    assert check(HONEST) == []
    assert copies(HONEST) == 1


LIES: dict[str, tuple[Promise, str, dict[str, Any]]] = {
    "no appointment": (Promise.LOST, "ok", {"appointments": {*HONEST.appointments} - {"ok"}}),
    "no delivery": (Promise.LOST, "ok", without("deliveries", mail("ok"))),
    "no indicator": (
        Promise.LOST,
        "ok",
        {"indicators": {k: v for k, v in HONEST.indicators.items() if k != "ok"}},
    ),
    "the older attempt": (Promise.LOST, "again", shown("again", TICK)),
    "never left": (
        Promise.LOST,
        "ok",
        shown("ok", Shown("pending", 1)) | without("mails", HONEST.mails[0]),
    ),
    "still a clock": (Promise.STUCK, "ok", shown("ok", Shown("pending", 1))),
    "amber, though sent once": (Promise.STUCK, "twice", shown("twice", Shown("unconfirmed", 1))),
    "a queue": (Promise.STUCK, "outbox", {"queues": {"outbox": 1}}),
    "a tick for nothing": (Promise.FALSE_GREEN, "ok", without("mails", HONEST.mails[0])),
    "a tick in spite of a bounce": (Promise.FALSE_GREEN, "bounced", shown("bounced", TICK)),
    "a tick in spite of a refusal": (Promise.FALSE_GREEN, "refused", shown("refused", TICK)),
    "a tick without a receipt": (Promise.FALSE_GREEN, "text", without("texts", HONEST.texts[1])),
    "a tick in spite of a receipt": (
        Promise.FALSE_GREEN,
        "text",
        more("texts", TextLine("receipt", "d-text", "failed")),
    ),
    "a mark though it was taken": (Promise.FALSE_RED, "ok", shown("ok", MARK)),
    "a mark in spite of a receipt": (Promise.FALSE_RED, "text", shown("text", MARK)),
    "a third copy": (Promise.COPY, "twice", more("mails", HONEST.mails[-1])),
    "a second, not in flight": (Promise.COPY, "ok", more("mails", HONEST.mails[0])),
    "a text twice": (Promise.COPY, "d-text", more("texts", TextLine("taken", "d-text"))),
    "another Message-ID": (
        Promise.OTHER_ID,
        "<x>",
        more("mails", MailLine("taken", "erika@example.org", "<x>")),
    ),
    "another reference": (Promise.OTHER_ID, "x", more("texts", TextLine("taken", "x"))),
    "a second delivery": (
        Promise.OTHER_ID,
        "ok",
        more("deliveries", replace(mail("ok"), id="x", message_id="<y>")),
    ),
    "out of order": (Promise.ORDER, "ok", more("records", record(2, offset=4))),
    "on two partitions": (
        Promise.ORDER,
        "ok",
        more("records", record(4, offset=0, partition=1, event_id="z")),
    ),
    "a deed not entered": (Promise.AUDIT, "ok", without("entries", (CREATED, "ok"))),
    "a deed entered twice": (Promise.AUDIT, "ok", more("entries", (CREATED, "ok"))),
    "a sending not entered": (
        Promise.AUDIT,
        "again",
        without("entries", ("invitation_resent", "again")),
    ),
    "a chain that does not hold": (Promise.AUDIT, "chain", {"chain_fault": "5 is missing"}),
    "an appointment of nobody": (
        Promise.MADE_UP,
        "x",
        {"appointments": {*HONEST.appointments, "x"}},
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_planted_lie_is_found(lie: str) -> None:
    promise, subject, changes = LIES[lie]
    found = {(each.promise, each.subject) for each in check(replace(HONEST, **changes))}
    assert (promise, subject) in found
    assert {each for _, each in found} <= {subject, "<ok-1>"}  # the mail of a delivery that is gone


def test_every_promise_has_a_lie() -> None:
    assert {promise for promise, *_ in LIES.values()} == set(Promise)


def test_what_nobody_can_know_is_said_and_no_lie() -> None:
    """Sent twice without a clean reply: amber is right, whether it arrived or not."""
    deliveries = [UNKNOWN if each.appointment_id == "twice" else each for each in HONEST.deliveries]
    amber = replace(HONEST, deliveries=deliveries, **shown("twice", Shown("unconfirmed", 1)))
    assert check(amber) == []


def test_a_request_that_was_never_answered_may_have_been_done() -> None:
    assert check(replace(HONEST, appointments={*HONEST.appointments, "x"}, unanswered=1)) == []


def test_sent_again_without_an_answer_is_no_loss() -> None:
    again = Shown("delivered", 2)
    deliveries = [*HONEST.deliveries, mail("ok", attempt=2)]
    mails = [*HONEST.mails, MailLine("taken", "erika@example.org", "<ok-2>")]
    done = replace(HONEST, deliveries=deliveries, mails=mails, **shown("ok", again))
    assert check(replace(done, unanswered=1)) == []
    assert {each.promise for each in check(done)} == {Promise.LOST}


@pytest.mark.parametrize("mark", [MARK, Shown("unconfirmed", 1)])
def test_a_receipt_whose_answer_was_lost_may_have_been_taken(mark: Shown) -> None:
    """Of which nobody knows whether it came: its mark is right, and so is amber."""
    texts = [TextLine("taken", "d-text"), TextLine("offered", "d-text", "failed")]
    state = "failed" if mark is MARK else "unknown"
    deliveries = [
        mail("text", channel="sms", state=state, unanswered=1) if each.channel == "sms" else each
        for each in HONEST.deliveries
    ]
    assert not check(replace(HONEST, texts=texts, deliveries=deliveries, **shown("text", mark)))
    never_offered = replace(HONEST, texts=texts[:1], deliveries=deliveries, **shown("text", MARK))
    assert {each.promise for each in check(never_offered)} == {Promise.FALSE_RED}
