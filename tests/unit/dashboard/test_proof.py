"""A proof says what is known, in German, and nothing that is not."""

import csv
import io
import re
import tracemalloc
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis.upstreams import UpstreamUnavailable
from contracts.channels import Channel
from contracts.events import (
    Answer,
    Evidence,
    FailureCategory,
    FailureReason,
    NoticeKind,
    VisitRole,
    Withheld,
)
from dashboard import proof, proof_routes
from dashboard.proof import Entry, Line, Sent, Start, Timeline, Timelines

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTICE = UUID(int=9)


def sent(**changes: Any) -> Sent:
    return Sent.model_validate(
        {
            "appointment_id": UUID(int=1),
            "start": NOON,
            "duration_minutes": 20,
            "time_zone": "Europe/Berlin",
            "cancelled_at": None,
            "patient_name": "Erika Mustermann",
            "email": "erika@example.org",
            "phone": "+491713920001",
            "damaged": False,
            "attempts": [
                {"attempt": 1, "channel": "email", "address": "other"},
                {"attempt": 2, "channel": "email", "address": "present"},
                {"attempt": 2, "channel": "sms", "address": "present"},
            ],
            "notices": [
                {"notice_id": NOTICE, "kind": "moved", "starts_at": NOON + MINUTE, "attempt": 2}
            ],
        }
        | changes
    )


def entry(type_: str = "delivered", minutes: int = 0, **changes: Any) -> Entry:
    bare = dict.fromkeys(Entry.model_fields) | {
        "at": NOON - timedelta(days=1) + minutes * MINUTE,
        "type": type_,
        "about": "invitation",
        "channel": "email",
        "attempt": None if "notice_id" in changes else 1,
        "late": False,
    }
    return Entry.model_validate(bare | changes)


def lines(*entries: Entry, starts: Sequence[Start] = (), **changes: Any) -> list[Line]:
    known = Timeline(appointment_id=UUID(int=1), starts=list(starts), timeline=list(entries))
    return proof.told(sent(**changes), known)


def test_each_message_is_told_with_where_it_went_and_what_proves_it() -> None:
    found = lines(
        entry("requested"),
        entry("failed", 1, category="permanent", reason="unknown_user", status_code="5.1.1"),
        entry("delivered", 2, attempt=2, evidence="accepted"),
        entry("delivered", 3, attempt=2, channel="sms", evidence="confirmed"),
        entry("delivered", 4, about="moved", notice_id=NOTICE, evidence="confirmed"),
        entry("failed", 5, about="reminder", notice_id=UUID(int=8), withheld="not_invited"),
    )
    assert [(each.what, each.attempt, each.channel, each.to, each.result) for each in found] == [
        ("Einladung", "1", "E-Mail", proof.OTHER_ADDRESS, "angefordert"),
        ("Einladung", "1", "E-Mail", proof.OTHER_ADDRESS, "nicht zugestellt"),
        ("Einladung", "2", "E-Mail", "erika@example.org", "zugestellt"),
        ("Einladung", "2", "SMS", "+491713920001", "zugestellt"),
        ("Mitteilung der Verschiebung", "", "E-Mail", "erika@example.org", "zugestellt"),
        ("Erinnerung", "", "E-Mail", "", "nicht gesendet"),
    ]
    assert found[1].evidence == "Die Nachricht wurde endgültig abgelehnt: Adresse unbekannt."
    assert [each.code for each in found] == ["", "5.1.1", "", "", "", ""]
    assert "Mailserver" in found[2].evidence
    assert "SMS" in found[3].evidence
    assert [each.told for each in found] == [None] * 4 + [NOON + MINUTE, None]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"late": True, "reason": "mailbox_full"}, "später als unzustellbar zurück: Postfach voll"),
        ({"late": True, "channel": "sms", "reason": "unknown_user"}, "abgelehnt: Nummer unbekannt"),
        ({"late": True, "evidence": "unsigned"}, "Herkunft ist nicht gesichert"),
        ({"category": "technical", "reason": "policy"}, "technische Störung beim Versand."),
        ({}, "endgültig abgelehnt."),
    ],
)
def test_a_failure_says_no_more_than_its_evidence(changes: dict[str, Any], said: str) -> None:
    [found] = lines(entry("failed", **{"category": "permanent"} | changes))
    assert said in found.evidence
    assert found.result == "nicht zugestellt"


