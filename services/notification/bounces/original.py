"""The message that was returned: what its headers tell."""

import re
from dataclasses import dataclass

from services.notification.bounces import addresses
from services.notification.bounces.mime import Head, Mail, read_head

# Where a text goes over into the returned message. Anchored at the start of a line.
BEGINS = re.compile(
    r"^[ \t>|*=_-]*(?:"
    r"below this line is (?:a|the) copy of the|"
    r"this is a copy of (?:the|your) message|"
    r"(?:unsent |original |returned |undelivered |bounced )(?:message|"
    r"mail)(?: headers?)?(?: text)?"
    r"(?: follows| is attached| below)?[ \t.:]*-*$|"
    r"original (?:message|mail)(?: headers?)?(?: as)? follows?|message (?:text|header|contents?|"
    r"headers) follows?|"
    r"the headers? of the original message|(?:included|here|attached|following) is (?:a|"
    r"the) copy of|"
    r"here is (?:a|your) (?:copy|returned)|(?:a )?copy of (?:the|your) original|"
    r"below is a copy of|start of returned message|returned (?:mail|message) (?:follows|-+)|"
    r"no message was collected|unsent message (?:follows|below)|end of (?:error )?message|"
    r"original message headers?|original mail info|original mail as follows|"
    r"the attachment contains the original|your message reads|-- the header|"
    r"the (?:first|beginning|start) .{0,30}of (?:the|your) (?:original )?(?:message|mail)|"
    r"en-t.tes de message d.origine|en-t.tes du message d.origine|"
    r"urspr.ngliche nachrichtenk(?:ö|oe|o)pf\w*|"
    r"kopfzeilen der (?:original|urspr)\w*|encabezados de(?:l)? mensaje original|"
    r"intestazioni (?:originali )?del messaggio|"
    r"original-?nachricht|urspr.ngliche nachricht|message d.origine|mensaje original|"
    r"messaggio originale|"
    r"元のメッセージ|元メール|content-type: *(?:message/rfc822|text/rfc822-headers)|"
    r"(?:received: ?(?:from|by|\(qmail)|return-path: ?<|arc-seal: |dkim-signature: |"
    r"x-originalarrivaltime: )"
    r")",
    re.I,
)
_RAW_HEAD = re.compile(
    r"^(?:Received|Return-Path|From|To|Message-ID|Subject|Date|DKIM-Signature):", re.I | re.M
)
_MESSAGE_ID = re.compile(r"<[^<>\s]{3,250}>")
_NAMED_ID = re.compile(r"^[ \t>]*Message-ID:[ \t]*(<[^<>\s]{3,250}>)", re.I | re.M)
_VERP = re.compile(r"^([^@]{1,100}?)[-+]([^@=]{1,64})=([a-z0-9.-]{3,200})@", re.I)


@dataclass(frozen=True, slots=True)
class Original:
    """Of the returned message: its id, and to whom it went. Empty where nothing came back."""

    message_id: str | None = None
    recipients: tuple[str, ...] = ()
    senders: tuple[str, ...] = ()


def find_original(mail: Mail, returned_text: str) -> Original:
    """From the returned part, or from the lines after the report's text."""
    heads = [part.head for part in mail.parts if part.type == "message/rfc822"][:1]
    for part in mail.parts:
        if part.returned and part.text and part.type != "message/rfc822":
            heads.append(_of_text(part.text))
    if _RAW_HEAD.search(returned_text[:20_000]):
        heads.append(_of_text(returned_text))
    message_id: str | None = None
    recipients: list[str] = []
    senders: list[str] = []
    for head in heads:
        hit = _MESSAGE_ID.search(head.get("message-id"))
        message_id = message_id or (hit[0] if hit else None)
        if not recipients:
            recipients = _recipients(head)
        for name in ("return-path", "from"):
            senders.extend(addresses.find(head.get(name)))
    if message_id is None:
        hit = next((found for part in mail.own if (found := _NAMED_ID.search(part.text))), None)
        message_id = hit[1] if hit else None
    if not recipients:
        recipients = _of_verp(mail)
    return Original(message_id, tuple(recipients), tuple(senders))


def _of_text(text: str) -> Head:
    start = _RAW_HEAD.search(text[:20_000])
    block = text[start.start() if start else 0 :][:50_000].lstrip("\n").partition("\n\n")[0]
    return read_head(block.encode("utf-8", "surrogateescape"))


def _recipients(head: Head) -> list[str]:
    for name in ("x-failed-recipients", "to", "x-original-to", "delivered-to", "envelope-to", "cc"):
        found = addresses.of_header(head.get(name))
        if found:
            return found
    return []


def _of_verp(mail: Mail) -> list[str]:
    """The address in a variable envelope return path, list-user=host.example@list.example."""
    for name in ("to", "delivered-to", "x-original-to"):
        for address in addresses.of_header(mail.head.get(name)):
            hit = _VERP.match(address)
            if hit:
                return [f"{hit[2]}@{hit[3]}"]
    return []
