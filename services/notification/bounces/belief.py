"""Whether a text that speaks of a failure is a mail system's, about a mail of ours.

People forward bounces, newsletters explain them, and parcels, too, can't be delivered.
"""

from services.notification.bounces import auto_replies, look_alikes, signs, texts
from services.notification.bounces.mime import Mail
from services.notification.bounces.original import Original
from services.notification.refusals.codes import find_code, find_status


def believable(mail: Mail, text: texts.Text, rule: texts.Rule | None, original: Original) -> bool:
    """Whether to take the text as a report on a mail of ours."""
    daemon = signs.from_daemon(mail) or not mail.head.get("from")
    nobody = signs.null_sender(mail)
    own_mark = "x-failed-recipients" in mail.head
    if rule is not None and rule.header:
        return True
    own_words = rule is not None and not rule.everyday
    # Old servers answer with „Re:", as people do.
    answered = (
        signs.answers_or_forwards(mail)
        and not nobody
        and not own_mark
        and not (daemon and own_words)
    )
    listed = signs.of_a_list(mail) and not signs.mailer_daemon(mail) and not nobody
    returned = original.message_id is not None or original.recipients != ()
    by_system = own_words and (nobody or signs.daemon_address(mail))
    look_alike = look_alikes.is_look_alike(mail, text.whole, returned=returned or by_system)
    if answered or listed or look_alike or auto_replies.is_challenge(mail):
        return False
    subject, failure = signs.about_delivery(mail), texts.speaks_of_failure(text)
    known = rule is not None
    coded = _technical(text)
    if daemon or own_mark or signs.declared_report(mail):
        # One sign may be missing: servers write any subject, and any language. Codes alone stand
        # in a postmaster's statistics, too.
        alone = signs.mailer_daemon(mail) and (coded or "@" in text.whole)
        sure = (
            returned or own_mark or own_words or nobody or alone or (coded and (subject or known))
        )
        return [subject, failure or known, sure].count(True) >= 2
    if not failure:
        return False
    if nobody or signs.automatic(mail) or signs.maybe_machine(mail):
        # Shops and authorities write of codes and of what they could not deliver, too.
        sure = returned or own_mark or own_words or (nobody and (coded or "@" in text.whole))
        sure = sure or (coded and subject and texts.is_terse(text))
        return sure and (subject or known)
    return returned and subject and texts.begins_with(text, rule)


def _technical(text: texts.Text) -> bool:
    """Whether a mail server's code is quoted."""
    whole = text.whole[:6_000]
    return find_status(whole) is not None or find_code(whole) is not None
