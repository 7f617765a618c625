"""Codes in what servers say: the status (RFC 3463), the reply code (RFC 5321), the command."""

import re

from services.notification.refusals.refusal import Stage

_STATUS = re.compile(r"(?<![\d.\w/-])(?:[45]\d\d-)?([245])\.(\d{1,3})\.(\d{1,3})(?![\w-]|\.\d)")
_CODE = re.compile(
    r"(?:^|(?<=[\s:;,(\[<>'\"#=]))(42[1-9]|43[0-2]|4[3-7]\d|50[0-4]|51[0-9]|52[0-5]|53[0-9]|"
    r"54[1-9]|55[0-9]|57[0-9]|59\d)"
    r"(?=[\s\-;:,.)\]'\"#]|$)"
)
# As Postfix, Exim, GMX, qmail and sendmail say which command was refused.
_STAGES = (
    (
        Stage.CONNECT,
        r"in reply to (?:initial server greeting|helo|ehlo)|refused to talk to me|"
        r"after (?:initial connection|helo|ehlo)\b|but (?:greeting failed|my name was rejected)",
    ),
    (Stage.TLS, r"in reply to starttls|after starttls\b"),
    (Stage.AUTH, r"in reply to auth|after auth\b|sasl authentication failed"),
    (
        Stage.MAIL,
        r"in reply to mail from|after (?:pipelined )?mail from\b|for mail from command|"
        r"after mail command|but sender was rejected|"
        r">>> ?mail from:[^<>]{0,40}(?:<[^<>]{0,300}>)?[^<>]{0,80}<<< ?[45]\d\d",
    ),
    (
        Stage.RCPT,
        r"in reply to rcpt to|after (?:pipelined )?rcpt to\b|for rcpt to command|"
        r"after rcpt command|does not like recipient",
    ),
    (
        Stage.MESSAGE,
        r"in reply to (?:end of )?data|after (?:end of data|data|pipelined data)\b|"
        r"failed (?:after i sent the message|on data command)",
    ),
)
_COMMANDS = tuple((stage, re.compile(pattern, re.I)) for stage, pattern in _STAGES)


def find_status(text: str) -> str | None:
    """The first status code of a failure in the text, the telling ones first."""
    found = [
        f"{hit[1]}.{int(hit[2])}.{int(hit[3])}" for hit in _STATUS.finditer(text) if hit[1] != "2"
    ]
    return max(found, key=tells, default=None)


def tells(status: str | None) -> int:
    """How much a status tells: 0 nothing but its class (5.0.0), 1 a subject (5.7.0), 2 a detail."""
    if status is None:
        return -1
    _, subject, detail = status.split(".")
    return 0 if subject == "0" and detail == "0" else 1 if detail == "0" else 2


def find_code(text: str) -> int | None:
    """The first SMTP reply code of a failure in the text."""
    found = _CODE.search(text)
    return None if found is None else int(found[1])


def stage_in(text: str) -> Stage | None:
    """The command that was refused, where the text says so: the one that it names first."""
    hits = [(hit.start(), stage) for stage, pattern in _COMMANDS if (hit := pattern.search(text))]
    return min(hits)[1] if hits else None