def test_what_stopped_being_sent_is_not_called_a_failure() -> None:
    [found] = lines(entry("failed", category="cancelled"))
    assert found.result == proof.WITHDRAWN


def test_what_is_under_way_is_told_until_something_became_of_it() -> None:
    queued, other = entry("pending"), entry("pending", 1, attempt=2)
    assert [each.result for each in lines(queued, other)] == ["noch ohne Ergebnis"] * 2
    ended = lines(queued, other, entry("unconfirmed", 2))
    assert [(each.attempt, each.result) for each in ended] == [
        ("2", "noch ohne Ergebnis"),
        ("1", "nicht bestätigt"),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"attempts": []},  # older than they are kept
        {"attempts": [{"attempt": 1, "channel": "email", "address": "unknown"}]},
        {"attempts": [{"attempt": 1, "channel": "email", "address": "of another kind"}]},
        {"patient_name": None, "email": None, "phone": None},
    ],
)
def test_an_address_that_is_not_known_is_not_guessed(changes: dict[str, Any]) -> None:
    if "attempts" not in changes:
        changes["attempts"] = [{"attempt": 1, "channel": "email", "address": "present"}]
    [found] = lines(entry(evidence="accepted"), **changes)
    assert found.to == proof.UNKNOWN_ADDRESS


def test_moves_and_the_cancellation_stand_among_the_messages() -> None:
    first = Start(since=NOON - timedelta(days=2), starts_at=NOON - 10 * MINUTE)
    moved = Start(since=NOON - timedelta(hours=23), starts_at=NOON)
    found = lines(entry(), starts=[first, moved], cancelled_at=NOON - timedelta(hours=1))
    assert [(each.what, each.result, each.told) for each in found] == [
        ("Termin", "erstellt", first.starts_at),
        ("Einladung", "zugestellt", None),
        ("Termin", "verschoben", NOON),
        ("Termin", "abgesagt", None),
    ]


def test_who_joined_or_answered_is_not_said_to_be_the_patient() -> None:
    found = lines(
        entry("answered", channel=None, answer="declined"),
        entry("joined", 1, about="visit", channel=None, role="patient"),
        entry("joined", 2, about="visit", channel=None, role="host"),
    )
    assert [each.result for each in found] == ["abgesagt", "beigetreten", "Praxis beigetreten"]
    assert "Wer geantwortet hat, ist nicht bekannt" in found[0].evidence
    assert "Wer den Link benutzt hat, ist nicht bekannt" in found[1].evidence


def test_that_somebody_dealt_with_it_is_told_as_their_word() -> None:
    [found] = lines(entry("followed_up", about="appointment", channel=None))
    assert (found.what, found.to, found.result) == ("Termin", "", proof.FOLLOWED_UP)


def test_a_correction_is_told_without_what_was_corrected() -> None:
    [found] = lines(entry("corrected", about="appointment", channel=None))
    assert (found.what, found.to, found.result) == ("Termin", "", proof.CORRECTED)


def test_every_code_has_german_words() -> None:
    assert proof.CHANNELS.keys() == set(Channel)
    assert proof.SUBJECTS.keys() == {"invitation", "visit", *NoticeKind}
    assert proof.EVIDENCE.keys() == {(each, channel) for each in Evidence for channel in Channel}
    assert proof.CATEGORIES.keys() == set(FailureCategory)
    assert proof.REASONS.keys() == set(FailureReason)
    assert proof.SMS_REASONS.keys() < proof.REASONS.keys()
    assert proof.WITHHELD.keys() == set(Withheld)
    assert proof.ANSWERS.keys() == set(Answer)
    assert proof.JOINED.keys() == set(VisitRole)


