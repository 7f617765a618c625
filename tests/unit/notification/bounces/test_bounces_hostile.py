"""Hostile mail: reading never raises, and takes no more than its share of time."""

import base64
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notification.bounces import read, texts
from services.notification.bounces.mime import open_mail

SAMPLES = [
    one.read_bytes()
    for one in sorted((Path(__file__).parents[3] / "bounces" / "samples").glob("*.eml"))
]
BOUNCE = b"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: Undelivered mail\n"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=3_000))
def test_random_bytes(content: bytes) -> None:
    assert not read(content).permanent


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damaged_samples(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(0, 8))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 60))
        content[at : at + length] = data.draw(st.binary(max_size=60))
    read(bytes(content[: data.draw(st.integers(0, len(content)))]))


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([line for one in SAMPLES for line in one.split(b"\n")]), max_size=80)
)
def test_lines_of_samples_in_any_order(lines: list[bytes]) -> None:
    read(b"\n".join(lines))


def nested(size: int) -> bytes:
    levels = size // 60
    opened = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level)
        for level in range(levels)
    )
    return BOUNCE + opened


def nested_messages(size: int) -> bytes:
    return BOUNCE + b"Content-Type: message/rfc822\n\n" * (size // 30)


def many_parts(size: int) -> bytes:
    head = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    part = b"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822;a@b.example\n\n"
    return BOUNCE + head + part * (size // len(part))


def many_recipients(size: int) -> bytes:
    head = b"Content-Type: message/delivery-status\n\n"
    group = b"Final-Recipient: rfc822;a%d@b.example\nAction: failed\nStatus: 5.1.1\n\n"
    return BOUNCE + head + b"".join(group % at for at in range(size // len(group)))


def text(filling: bytes) -> Callable[[int], bytes]:
    def content(size: int) -> bytes:
        return BOUNCE + b"\nHi. This is the qmail-send program\n" + filling * (size // len(filling))

    return content


def header(filling: bytes) -> Callable[[int], bytes]:
    def content(size: int) -> bytes:
        return BOUNCE.replace(b"Undelivered", filling * (size // len(filling))) + b"\n\nHallo\n"

    return content


def html(filling: bytes) -> Callable[[int], bytes]:
    def content(size: int) -> bytes:
        return BOUNCE + b"Content-Type: text/html\n\n<html>" + filling * (size // len(filling))

    return content


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "nested multiparts": nested,
    "nested messages": nested_messages,
    "many parts": many_parts,
    "many recipients": many_recipients,
    "one long line": text(b"a"),
    "at signs": text(b"@"),
    "dots": text(b"a."),
    "addresses": text(b"a@b.example "),
    "lines of addresses": text(b"<a@b.example>:\n"),
    "brackets": text(b"<"),
    "blanks": text(b" "),
    "empty lines": text(b"\n"),
    "folded lines": text(b"Diagnostic-Code: x\n y\n"),
    "phrases cut short": text(b"mailbox user recipient account message mail "),
    "phrases about us cut short": text(b"sender relay from spf ip client exceeded limit "),
    "digits": text(b"550 5.1.1 "),
    "json": lambda size: BOUNCE + b'\n{"notificationType":' + b"[" * size,
    "long subject": header(b"x"),
    "encoded words": header(b"=?utf-8?q?x"),
    "many headers": lambda size: BOUNCE + b"X: y\n" * (size // 5),
    "tags": html(b"<a"),
    "comments": html(b"<!-- <style "),
    "styles": html(b"<style></style>"),
    "entities": html(b"&lt;&#x41;"),
    "boundaries": lambda size: (
        BOUNCE + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--" * (size // 2)
    ),
    "likely boundaries": lambda size: (
        BOUNCE + b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--y\nX: y\n" * (size // 9)
    ),
    "base64": lambda size: (
        BOUNCE + b"Content-Transfer-Encoding: base64\n\n" + b"QUJD\n" * (size // 5)
    ),
    "quoted": lambda size: (
        BOUNCE + b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=40=\n" * (size // 5)
    ),
}


def calendar(filling: bytes, inside: bytes = b"BEGIN:VEVENT\n") -> Callable[[int], bytes]:
    """A calendar's answer that is filled up."""

    def content(size: int) -> bytes:
        head = b"From: a@b.example\nContent-Type: text/calendar; method=REPLY\n\n"
        begin = b"BEGIN:VCALENDAR\nMETHOD:REPLY\n" + inside
        return head + begin + filling * (size // len(filling))

    return content


HOSTILE |= {
    "calendars in calendars": calendar(b"BEGIN:VCALENDAR\n", b""),
    "events": calendar(b"BEGIN:VEVENT\nEND:VEVENT\n", b""),
    "a zone that changes each second": calendar(
        b"BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:16010101T030000\n"
        b"RRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\n"
        b"END:VTIMEZONE\n",
        b"",
    ),
    "attendees": calendar(b"ATTENDEE;PARTSTAT=DECLINED:mailto:a@b.example\n"),
    "one attendee": calendar(b'X="', b"BEGIN:VEVENT\nATTENDEE;"),
    "folds": calendar(b"\n ;X=y", b"BEGIN:VEVENT\nATTENDEE"),
    "quotes": calendar(b'ATTENDEE;CN="' + b'\\";,' * 400 + b":\n"),
}


def report(fields: Callable[[bytes], bytes]) -> Callable[[bytes], Callable[[int], bytes]]:
    """A report that is filled up with what `fields` makes of lines of the filling."""

    def shape(filling: bytes) -> Callable[[int], bytes]:
        def content(size: int) -> bytes:
            head = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            part = b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n"
            return BOUNCE + head + part + fields(filled(filling, size)) + b"\n--b--\n"

        return content

    return shape


def filled(filling: bytes, size: int, width: int = 990) -> bytes:
    """The filling in lines that mail servers let through."""
    whole = filling * (size // len(filling))
    return b"\n".join(whole[at : at + width] for at in range(0, len(whole), width))


def folded(lines: bytes) -> bytes:
    """All of it as one diagnosis."""
    return b"Final-Recipient: rfc822; a@b.example\nAction: failed\nDiagnostic-Code: smtp; " + (
        lines.replace(b"\n", b"\n ")
    )


def diagnoses(lines: bytes) -> bytes:
    """A recipient for every 3 KB of it."""
    return b"\n\n".join(
        b"Final-Recipient: rfc822; a%d@b.example\nAction: failed\nDiagnostic-Code: smtp; %s"
        % (at, lines[at : at + 3_000].replace(b"\n", b"\n "))
        for at in range(0, len(lines), 3_000)
    )


def in_words(opening: bytes) -> Callable[[bytes], Callable[[int], bytes]]:
    """Lines of the filling after the words that tell a family of servers."""
    return lambda filling: lambda size: BOUNCE + b"\n" + opening + filled(filling, size)


def encoded_html(filling: bytes) -> Callable[[int], bytes]:
    """HTML without a line end, of which no line on the wire is too long for any server."""

    def content(size: int) -> bytes:
        body = base64.encodebytes(b"<html>" + filling * (size * 3 // 4 // len(filling)))
        head = b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
        return BOUNCE + head + body

    return content


def lost_boundary(filling: bytes) -> Callable[[int], bytes]:
    """What may be a boundary, where the named one is absent."""
    head = b"Content-Type: multipart/mixed; boundary=absent\n\n--a"
    return lambda size: BOUNCE + head + filling * (size // len(filling))


def returned(filling: bytes) -> Callable[[int], bytes]:
    """The message that was returned."""

    def content(size: int) -> bytes:
        head = b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        part = b"--b\n\nuser unknown\n--b\nContent-Type: text/rfc822-headers\n\n"
        return BOUNCE + head + part + filled(filling, size)

    return content


OPENINGS = {
    "Postfix": b"This is the mail system at host x",
    "OpenSMTPD": b"This is the MAILER-DAEMON, please do not reply",
    "DragonFly Mail Agent": b"This is the DragonFly Mail Agent",
    "Yahoo": b"Unable to deliver the message from",
    "qmail": b"Hi. This is the qmail-send program",
    "Exchange 5.5 to 2003": b"MSEXCH:",
    "Exchange 2007 and Office 365": b"Generating server",
    "Google Groups": b"The group you tried to contact",
    "Gmail": b"The response was",
    "Domino": b"was not delivered because",
    "amavis": b"in your e-mail",
    "Posta certificata": b"errore di consegna",
    "Notes": b"- failure reasons",
    "Courier": b"undeliverable mail",
    "T-Online and Smail": b"failed addresses follow",
    "Messaging Server": b"Recipient address:",
    "Exim and kin": b"A message that you sent",
    "MailMarshal": b"could not be delivered because of",
    "MailFoundry": b"this is a mime encoded message",
    "SurfControl": b"Your message could not be sent",
    "m-FILTER": b"m-FILTER",
    "Apache James and Verizon": b"Message details:",
    "KDDI": b"Your mail sent on",
    "EZweb": b"The user(s) account is",
    "IMail": b"unknown user:",
    "unknown gateway with errors": b"3 error(s):",
    "unknown gateway with stars": b"automatically generated Delivery Status Notification",
    "InterScan": b"InterScan",
    "sendmail, McAfee, Biglobe": b"The original message was received",
    "AOL": b"Your mail to the following recipients could not be delivered",
    "GroupWise": b"The message that you sent was undeliverable",
    "fml": b"security alert",
}
HEADS = {  # what tells some of them besides
    "Google Groups": b"X-Failed-Recipients: a@b.example\n",
    "Posta certificata": b"X-Ricevuta: errore-consegna\n",
    "fml": b"Message-Id: <20261124.FML1@b.example>\n",
}
OF_LINES = (  # one line of each in turn, so that no pattern is spared its own
    *(b" ", b"a", b"a.", b"-", b"<", b"(", b"[", b"#5.1.1", b"x: ", b"[]", b">>> ", b"550 "),
    *(b"a@", b"a@b.c ", b"said: ", b"mail to ", b"mailbox user "),
)


def of_family(name: str, width: int = 990) -> Callable[[int], bytes]:
    """What tells a family of servers, and long lines of all kinds."""

    def content(size: int) -> bytes:
        lines = [b"x" + (filling * width)[: width - 2] + b"y" for filling in OF_LINES]
        head = HEADS.get(name, b"") + BOUNCE + b"\n" + OPENINGS[name] + b"\n"
        return head + b"\n".join(islice(cycle(lines), size // width))

    return content


def headers(name: bytes, filling: bytes) -> Callable[[int], bytes]:
    """One header again and again, each as long as is read of it."""
    line = b"%s: %s\n" % (name, filling * (2_000 // len(filling)))
    return lambda size: line * (size // len(line)) + BOUNCE + b"\nHallo\n"


FILLINGS = {
    "blanks": b" ",
    "tabs": b"\t",
    "digits": b"0",
    "underscores": b"_",
    "brackets": b"[",
    "tags": b"<",
    "at signs": b"a@",
    "words": b"mailbox user ",
}
SHAPES = HOSTILE | {
    f"{filling} in {name}": shape(FILLINGS[filling])
    for name, shape in {
        "a diagnosis": report(folded),
        "diagnoses": report(diagnoses),
        "qmail's words": in_words(b"Hi. This is the qmail-send program\n"),
        "sendmail's words": in_words(b"The original message was received\n"),
        "encoded HTML": encoded_html,
        "lost boundaries": lost_boundary,
        "what was returned": returned,
    }.items()
    for filling in FILLINGS
}
SHAPES |= {f"all kinds of lines in the words of {name}": of_family(name) for name in OPENINGS}
SHAPES |= {
    f"{filling.decode()} in every {name.decode()}": headers(name, filling)
    for name in (
        b"Return-Path",
        b"From",
        b"To",
        b"Subject",
        b"X-Failed-Recipients",
        b"Content-Type",
    )
    for filling in (b"=?a?q?", b"a@", b'"<')
}
KIBIBYTE = 1024
# Seconds of a processor, of which the process that reads has two for a mail. It was 0.03 where a
# search took quadratic time in each line, and 0.67 where it did in the text.
MAX_PER_KIBIBYTE = 0.006


def seconds(content: bytes) -> float:
    """Of a processor, for one reading."""
    start = time.process_time()
    read(content)
    return time.process_time() - start


@pytest.mark.parametrize("name", SHAPES)
def test_time_grows_at_most_with_length(name: str) -> None:
    """A slow machine, or other work on it, only adds: the fastest of some readings counts."""
    small, large = SHAPES[name](64 * KIBIBYTE), SHAPES[name](256 * KIBIBYTE)
    times = []
    for _ in range(4):
        times.append((seconds(small), seconds(large)))
        least, most = min(one for one, _ in times), min(one for _, one in times)
        # Four times the length: linear time is 4 times, quadratic 16 times.
        if most < 8 * max(least, 0.01) and most < 256 * MAX_PER_KIBIBYTE:
            return
    pytest.fail(f"{least:.3f} s for 64 KiB, {most:.3f} s for 256 KiB")


def test_every_family_is_among_the_shapes() -> None:
    assert OPENINGS.keys() == {rule.name for rule in texts.rules()}
    for rule in texts.rules():
        mail = open_mail(of_family(rule.name)(KIBIBYTE))
        assert texts.recognise(mail, texts.report_text(mail)) is rule


def test_there_are_enough_shapes() -> None:
    assert len(SHAPES) >= 130


@pytest.mark.parametrize("name", HOSTILE)
def test_ten_megabytes_are_read(name: str) -> None:
    content = HOSTILE[name](10_000_000)
    # Only the first part is looked at, so ten megabytes take no longer than one.
    assert seconds(content) < 5 * max(seconds(HOSTILE[name](1_000_000)), 0.02)
    assert read(content).kind
