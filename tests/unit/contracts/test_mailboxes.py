"""What is fit for the wire, and so may be entered at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.mailboxes import parse_mailbox


@pytest.mark.parametrize(
    ("given_address", "address", "utf8"),
    [
        ("a.b+c@example.org", "a.b+c@example.org", False),
        (" a@example.org ", "a@example.org", False),
        ("jürgen@example.org", "jürgen@example.org", True),
        ("a@müller.example", "a@xn--mller-kva.example", False),
        ("a@straße.example", "a@xn--strae-oqa.example", False),
    ],
)
def test_mailboxes(given_address: str, address: str, utf8: bool) -> None:
    mailbox = parse_mailbox(given_address)
    assert mailbox is not None
    assert (mailbox.address, mailbox.utf8) == (address, utf8)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "@example.org",
        "a@",
        "a b@example.org",
        "a@example.org>\r\nRCPT TO:<b@example.org",
        "a@example.org SIZE=1",
        "a,b@example.org",
        "<a@example.org>",
        "a..b@example.org",
        ".a@example.org",
        '"a b"@example.org',
        "a@-example.org",
        "a@exa_mple.org",
        "a@[127.0.0.1]",
        "a@b@example.org",
        "a\x00@example.org",
        "x" * 65 + "@example.org",
        "ü" * 33 + "@example.org",  # 66 octets
        "o\u2019brien@example.org",
        "a\u200bb@example.org",
        "a@" + "x" * 64 + ".org",
    ],
)
def test_what_is_no_mailbox(address: str) -> None:
    assert parse_mailbox(address) is None


@given(st.text(max_size=80))
def test_a_mailbox_never_breaks_the_command_line(address: str) -> None:
    mailbox = parse_mailbox(address)
    if mailbox is not None:
        assert not set(mailbox.address) & set("\r\n\x00 <>\"'\\,;:") - {"'"}
        assert mailbox.address.count("@") == 1
