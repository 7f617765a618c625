"""What calendars answer, in the forms that the common ones write; and what is no answer."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import Answer
from services.notification.bounces import EvidenceKind, Reading, read
from services.notification.bounces.confined import ConfinedReader
from services.notification.bounces.result import CalendarAnswer
from tests.support.answers import COMMENT, SHAPES, reply

UID = "0193a0de-7a1c-7cc3-98c4-dc0c0c07398f"
ORGANIZER = "rueck+" + "a2" * 22 + "@praxis.example"
AT = datetime(2026, 11, 24, 9, 0, 30, tzinfo=UTC)
FILE = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:1\r\nSEQUENCE:2\r\n"
    b"ORGANIZER:mailto:p%2Bx@praxis.example\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:a@b.example\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)
HEAD = b"From: a@b.example\r\nContent-Type: text/calendar; method=REPLY\r\n\r\n"


def answered(content: bytes) -> CalendarAnswer | None:
    return read(content).answer


@pytest.mark.parametrize("said", Answer)
@pytest.mark.parametrize("shape", SHAPES)
async def test_each_calendar_s_answer_is_read_and_nothing_of_what_was_written(
    shape: str, said: Answer
) -> None:
    mail = reply(shape, uid=UID, organizer=ORGANIZER, sequence=3, said=said.upper(), at=AT)
    here = read(mail)
    assert here.kind is EvidenceKind.NOT_A_BOUNCE
    assert here.answer is not None
    assert (here.answer.answer, here.answer.uid.lower()) == (said, UID)
    assert (here.answer.sequence, here.answer.stamp) == (3, AT)
    assert here.answer.organizers[0] == ORGANIZER
    assert COMMENT.encode() in mail or b"SWNoIGhhYmUg" in mail
    assert COMMENT not in repr(here)
    reader = ConfinedReader()
    try:
        assert await reader.read(mail) == here
    finally:
        await reader.close()


def test_a_bare_file_with_an_escaped_address() -> None:
    answer = answered(HEAD + FILE)
    assert answer == CalendarAnswer(Answer.ACCEPTED, "1", 2, ("p+x@praxis.example",), None)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("ACCEPTED", Answer.TENTATIVE),
        ("TENTATIVE", Answer.TENTATIVE),
        ("DECLINED", Answer.DECLINED),
    ],
)
def test_another_time_proposed_is_no_acceptance(said: str, means: Answer) -> None:
    proposal = FILE.replace(b"METHOD:REPLY", b"METHOD:COUNTER").replace(b"ACCEPTED", said.encode())
    answer = answered(HEAD + proposal)
    assert answer is not None
    assert answer.answer is means


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"METHOD:REPLY", b"METHOD:REQUEST"),
        (b"METHOD:REPLY", b"METHOD:REFRESH"),
        (b"METHOD:REPLY\r\n", b""),
        (b"PARTSTAT=ACCEPTED", b"PARTSTAT=NEEDS-ACTION"),
        (b"PARTSTAT=ACCEPTED", b"PARTSTAT=DELEGATED"),
        (b";PARTSTAT=ACCEPTED", b""),
        (b"UID:1\r\n", b""),
        (b"UID:1\r\n", b"UID:1\r\nRECURRENCE-ID:20261201T133000Z\r\n"),
        (b"END:VEVENT\r\n", b"END:VEVENT\r\nBEGIN:VEVENT\r\nEND:VEVENT\r\n"),
        (b"END:VEVENT", b"ATTENDEE;PARTSTAT=DECLINED:mailto:c@b.example\r\nEND:VEVENT"),
        (b"BEGIN:VEVENT", b"BEGIN:VTODO"),
    ],
)
def test_what_is_no_clear_answer_is_none(old: bytes, new: bytes) -> None:
    assert answered(HEAD + FILE.replace(old, new)) is None


@pytest.mark.parametrize(
    ("written", "sequence"), [("", 0), ("-1", 0), ("x", 0), ("9" * 30, 0), ("9" * 10, 2**31 - 1)]
)
def test_sequences_that_can_not_be(written: str, sequence: int) -> None:
    answer = answered(HEAD + FILE.replace(b"SEQUENCE:2", b"SEQUENCE:" + written.encode()))
    assert answer is not None
    assert answer.sequence == sequence


def test_our_own_invitation_coming_back_is_no_answer() -> None:
    returned = (
        b"From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered mail\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        b"--b\r\n\r\nuser unknown\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        b"Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n"
        b"Status: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n" + HEAD + FILE + b"--b--"
    )
    reading = read(returned)
    assert (reading.kind, reading.answer) == (EvidenceKind.FAILED, None)


def test_out_of_office_stays_what_it_is() -> None:
    head = b"From: a@b.example\r\nAuto-Submitted: auto-replied\r\nSubject: Abwesend\r\n"
    away = head + b"\r\nBin weg.\r\n"
    assert read(away) == Reading(EvidenceKind.AUTO_REPLY, recipients=("a@b.example",))


LINES = [
    *FILE.split(b"\r\n"),
    b" x",
    b"\t;",
    b'ATTENDEE;CN="',
    b"ATTENDEE;PARTSTAT=DECLINED:",
    b":",
]


@given(st.data())
def test_any_file_is_read_without_error_and_within_bounds(data: st.DataObject) -> None:
    lines: list[Any] = data.draw(
        st.lists(st.sampled_from(LINES) | st.binary(max_size=80), max_size=60)
    )
    answer = answered(HEAD + b"\r\n".join(lines))
    if answer is not None:
        assert len(answer.organizers) <= 5
        assert re.search(rb"(?i)PARTSTAT", b"".join(lines))


@given(st.data())
def test_a_damaged_answer_is_read_without_error(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from(sorted(SHAPES)))
    content = bytearray(reply(shape, uid=UID, organizer=ORGANIZER, at=AT))
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=30))
    read(bytes(content))
