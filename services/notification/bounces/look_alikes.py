"""Mail that speaks of failed deliveries and is no report on a mail of ours.

Phishing dressed as a bounce, ticket systems that quote one, warnings to the owner of a mailbox,
notices to a server's postmaster: rules as data, by what each kind can't do without.
"""

import re

from services.notification.bounces import signs
from services.notification.bounces.languages import words
from services.notification.bounces.mime import Mail

# Ticket systems, trackers and monitors name themselves, or number their subjects.
_TRACKERS = (
    "x-jira-fingerprint",
    "x-github-reason",
    "x-gitlab-project",
    "x-redmine-project",
    "x-redmine-issue-id",
    "x-otrs-loop",
    "x-otrs-followup",
    "x-zammad-ticketid",
    "x-trac-project",
    "x-bugzilla-reason",
    "x-rt-ticket",
    "x-nagios-notification",
    "x-cron-env",
    "x-launchpad-bug",
    "x-sentry-project",
)
_NUMBERED = re.compile(
    r"^\s*\[(?:\w+ )?(?:#|ticket|issue|case|bug|[A-Z][A-Z0-9]{1,9}-)\s*#?\d+\]|"
    r"\[(?:ticket|case|issue|fall|vorgang)\s*[#:]\s*\d+\]|"
    r"^(?:\*\* )?(?:problem|recovery|acknowledgement|alert|firing|resolved|critical|warning)\b"
    r".{0,3}(?:service|host|alert|:\d)",
    re.I,
)
# What a person, or a server to its own postmaster, is told about something else.
_ABOUT_OTHERS = re.compile(
    r"^[^\S\n]*(?:view|open) (?:the )?(?:issue|ticket|case|incident)\b|"
    r"\b(?:was|has been) assigned to you\b|"
    r"^session aborted, reason:|^[^\S\n]*in: {1,3}(?:ehlo|helo|mail from)\b|"
    r"\[(?:postmaster notice|reason: suspicious)\]",
    re.I | re.M,
)
_TO_POSTMASTER = re.compile(
    r"^postfix smtp (?:server|client): errors|^postmaster notice: |"
    r"^(?:logwatch|pflogsumm|cron|anacron)\b|^cron <",
    re.I,
)
# The owner of the mailbox, who is written to, is warned or lured.
_YOUR_MAILBOX = words(
    r"\byour (?:own )?(?:e-?mail )?(?:mailbox|mail ?box|inbox|e-?mail (?:account|storage)|mail "
    r"(?:account|quota)|account storage|storage)\b.{0,60}\b(?:is|has|will|exceed\w*|"
    r"reached|becomes?)\b|"
    r"\b(?:you have|you've|you are) (?:almost |nearly )?(?:reached|exceeded|used)\b.{0,60}"
    r"\b(?:quota|storage|limit)|"
    r"\bihr(?:em|es|e)? (?:e-?mail-?)?(?:postfach|konto|mailbox|speicher\w*)\b.{0,80}"
    r"(?:voll|%|prozent|verifizier|bestätig|gesperrt|überschritten|erreicht)|"
    r"\bvotre (?:boîte|compte)\b.{0,60}(?:pleine|%|bloqué|limite)|"
    r"\bsu (?:buzón|cuenta)\b.{0,60}(?:lleno|%|límite)|"
    r"\b(?:incoming|pending|held|queued|unreceived|undelivered) (?:\w+ )?(?:messages?|e-?mails?)\b"
    r".{0,60}\b(?:your (?:mail ?box|inbox)|pending|on hold|not (?:be )?delivered to you)"
)
_LURE = words(
    r"\b(?:release|retrieve|recover|review|download|fix|unblock)\b.{0,30}\b(?:messages?|"
    r"e-?mails?|mails?|inbox|mail ?box|now)\b|"
    r"\b(?:verify|confirm|validate|update|upgrade|re-?activate|unlock|keep) your\b.{0,30}"
    r"\b(?:account|mail ?box|e-?mail|identity|password|storage)\b|"
    r"\b(?:sign|log) ?in (?:here|to|now)\b|"
    r"\bclick (?:here|below|on the (?:link|button)|the (?:link|button))\b|"
    r"\b(?:postfach|konto|nachricht\w*|e-?mails?|passwort|zugang|identität)\b.{0,40}\b(?:bestätigen|"
    r"verifizieren|freigeben|abrufen|aktualisieren|entsperren|freischalten)\b|"
    r"\b(?:hier|jetzt) (?:klicken|anmelden|einloggen|bestätigen)|klicken sie (?:hier|auf)|"
    r"\bcliquez|\bhaga clic|\bclicca|\bкликните|нажмите"
)
_LINK = re.compile(r"https?://", re.I)
MAX_LENGTH = 4_000


def is_about_others(mail: Mail, text: str) -> bool:
    """Whether a tracker, a monitor or a server's own log quotes a failure."""
    subject = mail.head.get("subject")
    return (
        any(name in mail.head for name in _TRACKERS)
        or _NUMBERED.search(subject) is not None
        or _TO_POSTMASTER.search(subject) is not None
        or _ABOUT_OTHERS.search(text[:MAX_LENGTH]) is not None
    )


def is_to_the_owner(text: str) -> bool:
    """Whether it is about the mailbox of the reader, as warnings and phishing are."""
    return _YOUR_MAILBOX.search(" ".join(text[:MAX_LENGTH].split())) is not None


def is_lure(mail: Mail, text: str) -> bool:
    """Whether it wants the reader to follow a link, which no server's report does."""
    # The words of links are in the text, their targets only in the attributes of HTML.
    html = any(part.type == "text/html" for part in mail.own)
    linked = html or _LINK.search(text[:MAX_LENGTH]) is not None
    return linked and _LURE.search(" ".join(text[:MAX_LENGTH].split())) is not None


def is_look_alike(mail: Mail, text: str, *, returned: bool) -> bool:
    """Whether a text about a failure is one of these; `returned`: our message came back with it."""
    if is_about_others(mail, text):
        return True
    proven = returned or signs.declared_report(mail) or "x-failed-recipients" in mail.head
    return not proven and (is_to_the_owner(text) or is_lure(mail, text))
