"""How servers put that they will not take mail from us: data for `phrases`."""

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.vocabulary import (
    CUT_OFF,
    CUT_OFF_FROM_SENDING,
    MISSING,
    NO_SUCH_SENDER,
    SAME_SUBJECT,
    SENDER_ABROAD,
    SENT_TOO_MUCH,
    WE_CUT_YOU_OFF,
    YOUR_ACCOUNT,
    YOUR_DOMAIN,
)
from services.notification.refusals.wording import Kind, Phrases

# Whatever may be said of somebody who is not taken.
_NOT_TAKEN = (
    r"(?:not (?:be )?(?:exist\w*|resolve\w*|found|valid|verified|known|allowed|permitted|"
    r"accept\w*|authori[sz]ed|listed|a valid|routable|authenticated|match\w*)|(?:does|did|do|"
    r"can) ?n[o'’]t (?:be )?(?:exist|resolve|found|valid|match|verified|verify|accept\w*|comply)|"
    r"rejected|unknown|invalid|denied|refused|unroutable|unrouteable|non-?existent|unresolv\w+|"
    r"missing|required|illegal|prohibited|forbidden|disallowed|unacceptable|failed|must|need\w*|"
    r"no (?:mx|dns|a record|such)|null[ -]?mx|has no|disabled|suspended)"
)
# In a transcript the recipient follows its sender.
_SAME_COMMAND = r"(?:(?!rcpt|recipient|<<<|>>>|<-|->|\b250\b).)"
# Our sender, relaying, name, login and rate
OURS = Phrases(
    Kind.NAMES_US,
    About.ALL_MAIL,
    FailureReason.POLICY,
    (
        # The sender: „Sender address rejected: Domain not found", „Sender verify failed".
        r"\b(?:sender|originator|(?:envelope[- ]|header[- ]|mail[- ]?|5322\.?|5321\.?)from|"
        r"return[- ]path|reverse-path|from:?(?= address| header))\b(?:'s)?:?(?: (?:e-?mail|user|"
        r"host|system|mailbox|header|envelope|command))?:? (?:address|domain|account|identity|"
        rf"name)s?\b{_SAME_COMMAND}{{0,60}}?\b{_NOT_TAKEN}",
        r"\b(?:sender|originator|envelope[- ]from|mail[- ]?from|return[- ]path|reverse-path)\b"
        rf"[:=]? ?<?a@b>?:? {_SAME_COMMAND}{{0,40}}?\b{_NOT_TAKEN}",
        rf"\bsender\b(?: <?a@b>?)?:? (?:is |was |has been |were )?{_NOT_TAKEN}",
        r"\b(?:bad|invalid|unknown|illegal|forged|fake|spoofed|bogus|unrouteable|unroutable|"
        r"unacceptable|unverified|unverifiable|unauthori[sz]ed|unauthenticated|rejected|denied|"
        r"empty|null|missing) (?:envelope |mail |smtp )?(?:sender|mail from|from address|"
        r"return[- ]path|originator)\b",
        r"sender[- ]verif\w+|verif\w+ (?:of |for )?(?:the |your )?(?:envelope )?sender|"
        r"sender (?:verify )?call ?(?:out|back)|call ?(?:out|back) (?:\w+ ){0,2}sender|"
        r"callback setup failed|response: [45]\d\d.{0,120}sender|(?:refus\w+|reject\w*|denied|"
        r"does not accept) (?:mail from )?<>|verif\w+ failed (?:for|of) (?:the )?sender|"
        r"sender was rejected|badmailfrom|required for sender|sending denied",
        r"domain of (?:the )?sender|sender (?:address )?domain|domain in (?:the )?(?:mail from|"
        r"return[- ]path|sender)|unresolvable (?:sender|domain in mail)|sender id\b|"
        r"mail from:? must|"
        rf"mail from {_SAME_COMMAND}{{0,40}}(?:not|invalid)\b",
        r"send(?:ing)? as (?:this|that|another|the) (?:user|sender)|permissions? to send (?:as|"
        r"mail as)|not (?:allowed|authori[sz]ed|permitted) to send (?:mail |e-?mail |"
        r"messages? )?(?:from|as)\b|sendasdenied|not owned by user|sender address .{0,20}does not "
        r"belong|is not allowed to send (?:mail|e-?mail|from)|expected sender|must (?:match|"
        r"be) (?:the|your) (?:login|authenticated)",
        rf"{SENDER_ABROAD}{SAME_SUBJECT}{{0,30}}?(?:{MISSING}|abgelehnt|verweigert|gesperrt|nicht|"
        r"\bnon\b|refus|rechaz|rifiut|rejeit|recus|geweiger|odrzuc|avvis|afvis|redded)|"
        r"отправител\w{1,3}\b.{0,30}(?:отклон|отверг|неизвест|запрещ|не (?:найден|существ|"
        r"разреш|прош))|відправник\w{0,3}\b.{0,30}(?:відхил|невідом|заборон)|(?:拒绝|拒絕|禁止|"
        r"伪造|偽造|无效的?)(?:发|發|寄)件人|(?:发|發|寄)件(?:人|者)\w{0,4}.{0,10}(?:拒|禁|不|无效|無效|"
        r"错误|錯誤|被)|(?:送信者|差出人|送信元).{0,16}(?:拒否|無効|不明|存在し|許可)|"
        r"(?:발신자|보낸 ?사람).{0,16}(?:거부|차단|없|인증)|den(?:y|ies|ied) (?:the |this )?sender",
        NO_SUCH_SENDER,
        rf"(?:{YOUR_DOMAIN}){SAME_SUBJECT}{{0,40}}?{MISSING}",
        # The account that we send by: „Your account has been suspended"
        rf"{YOUR_ACCOUNT}\b{SAME_SUBJECT}{{0,60}}?(?:\b{_NOT_TAKEN}|{CUT_OFF})",
        WE_CUT_YOU_OFF,
        CUT_OFF_FROM_SENDING,
        r"\b(?:outgoing|outbound|sending)(?: of)?(?: (?:e-?mails?|mails?|messages?|smtp))?"
        r"(?: (?:from|for|of|by) \S{1,80}(?: \S{1,40})?)? (?:(?:has|have|is|was|are|been|"
        rf"currently|temporarily) ){{0,3}}{CUT_OFF}|"
        r"\b(?:\w{0,10}versand|envois?|env[ií]os?|invio|envio|wysyłanie|verzenden)\b"
        r"(?: [\w-]+){0,3} (?:ist|wurde|sind|est|a été|est[aá]|ha sido|è(?: stato)?|foi|zostało|"
        rf"is) (?:[\w-]+ ){{0,2}}{CUT_OFF}|"
        rf"\b\w{{0,10}}versand (?:aus|über|von|mit) (?:[\w-]+ ){{1,4}}?{CUT_OFF}",
        # Relaying
        r"\brelay(?:ing)?\b(?:(?!\b[45]\d\d\b|said|returned|recipient|user|"
        r"host).){0,60}\b(?:denied|not (?:allowed|permitted|enabled|accepted)|prohibited|rejected|"
        r"refused|disabled|disallowed|forbidden|restricted)|relay (?:access|error|operation)|"
        r"(?:unable|not (?:allowed|permitted|authori[sz]ed)|cannot|can['’]?t|refus\w+|forbidden|"
        r"denied|won['’]?t|will not|do(?:es)? not|do(?:es)?n['’]t) (?:to )?(?:allow )?(?:be "
        r")?relay|no (?:third.party )?relay|third.party relay|relaydenied|"
        r"without authenticated relay|open relay(?! list)|(?:not|as) a relay|relaying$|"
        r"relaying mail to",
        r"in my list of allowed rcpthosts|rcpthosts|not a gateway|domain is not (?:hosted|local|"
        r"served) (?:here|on|by)|(?:do(?:es)? not|do(?:es)?n['’]t) (?:handle|serve|host|"
        r"accept) (?:mail|e-?mail) for (?:this|that) domain|not a local domain|"
        r"not (?:one of )?our domains?",
        # Who we say that we are
        rf"\b(?:helo|ehlo)\b{_SAME_COMMAND}{{0,60}}"
        r"(?:reject|should|invalid|not\b|need|requir|fail|bad\b|must|mismatch|refus|denied|forg|"
        r"syntax|access)|(?:invalid|bad|bogus|forged|fake) (?:helo|ehlo)",
        r"\b(?:spf|dkim|dmarc|arc|domainkeys?|sender ?id|sender policy framework|batv|"
        r"prvs)\b(?!-).{0,80}\b(?:fail\w*|reject\w*|not|policy|invalid|no|unauth\w*|hardfail|"
        r"softfail|permerror|temperror|error|missing|required|den(?:y|ied)|does|did|forg\w*|"
        r"quarantine|check\w*|validation|violat\w*|record)|\b(?:fail\w*|reject\w*|not pass|due to|"
        r"violat\w*|invalid|no valid|against|by|no|missing|neither|with)\b.{0,50}\b(?:spf|dkim|"
        r"dmarc|sender policy framework|domainkeys)\b",
        r"e-?mail address is not verified|identit\w+ failed|"
        r"unauthenticated (?:e-?mail|mail|sender|message)|sender is unauthenticated|"
        r"fails? authentication|(?:fail\w*|not pass\w*|lacks?|missing|without) .{0,30}(?:e-?mail|"
        r"sender|domain|message) authentication|authentication checks?|"
        r"all senders to authenticate|(?:e-?mail|mail|message|domain).{0,30}\b(?:not|"
        r"isn['’]t) authenticated",
        # Login and encryption
        r"(?:smtp |client )?auth(?:entication|orization)? (?:is )?(?:required|needed|failed|"
        r"failure|error|unsuccessful|credentials|necessary|rejected|denied|mechanism|aborted)|"
        r"authrequired|smtp auth\b|(?:must|please|need to|have to|should|"
        r"not) (?:first )?(?:be )?(?:authenticated?|log(?:ged)? ?in|login)\b|"
        r"not (?:been )?authenticated(?! when sending)|requires? (?:smtp )?auth\w*|(?:invalid|bad|"
        r"wrong|incorrect|unknown) (?:username|user ?name or password|login|credentials|password)|"
        r"username and password|credentials? (?:invalid|rejected|not accepted|incorrect)|(?:login|"
        r"log-in|logon) (?:required|failed|denied|incorrect|is required|failure|disabled)|"
        r"pop[- ]before[- ]smtp|(?:check|collect|retrieve|read) (?:for )?(?:your )?(?:new "
        r")?(?:mail|e-?mail) (?:first|before)|access to .{0,20}pop3|anmeldung (?:erforderlich|"
        r"fehlgeschlagen)|authentifizierung|outgoing (?:mail |message )?authentication",
        r"issue an? (?:starttls|auth)|(?<!250[- ])starttls|(?:tls|ssl|encryption|encrypted|"
        r"secure connection|secured session)\b.{0,40}\b(?:required|needed|must|mandatory|only|"
        r"enforced|not (?:available|supported|offered)|is required)|(?:must|requires?|"
        r"only accept\w*) .{0,20}(?:tls|ssl|encrypt\w+)|does not support tls|"
        r"encryption (?:is )?(?:required|needed)",
        # Rate and numbers
        SENT_TOO_MUCH,
        r"too many (?:\w+ )?(?:connections?|recipients?|mails?|emails?|e-mails|sessions?|"
        r"concurrent|simultaneous|rcpts?|rcpt commands|invalid|unknown|errors|bad commands|"
        r"transactions|deliveries|attempts|hops? from|requests)\b|too many messages?\b(?! (?:on|"
        r"in|stored|for this user))|(?<!has )too much mail\b(?! data)|(?:connections?|recipients?|"
        r"messages?|mails?|e-?mails?|sessions?|smtp|sending|send|sent|delivery|submission|relay|"
        r"outgoing|outbound|hourly|daily|rate|client|volume)(?: (?!size)\w+)? (?:rate|limits?|"
        r"quotas?|threshold|count|frequency)\b.{0,40}\b(?:exceed\w*|reached|limit\w*|exhausted|"
        r"hit|over|above)|(?:exceed\w*|reached|over|above|hit|beyond)\b.{0,40}\b(?:rate|hourly|"
        r"daily|(?:sending|send|messages?|mails?|e-?mails?|recipients?|connections?|outgoing|"
        r"outbound|smtp|sessions?|submission) (?:rate|limits?|quotas?|threshold|count|frequency|"
        r"policy)|(?:number of|allowed|permitted) (?:\w+ )?(?:connections?|recipients?|"
        r"messages?(?! size)|mails?|e-?mails?|sessions?))\b",
        r"(?:connections?|recipients|messages|e-?mails|mails)\b(?:(?!mailbox).){0,20}\b(?:has |"
        r"have )?(?:exceeded|reached) (?:a|the|its|their|your|our) (?:\w+ )?limit|"
        r"frequency limited|rate[- ]?(?:limit\w*|controll?\w*|exceed\w*)|throttl\w+|message rate|"
        r"(?:per|in an?|each|an|within an?) (?:hour|minute|day|second|session|"
        r"connection)\b.{0,30}\b(?:exceed|limit|reach)|(?:limit|exceed\w*|maximum|"
        r"only \d+)\b.{0,60}\b(?:per|in an?|each|an|within an?) (?:hour|minute|day|second|session|"
        r"connection)\b|unusual (?:sending|rate|traffic|volume)|(?:sending|sent|connecting|"
        r"delivering|mail(?:ing)?) (?:\w+ )?(?:too|so) (?:fast|quickly|many|much|often)|"
        r"too (?:fast|frequent(?:ly)?)|slow down|excessive (?:rate|number|connections|mail|volume|"
        r"message)|(?:maximum|max\.?) (?:\w+ )?(?:number of )?(?:connections?|recipients?|"
        r"sessions?|messages? per)\b|only one recipient|recipients? limit|tmprate|mail flood|"
        r"zu viele (?:\w+ )?(?:verbindungen|empfänger|nachrichten|e-?mails|mails)|"
        r"too many same|limits? (?:for|on) how (?:many|often)|(?:daily|hourly) limit|"
        r"(?:number of|many) (?:mails?|messages?|e-?mails?|recipients?) in this (?:session|"
        r"connection)",
    ),
)
# Our host, and the lists it stands on
UNWELCOME = Phrases(
    Kind.NAMES_US,
    About.ALL_MAIL,
    FailureReason.BLOCKED,
    (
        # Our host's name and address, and the lists they stand on
        r"\b(?:dnsbl|rbl|rbls|spamhaus|spamcop|barracudacentral|sorbs|surbl|uribl|abuseat|"
        r"cloudmark|senderbase|senderscore|spamrats|backscatterer|uceprotect|psbl|invaluement|"
        r"nixspam|njabl|ordb|dsbl|ahbl|mailspike|truncate\.gbudp|hostkarma)\b|black ?-?list|"
        r"block ?-?list|deny ?list|blacklistée?|blocking list|\bmaps rbl\b|lista negra|lista nera|"
        r"liste noire|zwarte lijst|czarn\w+ li[sś]|ч[её]рн\w+ спис|黑名单|黑名單|sperrliste|"
        r"\bblack ip\b|private list|(?:发信|來源|来源) ?ip|"
        r"ip ?(?:地址)?.{0,6}(?:被禁|禁止|被拒|黑)",
        r"(?:\bip\b|client|sender|host|server|network|domain|range|subnet|mta)\b.{0,60}\b(?:is |"
        r"been |was |are |being )?(?:currently |temporarily |temporary |permanently )?(?:blocked|"
        r"banned|block-?listed|denylisted|black-?listed|(?<!not )listed)\b|(?<!not )listed (?:at|"
        r"by|in|on) (?!domino|our director|the director|public|director)",
        r"(?:your|client|connecting|sending|source) (?:ip|host|server|network|mta|hostname|domain|"
        r"isp|mail server|system|connection)\b.{0,80}\b(?:block\w*|ban\w*|reject\w*|list\w*|"
        r"reputation|denied|not (?:allowed|permitted|accepted|authori[sz]ed|accepting)|refus\w+|"
        r"poor|dynamic|suspicious|abus\w+|spam\w*|policy)|(?:from|"
        r"ip)(?: address)?[: =]{0,3}[\[(]?(?:\d{1,3}\.){3}\d{1,3}[\])]?.{0,60}\b(?:block\w*|"
        r"ban\w*|reject\w*|(?<!not )listed|reputation|denied|not (?:allowed|permitted|accepted|"
        r"authori[sz]ed|sent)|refus\w+|weren['’]t|dynamic|suspicious)|(?:reject\w*|block\w*|deny|"
        r"denied|refus\w+) (?:mail |messages? |connections? )?from (?:your )?(?:ip|host|server|"
        r"network|\[?(?:\d{1,3}\.){3})|\bip-?adresse?\b|adresse ip|direcci[oó]n ip|indirizzo ip|"
        r"banned send(?:er|ing)|access denied.{0,30}(?:banned|traffic)|traffic not accepted from",
        r"\bip=(?:\d{1,3}\.){3}\d{1,3} - |\breputation\b|user complaints|complaints from|"
        r"spam abuse|abus\w+ (?:detected|from|of)|bad(?:ly)? (?:behaved|reputed)",
        # Reverse DNS
        r"(?:reverse[- ]dns|\bptr\b|\brdns\b|reverse lookup|reverse mapping|reverse host|"
        r"reverse resol\w+|reverse ip|\bfcrdns\b|forward[- ]confirmed|dns ptr|in-addr\.arpa|"
        r"cannot (?:find|resolve) your|can['’]t (?:find|resolve) your|resolve your (?:address|"
        r"hostname|ip)|your (?:reverse )?hostname|no reverse)|(?:dynamic|residential|dial-?up|"
        r"generic|consumer)(?: or residential)? (?:ip|host|pool|address|range|client|dns|reverse)|"
        r"ip name lookup failed|client host rejected|unresolvable (?:relay )?host|(?:does|"
        r"do) ?n[o'’]t accept e-?mail transactions",
        r"access from ip address|no access from mail server|not (?:currently )?accepting (?:mail|"
        r"connections|e-?mail|messages) from (?:your|this|that)|go away|we do not accept (?:mail|"
        r"connections|e-?mail|messages) from|remotehost looks suspiciously|"
        r"connection refused by policy|mail server at .{0,60} is blocked|"
        r"no smtp (?:service )?(?:for you|access)|you are not (?:allowed|welcome|"
        r"permitted) to connect|not welcome|access denied to (?:your|this) (?:ip|host)",
    ),
)
# More by its content than by who we are
UNWANTED = Phrases(
    Kind.NAMES_THE_MESSAGE,
    About.US,
    FailureReason.BLOCKED,
    (
        r"\bube\b|message content rejected|content filter|\bspam|\buce\b|\bdenied \[cs\]|"
        r"\bdt:spm\b|"
        r"unsolicited|junk ?mail|\bbulk (?:e-?)?mail|phishing|gtube|likely suspicious|virus|"
        r"malware|infected|trojan|spam score|cloudmark|proofpoint|ironport|\bantispam\b",
        r"blocked (?:by|using|for|due|because|-)|has been blocked|(?:connection|message|mail|"
        r"e-?mail|content|envelope) (?:was |is |has been )?blocked|blocked (?:message|content)|"
        r"\bbanned(?!:| contents?| names?| files?| attachments?| extension)|\bblocked\b",
        r"als (?:spam|unerwünscht)|werbung|pourriel|indésirable|courrier rejet|mail rejet|"
        r"no deseado|спам|スパム|迷惑メール|[垃拉]圾[邮郵]件|スパムと判定|스팸|istenmeyen|"
        r"频率(?:过|太)高",
    ),
)
