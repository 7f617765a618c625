"""Conversations with mail servers, and what each of them means: data for `test_conversations`.

The words are those of RFCs and of servers' own documentation. `{to}` is the patient's address,
`{from}` the return path, `{ip}` our host's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.events import FailureReason
from services.notification.deliveries.delivery import State
from services.notification.sending.sender import Verdict
from tests.support.scripted_smtp import Answer, Say, Talk

UNKNOWN_USER = frozenset({FailureReason.UNKNOWN_USER})
HOST_UNKNOWN = frozenset({FailureReason.HOST_UNKNOWN})
MAILBOX_FULL = frozenset({FailureReason.MAILBOX_FULL})
TOO_BIG = frozenset({FailureReason.MESSAGE_TOO_BIG})
EXPIRED = frozenset({FailureReason.EXPIRED})
POLICY = frozenset({FailureReason.POLICY})
SYSTEM = frozenset({FailureReason.SYSTEM})
OTHER = frozenset({FailureReason.OTHER})
# Where two names are equally true of what is said.
US = frozenset({FailureReason.POLICY, FailureReason.BLOCKED})  # our sender, host, login, standing
RATE = US | SYSTEM
NETWORK = SYSTEM | EXPIRED | HOST_UNKNOWN
NO_REASON: frozenset[FailureReason] = frozenset()

SILENCE = Say()
HANG_UP = Say(cut=True)
CLEAN_250 = "250 2.0.0 Ok: queued as 4F2Q"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A conversation: one talk for each try, the last for all that follow.

    `verdict` and `reason` are those of the first try; `copies` those that were taken, or may have
    been. `ends` is the delivery's state when the talks are over; None where it says nothing more.
    """

    name: str
    source: str
    talks: Sequence[Talk]
    verdict: frozenset[Verdict]
    reason: frozenset[FailureReason] = NO_REASON
    copies: int = 0
    dead: bool = False
    ends: State | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    login: bool = False
    stranger: bool = False  # the server shows a certificate that nobody vouches for
    utf8: bool = False  # the patient's address is beyond ASCII
    size: int = 1000  # bytes of the message
    used: Talk | None = None  # over a connection that has carried a mail, and from then on talks so
    refused_at: str = ""  # the stage
    refusal: str = ""  # the words that a bounce would repeat


ENDS = {
    Verdict.ACCEPTED: State.ACCEPTED,
    Verdict.PERMANENT: State.FAILED,
    Verdict.TEMPORARY: State.RETRYING,
    Verdict.REPLY_LOST: State.UNKNOWN,
}
COPIES = {Verdict.ACCEPTED: 1, Verdict.REPLY_LOST: 2}
ENCRYPTED = {"starttls", "tls", "ehlo_tls", "auth"}


def row(name: str, source: str, verdict: Verdict, *talks: Talk, **other: object) -> Row:
    """A row with what follows from its verdict, unless it says otherwise."""
    fields: dict[str, object] = {"copies": COPIES.get(verdict, 0), "ends": ENDS.get(verdict)}
    fields |= {"name": name, "source": source, "talks": talks, "verdict": frozenset({verdict})}
    return Row(**(fields | other))  # type: ignore[arg-type]


def refused(
    verdicts: Verdict | frozenset[Verdict],
    reason: frozenset[FailureReason],
    *said: tuple[str, str, str],
    dead: bool = False,
) -> Iterator[Row]:
    """Rows of one meaning, each with the stage, the server's only unusual words and their source.

    The name is the words' own.
    """
    several = verdicts if isinstance(verdicts, frozenset) else frozenset({verdicts})
    for stage, words, source in said:
        encrypted = stage in ENCRYPTED
        yield Row(
            name=f"{stage}: {' / '.join(words.splitlines())}"[:80],
            source=source,
            talks=[{stage: words}],
            verdict=several,
            reason=reason,
            dead=dead,
            ends=ENDS.get(next(iter(several))) if len(several) == 1 else None,
            tls="starttls" if encrypted else "none",
            login=encrypted,
            refused_at=stage,
            refusal=words,
        )


PERMANENT, TEMPORARY, TECHNICAL = Verdict.PERMANENT, Verdict.TEMPORARY, Verdict.TECHNICAL
ACCEPTED, REPLY_LOST = Verdict.ACCEPTED, Verdict.REPLY_LOST
REFUSED = frozenset({PERMANENT, TECHNICAL})  # for good; whose business it is can be seen both ways


def rows() -> Iterator[Row]:
    """The table."""
    yield from _taken()
    yield from _after_the_dot()
    yield from _broken_off()
    yield from _encrypting_and_logging_in()
    yield from _about_the_mailbox()
    yield from _about_its_domain()
    yield from _full_or_too_big()
    yield from _about_us()
    yield from _about_nobody()
    yield from _out_of_order()
    yield from _for_now()


