"""Who wrote a mail: a mail system about another mail, or somebody else.

No single sign decides: bounces come from people's addresses, and people forward bounces.
"""

import re

from services.notification.bounces import addresses
from services.notification.bounces.languages import DELAYED, UNDELIVERED, any_of, words
from services.notification.bounces.mime import REPORTS, Mail

_DAEMON = re.compile(
    r"(?:^|[<\s\"(])(?:mail(?:er)?[-_.]?d(?:a?e|ea)mon|mdaemon|mail[-_.]?delivery|post[-_]?master|"
    r"bounces?|mail(?:sweeper|marshal|filter|gateway|gate|system|admin|hub)|"
    r"microsoftexchange[0-9a-f]*|mx-mail-error|"
    r"mail[-_]?error|delivery[-_]?(?:status|failure)|non-?delivery|ndr|amavis|virusalert|"
    r"smtp(?:d|32)?|uucp|mmdf)"
    r"(?:[-+.=][^@\s]*)?(?:@|>|\s|\"|$)|"
    r"mail(?:er)? deliver(?:y|) (?:sub)?(?:system|service|agent|software)|"
    r"mail deliver(?:y)? system|mail(?:er)?[- ]daemon|"
    r"mail server at|"
    r"mail administrator|system administrator|systemadministrator|administrateur syst|"
    r"delivery (?:sub)?system|mail delivery|"
    r"internet mail delivery|postmaster|mail system|mail router|microsoft outlook|"
    r"microsoft exchange|exchange server|"
    r"administrador del sistema|email (?:system|delivery)|interscan|mailfoundry|mail service|"
    r"facebook <mailer",
    re.I,
)
_MAYBE = re.compile(
    r"(?:^|[<\s\"])(?:root|admin|administrator|sysadmin|system|noreply|no[-_.]?reply|donotreply|"
    r"do-not-reply|info|mail|"
    r"[\w.]*-admin|abuse|listserv|majordomo|staff|support|devnull|null|nobody)[-+.\w]*@",
    re.I,
)
_SUBJECT = words(
    r"undeliver|undelivrable|un-deliver|non[- _]?deliver|nondeliver|not (?:be |been )?deliver|"
    r"(?:can ?not|could ?n[o']t|couldn't|unable to|wasn't|failed to|"
    r"failure to|failure|error|problem) (?:be |in )?(?:deliver|send|sent)|"
    r"deliver(?:y|ed)? (?:status|failure|failed|fail|error|problem|report|notification|"
    r"has failed|notice|delay|incomplete|warning|receipt)|"
    r"returned (?:e?-?mail|message|to sender)|mail (?:return|delivery|system error|failure|"
    r"failed|error|delivered|could not|undeliver|status report)|"
    r"failure (?:notice|notification|delivery)|failed (?:delivery|mail|message|to deliver)|"
    r"message (?:delivery|status|undeliver|not deliver|could not|delayed|frozen|failed|"
    r"you sent)|"
    r"permanent (?:delivery )?(?:failure|error)|bounce[d]?\b|\[bounce\]|delayed mail|(?:mail|"
    r"message|delivery)\b.{0,60}(?:delayed|still being retried)|"
    r"(?:warning|notice): (?:could not|message|mail|e-?mail)|rejected mail|"
    r"mail (?:was )?rejected|rejected(?: by|:)|there was an error sending|nondelivery|ndn:|"
    r"delivery notification|"
    r"failure notice|^failure$|error (?:while )?sending|\bdelayed\b|"
    r"user unknown|unknown user|host unknown|no such user|message was not|"
    r"\b(?:in mail|contents?) from you|"
    r"mailbox (?:full|unavailable)|over ?quota|address (?:error|not found|change)|"
    r"unzustellbar|nicht zustellbar|nicht zugestellt|zustellung|zustell|unzugestellt|"
    r"fehlgeschlagen|rückläufer|verzögert|konnte nicht|kann nicht|"
    r"non remis|non[- ]distribu|échec|echec|n'a pas (?:pu|été)|impossible de|"
    r"retour(?:né)?e? à l'exp|no (?:se )?(?:ha )?(?:entreg|pudo)|no entregad|"
    r"no se puede entregar|devuelto|error de entrega|fallo (?:de|en)|"
    r"mancat[ao]|impossibile|non (?:recapit|consegn)|não (?:foi )?(?:entreg|poss)|falha (?:na|"
    r"de)|devolvid|onbestelbaar|niet (?:bezorgd|afgeleverd)|niedostarcz|nie dostarcz|zwrot|"
    r"olevererbar|kunde inte|undelivered|"
    r"не (?:доставлен|может быть|удалось)|недоставлен|возвращ|ошибка доставки|"
    r"配信|配送|届き|返送|送信できません|エラー|失敗|退信|退回|无法投递|無法|반송|전송 실패|"
    r"rapporto|rapport de|security alert|"
    r"not member|loop alert|system error message|mail from .{0,40}reject|"
    rf"{any_of(UNDELIVERED)}|"
    rf"(?:entrega|zustell|nachricht|mensa|mess[ag]|mail|correo|posta|bericht|доставк|сообщ|письм|"
    rf"meddel|viest|wiadom|zpráv|配|邮|郵|メール|메일).{{0,60}}(?:{any_of(DELAYED)})"
)
_ANSWER = re.compile(
    r"^\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|aw|sv|antw|fwd?|wg|tr|rv|vs|vb|odp|ynt|回复|"
    r"转发)(?:\[\d+\])?\s*:",
    re.I,
)
_MAILER_DAEMON = re.compile(r"\bmail(?:er)?[-_ ]?daemon\b", re.I)
_EMPTY = re.compile(r"^\s*<?\s*>?\s*$|mailer-daemon", re.I)
_LIST = ("list-unsubscribe", "list-id", "list-post", "list-help")


