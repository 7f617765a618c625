"""The words for a refusal."""

from dataclasses import dataclass
from enum import StrEnum

from contracts.events import FailureReason


class Stage(StrEnum):
    """The SMTP command whose reply, or silence, ended the try (RFC 5321 section 3)."""

    CONNECT = "connect"  # banner and EHLO
    TLS = "tls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # the command
    MESSAGE = "message"  # after the final dot

    @property
    def before_the_recipient(self) -> bool:
        """Whether the server can't know yet whom the message is for."""
        return self in _BEFORE_THE_RECIPIENT


_BEFORE_THE_RECIPIENT = {Stage.CONNECT, Stage.TLS, Stage.AUTH, Stage.MAIL}


class About(StrEnum):
    """Whom or what a refusal speaks of."""

    RECIPIENT = "recipient"  # the mailbox, its domain, or what it takes and from whom
    US = "us"  # our sender, host, login or standing, at this one server
    ALL_MAIL = "all_mail"  # the same, said by our own mail server: no other mail will fare better
    MESSAGE = "message"  # its size or form
    SYSTEM = "system"  # a server or the network is out of order
    NOBODY = "nobody"  # it doesn't say


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is known of a refusal; `reason` and `permanent` are None where nothing is said.

    `status` is an RFC 3463 code, `code` the SMTP reply's.
    """

    about: About = About.NOBODY
    reason: FailureReason | None = None
    permanent: bool | None = None
    status: str | None = None
    code: int | None = None