def _taken() -> Iterator[Row]:
    """Delivered at the first go, however oddly it is put."""

    def taken(name: str, source: str, talk: Talk, **other: object) -> Row:
        return row(name, source, ACCEPTED, talk, **other)

    yield taken("as usual", "RFC 5321 D.1", {})
    yield taken("as usual, encrypted", "RFC 3207 5", {}, tls="starttls", login=True)
    yield taken("as usual, encrypted from the start", "RFC 8314 3.3", {}, tls="tls", login=True)
    yield taken("over a used connection", "RFC 5321 3.3", {}, used={})
    yield taken("address beyond ASCII", "RFC 6531 3.4", {}, utf8=True)
    yield taken("a greeting of several lines", "RFC 5321 4.2.1", {
        "greeting": "220-mx.example.org ESMTP\n220-We do not authorize the use of this system\n"
        "220 to transport unsolicited, and/or bulk e-mail."
    })  # fmt: skip
    yield taken("a greeting that waits, as greet_pause", "Sendmail cf/README", {
        "greeting": Say("220 mx.example.org ESMTP Sendmail", after=15)
    })  # fmt: skip
    yield taken("a greeting without text", "RFC 5321 4.2", {"greeting": "220"})
    yield taken("a blank line before the greeting", "RFC 5321 4.2, robust", {
        "greeting": "\n220 mx.example.org ESMTP"
    })  # fmt: skip
    yield taken("EHLO with its name alone", "RFC 5321 4.1.1.1", {"ehlo": "250 mx.example.org"})
    yield taken("EHLO answered in pieces", "RFC 5321 4.2.1", {
        "ehlo": (
            Say(b"250-mx.exa"), Say(b"mple.org\r\n250-SIZE 1048", after=1), Say(b"5760\r\n250", 1),
            Say(b" 8BITMIME\r\n", after=1),
        )
    })  # fmt: skip
    yield taken("lines that end in LF alone", "RFC 5321 2.3.8, robust", {
        "ehlo": Say(b"250-mx.example.org\n250 8BITMIME\n"), "mail": Say(b"250 Ok\n"),
        "rcpt": Say(b"250 Ok\n"), "data": Say(b"354 go\n"), "dot": Say(b"250 Ok\n"),
    })  # fmt: skip
    yield taken("a blank line before the reply to MAIL", "issue 12", {"mail": "\n250 2.1.0 Ok"})
    yield taken("a blank line before the reply to RCPT", "issue 12", {"rcpt": "\n250 2.1.5 Ok"})
    yield taken("a blank line before 354", "issue 12", {"data": "\n354 go ahead"})
    yield taken("MAIL 251", "RFC 5321 4.3.2: the first digit", {"mail": "251 2.1.0 fine"})
    yield taken("RCPT 251", "RFC 5321 3.4", {
        "rcpt": "251 2.1.5 User not local; will forward to <neu@example.com>"
    })  # fmt: skip
    yield taken("RCPT 252", "RFC 5321 3.5.3", {
        "rcpt": "252 2.1.5 Cannot VRFY user, but will accept message and attempt delivery"
    })  # fmt: skip
    yield taken("RCPT 254", "issue 12: the first digit", {"rcpt": "254 2.1.5 accepted for now"})
    yield taken("RCPT 250 of several lines", "RFC 5321 4.2.1", {
        "rcpt": "250-2.1.5 <{to}> recipient ok\n250 2.1.5 (will queue)"
    })  # fmt: skip
    yield taken("DATA 350", "RFC 5321 4.2.1: 3yz", {"data": "350 go ahead"})
    yield taken("354 without text", "RFC 5321 4.2", {"data": "354"})
    yield taken("a command's reply after 15 s", "RFC 5321 4.5.3.2", {
        "rcpt": Say("250 2.1.5 Ok", after=15)
    })  # fmt: skip
    for code in ("250", "251", "252", "254", "299"):
        yield taken(f"{code} after the dot", "RFC 5321 4.3.2: the first digit", {
            "dot": f"{code} 2.0.0 Ok"
        })  # fmt: skip
    yield taken("250 of several lines after the dot", "RFC 5321 4.2.1", {
        "dot": "250-2.0.0 Message accepted\n250-2.0.0 queued\n250 2.0.0 id 4F2Q"
    })  # fmt: skip
    yield taken("250 without text after the dot", "RFC 5321 4.2", {"dot": "250"})
    yield taken("a blank line before 250", "issue 12", {"dot": f"\n{CLEAN_250}"})
    yield taken("many blank lines before 250", "issue 12", {"dot": "\n" * 20 + CLEAN_250})
    yield taken("blank lines that trickle in before 250", "issue 12", {
        "dot": (*[Say(b"\r\n", after=10)] * 10, Say(CLEAN_250, after=10))
    })  # fmt: skip
    yield taken("spaces in a line before 250", "issue 12", {"dot": f" \t\n{CLEAN_250}"})
    for seconds in (61, 75, 300, 590):
        yield taken(f"250 after {seconds} s", "RFC 5321 4.5.3.2.6: ten minutes", {
            "dot": Say(CLEAN_250, after=seconds)
        })  # fmt: skip
    yield taken("250 in pieces", "RFC 5321 4.2", {
        "dot": (Say(b"2"), Say(b"50 2.0.0 Ok", after=30), Say(b"\r\n", after=30))
    })  # fmt: skip
    yield taken("the lines of 250 one by one", "RFC 5321 4.2.1", {
        "dot": (Say("250-2.0.0 Checking", after=30), Say("250 2.0.0 Ok", after=200))
    })  # fmt: skip
    yield taken("250, and the server hangs up", "RFC 5321 3.8", {"dot": Say(CLEAN_250, cut=True)})
    yield taken("250, and something nobody asked for", "RFC 5321 4.2", {
        "dot": (Say(CLEAN_250), Say("421 4.4.2 timeout exceeded", after=1, cut=True))
    })  # fmt: skip
    timeout = Say("421 4.4.2 mx.example.org Error: timeout exceeded", cut=True)
    for used in ({"idle": HANG_UP}, {"idle": timeout}, {"mail": timeout}, {"mail": HANG_UP}):
        ((stage, answer),) = used.items()
        what = "hung up" if answer is HANG_UP else "421"
        yield taken(f"{what} at {stage} on a used connection", "RFC 5321 3.8", {}, used=used)
    yield taken("QUIT is never answered", "RFC 5321 4.1.1.10", {"quit": SILENCE})
    yield taken("a message of 5 MB", "RFC 1870", {}, size=5_000_000)


def _after_the_dot() -> Iterator[Row]:
    """No clean reply in time: outcome unknown; one further copy, ever, then it is said so."""

    def lost(name: str, source: str, *talks: Talk, **other: object) -> Row:
        return row(name, source, REPLY_LOST, *talks, **other)

    cases: dict[str, tuple[str, Answer]] = {
        "silence after the dot": ("RFC 5321 4.5.3.2.6", SILENCE),
        "250 after 700 s": ("RFC 5321 4.5.3.2.6", Say(CLEAN_250, after=700)),
        "hung up after the dot": ("RFC 5321 4.5.3.2.6", HANG_UP),
        "hung up a minute after the dot": ("RFC 1047", Say(after=60, cut=True)),
        "hung up after a blank line": ("issue 12", Say("\n", cut=True)),
        "blank lines and nothing else": ("issue 12", [Say("\n", after=30)] * 30),
        "half of a reply, and silence": ("RFC 5321 4.2", Say(b"250 2.0.0 O")),
        "half of a reply, and hung up": ("RFC 5321 4.2", Say(b"25", cut=True)),
        "the first of several lines, and silence": ("RFC 5321 4.2.1", "250-2.0.0 Checking"),
        "the first of several lines, and hung up": (
            "RFC 5321 4.2.1",
            Say("250-2.0.0 Checking", cut=True),
        ),
        "words without a code": ("RFC 5321 4.2", "Message queued"),
        "another protocol's words": ("RFC 9112", "HTTP/1.1 200 OK"),
        "a code of two digits": ("RFC 5321 4.2", "25 Ok"),
        "a code of four digits": ("RFC 5321 4.2", "2500 Ok"),
        "a code out of range": ("RFC 5321 4.2.1", "650 Ok"),
        "a code that says wait": ("RFC 5321 4.2.1: no 1yz", "150 working on it"),
        "354 once more": ("RFC 5321 4.3.2", "354 go ahead"),
        "bytes that are no text": ("RFC 5321 2.4", Say(b"\xff\xfe\x00\x80\r\n")),
        "a line without end": ("RFC 5321 4.5.3.1.5", Say(b"250 " + b"x" * 200_000)),
        "lines without end": ("RFC 5321 4.5.3.1.5", Say(b"250-more\r\n" * 20_000)),
    }
    for name, (source, answer) in cases.items():
        yield lost(name, source, {"dot": answer})
    lose: Talk = {"dot": HANG_UP}
    yield lost("the second copy is taken", "issue 12", lose, {}, ends=State.ACCEPTED)
    yield lost("late twice, then clean", "issue 12", {"dot": SILENCE}, {"dot": SILENCE}, {})
    yield lost("the second copy's recipient is refused", "issue 12", lose, {
        "rcpt": "550 5.1.1 <{to}>: Recipient address rejected: User unknown"
    }, copies=1, dead=True, ends=State.FAILED)  # fmt: skip
    yield lost("the second copy waits for its turn", "issue 12", lose, {
        "rcpt": "450 4.2.0 <{to}>: Greylisted"
    }, {}, ends=State.ACCEPTED)  # fmt: skip
    yield lost("no server, then lost again, then clean", "issue 12", lose, {
        "greeting": HANG_UP
    }, lose, {}, ends=State.UNKNOWN)  # fmt: skip
    yield lost("refused for now after the second dot", "issue 12", lose, {
        "dot": "451 4.3.0 Temporary failure"
    }, {}, ends=State.ACCEPTED)  # fmt: skip
    yield lost("lost over a used connection", "RFC 5321 3.8", lose, used={})
    yield lost("lost, encrypted", "RFC 3207", lose, tls="starttls", login=True)


