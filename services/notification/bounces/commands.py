"""Which command was refused, as the words of a report tell it beside each recipient.

Postfix and Exim write it there alone („in reply to MAIL FROM command", „SMTP error from remote mail
server after MAIL FROM"), and not in the Diagnostic-Code; sendmail appends the dialogue.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from services.notification.bounces import addresses
from services.notification.refusals.codes import stage_in
from services.notification.refusals.refusal import Stage

_DIALOGUE = re.compile(r"^>>> ?(mail from|rcpt to|data|\.)[^\n]*\n<<< ?[45]\d\d", re.I | re.M)
_SAID = {"mail from": Stage.MAIL, "rcpt to": Stage.RCPT, "data": Stage.DATA, ".": Stage.MESSAGE}


def refused_commands(lines: Sequence[str], recipients: Iterable[str]) -> Mapping[str, Stage]:
    """The command that was refused for each of `recipients` (in small letters) that tells of one.

    What is said of one stands from the line that names it up to a blank line or the next recipient.
    """
    known = {one.lower() for one in recipients}
    found: dict[str, Stage] = {}
    named: set[str] = set()
    said: list[str] = []
    for line in (*lines, ""):
        here = {one.lower() for one in addresses.find(line)} & known
        if not line.strip() or here - named:
            stage = stage_in(" ".join(said)) if named else None
            found.update({one: stage for one in named - found.keys() if stage is not None})
            named, said = here, []
        said.append(line.strip())
    dialogue = _DIALOGUE.findall("\n".join(lines)) if len(known) == 1 else []
    if dialogue and not found:  # with several hosts the last one's
        found = dict.fromkeys(known, _SAID[dialogue[-1].lower()])
    return found
