"""Answers that a machine gives for somebody (RFC 3834), and receipts (RFC 8098).

They are never failures, whatever they quote: somebody away has a mailbox.
"""

import re

from services.notification.bounces import signs
from services.notification.bounces.mime import Mail

_SUBJECT = re.compile(
    r"^\s*(?:auto(?:matic|mated)?[- ]?(?:matic|mated)?[- ]?(?:reply|response|antwort|responder|"
    r"reponse)|auto\s*:|autoreply|auto-?respond|"
    r"out[- ]of[- ](?:the[- ])?office|ooo\b|away from|on (?:vacation|holiday|leave)|vacation\b|"
    r"absence\b|absent\b|i am (?:away|out)|i'm (?:away|out)|"
    r"automatische? (?:antwort|rückmeldung|mitteilung)|abwesen|abwesenheits|ich bin (?:nicht|"
    r"derzeit|im urlaub)|urlaubs?|nicht im (?:haus|büro)|außer haus|eingangsbestätigung|"
    r"réponse automatique|reponse automatique|message d'absence|absence du bureau|"
    r"respuesta autom|fuera de (?:la )?oficina|ausencia|"
    r"risposta automatica|fuori sede|fuori ufficio|assente|resposta autom|ausente|"
    r"fora do escrit|afwezig|automatisch antwoord|"
    r"autosvar|automatisk(?:t)? sv|frånvar|fraværende|fravær|poissa|automaattinen|"
    r"automatyczna odpowied|autoodpowied|nieobecno|poza biurem|"
    r"автоматическ|автоответ|нет на месте|в отпуске|automatická odpov|mimo kancel|"
    r"otomatik (?:yanıt|cevap)|ofis dışı|αυτόματη|"
    r"自動(?:返信|応答|回答|送信)|不在|休暇|自动(?:回复|答复)|自動回覆|부재중|자동 ?(?:응답|회신))|"
    r"\b(?:out of (?:the )?office|automatic reply|auto-?reply|autoresponse|autoresponder|"
    r"abwesenheitsnotiz|automatische antwort|réponse automatique)\b|"
    r"不在(?:通知|のお知らせ)|自動返信",
    re.I,
)
_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoreply-from",
    "x-auto-reply",
    "x-autoresponder",
    "x-apple-action",
    "x-mail-autoreply",
    "x-vacation",
)
_BODY = re.compile(
    r"\b(?:i am|i'm|i will be) (?:currently |presently )?(?:out of|away|on (?:vacation|holiday|"
    r"leave|annual|maternity))|out of (?:the )?office|"
    r"ich bin (?:.{0,40})?(?:nicht (?:im|erreichbar|da)|im urlaub|abwesend|außer haus)|"
    r"bin ich (?:.{0,40})?(?:nicht im|im urlaub|abwesend|erst)|"
    r"je suis (?:.{0,30})?(?:absent|en congé)|estar[ée] (?:fuera|ausente)|"
    r"sono (?:.{0,30})?(?:assente|fuori)|confirm (?:that )?you are|challenge[- ]response|"
    r"thank you for (?:contacting|your (?:e-?mail|message|inquiry))|"
    r"vielen dank für ihre (?:nachricht|e-?mail|anfrage)|we have received your",
    re.I,
)
# Mail systems confirm senders: „please confirm that you sent this".
_CHALLENGE = re.compile(
    r"(?:confirm|verif)\w* (?:that )?(?:you|your (?:e-?mail|address|message|identity))|"
    r"challenge|tmda|spamarrest|boxbe|one[- ]time (?:verification|confirmation)|"
    r"click (?:here|the link|on the link).{0,80}(?:deliver|verify|confirm)|sender verification",
    re.I,
)
_NOT_NOW = re.compile(
    r"automatically rejected|could not be delivered|was rejected|quota exceeded", re.I
)


def is_receipt(mail: Mail) -> bool:
    """Whether it tells that a message was displayed or deleted (RFC 8098): it had arrived.

    Dovecot's delivery agent reports refusals in this form; those are none.
    """
    declared = mail.parameters.get("report-type", "").lower() == "disposition-notification"
    if not declared and not any(
        part.type == "message/disposition-notification" for part in mail.own
    ):
        return False
    return not any(
        _NOT_NOW.search(part.text[:4_000]) for part in mail.own if part.type.startswith("text")
    )


def is_auto_reply(mail: Mail) -> bool:
    """Whether a machine answers for a person, to be asked before text is searched for failures."""
    subject = mail.head.get("subject")
    named = _SUBJECT.search(subject) is not None
    system = signs.from_daemon(mail)
    if named and not (system and (signs.declared_report(mail) or signs.about_delivery(mail))):
        return True
    if system or signs.declared_report(mail) or "x-failed-recipients" in mail.head:
        return False
    text = next((part.text for part in mail.own if part.text.strip()), "")[:3_000]
    if is_marked(mail):
        return not signs.about_delivery(mail) or _BODY.search(text) is not None
    if mail.head.get("auto-submitted").lower().startswith("auto-") or signs.null_sender(mail):
        return (
            _BODY.search(text[:1_500]) is not None
            or _CHALLENGE.search(f"{subject} {text[:1_500]}") is not None
        )
    return False


def is_marked(mail: Mail) -> bool:
    """Whether its headers call it an answer by a machine."""
    head = mail.head
    return (
        head.get("auto-submitted").lower().startswith("auto-replied")
        or any(name in head for name in _HEADERS)
        or head.get("precedence").lower() in {"auto_reply", "auto-reply"}
    )


def is_challenge(mail: Mail) -> bool:
    """Whether it asks the sender to prove that they are a person."""
    text = next((part.text for part in mail.own if part.text.strip()), "")[:2_000]
    return (
        not signs.from_daemon(mail)
        and _CHALLENGE.search(f"{mail.head.get('subject')} {text}") is not None
    )
