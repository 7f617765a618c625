"""The envelope: what is read of a message, and by what reason the rest is refused."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.channels import Channel
from contracts.envelope import Headers, Label, Unreadable, Untrusted, decode, encode, label
from contracts.events import Evidence, InvitationDelivered
from contracts.sealed_bodies import BodyOpener, BodySealer
from contracts.sealed_bodies import public_keys as readers_keys
from contracts.signatures import EventSigner, EventVerifier, public_keys
from contracts.topics import EVENT_OF

DELIVERED = InvitationDelivered(
    appointment_id=UUID(int=1),
    practice_id=UUID(int=2),
    invitation_id=UUID(int=3),
    attempt=1,
    channel=Channel.EMAIL,
    sequence=2,
    occurred_at=datetime(2026, 11, 24, tzinfo=UTC),
    evidence=Evidence.ACCEPTED,
)


def test_readers_ignore_what_they_do_not_know() -> None:
    message = encode(DELIVERED, source="/x")
    body = json.loads(message.value) | {"added_later": 1}
    headers = [*message.headers, ("ce_later", b"1"), ("empty", None)]
    assert decode(headers, json.dumps(body).encode()).event == DELIVERED


GOOD = encode(DELIVERED, source="/einladung/notification", traceparent=f"00-{1:032x}-{2:016x}-01")
MORE_DAYS = (b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00")  # in UTC there is none


def changed(name: str, value: bytes | None) -> Headers:
    """The headers of a good message, with one of them changed, or left out."""
    rest = [each for each in GOOD.headers if each[0] != name]
    return rest if value is None else [*rest, (name, value)]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ce_specversion", None, "ce_specversion is missing or not 1.0"),
        ("ce_specversion", b"0.3", "ce_specversion is missing or not 1.0"),
        ("ce_type", None, "ce_type is missing or unknown"),
        ("ce_type", b"einladung.v1.InvitationLost", "ce_type is missing or unknown"),
        ("ce_type", b"InvitationDelivered", "ce_type is missing or unknown"),
        ("ce_id", None, "ce_id is not a UUID or ce_time is not a time"),
        ("ce_id", b"7", "ce_id is not a UUID or ce_time is not a time"),
        ("ce_time", None, "ce_id is not a UUID or ce_time is not a time"),
        ("ce_time", b"noon", "ce_id is not a UUID or ce_time is not a time"),
        ("ce_time", b"2026-11-24T09:00:00", "ce_time has no offset"),
        *(("ce_time", each, "a time is out of range") for each in MORE_DAYS),
        ("ce_subject", None, "ce_subject is not the subject of the body"),
        ("ce_subject", str(UUID(int=9)).encode(), "ce_subject is not the subject of the body"),
        ("ce_practiceid", b"x", "ce_practiceid is not the practice of the body"),
        ("ce_sealed", b"1", "ce_sealed names a key that is not there"),
        ("later", b"\xff", "a header is not UTF-8"),
    ],
)
def test_one_broken_header_is_refused_by_its_name(
    name: str, value: bytes | None, reason: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        decode(changed(name, value), GOOD.value)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (GOOD.headers, Label(InvitationDelivered, UUID(int=2))),
        (changed("ce_practiceid", None), Label(InvitationDelivered, None)),
        (changed("ce_practiceid", b"x"), None),
        (changed("ce_practiceid", b"\xff"), None),
        (changed("ce_type", None), None),
        (changed("ce_type", b"InvitationDelivered"), None),
        (changed("ce_type", b"\xff"), None),
    ],
)
def test_a_label_tells_type_and_practice_or_nothing(headers: Headers, told: Label | None) -> None:
    """And with nothing it is decoded, so that it is refused by a reason."""
    assert label(headers) == told


@pytest.mark.parametrize("body", [None, b"", b"[]", b"{", b'{"attempt": 1}'])
def test_a_body_that_is_no_such_event_is_refused(body: bytes | None) -> None:
    with pytest.raises(Unreadable):
        decode(GOOD.headers, body)


def test_a_reason_is_never_long() -> None:
    body = json.dumps({"channels": ["x"] * 500}).encode()
    with pytest.raises(Unreadable) as refused:
        decode(changed("ce_type", b"einladung.v1.InvitationIssued"), body)
    assert len(str(refused.value)) == 1000


def test_what_is_said_of_an_event() -> None:
    said = {name: value.decode() for name, value in GOOD.headers}
    assert UUID(said.pop("ce_id")).version == 7
    assert datetime.fromisoformat(said.pop("ce_time")).utcoffset() == timedelta(0)
    assert said == {
        "ce_specversion": "1.0",
        "ce_type": "einladung.v1.InvitationDelivered",
        "ce_source": "/einladung/notification",
        "ce_subject": str(UUID(int=1)),
        "ce_dataschema": "urn:einladung:v1:InvitationDelivered",
        "ce_practiceid": str(UUID(int=2)),
        "content-type": "application/json",
        "traceparent": f"00-{1:032x}-{2:016x}-01",
    }
    assert (GOOD.topic, GOOD.key) == ("clinic.invitations.outcomes.v1", str(UUID(int=1)))
    assert "traceparent" not in dict(encode(DELIVERED, source="/x").headers)


def test_of_an_empty_body_the_signature_is_checked_first_and_the_body_after_it() -> None:
    attributes = {name: value.decode() for name, value in GOOD.headers}
    seeds = {1: b"1" * 32}
    verifier = EventVerifier({"notification": public_keys(seeds)})
    signature = EventSigner(seeds).sign(attributes, b"").encode()
    for empty in (None, b""):
        with pytest.raises(Unreadable) as refused:
            decode(changed("ce_signature", signature), empty, verifier)
        assert not isinstance(refused.value, Untrusted)
        with pytest.raises(Untrusted):
            decode(changed("ce_signature", b"1.AAAA"), empty, verifier)


def test_the_signature_is_of_this_very_body() -> None:
    attributes = {name: value.decode() for name, value in GOOD.headers}
    seeds = {1: b"1" * 32}
    verifier = EventVerifier({"notification": public_keys(seeds)})
    signed = changed("ce_signature", EventSigner(seeds).sign(attributes, GOOD.value).encode())
    assert decode(signed, GOOD.value, verifier).event == DELIVERED
    with pytest.raises(Untrusted):
        decode(signed, GOOD.value.replace(b"accepted", b"confirmed"), verifier)


def test_a_sealed_body_is_opened_by_who_has_the_key() -> None:
    keys = {7: b"k" * 32}
    headers, value = BodySealer(readers_keys(keys)).seal(
        {name: value.decode() for name, value in GOOD.headers}, GOOD.value
    )
    sealed = [(name, text.encode()) for name, text in headers.items()]
    assert decode(sealed, value, opener=BodyOpener(keys)).event == DELIVERED
    for nothing in (None, b"", b"x"):
        with pytest.raises(Unreadable, match="is not sealed under the key"):
            decode(sealed, nothing, opener=BodyOpener(keys))


def test_what_was_said_is_read() -> None:
    names = {name.upper(): value for name, value in GOOD.headers}
    received = decode(names.items(), GOOD.value)
    assert received.event == DELIVERED
    assert str(received.id).encode() == names["CE_ID"]
    assert received.time.isoformat().replace("+00:00", "Z").encode() == names["CE_TIME"]
    assert received.traceparent == f"00-{1:032x}-{2:016x}-01"


@pytest.mark.parametrize("value", [None, b"", b"00-1-2-01", b"00-" + b"x" * 32 + b"-1-01"])
def test_a_broken_trace_breaks_nothing(value: bytes | None) -> None:
    received = decode(changed("traceparent", value), GOOD.value)
    assert (received.event, received.traceparent) == (DELIVERED, None)


def test_a_time_is_the_same_moment_wherever_it_was_written() -> None:
    received = decode(changed("ce_time", b"2026-11-24T10:30:00+01:30"), GOOD.value)
    assert received.time == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert received.time.tzinfo is UTC


NAMES = [name for name, _ in GOOD.headers]
VALUES = (
    st.none()
    | st.binary(max_size=20)
    | st.sampled_from([value for _, value in GOOD.headers])
    | st.sampled_from([name.encode() for name in EVENT_OF])
    | st.datetimes(timezones=st.none() | st.just(UTC)).map(lambda at: at.isoformat().encode())
)
FIELDS = [*json.loads(GOOD.value), "added_later"]
JSON: st.SearchStrategy[object] = (
    st.none() | st.integers() | st.text(max_size=9) | st.datetimes().map(str) | st.just([])
)


def test_whatever_is_changed_of_a_good_message_it_is_read_or_refused_with_a_reason() -> None:
    reached: Counter[str] = Counter()

    @settings(max_examples=500)
    @given(st.sampled_from([*NAMES, "x"]), VALUES, st.sampled_from(FIELDS), JSON)
    def check(header: str, value: bytes | None, name: str, content: object) -> None:
        body = json.loads(GOOD.value)
        if content is not None:
            body[name] = content
        try:
            decode(changed(header, value), json.dumps(body).encode())
        except Unreadable as refused:
            reason = str(refused)
            assert reason
            reached["a field" if ": " in reason else reason] += 1
        else:
            reached["read"] += 1

    check()
    assert {
        *("a header is not UTF-8", "ce_specversion is missing or not 1.0"),
        *("ce_type is missing or unknown", "ce_id is not a UUID or ce_time is not a time"),
        *("ce_time has no offset", "ce_subject is not the subject of the body"),
        "ce_practiceid is not the practice of the body",
        *("a field", "read"),
    } <= set(reached)


@given(
    st.lists(st.tuples(st.sampled_from([*NAMES, "x"]), VALUES), max_size=8),
    st.none() | st.binary(max_size=50),
)
def test_whatever_else_comes_is_refused_with_a_reason(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    with pytest.raises(Unreadable) as refused:
        decode(headers, value)
    assert str(refused.value)


def test_the_reason_never_quotes_the_body() -> None:
    message = encode(DELIVERED, source="/x")
    body = json.loads(message.value) | {"attempt": "Erika Mustermann", "evidence": "a@example.org"}
    with pytest.raises(Unreadable) as refused:
        decode(message.headers, json.dumps(body).encode())
    assert "attempt: int_parsing" in str(refused.value)
    assert "Erika" not in str(refused.value)
    assert "@" not in str(refused.value)


def test_a_subject_of_another_appointment_is_refused() -> None:
    message = encode(DELIVERED, source="/x")
    headers: Headers = [
        (name, str(UUID(int=9)).encode() if name == "ce_subject" else value)
        for name, value in message.headers
    ]
    with pytest.raises(Unreadable):
        decode(headers, message.value)
