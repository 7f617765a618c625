"""Delivery status notifications are asked for as RFC 3461 wants."""

from hypothesis import given
from hypothesis import strategies as st

from services.notification.sending.email.smtp_pool import Envelope, xtext


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
