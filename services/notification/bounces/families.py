r"""What the mail servers that follow no standard write: a rule per family, as data.

`text` tells the family by its words and says from which line on to read. `recipients` find the
address in a line, `diagnosis` what the server said; where there is none, what follows the first
recipient is taken, then the whole. All match without regard to case.
"""

from dataclasses import dataclass

from contracts.events import FailureReason
from services.notification.bounces.languages import (
    DELAYED,
    DELIVERED,
    GIVEN_UP_IN,
    UNDELIVERED,
    any_of,
)

_A = r"[^\s<>\"'@,;()\[\]]{1,100}@[^\s<>\"'@,;:()]{1,255}"
_Q = r"(?:\"[^\"\n]{1,64}\"|[^\s<>@]{1,100})@[^\s<>@]{1,255}"
# Nothing that is searched for begins with what it may as well skip, and no two gaps that hold the
# same stand beside each other: time would be quadratic in the line (`test_linear_patterns`).
_WORD = rf"(?<![^\s<>\"'@,;()\[\]])({_A})"
_INDENT = r"^[^\S\n]*"
_BARE = rf"^\s*<?({_A})>?\s*$"
_BRACKETED = rf"^\s*<({_Q})>"
_RCPT = rf"rcpt to: ?<?({_A})>?"


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of server, and how it tells of a failure."""

    name: str
    text: str
    recipients: tuple[str, ...] = ()
    diagnosis: tuple[str, ...] = ()
    head: str = ""  # „header: pattern" that must be there too
    reason: FailureReason | None = None  # where its words say no more than this
    everyday: bool = False  # its words may stand in any mail: they prove little


FAMILIES: tuple[Family, ...] = (
    Family(
        "Postfix",
        r"this is the (?:[\w.-]+ )?(?:mail system|postfix program|\w+ program) at host|"
        rf"{_INDENT}the (?:[\w-]+ )?(?:postfix (?:program|on )|mail system\s*$)|"
        r"delivery report unavailable",
        (rf"^\s*<({_Q})>(?: \(expanded from[^)]*\))?:",),
    ),
    Family(
        "OpenSMTPD",
        r"this is the mailer-daemon, please do not reply",
        (rf"^\s*({_A}): ", rf"^\s*({_A})\s+\S"),
    ),
    Family(
        "DragonFly Mail Agent",
        r"this is the dragonfly mail agent",
        (rf"error delivering your mail to <?({_A})>?",),
        (r"did not like our .{1,40}", r"^\s*([45]\d\d[ -].*)"),
    ),
    Family(
        "Yahoo",
        r"sorry, we (?:were|are|have been) unable to deliver (?:your message )?to the following|"
        r"wasn't able to deliver the following message|"
        r"unable to deliver (?:message to the following address|the message from)|"
        r"message from \S+\.\s+unable to deliver",
        (rf"^\s*<({_Q})>:?", rf"^to:? <?({_A})"),
    ),
    Family(
        "qmail",
        r"this is the [\w.-]*qmail\b|hi\. this is the|i'm afraid i wasn't able to deliver|"
        r"i wasn't able to deliver your message|su mensaje no pudo ser entregado|"
        r"this is the (?:machine generated message from mail service|mail delivery agent at|"
        r"deliver program at|email server at)|your mail was not delivered to the following|"
        r"your mail message to the following address|your message to the following addresses|"
        r"^we're sorry\.|he/her is not|this is a permanent error; i've given up",
        (rf"^\s*(?:to ?: ?)?<({_Q})>:?\s*$", rf"^\s*<({_Q})>:", rf"^\s*(?:to ?: ?)?({_A}):?\s*$"),
        (r"^\s*(?:remote host said:|(?:\S.{0,59})?said:)\s*(.*)",),
    ),
    Family(
        "Exchange 5.5 to 2003",
        r"did not reach the following recipient|n'a pas atteint le|"
        r"konnte folgende(?:n)? empfänger(?:n)? nicht erreichen|hat (?:die|den|einige|"
        r"einen) (?:folgenden )?empfänger nicht erreicht|no (?:se )?(?:ha )?lleg[oó] a|"
        r"non ha raggiunto|msexch:",
        (
            rf"^\s*'?<?({_A})>?'? (?:on|am|le|el|il|op|em) ",
            rf"smtp[=:]({_A})",
            rf"^\s*(?:\S.{{0,79}})?[\[(<]({_A})[\])>].{{0,60}}$",
            _BARE,
        ),
        (r"(msexch:.*)", r"<(?=[^<>]*>)([^<>]*#\d\.\d\.\d[^<>]*)>", r"^\s+(\S.*)"),
    ),
    Family(
        "Exchange 2007 and Office 365",
        r"delivery has failed to th(?:e|o)se|diagnostic information for administrators|"
        r"informations de diagnostic|diagnoseinformationen|información de diagnóstico|"
        r"informazioni (?:di )?diagnosti|informações de diagnóstico|diagnostische gegevens|"
        r"generating server|serveur de g|generierender server|servidor (?:de )?gener|"
        r"rejected your message to the following|wasn't (?:found|delivered)|"
        r"couldn't be delivered|could ?n[o']t be delivered to|"
        r"fehler bei der nachrichtenzustellung|fehler bei der zustellung|la remise (?:à|de)|"
        r"échec de la remise|error (?:de|en la) entrega|recapito non riuscito|"
        r"管理者用の診断情報|診断情報|"
        r"配信(?:に|で)|диагностические сведения|diagnostické informace",
        (
            rf"{_WORD}<mailto:",
            rf"^\s*(?:\S.{{0,79}})?[(<]({_A})[)>]\s*$",
            _BARE,
            rf"(?:message|nachricht|e-?mail|mail|mensaje|messaggio) (?:to|an|à|a) <?({_A})>? ",
            rf"{_WORD} (?:wasn't|couldn't|could not|was not|konnte nicht)",
        ),
        (
            r"([45]\d\d[ -#]+[45]\.\d{1,3}\.\d{1,3}.*)",
            r"returned '?(.*)",
            r"^[^<]*<.*#([45]\.\d{1,3}\.\d{1,3}(?:(?!#[45]\.\d{1,3}\.\d).)*)>",
        ),
        everyday=True,
    ),
    Family(
        "Google Groups",
        r"the group you tried to contact|permission to post messages to the group",
        (rf"^\s*({_A})\s*$",),
        head="x-failed-recipients: @",
        reason=FailureReason.POLICY,
    ),
    Family(
        "Gmail",
        r"delivery to the following recipients?\b.{0,20}(?:failed|has been delayed)|"
        r"\*\* (?:address not found|message (?:not delivered|blocked|too large)|"
        r"delivery incomplete|recipient inbox full) \*\*|your message (?:to|"
        r"wasn't delivered to)|there was a (?:temporary )?problem delivering your message|"
        r"ihre nachricht (?:an|wurde nicht)|(?:technical details of (?:permanent|"
        r"temporary) failure)|a permanent error|the response (?:from the remote server )?was",
        (
            _BARE,
            rf"(?:delivered to|delivering your message to|nachricht an|an|to) <?({_A})>?",
            rf"^\s*({_A}):",
        ),
        (
            r"(?:the error that the other server returned was|"
            r"the response (?:from the remote server )?was): *(.*)",
            r"^\s*([45]\d\d[ -].*)",
        ),
        everyday=True,
    ),
    Family(
        "Domino",
        r"was not delivered to:|wurde nicht zugestellt an|n'a pas été (?:remis|distribué) à|"
        r"no se (?:ha )?(?:entregó|entregado) a|non è stato (?:recapitato|consegnato) a|"
        r"was not delivered because|配信されません",
        (rf"^\s*({_A})\s*$", rf"^\s*(?:\S.{{0,79}})?<({_A})>\s*$", rf"\(({_A})\)"),
        (
            r"^\s*(?:because|weil|car|porque|perché):?\s*(.*)",
            r"^(.*(?:not listed|domino|address book|ディレクトリ).*)",
        ),
        everyday=True,
    ),
    Family(
        "amavis",
        r"in (?:your e-?mail|an? e-?mail from you|e-?mail (?:presumably )?from you)",
        (rf"^-> *<?({_A})>?",),
        (r"found\s*(.*)",),
    ),
    Family(
        "Posta certificata",
        r"mancata consegna|errore di consegna|non accettazione|stato rilevato|"
        r"non (?:è|e') stat[oa] (?:accettat|consegnat)|virus",
        (
            rf"(?:destinat[oa]|indirizzat[oa]|diretto) (?:all'utente|a) *\"?({_A})",
            rf"destinatari[oi]?:? *\"?({_A})",
            rf"^\s*\"?({_A})\"?(?: \(.*\))?\s*$",
        ),
        (r"(?:rilevato un errore|errore:?|motivo:?) *(.*)",),
        head="x-ricevuta: ^(?:errore-consegna|non-accettazione|preavviso-errore|rilevazione-virus)",
    ),
    Family("Notes", r"- failure reasons", (rf"^({_A})", rf"{_WORD}\s*$")),
    Family(
        "Courier",
        r"undeliverable mail|delays in delivering your message|recipients cannot be delivered",
        (rf"^\s*<({_Q})>:?",),
        (r"<<< (.*)",),
    ),
    Family(
        "T-Online and Smail",
        r"failed addresses follow",
        (rf"^\s*<({_Q})>\s*$", rf"^\s*({_A})\s+\.\.\. ", _BARE),
    ),
    Family(
        "Messaging Server",
        r"this report relates to a message you sent|recipient address:",
        (rf"^\s*(?:recipient|original) address: (?:@[^\s:]+:)?({_A})",),
        (r"diagnostic code: *(.*)", r"reason: *(.*)"),
    ),
    Family(
        "Exim and kin",
        r"this message was created automatically by mail deliver|"
        r"a message (?:that you (?:have )?sent|sent by|you sent)\b|"
        r"message \S+ (?:has been frozen|was frozen on arrival)|"
        r"router encountered the following error|the following address(?:es|\(es\))? failed|"
        r"is een automatisch|diese nachricht wurde automatisch|это письмо создано автоматически",
        (
            rf"^\s*\"({_A})\":?",
            rf"^[ \t]{{1,4}}<?({_A})>?(?::.*|\s*\(.*)?$",
            rf"^\s*.{{0,60}} <({_Q})>:",
            rf"^\s*<({_Q})>:?",
            rf"^({_A}):?$",
            rf"^({_A})[ \t]+(?:invalid address|\S.*error_code)",
            rf"\[status: .*<({_A})>",
            rf"\(generated from:? ({_A})\)",
            rf"generated by ({_A})",
        ),
        (r"(?:for the following reason|reason):\s*(.*)", r"^.*\S: ([45]\d\d[ -].*)"),
    ),
    Family(
        "MailMarshal",
        r"the following recipients were affected|could not be delivered because of",
        (rf"^\s+({_A})\s*$",),
        (r"^\s*([45]\d\d[ -].*)",),
    ),
    Family(
        "MailFoundry",
        r"delivery failed for the following reason|this is a mime encoded message",
        (rf"unable to deliver message to: <?({_A})>?",),
        (r"failed with: (.*)",),
    ),
    Family(
        "SurfControl",
        r"your message could not be sent",
        (rf"addressed to: *({_A})",),
        (r"\], *([45]\d\d .*)",),
        everyday=True,
    ),
    Family(
        "m-FILTER",
        r"m-filter|-------server message|以下のメールアドレス",
        (_BARE,),
        (r"^\s*([45]\d\d[ -].*)",),
    ),
    Family(
        "Apache James and Verizon",
        r"error message below|message details:|message could not be delivered to mobile",
        (rf"^\s*{_RCPT}", rf"^\s*to:\s*<?({_A})>?"),
        (r"^\s*([45]\d\d *[ -].*)", r"^\s*error: *(.*)"),
    ),
    Family(
        "KDDI",
        r"your mail (?:sent on|attempted to be delivered)",
        (rf"could not be delivered to: ?<?({_A})>?",),
        (r"^\s+((?:as|due|because) .*)",),
    ),
    Family(
        "EZweb",
        r"the user\(s\) account is|each of the following recipients|"
        r"your message was not delivered within|recipients did not receive (?:this|the|"
        r"your) message",
        (rf"recipient: ?<({_A})>", rf"^\s*<({_A})>", rf"{_RCPT}"),
        (r"<<< (.*)", r"^\s*<[^>]*>: *(.+)"),
    ),
    Family(
        "IMail",
        r"unknown user:|user mailbox exceeds|undeliverable to |invalid final delivery userid|"
        r"delivery failed \d+ attempts|unknown host:|body of message generated response",
        (
            rf"[^:]{{3}}: *({_A})",
            rf"undeliverable +to +({_A})",
        ),
        everyday=True,
    ),
    Family(
        "unknown gateway with errors",
        r"\d error\(s\):",
        (rf"rejected recipient <({_A})>", rf"errors: *({_A})", rf"<({_A})>"),
        (r"responded as follows: *\[?(.*)",),
    ),
    Family(
        "unknown gateway with stars",
        r"automatically generated delivery status notification|"
        r"delivery to the following recipients? (?:failed|was aborted|has failed)",
        (rf"^\s*\* ({_A})", _BARE),
        (r"^\s*smtp:\S+ (.*)", r"^\s*routing: (.*)"),
    ),
    Family(
        "InterScan",
        r"sent +<<<|received +>>>|interscan|メッセージを配信できません|メール配信に失敗",
        (_RCPT, rf"^(?:(?![<>]{{3}} ).)*[<>]{{3}} .*<({_A})>"),
        (r"received +>>> *(.*)", r"<<< *([45]\d\d.*)"),
    ),
    Family(
        "sendmail, McAfee, Biglobe",
        r"transcript of (?:the )?session follows|following addresses? had|"
        r"addresses had (?:permanent|delivery|transient|fatal)|"
        r"transcript of session is unavailable|the original message was received|"
        r"recipients of this message|unsent message",
        (
            rf"^\s*<({_Q})>\s*(?:\(.*\)\s*)?$",
            rf"^\s*({_A})(?:\s+\[.*\]|\s*\(.*\))?\s*$",
            rf"^>>> .* <({_A})>$",
            rf"^(?:[45]\d\d )?<({_Q})>\.\.\.",
            rf"^(?:[45]\d\d )?(?:[45]\.\d\.\d )?({_A})\.\.\.",
            rf"^>>> ?{_RCPT}",
            rf"^(?:[45]\d\d )(?:[45]\.\d\.\d )?.*<({_A})>",
        ),
        (r"<<< *(.*)", r"^([45]\d\d[ -].*)", r"^[^\[]*\[(.*)\]\s*$", r"\.\.\. *(.*)"),
    ),
    Family(
        "AOL",
        r"your mail to the following recipients could not be delivered|(?:e-?mail|"
        r"mail) (?:to the following|could not be delivered)",
        (_BARE, _BRACKETED),
        everyday=True,
    ),
    Family(
        "GroupWise",
        r"the message that you sent was undeliverable",
        (rf"^\s*({_A})", _WORD),
        (r"^[^(]*\((.*)\)",),
    ),
    Family(
        "fml",
        r"duplicated message-id|not member|you are not (?:a )?member|reject|loop|security alert|"
        r"original mail as follows",
        (rf"<({_A})>",),
        head=r"message-id: <\d+\.FML",
        reason=FailureReason.POLICY,
    ),
)

# Lines in which any server may name whom it did not reach.
ANYWHERE: tuple[str, ...] = (
    rf"(?:failed|intended|undeliverable|unknown|invalid|rejected|final|affected|following|"
    rf"original) (?:recipients?|address(?:es)?|user|rcpt)(?:\(s\)|"
    rf"\(es\))?[^:]{{0,40}}: *<?({_A})>?",
    rf"{_INDENT}(?:recipients?|rcpt|addressed to|error-for|e-?mail(?: address)?|empfänger|"
    rf"destinataires?|destinatarios?|получатель|"
    rf"受信者|宛先)(?:\(s\))?\s*[:：] *<?(?:smtp:)?({_A})>?",
    rf"{_RCPT}",
    rf"(?:message|mail|e-?mail|nachricht|mensaje|messaggio)\b.{{0,40}} (?:to|for|an|für|à|a|per|"
    rf"para) (?:the following recipient:? )?['\"<(\[]?({_A})['\">)\]]?",
    rf"(?:could not be delivered|undeliverable|not delivered|delivered|deliver|failed|sent|"
    rf"addressed|send) (?:mail |message )?to:? ?['\"<(\[]?({_A})['\">)\]]?",
    rf"{_INDENT}['\"<(\[]?({_A})['\">)\]]?(?:\s*[:;(\[-].*|\s+\S.*)?$",
)

# A message to somebody, as terse gateways put it; and what they never write.
OF_ONE = (
    r"\b(?:message|mail|e-?mail|nachricht|mensaje|messaggio|mensagem|bericht|courriel)\b.{0,20} "
    rf"(?:to|for|an|für|à|a|per|para|aan) ['\"<(\[]?{_A}"
)
GREETING = (
    r"^[^\w\n]*(?:hello|hi\b|dear|hallo|guten tag|liebe[rs]?|sehr geehrte|bonjour|madame|hola|"
    r"estimad|gentile|buongiorno|caro|olá|prezad|beste|geachte|здравствуйте)\b|"
    r"\b(?:regards|freundliche[nm]? gr[uü](?:ß|ss)|mfg|cordialement|saludos|saluti|groet)"
)

# That a message did not arrive, in general, for servers of no known family.
NOT_DELIVERED = (
    r"(?:could|can|was|were|is|been|has|have|will|did|are)\s?(?:not|n't|n’t)\s(?:be |been |"
    r"yet been |able to )?(?:deliver|deliverd|delivered|sent|reach|accepted|processed|found|"
    r"distributed)|"
    r"cannot (?:be )?(?:deliver|accept|send)|unable to (?:deliver|send|relay|accept)|undeliver|"
    r"failed recipients?|"
    r"undelivr|non-?deliver|deliver\w* (?:has |was |is )?(?:fail|problem|error|impossible|abort|"
    r"unsuccess|delayed|attempt)|"
    r"fail\w* (?:to )?(?:deliver|send|to send)|permanent (?:fatal )?(?:error|failure)|"
    r"fatal error|returned to (?:you|sender)|(?:message|mail|e-?mail)\b.{0,40}\b(?:rejected|"
    r"refused|returned|bounced|blocked|discarded|delayed)|"
    r"user unknown|unknown user|no such user|mailbox (?:is )?full|over ?quota|quota exceeded|"
    r"does not exist|doesn't exist|(?:recipient|address|user)\b.{0,40}\b(?:rejected|unknown|"
    r"invalid|not found)|\b5[05]\d[ -](?:#?5\.\d\.\d)|"
    r"nicht (?:\w+ )?(?:zugestellt|zustellbar|ausgeliefert|angenommen|gesendet|erreicht|"
    r"übermittelt)|unzustellbar|zustellung .{0,30}(?:fehl|nicht|verzögert)|"
    r"no (?:se )?(?:ha )?(?:podido|pudo|fue|ha sido) (?:ser )?entreg|no se puede entregar|"
    r"non (?:recapit|consegn)|impossible de (?:remettre|livrer)|"
    rf"{any_of(UNDELIVERED)}|{any_of(DELAYED)}"
)
# That it arrived, and what is never said where nothing else happened.
ARRIVED = any_of(DELIVERED)
BUT = (
    rf"{NOT_DELIVERED}|\bfail|\berror|\bfehl|\bproblem|\bunable\b|\bcan ?not\b|"
    r"\bcould not\b|\breject|\brefus|\bdiscard|\bblock|abgelehnt|abgewiesen|zurückgewiesen"
)
# That it has not arrived so far, but still may.
STILL_TRIED = (
    r"has been delayed|is (?:being )?delayed|delayed (?:mail|message|delivery)|"
    r"still (?:being )?(?:undelivered|retried|try|not been|in the queue|queued)|"
    r"not yet been delivered|has not yet|not been able to deliver .{0,100}\bso far|"
    r"unable to deliver .{0,100}\bso far|"
    r"will (?:be retried|keep trying|continue|be attempted|try again|retry|be tried again)|"
    r"(?:another|the next|a further) attempt will be made|"
    r"message will be retried|"
    r"(?:this is a|this is only a|just a) warning|warning message only|temporary failure report|"
    r"you do not need to (?:re-?send|take)|no action is required|do not need to do anything|"
    r"could not send message for past|delivery attempts will continue|delays in delivering|"
    r"advisory-only|has been postponed|temporary problem delivering|delivery incomplete|"
    rf"we'll keep trying|gmail will retry|{any_of(DELAYED)}"
)
# That nobody tries any longer.
GIVEN_UP = (
    r"permanent(?:ly)? (?:error|fail|fatal)|failed permanently|giving up|given up|gave up|"
    r"no (?:further|more) (?:delivery )?(?:attempts|retries)|(?:stopped|ceased) trying|"
    r"will not (?:be (?:retried|tried|attempted|re-?sent)|try|retry|keep)|"
    r"could not be delivered for (?:too long|\d)|has (?:now )?(?:expired|been (?:cancell?ed|"
    r"abandoned|aborted|rejected))|"
    r"will be deleted from queue|returned to sender|not going to try again|too long|"
    r"retry timeout exceeded|"
    rf"final failure|permanent failure|{any_of(GIVEN_UP_IN)}"
)
# What follows is no more than a possibility.
IF = (
    r"\b(?:if|unless|until|otherwise|in case|wenn|falls|sofern|sollten?|sonst|andernfalls|bevor|"
    r"sobald|s'il|si (?:le|la|votre|vous|ce|cette)|sinon|indien|zodra|anders)\b"
)