def from_daemon(mail: Mail) -> bool:
    """Whether the sender is a mail system by name."""
    head = mail.head
    return any(_DAEMON.search(value) for value in (head.get("from"), head.get("sender")) if value)


def plain_daemon(mail: Mail) -> bool:
    """Whether it is a mail system's by name and as plain as theirs were before reports."""
    return from_daemon(mail) and not any(part.type == "text/html" for part in mail.own)


def daemon_address(mail: Mail) -> bool:
    """Whether the sender's address, not only the name before it, is a mail system's."""
    found = addresses.of_header(mail.head.get("from"))
    return any(_DAEMON.search(f"<{address}>") for address in found)


def mailer_daemon(mail: Mail) -> bool:
    """Whether the sender has the name that only mail systems bear."""
    return _MAILER_DAEMON.search(mail.head.get("from")) is not None


def maybe_machine(mail: Mail) -> bool:
    """Whether the sender could be one: an administrator, nobody, or no sender at all."""
    sender = mail.head.get("from")
    return not sender or "<>" in sender or _MAYBE.search(sender) is not None


def null_sender(mail: Mail) -> bool:
    """Whether nobody is to answer (RFC 5321 section 4.5.5), as far as the headers still tell."""
    head = mail.head
    # The last server has written the first one; whoever wrote the mail may have written others.
    if "return-path" in head:
        return _EMPTY.search(head.get("return-path")) is not None
    line = head.get("x-from-line")
    return line != "" and (_EMPTY.search(line) is not None)


def surely_machine(mail: Mail) -> bool:
    """Whether nobody else can have sent it, as far as the headers can be trusted."""
    return (
        null_sender(mail)
        or mailer_daemon(mail)
        or declared_report(mail)
        or "x-failed-recipients" in mail.head
    )


def about_delivery(mail: Mail) -> bool:
    """Whether the subject speaks of a delivery."""
    return _SUBJECT.search(mail.head.get("subject")) is not None


def answers_or_forwards(mail: Mail) -> bool:
    """Whether a person answers or forwards: the subject says so, or the mail answers another."""
    subject = mail.head.get("subject")
    return _ANSWER.match(subject) is not None


def of_a_list(mail: Mail) -> bool:
    """Whether it went to the subscribers of a list, as newsletters and digests do."""
    return any(name in mail.head for name in _LIST)


def declared_report(mail: Mail) -> bool:
    """Whether the mail calls itself a delivery status report."""
    if mail.parameters.get("report-type", "").lower() == "delivery-status":
        return True
    return any(part.type in REPORTS for part in mail.own)


def automatic(mail: Mail) -> bool:
    """Whether the mail calls itself automatic (RFC 3834 section 5)."""
    return (
        mail.head.get("auto-submitted").lower().startswith("auto-")
        or "x-failed-recipients" in mail.head
    )