def test_a_code_that_is_not_known_yet_is_shown_as_it_is() -> None:
    [found] = lines(entry("returned", about="survey", channel="fax"))
    assert (found.what, found.channel, found.result) == ("survey", "fax", "returned")


def test_a_row_has_its_times_on_the_practices_clock_with_their_offset() -> None:
    [row] = proof.cells(sent(), lines(entry(evidence="accepted")))
    assert dict(zip(proof.HEADER, row, strict=True)) == {
        "Termin": str(UUID(int=1)),
        "Beginn": "2026-12-01T13:00:00+01:00",
        "Minuten": "20",
        "Vorname Nachname": "Erika Mustermann",
        "Stand": "",
        "Zeit": "2026-11-30T13:00:00+01:00",
        "Was": "Einladung",
        "Versuch": "1",
        "Weg": "E-Mail",
        "An": proof.OTHER_ADDRESS,
        "Ergebnis": "zugestellt",
        "Nachweis": "Der Mailserver der Adresse hat die Nachricht angenommen.",
        "Code": "",
        "Genannter Beginn": "",
    }
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert proof.spoken(summer, sent().zone, seconds=True) == "01.07.2026, 14:00:00 (UTC+02:00)"


@pytest.mark.parametrize(
    ("changes", "name", "state"),
    [
        ({"cancelled_at": NOON, "patient_name": None}, proof.NO_NAME, "abgesagt"),
        ({"damaged": True, "patient_name": None}, proof.UNREADABLE, ""),
    ],
)
def test_an_appointment_of_which_nothing_is_known_has_a_row(
    changes: dict[str, Any], name: str, state: str
) -> None:
    [row] = proof.cells(sent(**changes), [])
    assert row[3:5] == (name, state)
    assert proof.NOTHING_KNOWN in row
    assert len(row) == len(proof.HEADER)


# The file


async def exported(count: int) -> AsyncIterator[str]:
    """Scheduling's lines."""
    for number in range(count):
        changed = {"appointment_id": UUID(int=number), "patient_name": "=1+1"}
        yield sent(**changed).model_dump_json()


async def told(ids: Sequence[UUID]) -> Timelines:
    assert len(ids) <= proof_routes.BATCH
    known = [Timeline(appointment_id=each, starts=[], timeline=[entry()]) for each in ids]
    return Timelines(timelines=known, as_of=None)


async def fails(_ids: Sequence[UUID]) -> Timelines:
    raise UpstreamUnavailable


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
async def test_the_file_has_every_appointment_once_and_no_formula(count: int) -> None:
    chunks = [chunk.decode() async for chunk in proof_routes.table(exported(count), told)]
    text = "".join(chunks).removeprefix("\ufeff")
    [header, *rows] = csv.reader(io.StringIO(text, newline=""), delimiter=";")
    assert header == [*proof.HEADER]
    assert [row[0] for row in rows] == [str(UUID(int=number)) for number in range(count)]
    assert {row[3] for row in rows} <= {"'=1+1"}
    assert not re.search(r'(^|[;"])[=+@-]', text, re.MULTILINE)


async def test_what_breaks_off_does_not_end_like_a_whole_file() -> None:
    with pytest.raises(UpstreamUnavailable):
        async for _ in proof_routes.table(exported(3), fails):
            pass


async def test_a_long_file_takes_no_more_memory_than_a_short_one() -> None:
    async def peak(count: int) -> int:
        tracemalloc.start()
        async for _ in proof_routes.table(exported(count), told):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    await peak(200)  # what is loaded once
    assert await peak(3000) < 1.5 * await peak(300)
