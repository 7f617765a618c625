"""How servers put why they refused, from the most telling to the least: data for `reading`.

Patterns are matched without regard to case against text whose white space is collapsed, whose
addresses are all „a@b" and whose web addresses are hosts. Gaps are bounded, so that a search stays
linear. Within an entry the order does not matter.
"""

from services.notification.refusals import words_about_nobody as nobody
from services.notification.refusals import words_about_recipients as recipients
from services.notification.refusals import words_about_us as us
from services.notification.refusals.wording import Phrases

PHRASES: tuple[Phrases, ...] = (
    recipients.CLOSED,  # its „not authorized" is about the group, and not about a login
    # Before what sounds the same of the recipient: „Sender address rejected: User unknown"
    us.OURS,
    us.UNWELCOME,
    recipients.DISK_FULL,
    recipients.MAILBOX_FULL,
    recipients.QUOTA,
    recipients.MESSAGE_TOO_BIG,
    recipients.OVER_A_LIMIT,
    nobody.LOOK_UP_LATER,
    recipients.HOST_UNKNOWN,
    recipients.LOCKED_FOR_NOW,
    recipients.UNKNOWN_USER,
    recipients.UNRESOLVED,
    us.UNWANTED,
    nobody.NETWORK,
    nobody.CONTENT,
    nobody.RULES,
    nobody.OUT_OF_ORDER,
    recipients.UNAVAILABLE,
    nobody.UNSAID,
)

# Sentences that stand in every notice or refusal of a server and name no reason.
BOILERPLATE = (
    r"remote server returned an error|no virus (?:was )?found|interscan viruswall|"
    r"google tried to deliver your message, but it was rejected by the[^.]{0,80}\.|"
    r"the e-?mail system was unable to deliver the message, but did not report a specific "
    r"reason\.?|contact your system administrator|returning message to sender|the mail system|"
    r"returned to sender|giving up on [\d.]+\.?|for explanation visit \S+|"
    # The command that was refused, as Exim and Postfix put it, and transcripts
    r"(?:smtp error from remote (?:mail )?server )?after (?:pipelined )?(?:starttls|auth|ehlo|"
    r"helo|mail from|rcpt to|end of data|data)\b(?:[: ]{1,2}[^\s:]{1,300}){0,2}:(?= |$)|"
    r"\(in reply to [a-z ]{4,40}\)|sasl authentication failed; server|rcpt to: ?<?a@b>?|"
    # What is said not to be the cause
    r"\b(?:ip(?: address)?|sender|host|domain|server|message) (?:is|was|are) not (?:\w+ ){0,2}"
    r"(?:blocked|at fault|to blame|listed|black-?listed)\b|not listed (?:on|in|at|by) any \w+|"
    r"\b(?:spf|dkim|dmarc|arc)[ =:]{1,2}pass(?:ed|es)?\b|(?<!not )(?<!be )\b(?:is|was|been) "
    r"(?:successfully )?authenticated(?: (?:with|by|over) \w+)?|"
    # RFC 5321 section 4.2.3 at 550 and 553
    r"\(?e\.g\.,? mailbox not found, no access, or command rejected for policy reasons\)?|"
    r"mailbox name not allowed"
)
# What servers put before whatever they refuse. It counts where nothing else is said.
PREFIXES = (
    r"(?:recipient address rejected|undeliverable address):|"  # Postfix at RCPT
    # RFC 5321 section 4.2.3, as GMX and others open a reply of several lines
    r"requested (?:mail )?action (?:not taken|aborted): (?:mailbox unavailable|"
    r"exceeded storage allocation|local error in processing)"
)
