"""Which e-mail addresses can be sent to: one rule for the form that takes them and the channel.

Pure.
"""

import re
from dataclasses import dataclass

import idna

LONGEST_LOCAL_PART = 64  # octets (RFC 5321, 4.5.3.1.1)

# What word processors and phones make of an apostrophe. Mailboxes are named with the plain one.
TYPOGRAPHIC_APOSTROPHES = "\u2018\u2019\u201b\u02bc\u2032\u00b4\uff07"

# A dot-atom (RFC 5322, with RFC 6532). Quoted local parts are not worth their dangers.
_LOCAL = re.compile(
    r"[^\s\x00-\x20\x7f-\xa0()<>\[\]:;@\\,.\"\u2000-\u200f\u2028-\u202f"
    + TYPOGRAPHIC_APOSTROPHES
    + "]+"
)
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address fit for the wire; `utf8` when it needs SMTPUTF8 (RFC 6531)."""

    address: str
    utf8: bool


def parse_mailbox(address: str) -> Mailbox | None:
    """The address with its domain in ASCII (IDNA 2008), or None when it is none."""
    local, _, domain = address.strip().rpartition("@")
    if octets(local) > LONGEST_LOCAL_PART:
        return None
    if not all(_LOCAL.fullmatch(atom) for atom in local.split(".")):
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except (idna.IDNAError, UnicodeError):
            return None
    if not _DOMAIN.fullmatch(domain):
        return None
    try:
        local.encode()
    except UnicodeEncodeError:
        return None
    return Mailbox(f"{local}@{domain}", utf8=not local.isascii())


def octets(local: str) -> int:
    """How long a local part is on the wire."""
    return len(local.encode(errors="replace"))


def with_plain_apostrophes(address: str) -> str:
    """As it was meant, where a word processor or a phone has changed it."""
    return re.sub(f"[{TYPOGRAPHIC_APOSTROPHES}]", "'", address)