def _broken_off() -> Iterator[Row]:
    """No mail went out: it is tried again, and nothing is said of the address."""

    def broken(name: str, source: str, talk: Talk, **other: object) -> Row:
        return row(name, source, TEMPORARY, talk, **other)

    for stage in ("greeting", "ehlo", "mail", "rcpt", "data"):
        yield broken(f"hung up at {stage}", "RFC 5321 3.8", {stage: HANG_UP})
        yield broken(f"silence at {stage}", "RFC 5321 4.5.3.2", {stage: SILENCE})
        yield broken(f"no reply at {stage}", "RFC 5321 4.2", {stage: "what do you want?"})
        yield broken(f"half of a reply at {stage}", "RFC 5321 4.2", {stage: Say(b"2", cut=True)})
    yield broken("data: 250 is no go-ahead", "RFC 5321 4.3.2", {"data": "250 2.0.0 Ok"})
    yield broken("rcpt: 354 is no answer", "RFC 5321 4.3.2", {"rcpt": "354 go ahead"})
    yield broken("mail: 550 in words alone", "RFC 5321 4.2", {"mail": "no such user 550"})
    yield broken("hung up before the dot was sent", "RFC 5321 4.1.1.4", {
        "body": HANG_UP
    }, size=20_000_000)  # fmt: skip
    yield broken("refused for now before the dot was sent", "RFC 5321 4.1.1.4", {
        "body": Say("421 4.3.2 shutting down", cut=True)
    }, size=20_000_000, reason=SYSTEM)  # fmt: skip


