"""A lenient walk through a mail: damaged MIME gives fewer parts, never an error.

Only the first MEBIBYTE is looked at (reports stand before the message that they return), down to
a fixed depth and number of parts, so that time and memory are bounded whatever comes. The parser
of the standard library is not used for the tree: its time grows with depth times length, and it
gives up on what old gateways write.
"""

import binascii
import quopri
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from itertools import islice

from services.notification.bounces.html_text import as_text

MEBIBYTE = 1 << 20
MAX_PARTS = 60
MAX_DEPTH = 8
MAX_HEADERS = 400
MAX_HEADER = 8_000  # characters, after unfolding
MAX_DECODED = 2_000  # characters of a header whose encoded words are decoded
MAX_TEXT = 200_000  # characters of a part
MAX_LINE = 1_000

# What Python's codecs may be asked for: some of the others take quadratic time.
_CHARSET = re.compile(
    r"utf-?8|us-?ascii|iso-?8859-?\d{1,2}(-[ie])?|windows-?\d{3,4}|cp-?\d{3,5}|ibm\d{3,4}|"
    r"koi8-?[rut]|iso-?2022-?(jp|kr)(-[123]|-2004|-ext)?|(x-)?s(hift)?[-_]?jis|windows-31j|"
    r"euc-?(jp|kr)|big5(-?hkscs)?|gb(2312|k|18030)|hz-gb-2312|ks_c_5601-1987|tis-?620|macintosh",
    re.I,
)
_ALIASES = {"sjis": "cp932", "xsjis": "cp932", "shiftjis": "cp932", "windows31j": "cp932"}
# Declared by whoever knows no better, whereas what is UTF-8 shows by itself.
_OFTEN_WRONG = {"iso88591", "iso885915", "windows1252", "cp1252"}
# Bytes that are no UTF-8, as „surrogateescape" leaves them.
_CP1252 = {0xDC00 + each: bytes([each]).decode("cp1252", "replace") for each in range(0x80, 0x100)}
_HEADER = re.compile(r"([\x21-\x39\x3b-\x7e]{1,76})[ \t]*:(.*)", re.S)
_GUESSED_BOUNDARY = re.compile(
    rb"^--([^\s-][^\r\n]{0,300}|-{1,80}[^\s-][^\r\n]{0,300})\r?\nContent-[A-Z]", re.M | re.I
)
# The blank line, or where it is missing two lines that can't be headers.
_END_OF_HEAD = re.compile(rb"\r?\n[ \t]*\r?\n|\A\r?\n|\r?\n(?=(?:[^\s:][^:\r\n]{0,998}\r?\n){2})")
_QUOTED = re.compile(rb"=(?:[0-9A-F]{2}|\r?\n)", re.I)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")

RETURNED = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers", "message/partial")
REPORTS = ("message/delivery-status", "message/x-delivery-status", "message/global-delivery-status")


