"""Return paths name their delivery, can't be made up, and survive what servers do to them."""

import base64
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from contracts.events import FailureReason
from services.notification.deliveries.reasons import reason_of
from services.notification.receipts.return_path import MAX_LOCAL_PART, ReturnPath
from services.notification.sending.email.smtp_pool import Envelope, xtext

KEYS = {1: b"1" * 32, 7: b"7" * 32}
STEM = "b" * MAX_LOCAL_PART + "@praxis.example"
ours = ReturnPath(STEM, KEYS)


@given(st.uuids())
def test_a_return_path_names_its_delivery_whatever_its_case(delivery_id: UUID) -> None:
    path = ours.of(delivery_id)
    assert len(path.partition("@")[0]) <= 64
    assert ours.read(path) == ours.read(path.upper()) == delivery_id
    assert ours.accepts(path)


@given(st.uuids(), st.integers(0, 26), st.integers(1, 255))
def test_whatever_is_changed_is_no_return_path_any_more(
    delivery_id: UUID, at: int, change: int
) -> None:
    tag = ours.of(delivery_id).partition("+")[2].partition("@")[0].upper()
    raw = bytearray(base64.b32decode(tag + "=" * (-len(tag) % 8)))
    raw[at] ^= change
    forged = base64.b32encode(raw).decode().rstrip("=").lower()
    assert ours.read(STEM.replace("@", f"+{forged}@")) is None


@given(st.text(max_size=100))
def test_what_strangers_write_is_read_without_error(text: str) -> None:
    for address in (text, f"{text}@praxis.example", STEM.replace("@", f"+{text}@")):
        assert ours.read(address) is None
    assert ours.find(text.encode(errors="replace")) is None


def test_keys_rotate() -> None:
    delivery_id = UUID(int=5)
    old = ReturnPath(STEM, {1: KEYS[1]}).of(delivery_id)
    assert ours.read(old) == delivery_id
    assert ReturnPath(STEM, {7: KEYS[7]}).read(old) is None


def test_a_return_path_is_found_in_the_head_of_a_mail() -> None:
    path = ours.of(UUID(int=5))
    forged = path.replace("+a", "+b")
    mail = f"X-Original-To: {forged}\r\nDelivered-To: <{path.upper()}>\r\n\r\n".encode()
    assert ours.find(mail) == UUID(int=5)


def test_the_stem_is_accepted_and_nothing_else() -> None:
    assert ours.accepts(STEM.upper())
    for stranger in ("x@praxis.example", "@", "", STEM.replace("praxis", "other")):
        assert not ours.accepts(stranger)


def envelope(recipient: str, *, utf8: bool = False) -> Envelope:
    return Envelope(id="a=1", sender="s@x.example", recipient=recipient, message=b"", utf8=utf8)


def test_delivery_notifications_are_asked_for_as_rfc_3461_wants() -> None:
    asked = envelope("a+b=c@example.org")
    assert asked.dsn_of_mail == (b"RET=HDRS", b"ENVID=a+3D1")
    assert asked.dsn_of_rcpt == (
        b"NOTIFY=SUCCESS,FAILURE,DELAY",
        b"ORCPT=rfc822;a+2Bb+3Dc@example.org",
    )
    assert envelope("ä@example.org", utf8=True).dsn_of_rcpt == (b"NOTIFY=SUCCESS,FAILURE,DELAY",)


@given(st.text(st.characters(max_codepoint=127)))
def test_xtext_decodes_to_what_it_was(text: str) -> None:
    encoded = xtext(text)
    assert all(33 <= byte <= 126 and byte != ord("=") for byte in encoded)
    parts = encoded.split(b"+")
    decoded = parts[0] + b"".join(bytes([int(each[:2], 16)]) + each[2:] for each in parts[1:])
    assert decoded.decode() == text


def test_a_status_names_its_reason() -> None:
    assert reason_of("5.1.1") is reason_of("5.1.6") is FailureReason.UNKNOWN_USER
    assert reason_of("4.2.2") is FailureReason.MAILBOX_FULL
    assert reason_of("5.4.4") is reason_of("5.1.10") is FailureReason.HOST_UNKNOWN
    assert reason_of("4.4.7") is FailureReason.EXPIRED
    assert reason_of("5.0.0") is reason_of("2.1.5") is reason_of(None) is None
