"""Mail addresses in running text and in the fields of reports."""

import re
from collections.abc import Iterable
from email.utils import parseaddr

# A local part may hold nearly anything; this is what servers print bare. Lengths are bounded so
# that a search stays linear.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-\u0080-\uffff]{1,90}"
_DOMAIN = (
    r"[A-Za-z0-9\u0080-\uffff](?:[A-Za-z0-9_\-.\u0080-\uffff]{0,250}[A-Za-z0-9\u0080-\uffff])?"
)
ADDRESS = (
    r"(?<![A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-@])"
    rf"(?:\"[^\"\s@]{{1,64}}\"|{_LOCAL})@(?:{_DOMAIN}|\[[0-9a-fA-F:.]{{3,45}}\])"
)
_ANY = re.compile(ADDRESS)
_BRACKETS = re.compile(
    r"<[ ]?(?:mailto:)?(\"[^\"<>]{1,64}\"@[^\s<>@]{1,255}|"
    r"[^\s<>@:;,]{1,100}@[^\s<>@]{1,255})[ ]?>",
    re.I,
)
# X.400 and X.500 addresses of Exchange and gateways keep the mail address in one field.
_INSIDE_X400 = re.compile(
    r"(?:DDA:)?(?:SMTP|RFC-?822)[=:;]([^\s/;<>()]{1,100}?(?:@|\(a\))[^\s/;<>()]{1,255})", re.I
)
# Scripts without spaces put a label or the sentence right next to it, as „收件人：a@b.example的".
_LABEL = re.compile(
    r"^.*[：；，、。（）「」『』【】〈〉《》＜＞“”„«»\u3000]|"
    r"^[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+(?=[\x21-\x7e])"
)
_SENTENCE = re.compile(
    r"[：；，、。（）「」『』【】〈〉《》＜＞“”„«»\u3000].*$|"
    r"(?<=[a-z0-9])[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af][^.]*$",
    re.I,
)
_ROLE = re.compile(
    r"(mailer-?_?daemon|postmaster|post_master|abuse|hostmaster|noreply|no-reply|mail-?daemon|"
    r"microsoftexchange[0-9a-f]*|support|helpdesk)([-+.=][^@]*)?@",
    re.I,
)


def find(text: str) -> list[str]:
    """The addresses in a line of text: those in angle brackets, or else any."""
    if "@" not in text and "(a)" not in text:
        return []
    hidden = [hit[1].replace("(a)", "@") for hit in _INSIDE_X400.finditer(text)]
    found = (
        hidden
        or [hit[1] for hit in _BRACKETS.finditer(text)]
        or [hit[0] for hit in _ANY.finditer(text)]
    )
    return unique(clean(address) for address in found)


def find_all(text: str) -> list[str]:
    """All addresses in a text of many lines."""
    return unique(address for line in text.splitlines() for address in find(line))


def clean(address: str) -> str:
    """The bare address: without brackets, route, prefix or full stop; empty if there is none."""
    address = address.strip().strip("<>").strip()
    if address.lower().startswith(("mailto:", "smtp:")):
        address = address.split(":", 1)[1]
    if address.startswith("@") and ":" in address:  # a source route, RFC 5321 appendix C
        address = address.partition(":")[2]
    address = address.strip("'`,;:()[]{}* \t" if "@[" not in address else "'`,;:(){}* \t").rstrip(
        "."
    )
    local, at, domain = address.rpartition("@")
    if not address.isascii():
        local, domain = _LABEL.sub("", local), _SENTENCE.sub("", domain)
    if not at or not local or not domain or ".." in domain or len(address) > 320:
        return ""
    if any(sign.isspace() for sign in domain) or not re.fullmatch(
        r"[\w.\-\u0080-\uffff]+|\[[0-9a-fA-F:.]+\]", domain
    ):
        return ""
    if "/" in local and "." not in domain:  # a name in Notes
        return ""
    return f"{local}@{domain}"


def of_header(value: str) -> list[str]:
    """The addresses in a header such as To."""
    found = find(value)
    if found:
        return found
    return unique([clean(parseaddr(value)[1])])


def of_report(value: str) -> str:
    """The address in a report's field, „rfc822; <a@b.example>" (RFC 3464 section 2.1.2); or "".

    The type may be missing, wrong, or X.400; RFC 3461's xtext is decoded; comments are left out.
    """
    type_, semicolon, rest = value.partition(";")
    address = rest if semicolon and "@" not in type_ else value
    address = address.strip()
    found = find(address)
    if found:
        return _xtext(found[0])
    return clean(address)


def _xtext(address: str) -> str:
    if "@" in address:
        return address
    return re.sub(r"\+([0-9A-F]{2})", lambda hit: chr(int(hit[1], 16)), address)


def is_role(address: str) -> bool:
    """Whether it is the mail system's own."""
    return _ROLE.match(address) is not None


def unique(addresses: Iterable[str]) -> list[str]:
    """Without empty ones and repeats, whatever their case, in order."""
    seen: dict[str, str] = {}
    for address in addresses:
        if address:
            seen.setdefault(address.lower(), address)
    return list(seen.values())