class Head:
    """A block of headers: the names in lower case, the values unfolded."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self.fields = fields

    def get(self, name: str) -> str:
        """The first field's value, decoded, or the empty string."""
        return next(iter(self.first(name, 1)), "")

    def first(self, name: str, most: int) -> list[str]:
        """The values of the first fields of this name, decoded."""
        found = (value for known, value in self.fields if known == name)
        return [decode_words(value) for value in islice(found, most)]

    def __contains__(self, name: object) -> bool:
        return any(known == name for known, _ in self.fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the tree, or the message that was returned."""

    type: str  # in lower case
    head: Head
    text: str
    returned: bool  # the original message or its headers, or inside of it


@dataclass(frozen=True, slots=True)
class Mail:
    """The mail's own headers, and its parts in order."""

    head: Head
    type: str
    parameters: dict[str, str]
    parts: Sequence[Part]

    @property
    def own(self) -> Iterator[Part]:
        """What is not the returned message."""
        return (part for part in self.parts if not part.returned)


def open_mail(content: bytes) -> Mail:
    """Read the bytes on the wire; a mail of no parts if nothing can be made of them."""
    content = content[:MEBIBYTE].lstrip(b"\r\n\t ")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")
    # Mailboxes in mbox format keep the sender in a line before the headers.
    start = b""
    if content.startswith((b"From ", b">From ")):
        start, _, content = content.partition(b"\n")
    head, body = _split(content)
    fields = read_head(head)
    if start:
        fields = Head([*fields.fields, ("x-from-line", start.split(b" ")[1].decode("latin-1"))])
    type_, parameters = _content_type(fields)
    parts = tuple(islice(_walk(fields, body, 0, returned=False), MAX_PARTS))
    return Mail(fields, type_, parameters, parts)


def _split(content: bytes) -> tuple[bytes, bytes]:
    end = _END_OF_HEAD.search(content)
    return (content, b"") if end is None else (content[: end.start()], content[end.end() :])


def read_head(block: bytes) -> Head:
    """The headers in a block; lines that are none end it or are passed over."""
    fields: list[str] = []
    for line in block.decode("utf-8", "surrogateescape").splitlines():
        if len(fields) >= MAX_HEADERS:
            break
        if line[:1] in {" ", "\t"} and fields:
            if len(fields[-1]) < MAX_HEADER:
                fields[-1] += " " + line.strip()[:MAX_HEADER]
        else:
            fields.append(line[:MAX_HEADER])
    found = (_HEADER.fullmatch(field) for field in fields)
    return Head([(hit[1].lower(), hit[2].strip()) for hit in found if hit])


def decode_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) decoded, however wrong they are."""
    value = value[:MAX_DECODED]
    if not value.isascii():
        value = decode(value.encode("utf-8", "surrogateescape"), "")
    # What no encoded word ends is none: each beginning would be searched to the end for its own.
    words, end, rest = value.rpartition("?=")
    if "=?" not in words:
        return value
    try:
        pieces = decode_header(words + end)
    except (HeaderParseError, ValueError):
        return value
    decoded = (
        piece if isinstance(piece, str) else decode(piece, charset or "")
        for piece, charset in pieces
    )
    return "".join(decoded) + rest


def decode(raw: bytes, charset: str) -> str:
    """Text in a charset that is declared, wrongly declared, or not at all."""
    if b"\x1b$" in raw or b"\x1b(J" in raw:
        charset = "iso2022_jp_ext"
    plain = re.sub(r"[-_]", "", charset.lower())
    known = _CHARSET.fullmatch(charset) and plain not in {"usascii", "utf8"}
    declared = [_ALIASES.get(plain, charset)] if known else []
    first = ["utf-8"] if plain in _OFTEN_WRONG else declared
    for candidate in (*first, *declared, "utf-8"):
        try:
            return raw.decode(candidate)
        except (UnicodeError, LookupError):
            continue
    if declared:
        try:
            return raw.decode(declared[0], "replace")
        except (UnicodeError, LookupError):
            pass
    return raw.decode("utf-8", "surrogateescape").translate(_CP1252)


def _content_type(head: Head) -> tuple[str, dict[str, str]]:
    message = Message()
    message["Content-Type"] = head.get("content-type").replace("\n", " ").replace("\r", " ")
    try:
        found = message.get_params([], unquote=True)
    except (ValueError, LookupError):
        found = []
    pairs = [(str(name).lower(), str(value)) for name, value in found if isinstance(value, str)]
    type_ = pairs[0][0] if pairs else ""
    return type_.strip(), dict(pairs[1:])


def _walk(head: Head, body: bytes, depth: int, *, returned: bool) -> Iterator[Part]:
    type_, parameters = _content_type(head)
    if depth < MAX_DEPTH and (type_.startswith("multipart/") or type_ == "message/external-body"):
        pieces = _pieces(body, parameters.get("boundary", ""))
        if pieces:
            yield from _children(pieces, depth, returned=returned)
            return
    elif depth < MAX_DEPTH and type_ == "message/rfc822":
        inner, rest = _split(_transfer(head, body).lstrip(b"\r\n"))
        inner_head = read_head(inner)
        yield Part(type_, inner_head, "", returned=True)
        yield from _walk(inner_head, rest, depth + 1, returned=True)
        return
    yield Part(
        type_ or "text/plain",
        head,
        _text(type_, head, parameters, body),
        returned or type_ in RETURNED,
    )


def _children(pieces: Sequence[bytes], depth: int, *, returned: bool) -> Iterator[Part]:
    for piece in pieces[:MAX_PARTS]:
        if piece[:1] == b"\n" or piece[:2] == b"\r\n":
            inner, body = b"", piece.lstrip(b"\r\n")  # a part without headers of its own
        else:
            inner, body = _split(piece)
        yield from _walk(read_head(inner), body, depth + 1, returned=returned)


def _pieces(body: bytes, boundary: str) -> list[bytes]:
    """The bodies between boundaries; if the named one is absent, between the first likely one."""
    mark = boundary.strip().encode("utf-8", "surrogateescape")
    if not mark or (not body.startswith(b"--" + mark) and b"\n--" + mark not in body):
        guess = _GUESSED_BOUNDARY.search(body)
        if guess is None:
            return []
        mark = guess[1].rstrip()
    preamble, *rest = (b"\n" + body).split(b"\n--" + mark)
    pieces = []
    for piece in rest[: MAX_PARTS + 1]:
        if piece.startswith(b"--"):
            break
        line, _, content = piece.partition(b"\n")
        if not line.strip():
            pieces.append(content)
    # Some write the text before the first boundary, where a reader of mail does not see it.
    if preamble.strip() and len(preamble) > 200:
        pieces.insert(0, b"\n" + preamble)
    return pieces


def _transfer(head: Head, body: bytes) -> bytes:
    encoding = head.get("content-transfer-encoding").strip().lower()
    if encoding == "base64":
        try:
            lines = _NOT_BASE64.sub(b"", body.partition(b"\n--")[0])
            return binascii.a2b_base64(lines[: len(lines) // 4 * 4] + b"====")
        except binascii.Error:
            return body
    # Encoded text without a header that says so is common in what gateways return.
    if encoding == "quoted-printable" or (not encoding and len(_QUOTED.findall(body[:4000])) > 3):
        return quopri.decodestring(body)
    return body


def _text(type_: str, head: Head, parameters: dict[str, str], body: bytes) -> str:
    if (
        type_
        and not type_.startswith(("text", "message", "multipart"))
        and type_ != "application/json"
    ):
        if type_ != "application/octet-stream":
            return ""
        if b"\0" in body[:1000]:
            return ""
    text = decode(_transfer(head, body[: MAX_TEXT * 2]), parameters.get("charset", ""))
    if type_ == "text/html" or text.lstrip()[:15].lower().startswith(("<html", "<!doctype html")):
        text = as_text(text[:MAX_TEXT])
    return text[:MAX_TEXT].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