def _encrypting_and_logging_in() -> Iterator[Row]:
    """What is between us and our own server."""
    secure = {"tls": "starttls", "login": True}
    yield row("STARTTLS is not offered", "RFC 3207 4.1", TECHNICAL, {
        "ehlo": "250-mx.example.org\n250 8BITMIME"
    }, **secure)  # fmt: skip
    yield row("no login is offered", "RFC 4954 3", TECHNICAL, {
        "ehlo_tls": "250-mx.example.org\n250 8BITMIME"
    }, **secure)  # fmt: skip
    yield row("a certificate of nobody's", "RFC 8314 4.2", TECHNICAL, {}, stranger=True, **secure)
    yield row("a certificate of nobody's, at once", "RFC 8314 4.2", TECHNICAL, {},
        tls="tls", login=True, stranger=True)  # fmt: skip
    yield row("hung up instead of encrypting", "RFC 3207 4", TEMPORARY, {"tls": HANG_UP}, **secure)
    yield row("plain words instead of encrypting", "RFC 3207 4", TECHNICAL, {
        "tls": Say("250 what do you mean?", after=1)
    }, **secure)  # fmt: skip
    yield row("silence instead of encrypting", "RFC 3207 4", TEMPORARY, {"tls": SILENCE}, **secure)
    for stage in ("starttls", "ehlo_tls", "auth"):
        yield row(f"hung up at {stage}", "RFC 5321 3.8", TEMPORARY, {stage: HANG_UP}, **secure)
        yield row(f"silence at {stage}", "RFC 5321 4.5.3.2", TEMPORARY, {stage: SILENCE}, **secure)
    yield row("LOGIN is all it knows", "RFC 4954", ACCEPTED, {
        "ehlo_tls": "250-mx.example.org\n250 AUTH LOGIN"
    }, **secure)  # fmt: skip
    yield from refused(
        TEMPORARY,
        US | SYSTEM | OTHER,
        ("starttls", "454 4.7.0 TLS not available due to temporary reason", "RFC 3207 4"),
        ("auth", "454 4.7.0 Temporary authentication failure", "RFC 4954 6"),
        ("auth", "432 4.7.12 A password transition is needed", "RFC 4954 6, RFC 5248"),
        ("auth", "421 4.7.0 Too many login attempts, try again later", "RFC 5321 3.8"),
        ("auth", "451 4.3.0 Temporary authentication failure", "RFC 4954 6"),
    )
    yield from refused(
        TECHNICAL,
        US | SYSTEM | OTHER,
        ("starttls", "501 Syntax error (no parameters allowed)", "RFC 3207 4"),
        ("starttls", "502 5.5.1 Error: command not implemented", "RFC 5321 4.2.4"),
        ("auth", "500 5.5.6 Authentication Exchange line is too long", "RFC 4954 6"),
        ("auth", "501 5.5.2 Cannot decode response", "RFC 4954 4"),
        ("auth", "504 5.5.4 Unrecognized authentication type", "RFC 4954 4"),
    )
    yield from refused(
        TECHNICAL,
        US,
        ("auth", "535 5.7.8 Authentication credentials invalid", "RFC 4954 6"),
        ("auth", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", "Postfix SASL_README"),
        ("auth", "535 Incorrect authentication data", "Exim spec 33"),
        ("auth", "535-5.7.8 Username and Password not accepted. For more information, go to\n"
            "535 5.7.8  https://support.google.com/mail/?p=BadCredentials - gsmtp",
            "Gmail SMTP errors"),
        ("auth", "534 5.7.9 Authentication mechanism is too weak", "RFC 4954 6"),
        ("auth", "538 5.7.11 Encryption required for requested authentication mechanism",
            "RFC 4954 6"),
        ("auth", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
            "for the Tenant.", "Exchange Online, SMTP AUTH"),
        ("auth", "525 5.7.13 User Account Disabled", "RFC 5248: X.7.13 is about the login"),
        ("mail", "530 5.7.0 Authentication required", "RFC 4954 6"),
        ("mail", "530 5.7.0 Must issue a STARTTLS command first", "RFC 3207 4"),
        ("mail", "530 5.7.57 Client not authenticated to send mail.", "Exchange Online, 5.7.57"),
        ("mail", "523 5.7.10 Encryption Needed", "RFC 5248"),
        ("rcpt", "530 Authentication required", "RFC 4954 6"),
        ("rcpt", "550-Please turn on SMTP Authentication in your mail client, or login to the\n"
            "550-IMAP/POP3 server before sending your message.  mail.praxis.example [{ip}]:51515\n"
            "550 is not permitted to relay through this server without authentication.",
            "cPanel's Exim"),
        ("rcpt", "554 5.7.1 <{to}>: Recipient address rejected: Must be authenticated",
            "Postfix SASL_README"),
    )  # fmt: skip


def _about_the_mailbox() -> Iterator[Row]:
    """The mailbox is named as not existing: „Adresse unbekannt", and remembered as dead."""
    yield from refused(
        PERMANENT,
        UNKNOWN_USER,
        ("rcpt", "550 No such user here", "RFC 5321 D.1"),
        ("rcpt", '550 5.1.1 Mailbox "nosuchuser" does not exist', "RFC 2034 6"),
        ("rcpt", "550 5.1.1 Bad destination mailbox address", "RFC 3463 3.2"),
        ("rcpt", "501 5.1.3 Bad destination mailbox address syntax", "RFC 3463 3.2"),
        ("rcpt", "501 5.1.3 Bad recipient address syntax", "Postfix smtpd"),
        ("rcpt", "553 5.1.3 {to}... User address required", "Sendmail"),
        ("rcpt", "550 5.1.4 Destination mailbox address ambiguous", "RFC 3463 3.2"),
        ("rcpt", "551 5.1.6 Destination mailbox has moved, No forwarding address", "RFC 3463 3.2"),
        ("rcpt", "551 User not local; please try <neu@example.com>", "RFC 5321 3.4"),
        ("rcpt", "550 5.2.1 Mailbox disabled, not accepting messages", "RFC 3463 3.3"),
        ("rcpt", "550 5.1.1", "RFC 2034: the status alone"),
        ("rcpt", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in local recipient "
            "table", "Postfix LOCAL_RECIPIENT_README"),
        ("rcpt", "550 5.1.1 <{to}>: Recipient address rejected: User unknown in relay recipient "
            "table", "Postfix, relay_recipient_maps"),
        ("rcpt", "550 <{to}>: Recipient address rejected: User unknown in virtual alias table",
            "Postfix, virtual_alias_domains"),
        ("rcpt", "550 5.1.1 <{to}>: Recipient address rejected: undeliverable address: host "
            "mx2.example.org[192.0.2.7] said: 550 5.1.1 User unknown (in reply to RCPT TO command)",
            "Postfix ADDRESS_VERIFICATION_README"),
        ("rcpt", "550 5.1.1 <{to}>... User unknown", "Sendmail"),
        ("rcpt", "550 5.1.1 <{to}> User doesn't exist: {to}", "Dovecot LMTP"),
        ("rcpt", "550-Mailbox unknown.  Either there is no mailbox associated with this\n"
            "550-name or you do not have authorization to see it.\n550 5.1.1 User unknown",
            "Cyrus LMTP"),
        ("rcpt", "550 unknown user", "Exim spec 44"),
        ("rcpt", "550 User <{to}> unknown", "Courier"),
        ("rcpt", "550 sorry, no mailbox here by that name. (#5.1.1)", "qmail-ldap"),
        ("rcpt", "550 <{to}>... No such user", "HCL Domino"),
        ("rcpt", "550 Unknown user", "hMailServer"),
        ("rcpt", "550 5.1.1 Recipient unknown <{to}>", "MDaemon"),
        ("rcpt", "550 Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550",
            "Mimecast SMTP codes"),
        ("rcpt", "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "550-5.1.1 double-checking the recipient's email address for typos or\n"
            "550-5.1.1 unnecessary spaces. For more information, go to\n"
            "550 5.1.1  https://support.google.com/mail/?p=NoSuchUser - gsmtp",
            "Gmail SMTP errors"),
        ("rcpt", "550-5.2.1 The email account that you tried to reach is inactive. For more\n"
            "550-5.2.1 information, go to\n"
            "550 5.2.1  https://support.google.com/mail/?p=DisabledUser - gsmtp",
            "Gmail SMTP errors"),
        ("rcpt", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient {to} not found by SMTP "
            "address lookup", "Exchange Online, 5.1.10"),
        ("rcpt", "550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", "Exchange Server NDRs"),
        ("rcpt", "550 5.1.1 Mailbox does not exist", "Amazon SES, bounce templates"),
        ("rcpt", "550 5.1.1 user unknown", "T-Online"),
        ("rcpt", "550 Benutzer nicht bekannt/User unknown", "WEB.DE"),
        ("rcpt", "550 5.1.1 <{to}>: Empfänger unbekannt", "RFC 6531 3.7.4: in any language"),
        ("rcpt", "550 5.0.0 <{to}>... User unknown", "Sendmail, words that tell more"),
        ("rcpt", "550 5.2.0 No such mailbox", "words that tell more than the status"),
        ("rcpt", "554 delivery error: dd This user doesn't have a yahoo.com account ({to}) [0] - "
            "mta4123.mail.bf1.yahoo.com", "Yahoo SMTP errors"),
        ("rcpt", "550 #5.1.1 User unknown", "Cisco Secure Email Gateway"),
        ("data", "550 5.1.1 <{to}>: User unknown", "RFC 5321 3.3: after DATA"),
        ("dot", "550 5.1.1 <{to}> User unknown", "RFC 5321 3.3: after the message"),
        ("dot", "550 permanent failure for one or more recipients ({to}:550 5.1.1 User unknown)",
            "Barracuda Email Security Gateway"),
        dead=True,
    )  # fmt: skip


def _about_its_domain() -> Iterator[Row]:
    """Its domain takes no mail or is none."""
    yield from refused(
        PERMANENT,
        HOST_UNKNOWN,
        ("rcpt", "556 5.1.10 Recipient address has null MX", "RFC 7505 4.2"),
        ("rcpt", "556 5.1.10 <{to}>: Recipient address rejected: Domain example.org does not "
            "accept mail (nullMX)", "Postfix smtpd"),
        ("rcpt", "556 Domain does not accept mail", "RFC 7504 5"),
        ("rcpt", "550 5.1.10 Recipient address has null MX", "RFC 7505 6"),
        ("rcpt", "550 5.1.2 Bad destination system address", "RFC 3463 3.2"),
        ("rcpt", "550 5.1.2 <{to}>... Host unknown (Name server: example.org: host not found)",
            "Sendmail"),
        ("rcpt", "550 5.1.2 <{to}>: Recipient address rejected: Domain not found",
            "Postfix, reject_unknown_recipient_domain"),
        ("rcpt", "550 5.4.4 Unable to route: no mail hosts for domain example.org",
            "RFC 3463 3.5"),
        ("rcpt", "550 all relevant MX records point to non-existent hosts", "Exim spec 17"),
        ("rcpt", "550 5.4.310 DNS domain example.org does not exist "
            "[Message=InfoDomainNonexistent]", "Exchange Online, 5.4.310"),
        ("dot", "554 5.1.2 Host or domain name not found", "RFC 3463 3.2"),
        dead=True,
    )  # fmt: skip
    yield from refused(
        PERMANENT,
        UNKNOWN_USER | HOST_UNKNOWN,
        ("rcpt", "550 Unrouteable address", "Exim spec 44"),
        ("rcpt", "550 5.4.1 Recipient address rejected: Access denied. [AM0EUR02FT012]",
            "Exchange Online, Directory-Based Edge Blocking: no such recipient"),
        dead=True,
    )  # fmt: skip


def _full_or_too_big() -> Iterator[Row]:
    """Better another day, or another mail: the address is a good one."""
    yield from refused(
        PERMANENT,
        MAILBOX_FULL,
        ("rcpt", "552", "RFC 5321 4.2.3"),
        ("rcpt", "552 Requested mail action aborted: exceeded storage allocation",
            "RFC 5321 4.2.3"),
        ("dot", "552 Requested mail action aborted: exceeded storage allocation",
            "RFC 5321 4.2.3"),
        ("rcpt", "552 5.2.2 Mailbox full", "RFC 3463 3.3"),
        ("rcpt", "552 Mailbox full", "RFC 5321 4.2.3"),
        ("rcpt", "552 5.2.2 <{to}> Quota exceeded (mailbox for user is full)", "Dovecot quota"),
        ("rcpt", "552 5.2.2 Over quota", "Cyrus LMTP"),
        ("rcpt", "552 5.2.2 Over STORAGE quota", "T-Online"),
        ("rcpt", "550 User has too many messages on the server", "WEB.DE"),
        ("rcpt", "550 Mailbox is full / Blocks limit exceeded / Inode limit exceeded",
            "cPanel's Exim"),
        ("rcpt", "552-5.2.2 The email account that you tried to reach is over quota. Please "
            "direct\n552-5.2.2 the recipient to\n"
            "552 5.2.2  https://support.google.com/mail/?p=OverQuotaPerm - gsmtp",
            "Gmail SMTP errors"),
        ("dot", "554 5.2.2 mailbox full; STOREDRV.Deliver; delivery result banner",
            "Exchange Online, 5.2.2"),
        ("dot", "552 mailbox is over quota (#5.2.2)", "vpopmail"),
        ("rcpt", "552 5.2.2 <{to}>: Postfach voll", "words in German"),
    )  # fmt: skip
    yield from refused(
        TEMPORARY,
        MAILBOX_FULL,
        ("rcpt", "452 4.2.2 Mailbox full", "RFC 3463 3.3"),
        ("dot", "452 4.2.2 <{to}> Quota exceeded (mailbox for user is full)", "Dovecot quota"),
        ("rcpt", "452-4.2.2 The email account that you tried to reach is over quota. Please "
            "direct\n452-4.2.2 the recipient to\n"
            "452 4.2.2  https://support.google.com/mail/?p=OverQuotaTemp - gsmtp",
            "Gmail SMTP errors"),
    )  # fmt: skip
    yield from refused(
        PERMANENT,
        TOO_BIG,
        ("rcpt", "552 5.2.3 Message length exceeds administrative limit", "RFC 3463 3.3"),
        ("rcpt", "552 Channel size limit of recipient exceeded", "RFC 1870 6.2"),
        ("rcpt", "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
            "Exchange Server NDRs"),
        ("dot", "552 5.3.4 Message too big for system", "RFC 3463 3.4, RFC 1870 6.1"),
        ("dot", "552 5.3.4 Error: message file too big", "Postfix smtpd"),
        ("dot", "552 Message size exceeds maximum permitted", "Exim spec 14"),
        ("dot", "552 5.3.4 Message is too large; 10240000 bytes max", "Sendmail"),
        ("dot", "552 sorry, that message size exceeds my databytes limit (#5.3.4)", "qmail-smtpd"),
        ("dot", "552-5.2.3 Your message exceeded Google's message size limits. Please visit\n"
            "552 5.2.3  https://support.google.com/mail/?p=MaxSizeError - gsmtp",
            "Gmail SMTP errors"),
    )  # fmt: skip
    yield from refused(
        TECHNICAL,
        TOO_BIG,
        ("mail", "552 message size exceeds fixed maximium message size", "RFC 1870 6.1"),
        ("mail", "552 5.3.4 Message size exceeds fixed limit", "Postfix smtpd"),
    )


def _about_us() -> Iterator[Row]:
    """Our sender, host, login or standing: nothing that another address would mend."""
    yield from refused(
        TECHNICAL,
        US,
        # Relaying
        ("rcpt", "550 relay not permitted", "Exim, the configuration that comes with it"),
        ("rcpt", "554 5.7.1 <{to}>: Relay access denied", "Postfix SMTPD_ACCESS_README"),
        ("rcpt", "550 5.7.1 <{to}>... Relaying denied. Proper authentication required.",
            "Sendmail"),
        ("rcpt", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain",
            "Exchange Server, 5.7.54"),
        ("rcpt", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
            "qmail-smtpd"),
        ("rcpt", "553 Relaying disallowed", "Zoho Mail"),
        ("rcpt", "551-5.7.1 Forwarding to remote hosts disabled\n"
            "551 5.7.1 Select another host to act as your forwarder", "RFC 2034 6"),
        ("rcpt", "551 we do not relay", "words without a status"),
        # The sender's address, as it is checked
        ("rcpt", "550-Verification failed for <{from}>\n"
            "550-The mail server could not deliver mail to {from}.  The account or domain may "
            "not exist, they may be blacklisted, or missing the proper dns entries.\n"
            "550 Sender verify failed", "Exim spec 44"),
        ("rcpt", "550-Callback setup failed while verifying <{from}>\n"
            "550-(result of an earlier callout reused).\n"
            "550-The initial connection, or a HELO or MAIL FROM:<> command was\n"
            "550-rejected. Refusing MAIL FROM:<> does not help fight spam, disregards\n"
            "550-RFC requirements, and stops you from receiving standard bounce\n"
            "550-messages. This host does not accept mail from domains whose servers\n"
            "550-refuse bounces.\n550 Sender verify failed", "Exim spec 44"),
        ("rcpt", "550 Could not complete sender verify callout", "Exim spec 44"),
        ("mail", "550 5.1.7 <{from}>: Sender address rejected: undeliverable address: host "
            "mx.praxis.example[192.0.2.9] said: 550 5.1.1 User unknown (in reply to RCPT TO "
            "command)", "Postfix ADDRESS_VERIFICATION_README"),
        ("rcpt", "550 5.1.7 <{from}>: Sender address rejected: User unknown in local recipient "
            "table", "Postfix, reject_unlisted_sender"),
        ("rcpt", "501 5.1.7 Bad sender address syntax", "RFC 3463 3.2"),
        ("rcpt", "550 5.1.8 Bad sender's system address", "RFC 3463 3.2"),
        ("mail", "553 5.1.8 <{from}>... Domain of sender address {from} does not exist",
            "Sendmail"),
        ("rcpt", "550 5.1.0 <{from}>: Sender address rejected", "words that tell more"),
        ("rcpt", "550 <{from}>: Sender address rejected: Domain not found",
            "Postfix, reject_unknown_sender_domain"),
        ("rcpt", "550-Requested action not taken: mailbox unavailable\n"
            "550-Sender address is not allowed.\n550 For explanation visit "
            "https://postmaster.gmx.net/en/case?c=r0601", "GMX postmaster: the last line counts"),
        ("rcpt", "550 5.7.27 Sender address has null MX", "RFC 7505 4.2"),
        ("rcpt", "550 sender domain has a null MX", "RFC 7505 4.2, without a status"),
        # SPF, DKIM, DMARC
        ("rcpt", "550 5.7.23 SPF validation failed", "RFC 7372 3.2"),
        ("rcpt", "550 5.7.24 SPF validation error", "RFC 7372 3.2"),
        ("dot", "550 5.7.20 No passing DKIM signature found", "RFC 7372 3.1"),
        ("dot", "550 5.7.22 No valid author-matched DKIM signature found", "RFC 7372 3.1"),
        ("dot", "550 5.7.26 Multiple authentication checks failed", "RFC 7372 3.4"),
        ("rcpt", "550 SPF check failed", "words without a status"),
        ("rcpt", "550 <{from}>: Reject due to SPF policy. The originating IP of the message is "
            "not permitted by the domain owner", "GMX postmaster"),
        ("dot", "550 5.7.1 Email rejected per DMARC policy for praxis.example", "OpenDMARC"),
        ("dot", "554 5.7.5 Permanent error evaluating DMARC policy", "RFC 7489 D"),
        ("dot", "550 5.7.509 Access denied, sending domain [PRAXIS.EXAMPLE] does not pass DMARC "
            "verification and has a DMARC policy of reject.", "Exchange Online, 5.7.509"),
        ("dot", "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n"
            "550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\n"
            "550 5.7.26  https://support.google.com/mail/answer/81126 - gsmtp",
            "Gmail SMTP errors"),
        # Reverse DNS and the name in EHLO
        ("rcpt", "550 5.7.25 Reverse DNS validation failed", "RFC 7372 3.3"),
        ("rcpt", "554 5.7.1 Client host rejected: cannot find your reverse hostname, [{ip}]",
            "Postfix, reject_unknown_reverse_client_hostname"),
        ("greeting", "554 Refused. Your reverse DNS entry contains your IP address",
            "words without a status"),
        ("rcpt", "550 reverse DNS lookup failed for {ip}", "words without a status"),
        ("rcpt", "550 5.7.1 <client.example>: Helo command rejected: Access denied", "Postfix"),
        ("rcpt", "550 Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", "cPanel's Exim"),
        # Block lists
        ("rcpt", "554 5.7.1 Service unavailable; Client host [{ip}] blocked using "
            "zen.spamhaus.org; https://www.spamhaus.org/query/ip/{ip}",
            "Postfix, reject_rbl_client"),
        ("rcpt", "550 Rejected: {ip} listed at zen.spamhaus.org", "Sendmail, dnsbl"),
        ("rcpt", "550 {ip} is in a black list at bl.example.net", "Exim spec 44"),
        ("greeting", "554 5.7.1 Your IP is on our block list", "words as of many"),
        ("greeting", "553 5.7.1 [BL21] Connections will not be accepted from {ip}, because the "
            "ip is in Spamhaus's list; see http://postmaster.yahoo.com/550-bl23.html",
            "Yahoo SMTP errors"),
        ("greeting", "554 IP={ip} - None/bad reputation. Ask your postmaster for help or to "
            "contact tobr@rx.t-online.de for reset. (NOWL)", "T-Online postmaster"),
        ("greeting", "554-gmx.net (mxgmx104) Nemesis ESMTP Service not available\n"
            "554-No SMTP service\n554-IP address is block listed.\n554 For explanation visit "
            "https://postmaster.gmx.net/en/case?c=r0201", "GMX postmaster"),
        ("mail", "550 5.7.1 Unfortunately, messages from [{ip}] weren't sent. Please contact your "
            "Internet service provider since part of their network is on our block list (S3140).",
            "Outlook.com postmaster"),
        ("rcpt", "550 5.7.606 Access denied, banned sending IP [{ip}].",
            "Exchange Online, 5.7.606"),
        # Policy that a status names
        ("rcpt", "554 5.7.1 <{to}>: Recipient address rejected: Access denied",
            "Postfix SMTPD_ACCESS_README"),
        ("rcpt", "550 5.7.1 Delivery not authorized, message refused", "RFC 3463 3.8"),
        ("rcpt", "550 5.7.0 Other or undefined security status", "RFC 3463 3.8"),
        ("rcpt", "550 5.7.1", "RFC 2034: the status alone"),
        ("dot", "550 5.7.1 This message violates example.com email policy. - gcdp - gsmtp",
            "Gmail SMTP errors"),
        ("rcpt", "550 5.7.705 Access denied, tenant has exceeded threshold",
            "Exchange Online, 5.7.705"),
        ("dot", "550 5.7.30 REQUIRETLS support required", "RFC 8689 5"),
        ("rcpt", "554 5.7.5 Cryptographic failure", "RFC 3463 3.8"),
    )  # fmt: skip
    # The content, or who may write to a group: not us as a sender, and not the mailbox.
    yield from refused(
        REFUSED,
        US,
        ("dot", "554 5.7.1 Message rejected as spam by Content Filtering.", "Exchange Server"),
        ("dot", "571 5.7.1 message classified as spam", "amavis, as hosters set it"),
        ("dot", "550 This message was classified as SPAM and may not be delivered",
            "words without a status"),
        ("dot", "552-5.7.0 This message was blocked because its content presents a potential\n"
            "552-5.7.0 security issue. Please visit\n"
            "552 5.7.0  https://support.google.com/mail/?p=BlockedMessage - gsmtp",
            "Gmail SMTP errors: a 552 that is no full mailbox"),
        ("dot", "554 5.7.1 id=12345-06 - BANNED: invite.ics", "amavis"),
        ("dot", "554-Transaction failed\n554-Reject due to policy restrictions.\n554 For "
            "explanation visit https://postmaster.gmx.net/en/case?c=hi", "GMX postmaster"),
        ("rcpt", "550-Requested action not taken: mailbox unavailable\n"
            "550-Reject due to policy restrictions.\n550 For explanation visit "
            "https://postmaster.gmx.net/en/error-messages?ip={ip}&c=poli",
            "GMX postmaster: the last line counts"),
        ("rcpt", "550 5.7.2 Mailing list expansion prohibited", "RFC 3463 3.8"),
        ("rcpt", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication "
            "required; Delivery restriction check failed because the sender was not authenticated "
            "when sending to this group", "Exchange Online, 5.7.133"),
        ("rcpt", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", "Exchange Server NDRs"),
        ("rcpt", "550 you are not allowed to post to this mailing list", "words as of many"),
    )  # fmt: skip
    # How much we send.
    yield from refused(
        REFUSED,
        RATE,
        ("rcpt", "554 5.5.3 Too many recipients", "RFC 3463 3.6"),
        ("rcpt", "550 5.4.5 Daily user sending limit exceeded.", "Gmail SMTP errors"),
        ("rcpt", "550 Too many recipients received this hour", "Exim spec 44, ratelimit"),
        ("mail", "550 5.7.1 Message rate exceeded", "words as of many"),
    )
    yield from refused(
        REFUSED,
        RATE | OTHER,
        ("rcpt", "550-5.2.1 The user you are trying to contact is receiving mail at a rate that\n"
            "550-5.2.1 prevents additional messages from being delivered. For more\n"
            "550-5.2.1 information, please visit\n"
            "550 5.2.1  https://support.google.com/mail/?p=ReceivingRatePerm - gsmtp",
            "Gmail SMTP errors: a 5.2.1 that is no dead mailbox"),
    )  # fmt: skip


def _about_nobody() -> Iterator[Row]:
    """No word of why: „abgewiesen", and no address is dead for it."""
    yield from refused(
        PERMANENT,
        OTHER,
        ("rcpt", "550", "RFC 5321 4.2"),
        ("rcpt", "550 Rejected", "a general prefix"),
        ("rcpt", "550 5.0.0 Rejected", "RFC 3463 3.1"),
        ("rcpt", "550 5.0.0", "RFC 3463 3.1"),
        ("rcpt", "550 5.2.0 Other or undefined mailbox status", "RFC 3463 3.3"),
        ("rcpt", "550 5.1.0 Other address status", "RFC 3463 3.2: ours or theirs"),
        ("rcpt", "553", "RFC 5321 4.2"),
        ("rcpt", "554", "RFC 5321 4.2"),
        ("rcpt", "550 Requested action not taken", "RFC 5321 4.2.3"),
        ("rcpt", "550 mail not accepted", "a general prefix"),
        ("rcpt", "599 no", "RFC 5321 4.3.2: the first digit"),
        ("data", "554", "RFC 5321 4.2"),
        ("dot", "550", "RFC 5321 4.2"),
        ("dot", "554 Transaction failed", "RFC 5321 4.2.3"),
        ("dot", "554 5.0.0 Unknown failure", "Amazon SES, bounce templates"),
        ("dot", "554 5.6.0 Other or undefined media error", "RFC 3463 3.7"),
        ("dot", "554 5.6.1 Media not supported", "RFC 3463 3.7"),
        ("dot", "554 5.6.9 UTF-8 header message cannot be transferred to one or more recipients",
            "RFC 6531 3.7.4"),
    )  # fmt: skip
    yield from refused(
        PERMANENT,
        OTHER | POLICY,
        ("rcpt", "553 5.6.7 Non-ASCII addresses not permitted", "RFC 6531 3.7.4"),
        ("dot", "550 5.6.7 Non-ASCII addresses not permitted for that sender/recipient",
            "RFC 6531 3.7.4"),
    )  # fmt: skip
    # „Access denied" alone names neither the mailbox nor us.
    yield from refused(
        REFUSED,
        OTHER | POLICY,
        ("rcpt", "550 Access denied", "a general prefix"),
        ("rcpt", "550 5.0.0 Access denied", "Sendmail"),
        ("rcpt", "550 <{to}>: Recipient address rejected: Access denied", "Postfix's prefix"),
        ("rcpt", "550 Administrative prohibition", "Exim spec 44: where nothing else is set"),
        ("rcpt", "550 Local policy violation", "a general prefix"),
    )
    yield row("address beyond ASCII, server not", "RFC 6531 3.2", PERMANENT, {
        "ehlo": "250-mx.example.org\n250 8BITMIME"
    }, utf8=True, reason=NO_REASON | OTHER, dead=False)  # fmt: skip


def _out_of_order() -> Iterator[Row]:
    """A server that is broken, or does not fit to us, for good."""
    yield from refused(
        PERMANENT,
        SYSTEM,
        ("rcpt", "552 5.3.1 Mail system full", "RFC 3463 3.4"),
        ("rcpt", "554 5.3.2 System not accepting network messages", "RFC 3463 3.4"),
        ("rcpt", "554 5.3.5 System incorrectly configured", "RFC 3463 3.4"),
        ("rcpt", "554 5.4.6 Routing loop detected", "RFC 3463 3.5"),
        ("dot", "554 5.4.0 Error: too many hops", "Postfix smtpd, hopcount_limit"),
        ("dot", "554 5.4.14 Hop count exceeded - possible mail loop", "Exchange Online, 5.4.14"),
    )
    yield from refused(
        PERMANENT,
        SYSTEM | OTHER,
        ("rcpt", "554 5.3.0 Other or undefined mail system status", "RFC 3463 3.4"),
    )
    yield from refused(
        PERMANENT,
        EXPIRED,
        ("dot", "554 5.4.7 Delivery time expired", "RFC 3463 3.5"),
    )
    yield from refused(
        TECHNICAL,
        SYSTEM | OTHER | POLICY,
        ("greeting", "554 mx.example.org No SMTP service here", "RFC 5321 3.1"),
        ("greeting", "521 mx.example.org Server does not accept mail", "RFC 7504 3"),
        ("greeting", "554", "RFC 5321 4.2"),
        ("ehlo", "550 5.7.1 <client.example>: Helo command rejected", "Postfix"),
        ("ehlo", "504 5.5.2 <client>: Helo command rejected: need fully-qualified hostname",
            "Postfix"),
        ("mail", "550", "RFC 5321 4.2"),
        ("mail", "503 5.5.1 Error: send HELO/EHLO first", "RFC 5321 4.2.4"),
        ("mail", "555 5.5.4 Unsupported option: RET=HDRS", "RFC 5321 4.1.1.11"),
        ("mail", "501 5.5.4 Syntax: MAIL FROM:<address>", "RFC 5321 4.1.1.2"),
        ("rcpt", "500 Syntax error, command unrecognized", "RFC 5321 4.2.3"),
        ("rcpt", "502 5.5.1 Command not implemented", "RFC 5321 4.2.3"),
        ("rcpt", "503 5.5.1 Error: need MAIL command", "RFC 5321 4.1.4"),
        ("rcpt", "504 5.5.4 Command parameter not implemented", "RFC 5321 4.2.3"),
        ("rcpt", "555 5.5.4 Unsupported option: NOTIFY=SUCCESS,FAILURE,DELAY",
            "RFC 5321 4.1.1.11"),
        ("rcpt", "504 5.5.2 <client>: Helo command rejected: need fully-qualified hostname",
            "Postfix, smtpd_delay_reject"),
        ("data", "503 5.5.1 Error: need RCPT command", "RFC 5321 4.1.4"),
        ("data", "502 5.5.1 Command not implemented", "RFC 5321 4.2.3"),
    )  # fmt: skip
    yield from refused(
        REFUSED,
        SYSTEM | OTHER,
        ("rcpt", "501 5.5.4 Invalid command arguments", "RFC 3463 3.6"),
        ("rcpt", "501 Syntax error in parameters or arguments", "RFC 5321 4.2.3"),
    )


def _for_now() -> Iterator[Row]:
    """4yz: tried again, whatever it says."""
    yield from refused(
        TEMPORARY,
        SYSTEM | OTHER,
        ("greeting", "421 mx.example.org Service not available, closing transmission channel",
            "RFC 5321 4.2.3"),
        ("ehlo", "421 4.3.2 System shutting down", "RFC 5321 3.8"),
        ("mail", "421 4.3.2 System shutting down", "RFC 5321 3.8"),
        ("rcpt", "421 4.3.2 System shutting down", "RFC 5321 3.8"),
        ("data", "421 4.3.2 System shutting down", "RFC 5321 3.8"),
        ("dot", "421 4.3.2 System shutting down", "RFC 5321 3.8"),
        ("mail", "451 Requested action aborted: local error in processing", "RFC 5321 4.2.3"),
        ("rcpt", "451 4.3.0 <{to}>: Temporary lookup failure", "Postfix smtpd"),
        ("rcpt", "451 Temporary local problem - please try later", "Exim spec 44"),
        ("rcpt", "450 4.3.2 Service currently unavailable", "Postfix POSTSCREEN_README"),
        ("rcpt", "452 Requested action not taken: insufficient system storage",
            "RFC 5321 4.2.3: the system's, not the mailbox's"),
        ("mail", "452 4.3.1 Insufficient system storage", "Postfix smtpd"),
        ("mail", "455 Server unable to accommodate parameters", "RFC 5321 4.1.1.11"),
        ("rcpt", "450", "RFC 5321 4.2"),
        ("dot", "451 4.3.0 Error: queue file write error", "Postfix smtpd"),
        ("dot", "450 4.0.0 Temporary failure", "Amazon SES, bounce templates"),
        ("dot", "451 4.5.0 Message is too busy to be filed", "RFC 5321 4.3.2: the first digit"),
        ("dot", "499 later", "RFC 5321 4.3.2: the first digit"),
    )  # fmt: skip
    yield from refused(
        TEMPORARY,
        US,
        ("rcpt", "450 4.2.0 <{to}>: Recipient address rejected: Greylisted, see "
            "http://postgrey.schweikert.ch/help/example.org.html", "Postgrey"),
        ("rcpt", "451 4.7.1 Greylisting in action, please come back in 00:05:00",
            "milter-greylist"),
        ("rcpt", "451 4.7.0 Other or undefined security status", "RFC 3463 3.8"),
        ("rcpt", "450 4.1.8 <{from}>: Sender address rejected: Domain not found",
            "Postfix, reject_unknown_sender_domain"),
        ("rcpt", "450 4.1.7 <{from}>: Sender address rejected: unverified address: Address "
            "verification in progress", "Postfix ADDRESS_VERIFICATION_README"),
        ("rcpt", "450 4.7.25 Client host rejected: cannot find your hostname, [{ip}]",
            "Postfix, reject_unknown_client_hostname"),
        ("rcpt", "450 4.7.1 Client host rejected: cannot find your reverse hostname, [{ip}]",
            "Postfix"),
        ("rcpt", "451 Could not complete sender verify callout", "Exim spec 44"),
        ("dot", "450 4.7.4 TLS is required, but was not offered by host mx.example.org",
            "Postfix TLS_README; RFC 8461 5"),
        ("dot", "450 4.7.5 Server certificate not trusted", "Postfix TLS_README; RFC 8461 5"),
        ("rcpt", "421-4.7.0 Our system has detected an unusual rate of unsolicited mail\n"
            "421-4.7.0 originating from your IP address. To protect our users from spam, mail\n"
            "421 4.7.0 sent from your IP address has been temporarily blocked. - gsmtp",
            "Gmail SMTP errors"),
        ("mail", "421 4.7.0 [TSS04] Messages from {ip} temporarily deferred due to unexpected "
            "volume or user complaints - 4.16.55.1; see "
            "https://postmaster.yahooinc.com/error-codes", "Yahoo SMTP errors"),
        ("dot", "451 4.7.24 SPF validation error", "RFC 7372 3.2"),
    )  # fmt: skip
    yield from refused(
        TEMPORARY,
        RATE,
        ("greeting", "421 4.7.0 mx.example.org Error: too many connections from {ip}",
            "Postfix smtpd, anvil"),
        ("mail", "450 4.7.1 Error: too much mail from {ip}", "Postfix smtpd, anvil"),
        ("rcpt", "452 4.5.3 Error: too many recipients", "Postfix smtpd"),
        ("rcpt", "452 Too many recipients received this hour", "Exim spec 44, ratelimit"),
        ("rcpt", "451 4.7.500 Server busy. Please try again later from [{ip}].",
            "Exchange Online, 4.7.500"),
        ("greeting", "421 RP-001 Unfortunately, some messages from {ip} weren't sent. Please try "
            "again. We have limits for how many messages can be sent per hour and per day.",
            "Outlook.com postmaster"),
        ("greeting", "421 Rate limit reached. Please try again later", "Telekom, GMX"),
    )  # fmt: skip
    yield from refused(
        TEMPORARY,
        RATE | OTHER,
        ("rcpt", "450-4.2.1 The user you are trying to contact is receiving mail too quickly.\n"
            "450-4.2.1 Please resend your message at a later time. For more information, go to\n"
            "450 4.2.1  https://support.google.com/mail/?p=ReceivingRate - gsmtp",
            "Gmail SMTP errors"),
    )  # fmt: skip
    yield from refused(
        TEMPORARY,
        NETWORK,
        ("rcpt", "450 4.4.1 No answer from host", "RFC 3463 3.5"),
        ("rcpt", "451 4.4.2 Bad connection", "RFC 3463 3.5"),
        ("rcpt", "451 4.4.3 Directory server failure", "RFC 3463 3.5"),
        (
            "rcpt",
            "450 4.1.2 <{to}>: Recipient address rejected: Domain not found",
            "Postfix, reject_unknown_recipient_domain",
        ),
    )
    yield from refused(
        TEMPORARY,
        UNKNOWN_USER,
        ("rcpt", "450 4.1.1 <{to}>: Recipient address rejected: User unknown in local recipient "
            "table", "Postfix, soft_bounce"),
    )  # fmt: skip
    # RFC 2034 section 4: a status whose class is another than the code's is none. Words remain.
    yield from refused(
        TEMPORARY, UNKNOWN_USER, ("rcpt", "450 5.1.1 <{to}>: User unknown", "RFC 2034 4")
    )
    yield from refused(
        PERMANENT, MAILBOX_FULL, ("rcpt", "550 4.2.2 The mailbox is over quota", "RFC 2034 4")
    )
