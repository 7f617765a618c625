"""The ways on which a patient is reached."""

from enum import StrEnum


class Channel(StrEnum):
    """A way to reach the patient."""

    EMAIL = "email"
    SMS = "sms"


def folded_address(address: str | None) -> str:
    """The same for addresses that count as one, and empty for none; of a number it is itself.

    RFC 5321 (2.4) lets a server tell capitals in a mailbox's name from small letters; none does.
    """
    return (address or "").casefold()
