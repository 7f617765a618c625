"""What a returned mail means (RFC 3464, 5965, 3834), also where servers follow no standard.

Asked in this order: a calendar's answer (RFC 5546), a complaint, a receipt of reading, a standard
report, an automatic answer, and last the words of the many servers with forms of their own. Each is
believed only from a sender that could have written it: people forward bounces, and newsletters
write about them.
"""

from collections.abc import Mapping
from dataclasses import replace

from contracts.events import FailureReason
from services.notification.bounces import addresses, auto_replies, feedback, signs, texts
from services.notification.bounces.amazon_ses import read_notification
from services.notification.bounces.answers import read_answer
from services.notification.bounces.belief import believable
from services.notification.bounces.commands import refused_commands
from services.notification.bounces.mime import Mail, open_mail
from services.notification.bounces.original import Original, find_original
from services.notification.bounces.reports import Report, find_report
from services.notification.bounces.result import NOT_A_BOUNCE, EvidenceKind, Reading
from services.notification.bounces.wrapped import wrapped_bounce
from services.notification.refusals.reading import read_refusal
from services.notification.refusals.refusal import Refusal, Stage

__all__ = ["EvidenceKind", "Reading", "read"]


def read(content: bytes) -> Reading:
    """The meaning of a mail, as bytes on the wire.

    No mail, however hostile, is meant to make it raise; the caller is ready for any Exception all
    the same, which then is a fault in here and says nothing of the mail.
    """
    mail = open_mail(content)
    answer = read_answer(mail)
    if answer is not None:
        return replace(NOT_A_BOUNCE, answer=answer)
    inside = wrapped_bounce(mail, content)
    return _read(mail) if inside is None else _read(open_mail(inside))


def _read(mail: Mail) -> Reading:
    text = texts.report_text(mail)
    original = find_original(mail, text.returned)
    if feedback.is_complaint(mail):
        return _complaint(mail, original)
    if auto_replies.is_receipt(mail):
        return NOT_A_BOUNCE
    machine = signs.null_sender(mail) or signs.from_daemon(mail)
    report = find_report(mail, nested=machine) if _may_report(mail, machine=machine) else None
    if report is not None and report.says_something:
        return _reported(mail, report, text, original)
    if auto_replies.is_auto_reply(mail):
        return _auto_reply(mail, original)
    notification = read_notification(mail)
    if notification is not None:
        return notification
    return _worded(mail, text, original)


def _may_report(mail: Mail, *, machine: bool) -> bool:
    """Whether a report in this mail is about our message, and not one that a person shows us."""
    if signs.answers_or_forwards(mail) and not machine:
        return False
    if signs.declared_report(mail):
        return True
    if signs.of_a_list(mail) and not machine:
        return False
    return machine or signs.automatic(mail) or signs.about_delivery(mail)


def _reported(mail: Mail, report: Report, text: texts.Text, original: Original) -> Reading:
    kind = report.kind
    if kind is None:
        return NOT_A_BOUNCE
    about = report.of(kind)
    recipients = addresses.unique(one.address for one in about)
    if not recipients:
        account = texts.account(mail, text, texts.recognise(mail, text), _ours(mail, original))
        recipients = [*account.recipients] or [*original.recipients]
    found = Refusal()
    if kind is not EvidenceKind.DELIVERED:
        names = [name for one in about for name in (one.address, one.original) if name]
        refused = refused_commands(text.lines, names)
        found = report.diagnosis(refused)
        unsaid = not any(one.diagnostic.strip() for one in about)
        if unsaid or found.reason in {None, FailureReason.OTHER, FailureReason.SYSTEM}:
            found = _better(found, mail, text, original, refused)
    status = found.status or next((one.status for one in about if one.status), None)
    return Reading(
        kind,
        _permanent(kind, found),
        status,
        tuple(recipients),
        _reason(kind, found),
        original.message_id,
        report.envelope_id,
        tuple(addresses.unique(one.original for one in about)) or original.recipients,
    )


def _better(
    found: Refusal,
    mail: Mail,
    text: texts.Text,
    original: Original,
    refused: Mapping[str, Stage],
) -> Refusal:
    """The words' diagnosis where the fields name no reason."""
    account = texts.account(mail, text, texts.recognise(mail, text), _ours(mail, original))
    stages = set(refused.values())
    reported = stages.pop() if len(stages) == 1 else None
    worded = read_refusal(*account.said, wide=[text.whole], status=found.status, reported=reported)
    if worded.reason in {None, FailureReason.OTHER}:
        return found
    permanent = worded.permanent if found.permanent is None else found.permanent
    return replace(worded, permanent=permanent)


def _complaint(mail: Mail, original: Original) -> Reading:
    recipients = feedback.complaining(mail) or list(original.recipients)
    return Reading(
        EvidenceKind.COMPLAINT,
        recipients=tuple(recipients),
        original_message_id=original.message_id,
        original_recipients=original.recipients,
    )


def _auto_reply(mail: Mail, original: Original) -> Reading:
    senders = addresses.of_header(mail.head.get("from"))
    answers = _in_reply_to(mail)
    return Reading(
        EvidenceKind.AUTO_REPLY,
        recipients=tuple(senders),
        original_message_id=original.message_id or answers,
    )


def _in_reply_to(mail: Mail) -> str | None:
    """The Message-ID that an answer names."""
    value = mail.head.get("in-reply-to").strip()
    return value if value.startswith("<") and value.endswith(">") and " " not in value else None


def _worded(mail: Mail, text: texts.Text, original: Original) -> Reading:
    """A failure that is described in words, if it is one."""
    rule = texts.recognise(mail, text)
    if not believable(mail, text, rule, original):
        return _auto_reply(mail, original) if auto_replies.is_marked(mail) else NOT_A_BOUNCE
    ours = _ours(mail, original)
    account = texts.account(mail, text, rule, ours)
    recipients = list(account.recipients) or texts.anywhere(text, ours, original.recipients)
    machine = signs.surely_machine(mail) or signs.plain_daemon(mail)
    about_all = original.message_id is None and texts.is_circular(text)
    if not recipients and (about_all or not machine):
        return NOT_A_BOUNCE  # what is made up names nobody
    found = read_refusal(*account.said, wide=[text.whole, mail.head.get("subject")])
    said = texts.sentences(mail, text)
    if texts.speaks_of_success(said, found) and "x-failed-recipients" not in mail.head:
        return NOT_A_BOUNCE  # words prove no more than that nothing failed
    if account.reason is not None:
        found = replace(found, reason=account.reason, permanent=True)
    kind = texts.tone(said, found)
    return Reading(
        kind,
        _permanent(kind, found),
        found.status,
        tuple(recipients),
        _reason(kind, found),
        original.message_id,
        None,
        original.recipients,
    )


def _ours(mail: Mail, original: Original) -> list[str]:
    """Who sent the message, and is no recipient of it."""
    back_to = addresses.of_header(mail.head.get("to"))
    own = addresses.of_header(mail.head.get("from"))
    return [one for one in [*back_to, *original.senders, *own] if one not in original.recipients]


def _permanent(kind: EvidenceKind, found: Refusal) -> bool | None:
    if kind is EvidenceKind.FAILED:
        return found.permanent
    return False if kind is EvidenceKind.DELAYED else None


def _reason(kind: EvidenceKind, found: Refusal) -> FailureReason | None:
    if kind is EvidenceKind.FAILED:
        return found.reason or FailureReason.OTHER
    return found.reason if kind is EvidenceKind.DELAYED else None
