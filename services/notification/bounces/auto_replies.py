"""Answers that a machine gives for somebody (RFC 3834), and receipts (RFC 8098).

They are never failures, whatever they quote: somebody away has a mailbox.
"""

import re

from services.notification.bounces import signs
from services.notification.bounces.languages import words
from services.notification.bounces.mime import Mail
from services.notification.refusals.codes import find_status

# Subjects that only machines write.
_BY_MACHINE = words(
    r"^\s*(?:auto(?:matic|mated)?[- ]?(?:reply|response|antwort|responder|reponse)|auto\s*:|"
    r"auto-?respond|out[- ]of[- ](?:the[- ])?office\b|automatische? (?:antwort|rückmeldung)|"
    r"abwesenheits(?:notiz|meldung|benachrichtigung|agent|assistent)|eingangsbestätigung|"
    r"r[ée]ponse automatique|message d'absence|absence du bureau|respuesta autom|"
    r"fuera de (?:la )?oficina:|risposta automatica|fuori sede:|resposta autom|"
    r"automatisch antwoord|afwezigheid|autosvar|automatisk(?:t)? sv|frånvaromeddel|"
    r"automaattinen|automatyczna odpowied|autoodpowied|автоматическ\w+ ответ|автоответ|"
    r"automatická odpov|otomatik (?:yanıt|cevap)|αυτόματη|自動(?:返信|応答|回答|送信)|"
    r"自动(?:回复|答复)|自動回覆|자동 ?(?:응답|회신))|"
    r"\b(?:automatic reply|auto-?reply|autoresponse|autoresponder|abwesenheitsnotiz|"
    r"automatische antwort|réponse automatique)\b|\bout of office\b.{0,10}:|自動返信"
)
# Subjects that people write, too.
_AWAY = words(
    r"out of (?:the )?office|\booo\b|\baway\b|\b(?:vacation|holiday|on leave)\b|absen[ct]|"
    r"abwesen|nicht (?:im haus|im büro|da\b|erreichbar)|urlaub|außer haus|"
    r"fuera de|ausen|fuori|assen|fora do|afwezig|frånvar|fravær|poissa|nieobecno|poza biurem|"
    r"нет на месте|отпуск|отсутств|mimo kancel|ofis dışı|不在|休暇|休假|부재"
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
_BODY = words(
    r"\b(?:i am|i'm|i will be|i'll be) (?:currently |presently )?(?:out|away|on|not in)\b|"
    r"out of (?:the )?office|automat(?:ed|ic|ically)[\s-]{1,3}(?:reply|response|generated repl)|"
    r"\b(?:ich|bin ich|wir) .{0,60}(?:nicht (?:im|erreichbar|da)|im urlaub|abwesend|außer haus)|"
    r"automatische (?:antwort|empfangs|eingangs)|"
    r"réponse automatique|respuesta autom|risposta autom|"
    r"je suis .{0,30}(?:absent|en congé)|estar[ée] (?:fuera|ausente)|sono .{0,30}(?:assente|fuori)|"
    r"thank(?:s| you) for (?:contacting|your|getting)|vielen dank für ihre|danke für ihre|"
    r"(?:request|ticket|message|e-?mail|inquiry|enquiry)\b.{0,40}\b(?:has been|was|have been) "
    r"(?:received|logged|opened|created|registered)|we(?: have|'ve)? received your|"
    r"(?:anfrage|nachricht|e-?mail|ticket)\b.{0,60}\b(?:eingegangen|erhalten|eröffnet|registriert)"
)
# What a server writes of its reports, too.
_BY_NOBODY = words(
    r"automatische (?:nachricht|e-?mail)|automatisch (?:generiert|erstellt|erzeugt|versandt)"
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
    system = signs.from_daemon(mail)
    reports = signs.declared_report(mail) or signs.about_delivery(mail)
    if _BY_MACHINE.search(subject) and not (system and reports):
        return True
    if system or signs.declared_report(mail) or "x-failed-recipients" in mail.head:
        return False
    text = _text(mail)
    coded = find_status(text) is not None
    if is_marked(mail):
        return not reports or (_BODY.search(text) is not None and not coded)
    software = signs.null_sender(mail) or (_by_software(mail) and not signs.of_a_list(mail))
    if not software or not mail.head.get("from") or coded:
        return False
    said = f"{subject}\n{text}"
    if any(pattern.search(said) for pattern in (_AWAY, _BODY, _CHALLENGE)):
        return True
    return not reports and _BY_NOBODY.search(said) is not None


def _text(mail: Mail) -> str:
    return next((part.text for part in mail.own if part.text.strip()), "")[:1_500]


def _by_software(mail: Mail) -> bool:
    head = mail.head
    return (
        signs.automatic(mail)
        or "x-auto-response-suppress" in head
        or head.get("precedence").lower() in {"bulk", "junk"}
    )


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
    text = _text(mail)
    asks = _CHALLENGE.search(f"{mail.head.get('subject')} {text}") is not None
    return asks and not signs.from_daemon(mail) and find_status(text) is None
