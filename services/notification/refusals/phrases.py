"""How servers put why they refused, and whom they mean by it: data for `reading`.

Patterns are matched without regard to case against text whose white space is collapsed, whose
addresses are all „a@b" and whose web addresses are hosts. Gaps are bounded, so that a search stays
linear. Within an entry the order does not matter; the entries are tried from the most telling to
the least. Words of the first three kinds name somebody or something; the last name nobody.
"""

from dataclasses import dataclass
from enum import Enum, auto

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.statuses import Meaning


class Kind(Enum):
    """What the words are about, which says how they weigh against a status."""

    NAMES_US = auto()
    NAMES_THE_RECIPIENT = auto()
    NAMES_THE_MESSAGE = auto()
    NAMES_NOBODY = auto()


@dataclass(frozen=True, slots=True)
class Phrases:
    """Wordings that mean the same."""

    kind: Kind
    about: About
    reason: FailureReason
    patterns: tuple[str, ...]

    @property
    def meaning(self) -> Meaning:
        """What they stand for."""
        return Meaning(self.about, self.reason)


_US = Kind.NAMES_US
_RECIPIENT = Kind.NAMES_THE_RECIPIENT
_MESSAGE = Kind.NAMES_THE_MESSAGE
_NOBODY = Kind.NAMES_NOBODY

# Whatever may be said of somebody who is not taken.
_NOT_TAKEN = (
    r"(?:not (?:be )?(?:exist\w*|resolve\w*|found|valid|verified|known|allowed|permitted|accept\w*|"
    r"authori[sz]ed|listed|a valid|routable|authenticated|match\w*)|(?:does|did|do|can) ?n[o'’]t "
    r"(?:be )?(?:exist|resolve|found|valid|match|verified|verify|accept\w*|comply)|rejected|"
    r"unknown|invalid|denied|refused|unroutable|unrouteable|non-?existent|unresolv\w+|missing|"
    r"required|illegal|prohibited|forbidden|disallowed|unacceptable|failed|must|need\w*|"
    r"no (?:mx|dns|a record|such)|has no|disabled|suspended)"
)
# Who owns a mailbox, or what the recipient is called.
_OWNER = (
    r"\b(?:mail ?box(?:es)?|mail ?user|users?(?: ?name| ?id)?|recipients?|rcpt|addressees?|"
    r"e-?mail ?(?:address(?:es)?|account)|mailaddress|account|local[ -]?part|alias|subscriber|"
    r"person|customer|(?<!ip )(?<!client )(?<!host )(?<!ip-)address(?:es)?)\b"
)
_GONE = (
    r"(?:unknown|not (?:be )?(?:found|known|exist\w*|recogni[sz]ed|valid|listed|active|local|"
    r"present|registered|defined|here|on (?:this|our) (?:server|system)|a (?:known|valid|"
    r"registered|local))|"
    r"(?:does|did|do) ?n[o'’]t (?:seem to )?exist|non-?existent|non existent|"
    r"no longer (?:valid|active|in use|available|exists?|accepts?|on server|here|used|with)|"
    r"disabled|inactive|de-?activated|suspended|discontinued|closed|terminated|deleted|removed|"
    r"locked|frozen|invalid|undeliverable|missing|unrouteable|unroutable|"
    r"could ?n[o'’]t be found|wasn['’]t found)"
)

PHRASES: tuple[Phrases, ...] = (
    Phrases(  # Who may write to a recipient, most often a group
        _RECIPIENT,
        About.RECIPIENT,
        FailureReason.POLICY,
        (
            r"group you (?:tried|are trying) to (?:contact|e-?mail|post)|"
            r"permissions? to (?:post|send|write|e-?mail|submit)\b(?: \w+){0,2} (?:to|this|the) |"
            r"resolver\.rst\.(?!recipsizelimit|.{0,20}sizelimit)\w+|notauthenticatedforgroup|"
            r"senderNotAuthenticatedFor\w+|restricted\w*transport|moderat(?:ed|ion|or)\b",
            r"not (?:allowed|authori[sz]ed|permitted|accepted) to (?:post|send|write|submit|"
            r"e-?mail|"
            r"contact)\b(?! as\b| from\b)(?: \w+){0,2}?(?: to| on| in)?(?: this| the| that)?(?: "
            r"\w+){0,2}? "
            r"(?:groups?|lists?|recipients?|mailbox|user|address(?:ee)?|alias|forum|conference|"
            r"<?a@b>?)|unauthori[sz]ed to (?:post|send) to\b",
            r"(?:mailing[- ]?|distribution[- ]?|discussion[- ]?)?(?:list|group|forum)\b.{0,60}\b"
            r"(?:members?|subscribers?|subscribed|closed|private|restricted|internal|only "
            r"accepts?|authenticated|approved)|members?[- ]only|not member\b|(?:not|n['’]t) "
            r"(?:an? |"
            r"currently )?(?:member|subscriber|subscribed)\b|"
            r"(?:only|exclusively) (?:\w+ ){0,2}(?:members?|subscribers?) (?:can|may|are)|"
            r"(?:non-?members?|non-?subscribers?)\b|post messages to",
            r"only accepts? (?:mail|e-?mail|messages?|post\w*)? ?(?:from|by)|"
            r"accepts? (?:mail|e-?mail|messages?) (?:from )?(?:only|internal)|"
            r"delivery restriction|sender (?:restriction|not (?:in|on) (?:the |an? )?allowed)|"
            r"allowed[- ]?senders? list|"
            r"(?:receiving|receives) (?:e-?mail|mail|messages) (?:too quickly|at (?:a|too high a) "
            r"rate)|recipient['’]?s? .{0,40}(?:receiv\w+|hourly|per hour) .{0,20}limit|receiv\w+ "
            r"limits?|mailbox .{0,20}receiving",
        ),
    ),
    Phrases(  # Before all that sounds the same and is about the recipient.
        _US,
        About.ALL_MAIL,
        FailureReason.POLICY,
        (
            # The sender: „Sender address rejected: Domain not found", „Sender verify failed".
            r"\b(?:sender|originator|(?:envelope[- ]|header[- ]|mail[- ]?|5322\.?|5321\.?)from|"
            r"from:?|"
            r"return[- ]path|reverse-path)\b(?:'s)?(?: (?:e-?mail|user|host|system|mailbox|header|"
            r"envelope|command))?:? (?:address|domain|account|identity|name)s?\b.{0,60}?"
            rf"\b{_NOT_TAKEN}",
            r"\b(?:sender|originator|envelope[- ]from|mail[- ]?from|return[- ]path|reverse-path)\b"
            rf"[:=]? ?<?a@b>?:? .{{0,40}}?\b{_NOT_TAKEN}",
            rf"\bsender\b(?: <?a@b>?)?:? (?:is |was |has been |were )?{_NOT_TAKEN}",
            r"\b(?:bad|invalid|unknown|illegal|forged|fake|spoofed|bogus|unrouteable|unroutable|"
            r"unacceptable|unverified|unverifiable|unauthori[sz]ed|unauthenticated|rejected|denied|"
            r"empty|null|missing) (?:envelope |mail |smtp )?(?:sender|mail from|from address|"
            r"return[- ]path|originator)\b",
            r"sender[- ]verif\w+|verif\w+ (?:of |for )?(?:the |your )?(?:envelope )?sender|"
            r"sender (?:verify )?call ?(?:out|back)|call ?(?:out|back) (?:\w+ ){0,2}sender|"
            r"callback setup failed|response: [45]\d\d.{0,120}sender|"
            r"(?:refus\w+|reject\w*|denied|does not accept) (?:mail from )?<>|"
            r"sender was rejected|badmailfrom|required for sender|sending denied",
            r"domain of (?:the )?sender|sender (?:address )?domain|(?:mail from|from:?) domain|"
            r"domain in (?:the )?(?:mail from|return[- ]path|sender)|unresolvable (?:sender|domain "
            r"in mail)|sender id\b|sender['’]s (?:domain|address|server|host)\b|mail from:? must|"
            r"mail from .{0,40}(?:not|invalid)",
            r"send(?:ing)? as (?:this|that|another|the) (?:user|sender)|permissions? to send (?:as|"
            r"mail as)|not (?:allowed|authori[sz]ed|permitted) to send (?:mail |e-?mail |"
            r"messages? )?"
            r"(?:from|as)\b|sendasdenied|not owned by user|sender address .{0,20}does not belong|"
            r"is not allowed to send (?:mail|e-?mail|from)|"
            r"expected sender|must (?:match|be) (?:the|your) (?:login|authenticated)",
            r"[ée]metteur (?:invalide|inconnu|refus)|exp[ée]diteur.{0,30}(?:refus|inconnu|"
            r"invalide)|"
            r"absender\w{0,20}.{0,30}(?:abgelehnt|unbekannt|ungültig|nicht|verweigert|gesperrt)|"
            r"remitente.{0,30}(?:rechaz|inv[aá]lid|desconoc)|mittente.{0,30}(?:rifiut|sconosc|non)",
            # Relaying
            r"relay(?:ing|ed)?\b.{0,60}\b(?:denied|not (?:allowed|permitted|enabled|accepted)|"
            r"prohibited|rejected|access|refused|disabled|error|forbidden|restricted)|(?:unable|"
            r"not (?:allowed|permitted|authori[sz]ed)|cannot|can['’]?t|refus\w+|forbidden|denied|"
            r"won['’]?t|will not|do(?:es)? not|do(?:es)?n['’]t) (?:to )?(?:allow )?(?:be )?relay|"
            r"no (?:third.party )?relay|third.party relay|relaydenied|without authenticated relay|"
            r"open relay(?! list)|(?:not|as) a relay|relaying$|relaying mail to",
            r"in my list of allowed rcpthosts|rcpthosts|not a gateway|"
            r"domain is not (?:hosted|local|served) (?:here|on|by)|"
            r"(?:do(?:es)? not|do(?:es)?n['’]t) (?:handle|serve|host|accept) (?:mail|e-?mail) for "
            r"(?:this|that) domain|not a local domain|not (?:one of )?our domains?",
            # Who we say that we are
            r"\b(?:helo|ehlo)\b.{0,60}(?:reject|should|invalid|not\b|need|requir|fail|bad\b|must|"
            r"mismatch|"
            r"refus|denied|forg|syntax|access)|(?:invalid|bad|bogus|forged|fake) (?:helo|ehlo)",
            r"\b(?:spf|dkim|dmarc|arc|domainkeys?|sender ?id|sender policy framework|batv|prvs)\b"
            r"(?!-).{0,80}\b(?:fail\w*|reject\w*|not|policy|invalid|no|unauth\w*|hardfail|softfail|"
            r"permerror|temperror|error|missing|required|den(?:y|ied)|does|did|forg\w*|quarantine|"
            r"check\w*|validation|violat\w*|record)|\b(?:fail\w*|reject\w*|not pass|due to|"
            r"violat\w*|"
            r"invalid|no valid|against|by|no|missing|neither|with)\b.{0,50}\b(?:spf|dkim|dmarc|"
            r"sender policy framework|domainkeys)\b",
            r"unauthenticated (?:e-?mail|mail|sender|message)|sender is unauthenticated|"
            r"(?:fail\w*|not pass\w*|lacks?|missing|without) .{0,30}(?:e-?mail|sender|domain|"
            r"message) authentication|authentication checks?|all senders to authenticate|"
            r"(?:e-?mail|mail|message|domain).{0,30}\b(?:not|isn['’]t) authenticated",
            # Login and encryption
            r"(?:smtp |client )?auth(?:entication|orization)? (?:is )?(?:required|needed|failed|"
            r"failure|error|unsuccessful|credentials|necessary|rejected|denied|mechanism|aborted)|"
            r"authrequired|smtp auth\b|(?:must|please|need to|have to|should|not) "
            r"(?:first )?(?:be )?(?:authenticated?|log(?:ged)? ?in|login)\b|"
            r"not (?:been )?authenticated(?! when sending)|requires? (?:smtp )?auth\w*|"
            r"(?:invalid|bad|wrong|incorrect|unknown) (?:username|user ?name or password|login|"
            r"credentials|password)|username and password|credentials? (?:invalid|rejected|"
            r"not accepted|incorrect)|(?:login|log-in|logon) (?:required|failed|denied|incorrect|"
            r"is required|failure|disabled)|pop[- ]before[- ]smtp|(?:check|collect|retrieve|read) "
            r"(?:for )?(?:your )?(?:new )?(?:mail|e-?mail) (?:first|before)|access to .{0,20}pop3|"
            r"anmeldung (?:erforderlich|fehlgeschlagen)|authentifizierung|"
            r"outgoing (?:mail |message )?authentication",
            r"issue an? (?:starttls|auth)|starttls|(?:tls|ssl|encryption|encrypted|secure "
            r"connection|"
            r"secured session)\b.{0,40}\b(?:required|needed|must|mandatory|only|enforced|"
            r"not (?:available|supported|offered)|is required)|(?:must|requires?|only accept\w*) "
            r".{0,20}(?:tls|ssl|encrypt\w+)|does not support tls|encryption (?:is )?(?:required|"
            r"needed)",
            # Rate and numbers
            r"too many (?:\w+ )?(?:connections?|recipients?|mails?|emails?|e-mails|sessions?|"
            r"concurrent|simultaneous|rcpts?|rcpt commands|invalid|unknown|errors|bad commands|"
            r"transactions|deliveries|attempts|hops? from|requests)\b|"
            r"too many messages?(?! (?:on|in|stored|for this user))|(?<!has )too much mail\b(?! "
            r"data)|"
            r"(?:connections?|recipients?|messages?|mails?|e-?mails?|sessions?|smtp|sending|send|"
            r"sent|delivery|submission|relay|outgoing|outbound|hourly|daily|rate|client|volume)"
            r"(?: (?!size)\w+)? (?:rate|limits?|quotas?|threshold|count|"
            r"frequency)\b.{0,40}\b(?:exceed\w*|"
            r"reached|limit\w*|exhausted|hit|over|above)|"
            r"(?:exceed\w*|reached|over|above|hit|beyond)\b.{0,40}\b(?:rate|hourly|daily|"
            r"(?:sending|send|messages?|mails?|e-?mails?|recipients?|connections?|outgoing|"
            r"outbound|smtp|sessions?|submission) (?:rate|limits?|quotas?|threshold|count|"
            r"frequency|policy)|(?:number of|allowed|permitted) (?:\w+ )?(?:connections?|"
            r"recipients?|messages?(?! size)|mails?|e-?mails?|sessions?))\b",
            r"(?:connections?|recipients|messages|e-?mails|"
            r"mails)\b(?:(?!mailbox).){0,20}\b(?:has |have )?(?:exceeded|"
            r"reached) (?:a|the|its|their|your|our) (?:\w+ )?limit|frequency limited|"
            r"rate[- ]?(?:limit\w*|controll?\w*|exceed\w*)|throttl\w+|message rate|"
            r"(?:per|in an?|each|an|within an?) (?:hour|minute|day|second|session|connection)\b"
            r".{0,30}\b(?:exceed|limit|reach)|"
            r"(?:limit|exceed\w*|maximum|only \d+)\b.{0,60}\b(?:per|in an?|each|an|within an?) "
            r"(?:hour|minute|day|second|session|connection)\b|unusual (?:sending|rate|traffic|"
            r"volume)|"
            r"(?:sending|sent|connecting|delivering|mail(?:ing)?) (?:\w+ )?(?:too|so) (?:fast|"
            r"quickly|many|much|often)|too (?:fast|frequent(?:ly)?)|slow down|excessive (?:rate|"
            r"number|connections|mail|volume|message)|(?:maximum|max\.?) (?:\w+ )?(?:number of )?"
            r"(?:connections?|recipients?|sessions?|messages? per)\b|"
            r"only one recipient|recipients? limit|tmprate|mail flood|"
            r"zu viele (?:\w+ )?(?:verbindungen|empfänger|nachrichten|e-?mails|mails)",
        ),
    ),
    Phrases(
        _US,
        About.ALL_MAIL,
        FailureReason.BLOCKED,
        (
            # Our host's name and address, and the lists they stand on
            r"\b(?:dnsbl|rbl|rbls|spamhaus|spamcop|barracudacentral|sorbs|surbl|uribl|abuseat|"
            r"cloudmark|senderbase|senderscore|spamrats|backscatterer|uceprotect|psbl|invaluement|"
            r"nixspam|njabl|ordb|dsbl|ahbl|mailspike|truncate\.gbudp|hostkarma)\b|"
            r"black ?-?list|block ?-?list|deny ?list|blacklistée?|blocking list|\bmaps rbl\b|"
            r"lista negra|lista nera|liste noire|zwarte lijst|czarn\w+ li[sś]|ч[её]рн\w+ спис|"
            r"黑名单|"
            r"黑名單|sperrliste",
            r"(?:\bip\b|client|sender|host|server|network|domain|range|subnet|"
            r"mta)\b.{0,60}\b(?:is |"
            r"been |was |are |being )?(?:currently |temporarily |temporary |permanently "
            r")?(?:blocked|"
            r"banned|block-?listed|denylisted|black-?listed|(?<!not )listed)\b|"
            r"(?<!not )listed (?:at|by|in|on) (?!domino|our director|the director|public|director)",
            r"(?:your|client|connecting|sending|source) (?:ip|host|server|network|mta|"
            r"hostname|domain|isp|mail server|system|connection)\b.{0,80}\b(?:block\w*|ban\w*|"
            r"reject\w*|list\w*|reputation|denied|not (?:allowed|permitted|accepted|authori[sz]ed|"
            r"accepting)|refus\w+|poor|dynamic|suspicious|abus\w+|spam\w*|policy)|"
            r"(?:from|ip)(?: address)?[: "
            r"=]{0,3}[\[(]?(?:\d{1,3}\.){3}\d{1,3}[\])]?.{0,60}\b(?:block\w*|"
            r"ban\w*|reject\w*|(?<!not )listed|reputation|denied|not (?:allowed|permitted|accepted|"
            r"authori[sz]ed|sent)|refus\w+|weren['’]t|dynamic|suspicious)|"
            r"(?:reject\w*|block\w*|deny|denied|refus\w+) (?:mail |messages? |connections? )?from "
            r"(?:your )?(?:ip|host|server|network|\[?(?:\d{1,3}\.){3})|\bip-?adresse?\b|"
            r"adresse ip|direcci[oó]n ip|indirizzo ip|"
            r"banned send(?:er|ing)|access denied.{0,30}(?:banned|traffic)|"
            r"traffic not accepted from",
            r"\breputation\b|user complaints|complaints from|spam abuse|abus\w+ (?:detected|"
            r"from|of)|bad(?:ly)? (?:behaved|reputed)",
            # Reverse DNS
            r"(?:reverse[- ]dns|\bptr\b|\brdns\b|reverse lookup|reverse mapping|reverse host|"
            r"reverse resol\w+|reverse ip|\bfcrdns\b|forward[- ]confirmed|dns ptr|in-addr\.arpa|"
            r"cannot (?:find|resolve) your|can['’]t (?:find|resolve) your|resolve your (?:address|"
            r"hostname|ip)|your (?:reverse )?hostname|no reverse)|"
            r"(?:dynamic|residential|dial-?up|generic|consumer)(?: or residential)? (?:ip|host|"
            r"pool|"
            r"address|range|client|dns|reverse)|ip name lookup failed|client host rejected|"
            r"unresolvable (?:relay )?host|(?:does|do) ?n[o'’]t accept e-?mail transactions",
            r"access from ip address|no access from mail server|not (?:currently )?accepting "
            r"(?:mail|connections|e-?mail|messages) from (?:your|this|that)|go away|"
            r"we do not accept (?:mail|connections|e-?mail|messages) from|remotehost looks "
            r"suspiciously|connection refused by policy|mail server at .{0,60} is blocked|"
            r"no smtp (?:service )?(?:for you|access)|you are not (?:allowed|welcome|permitted) to "
            r"connect|not welcome|access denied to (?:your|this) (?:ip|host)",
        ),
    ),
    Phrases(
        _RECIPIENT,
        About.SYSTEM,
        FailureReason.SYSTEM,
        (
            # The server's disk, which is no mailbox
            r"(?:insufficient|out of|no|not enough|low on|lack of) (?:system|server|queue|spool)"
            r"(?: disk)? (?:storage|resources|space|memory)|system storage|mail system (?:is "
            r")?full|"
            r"no space left on device|disk (?:is )?full|out of disk space|filesystem (?:is )?full|"
            r"(?:server|system|spool|partition)\b.{0,20}\b(?:out of|no) (?:disk )?space",
            # The mailbox could not be asked after.
            r"unverified address|address verification (?:in progress|failed)|"
            r"(?:user|recipient|alias|address|directory|ldap|table|mailbox|account)s? "
            r"(?:\w+ )?(?:lookup|verification) (?:failure|failed temporarily|error|problem)|"
            r"temporary (?:lookup|ldap|directory) (?:failure|error)|temporarily (?:unable|not "
            r"able) "
            r"to (?:verify|look ?up|check)",
        ),
    ),
    Phrases(
        _RECIPIENT,
        About.RECIPIENT,
        FailureReason.MAILBOX_FULL,
        (
            r"quota usage exceeded|mailbox quota|mail ?file size exceeds",
            r"(?:mail ?box|mail ?folder|mail ?dir|inbox|account|user|recipient|mail file|storage|"
            r"mail)('s)?\b.{0,60}\b(?:is|was|are|over|has|exceed\w*|"
            r"reached)?\b.{0,25}\b(?:over ?quota|quota (?:exceeded|violation)|(?:its|his|her|their|"
            r"the|disk|disc|mail) quota|almost full|full\b(?! (?:text|header|name|detail|list|"
            r"report|message|e-?mail|explanation|original|copy)))",
            r"(?:over|exceed\w*|beyond|out of|reached)\b.{0,30}\bquota|quota (?:is )?(?:exceeded|"
            r"exceed|violation|full|limit)|disk quota|over the (?:allowed |maximum )?quota|"
            r"overquota|over-quota|quotaexceeded",
            r"(?:mail ?box|mailbox|inbox)[- ]{0,2}(?:is )?full|full mailbox|mailbox ?full|"
            r"(?:mail ?box|inbox) (?:has |size )?(?:exceed\w*|is over)",
            r"exceed\w*( the)? (?:storage|mailbox|local|maximum storage) (?:allocation|limit|size)|"
            r"exceed\w* (?:\w+ )?storage allocation",
            r"(?:not|in) ?(?:sufficient|enough) (?:disk |storage |free |mailbox )?(?:space|"
            r"storage)|"
            r"insufficient (?:disk )?(?:storage|space)|does not have enough space|"
            r"no (?:disk )?space left|mailbox has no space|not have (?:enough )?(?:space|room)",
            r"too many messages (?:on the server|in|stored|for this user)|"
            r"number of messages in recipient's mailbox exceeded|space has been used up|"
            r"too much mail data|has too much mail|(?:mailbox|account|inbox) (?:is |has "
            r")?(?:over|exceed\w*) "
            r"(?:its |the )?(?:size|storage|limit)",
            r"postfach.{0,60}(?:voll|über|quota|kapazität|speicher)|(?:speicher\w*|quota|"
            r"kontingent|"
            r"mailbox).{0,40}(?:überschritten|erschöpft|ausgeschöpft|voll\b)|überfüllt",
            r"bo[iî]te .{0,50}(?:pleine|satur|plein)|quota .{0,20}dépass|"
            r"espace .{0,40}(?:insuffisant|épuis)",
            r"(?:buz[oó]n|casilla|cuenta|casella|mailbox|caixa).{0,60}(?:lleno|llena|excedid|piena|"
            r"cheia|superad)|cuota excedida|quota .{0,20}superat",
            r"переполнен|превышен\w* (?:квот|лимит)|ящик .{0,30}полон",
            r"容量.{0,12}(?:超|オーバー|一杯|いっぱい)|満杯|メールボックス.{0,12}(?:一杯|"
            r"いっぱい|超)|"
            r"邮箱.{0,8}(?:满|超)|空间不足",
            r"(?:postvak|postbus|mailbox|inbox)\b.{0,40}\b(?:is )?vol\b|"
            r"skrzynk\w{1,20}.{0,30}(?:pełna|przepełnion|pełne)|over disk usage|"
            r"(?:postkass\w*|postboks\w*|indbakke\w*|innboks\w*|brevlåd\w*|inkorg\w*)\b.{0,40}"
            r"\b(?:fuld|full|fylt)|postilaatikko.{0,30}täynnä|"
            r"schránk\w{1,20}.{0,30}(?:pln[áé]|přeplněn)|postafiók.{0,30}(?:megtelt|tele)|"
            r"(?:cutia|căsuța)\b.{0,30}(?:plină|depășit)|(?:posta )?kutusu.{0,30}(?:dolu|dolmuş)|"
            r"kota\w* (?:aşıldı|aşılmış|doldu|terlampaui)|скринька.{0,30}(?:переповнен|заповнен)|"
            r"γραμματοκιβώτιο.{0,30}(?:γεμάτο|πλήρες)|信箱.{0,8}[满滿]|容量(?:已)?[满滿]|"
            r"超出.{0,8}(?:容量|配额)|"
            r"(?:사서함|편지함|메일함|메일박스).{0,14}(?:가득|초과|부족)|용량.{0,6}초과|"
            r"cuota .{0,30}(?:super|sobrepas|exced)|espacio .{0,30}(?:agotad|insuficiente)|"
            r"(?:caixa|quota|cota)\b.{0,40}(?:cheia|excedid|ultrapassad|esgotad)|casella piena|"
            r"не хватает места|нет места|закончилось место|"
            r"mailbox unavailable or too large",
        ),
    ),
    Phrases(
        _MESSAGE,
        About.MESSAGE,
        FailureReason.MESSAGE_TOO_BIG,
        (
            r"(?:message|mail|body|e-?mail|attachments?|data|content)\b.{0,40}\b(?:too (?:big|"
            r"large)|larger than|size (?:limit|restriction)|is (?:over|above) .{0,20}size)|"
            r"(?:message|mail|line) (?:is )?too long|too (?:big|large) (?:message|for this "
            r"recipient|for)|(?:size|length) (?:is )?too "
            r"(?:big|large)",
            r"(?:message|mail|e-?mail|envelope|data|content|session|header)('s)?( file)? (?:size|"
            r"length)\b.{0,40}\b(?:exceed\w*|limit|too|larger|over|above|greater)|"
            r"size limit exceeded|exceed\w{0,20}.{0,60}\b(?:maximum|max|fixed|allowed|inbound|"
            r"message|databytes|size|server|administrative)\b.{0,25}\b(?:message )?(?:size|limit)",
            r"exceed(?:s|ed|ing)? .{0,30}(?:size limit|databytes|size restriction|size maximum)|"
            r"\w*sizelimit\w*|message length exceeds|maximum (?:allowed )?(?:message )?size|"
            r"(?<!mailbox )size exceed\w*|(?<!mailbox )size limit|"
            r"max(?:imum)? message size|ex[ce]{1,2}e?ded the maximum size|bigger than|"
            r"message would exceed .{0,30}size",
            r"(?:nachricht|mail|e-mail).{0,40}zu gro(?:ß|ss)|größe.{0,40}überschr|"
            r"message (?:est )?trop (?:gros|volumineux)|taille .{0,40}dépass|demasiado grande|"
            r"troppo grande|слишком (?:большо|велик)|サイズ.{0,20}(?:超|オーバー)|大きすぎ",
            r"nachricht ist größer als|größer als die (?:aktuelle|zulässige|maximale)|"
            r"(?:размер|объ[её]м)\w{0,20} .{0,40}(?:превыша|превыси|больше допустим)|"
            r"(?:tamanho|tamaño|dimensione|dimensioni)\b.{0,50}(?:exced|super|ultrapass|m[áa]xim)|"
            r"muito grande|te groot|for stor(?:e|t)?\b|för stor|liian suuri|za du(?:ży|ża)|"
            r"rozmiar.{0,40}przekracza|příliš velk|túl nagy|prea mare|çok büyük|"
            r"(?:boyut|büyüklü)\w{0,20}.{0,30}aş|(?:大小|尺寸)超|[邮郵]件(?:太|过|過)大|"
            r"크기.{0,10}초과|너무 [커큽]",
        ),
    ),
    Phrases(  # Less sure of it: what exceeds a limit may be anything.
        _RECIPIENT,
        About.RECIPIENT,
        FailureReason.MAILBOX_FULL,
        (
            r"(?:mail ?box|account|user|recipient|message store)\b.{0,60}\b(?:exceed\w*|over|"
            r"reached)\b.{0,40}\b(?:storage|size|space|limit|allocation)|mailbox size limit|"
            r"mailbox (?:size )?exceed",
        ),
    ),
    Phrases(
        _RECIPIENT,
        About.RECIPIENT,
        FailureReason.HOST_UNKNOWN,
        (
            r"no mail servers|no route found to|invalid dns|\bhost (?:name )?(?:\S{1,100} "
            r")?(?:was )?not found\b|"
            r"destination computer was not found|"
            r"(?<!not )\bno mx record found|"
            r"(?:unknown|unrouteable|unroutable|invalid|nonexistent|non-existent|illegal|"
            r"bad) (?:mail |destination )?(?:host|domain|system)|(?:host|domain)(?: name)?(?: is| "
            r"was)? (?:unknown|not found|invalid|nonexistent|non-existent)|no such (?:host|domain)|"
            r"bad destination (?:host|system)",
            r"(?:host|domain)\b.{0,60}\b(?:does not|doesn['’]?t|did not|do not|must|may not) exist|"
            r"domain name not found|domain (?:is|was) not reachable|"
            r"domain mentioned in email address is unknown|domain couldn['’]?t be found|"
            r"domain could not be (?:found|resolved)|"
            r"domain\b.{0,40}\b(?:does not|doesn['’]t) accept (?:any )?(?:e-?)?mail",
            r"host or domain name not found|name or service not known|nxdomain|"
            r"nonexistentdomain|domainnonexistent|name ?server.{0,40}(?:host not found|no data|"
            r"non-existent)|no data known|couldn['’]?t find any host|could not find any host",
            r"(?:all|no) (?:host address lookups failed permanently|relevant mx records)|"
            r"no (?:valid )?(?:mx|mail exchanger|dns records?)\b|(?:mx|dns) records?\b.{0,60}\b"
            r"(?:not|could)\b|no mx found|null mx|nullmx|couldn['’]?t find a mail exchanger|"
            r"mx records? point to|"
            r"unrouteable (?:address|mail domain)|had no relevant answers|no address associated|"
            r"unable to resolve route|indicated no smtp service|dns (?:hard )?error|dns (?:lookup|"
            r"server) (?:failure|failed)|domain lookup failed|"
            r"malformed or unexpected name server reply|"
            r"records for the destination computer could not be found|"
            r"remote domain does ?n.?t exist|host unreachable|host is unreachable|"
            r"unable to look ?up",
            r"\b(?:domain|domäne|rechner|host|server)\w{0,20}.{0,50}(?:nicht (?:gefunden|bekannt|"
            r"existier)|"
            r"existiert nicht|unbekannt)|domaine .{0,40}(?:inconnu|existe)|"
            r"dominio .{0,40}(?:no existe|sconosciuto|inesistente)|домен .{0,30}не|"
            r"ドメイン.{0,16}(?:存在|"
            r"見つか)",
        ),
    ),
    Phrases(
        _RECIPIENT,
        About.RECIPIENT,
        FailureReason.UNKNOWN_USER,
        (
            rf"{_OWNER}(?:'s)?(?: e-?mail)?(?: name| address)?[^;]{{0,70}}?\b(?:is |was |are |"
            rf"were |has "
            rf"been |have been |been |currently )?{_GONE}\b",
            r"\b(?:unknown|invalid|no such|nonexistent|non-existent|non existent|illegal|bad|"
            r"undeliverable|incorrect|unrecogni[sz]ed|wrong|inactive|disabled|deactivated|"
            r"ambiguous|unrouteable) (?:or (?:\w+ )?)?(?:local |destination |final delivery )?"
            r"(?:e-?mail |mail |virtual |destination |local )?"
            r"(?:users?|recipients?|rcpt|address(?:es)?|mail ?box(?:es)?|account|person|local "
            r"?-?part|userid|alias|name|subscriber|addressee)\b",
            r"user ?unknown|recip(?:ient)? ?not ?found|\bu\.?nknown user|unknown ?e?-?mail "
            r"?address|"
            r"\bno (?:mail ?box|account|user|such|one|recipients?|valid recipients?)\b.{0,60}\b(?:"
            r"here|by that name|at this|exists?|found|available|directory|user|users|recipient|"
            r"address|mailbox|person|alias)|there is no (?:one|user|such|mailbox|account)|"
            r"no valid recipients?|mailbox not found|rcp-p1|int-p[134]|"
            r"(?:nobody|no ?one) (?:here|by that name)|nosuchuser|no local mailbox|\bno (?:such "
            r")?(?:mail ?box|user|account)\b",
            r"(?:^|[>@\w]) (?:does not|doesn['’]t) exist\W*$|spectator does not exist|"
            r"couldn['’]?t be found|could not be found|wasn['’]t found (?:at|in)|not found in|"
            r"name is not recognized|not (?:listed|found) in (?:public|domino|our|the|name)|"
            r"does(?:n['’]t| not) have an? .{0,60}account|not an? (?:known|valid|active|registered|"
            r"local) (?:user|mailbox|address|recipient|account)|not e-?mail addresses|"
            r"not our customer|in name directory|validrcptto|badr(?:cpt|ecipient)|chkusr|"
            r"not found by smtp address lookup",
            r"(?:account|mailbox|user)(?: has| is| was)? expired|"
            r"(?:is|are) (?:currently )?(?:suspended|deactivated)|temporary locked|"
            r"suspend the service|due to inactivity|temporarily limited|"
            r"administrative?le?y disabled|recipient (?:has )?moved|(?:has|have) moved (?:to|away)|"
            r"no longer (?:with|employed|works?)|has left|not collected mail|not local; please try|"
            r"hasn['’]t (?:logged|been used)|destination mailbox address|name was not found|"
            r"\b(?:user|recipient|addressee)\b.{0,20}\bnot known",
            r"(?:empfänger\w*|benutzer\w*|adresse|adressat|mailbox|postfach|konto|account|"
            r"teilnehmer|empfaenger\w*)\b.{0,60}(?:unbekannt|nicht (?:bekannt|gefunden|existier|"
            r"vorhanden|gültig)|existiert nicht|ungültig|gesperrt|deaktiviert|gibt es nicht)|"
            r"(?:unbekannte[rs]?|ungültige[rs]?) (?:empfänger|empfaenger|benutzer|adresse|adressat|"
            r"teilnehmer)",
            r"(?:utilisateur|destinataire|adresse|boîte|boite|compte)\b.{0,60}(?:inconnu|"
            r"introuvable|invalide|n'existe|inexistant|désactiv|archiv|pas été trouvé)",
            r"(?:usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n|persona)\b.{0,60}(?:desconocid|"
            r"no (?:existe|encontrad|v[áa]lid|se encontró)|inexistente|inv[aá]lid|desactivad)|"
            r"no existe (?:dicha|ese|el|la)|no se (?:ha )?(?:encontr|pudo encontrar)",
            r"(?:utente|destinatario|indirizzo|casella|account)\b.{0,60}(?:sconosciut|inesistente|"
            r"non (?:esiste|trovat|valid|attiv)|disabilitat)|nessun utente|(?:utilizador|"
            r"usu[aá]rio|destinat[aá]rio|endere[cç]o)\b.{0,60}(?:desconhecid|n[aã]o (?:existe|"
            r"encontrad)|inv[aá]lid)",
            r"onbekende (?:gebruiker|ontvanger)|"
            r"(?:gebruiker|ontvanger|adres)\b.{0,50}(?:onbekend|bestaat niet|niet gevonden)|"
            r"(?:użytkownik|odbiorc\w*|adres)\b.{0,50}(?:nie istnieje|nieznany)|(?:användare|"
            r"mottagare)\w{0,20}.{0,40}(?:okänd|finns inte)",
            r"пользовател\w{0,20}.{0,40}(?:не (?:найден|существует|зарегистрирован)|неизвест)|"
            r"адрес\w{0,20}.{0,30}не (?:найден|существует)|нет такого|"
            r"ящик\w{0,20}.{0,40}(?:не существует|"
            r"заблокирован|отключен)",
            r"(?:宛先|ユーザ|アドレス|受信者|メールアドレス).{0,30}(?:存在し|見つか|"
            r"不明|ありません|無効|間違)|"
            r"見つかりません|リストにありません|"
            r"[用戶]户.{0,8}不存在|(?:收件人|帐号|帳號|账号|地址|"
            r"使用者).{0,40}(?:不存在|错误|錯誤|无效|無效|找不到)|"
            r"(?:无此|查无此|沒有這個|查無此)|받는사람.{0,12}없|수신자.{0,20}(?:없|확인)|"
            r"(?:존재하지|등록되지) 않는|(?:사용자|계정|메일 ?주소).{0,20}(?:없|존재하지)|"
            r"(?:usu[áa]rio|utilizador|destinat[áa]rio|endere[çc]o|conta|caixa(?: "
            r"postal)?)\b.{0,60}"
            r"(?:inexistente|desconhecid|n[ãa]o (?:foi )?(?:existe|encontrad|localizad)|desativad)|"
            r"böyle bir (?:kullanıcı|adres|alıcı).{0,30}(?:yok|bulunamadı|bulunmuyor|mevcut)|"
            r"(?:kullanıcı|alıcı|adres|posta kutusu)\b.{0,40}(?:bulunamadı|bilinmiyor|mevcut değil|"
            r"geçersiz|yok)|"
            r"(?:modtager|mottaker|bruker|bruger|adress?e)\w{0,20}\b.{0,40}(?:ukendt|ukjent|"
            r"findes ikke|"
            r"finnes ikke|eksisterer ikke|ugyldig)|"
            r"(?:mottagare|användare|adress)\w{0,20}.{0,40}(?:okänd|finns inte|existerar inte|"
            r"ogiltig)|"
            r"(?:vastaanottaja|käyttäjä|osoite)\w{0,20}.{0,40}(?:tuntematon|ei ole|ei löy)|"
            r"(?:uživatel|příjemce|adresa|adresát|schránka)\w{0,20}.{0,40}(?:neexistuje|neznám|"
            r"nenalezen)|"
            r"(?:neznámý|neexistující) (?:uživatel|příjemce|adresát)|"
            r"(?:címzett|felhasználó|postafiók|cím)\w{0,20}.{0,40}(?:ismeretlen|nem (?:létezik|"
            r"található))|"
            r"(?:utilizator|destinatar|adres)\w{0,20}.{0,40}(?:necunoscut|nu exist|inexistent)|"
            r"(?:odbiorc|użytkownik|adres|konto|skrzynk)\w{0,20}.{0,50}(?:nie istnieje|nieznan|"
            r"nieprawidłow)|"
            r"(?:ukendt|ukjent|okänd) (?:modtager|mottaker|mottagare|bruker|bruger)|"
            r"(?:tuntematon) (?:vastaanottaja|käyttäjä)|nieznany (?:odbiorca|użytkownik|adresat)|"
            r"(?:одержувач|користувач|адрес)\w{0,20}.{0,40}(?:не (?:існує|знайден)|невідом)|"
            r"(?:παραλήπτη|χρήστη|διεύθυνση)\w{0,20}.{0,40}(?:δεν (?:υπάρχει|βρέθηκε)|άγνωστ)|"
            r"άγνωστος",
        ),
    ),
    Phrases(  # What is taken for unwanted, more by its content than by who we are
        _MESSAGE,
        About.US,
        FailureReason.BLOCKED,
        (
            r"\bube\b|message content rejected|content filter|\bspam\b|spammer|\bspammy|\buce\b|"
            r"unsolicited|junk ?mail|\bbulk (?:e-?)?mail|phishing|gtube|likely suspicious|virus|"
            r"malware|infected|trojan|spam score|cloudmark|proofpoint|ironport|\bantispam\b",
            r"blocked (?:by|using|for|due|because|-)|has been blocked|(?:connection|message|mail|"
            r"e-?mail|content|envelope) (?:was |is |has been )?blocked|blocked (?:message|content)|"
            r"\bbanned(?!:| contents?| names?| files?| attachments?| extension)|"
            r"\bblocked\b",
            r"als (?:spam|unerwünscht)|werbung|pourriel|indésirable|courrier rejet|"
            r"mail rejet|no deseado|спам|スパム|迷惑メール|[垃拉]圾[邮郵]件|"
            r"スパムと判定|스팸|istenmeyen|频率(?:过|太)高",
        ),
    ),
    Phrases(
        _NOBODY,
        About.SYSTEM,
        FailureReason.EXPIRED,
        (
            r"after (?:several|many|multiple|repeated|numerous) (?:attempts|tries)|"
            r"nach mehreren (?:versuchen|zustellversuchen)|"
            r"could not find a gateway|delivery temporarily suspended",
            r"(?:message|delivery|mail|e-?mail|it|envelope)\b.{0,50}\b(?:expired|too old|timed out|"
            r"time expired|time-?out)|queue ?\.?expired|expired in queue|"
            r"retry time ?out exceeded|retry timeout|retry time not reached",
            r"in the queue too long|could not be delivered for (?:too long|\d+)|"
            r"(?:has )?not been (?:delivered|collected) (?:after|within|for)|(?:not|"
            r"n't) (?:be )?deliver(?:ed|y)? within|undelivered for|for more than \d+ (?:days|"
            r"hours)|"
            r"after \d+ (?:days|hours|attempts)|delivery failed \d+ attempts|(?:within|"
            r"exceeded) the (?:allowed|maximum) (?:queue|retry|time)|"
            r"unable to deliver .{0,20}for \d+ days|unsuccessfully tried|giving up|gave up|"
            r"allowed queue period|exceeded max(?:imum)? (?:time|retry|retries|number of)|"
            r"all hosts have been failing",
            r"(?:connection|connect|conversation|session|smtp|server|"
            r"host)\b.{0,40}\b(?:timed? ?-?out|timeout)|timeout (?:while|waiting|after)|"
            r"server did not respond|(?:host|server|mta|domain) .{0,30}(?:is )?(?:not|"
            r"isn.t) (?:responding|reachable)|remote host is not responding|"
            r"recipient server did not accept our requests|host not reachable|"
            r"connection dropped due to timeout|lost connection",
            r"connection (?:refused|reset|failed|dropped|closed)|no route to host|"
            r"network (?:is )?unreachable|network error on destination|could not connect|"
            r"unable to connect|couldn.t connect|wasn.t able to (?:establish|connect)|deferred|"
            r"destination seem to reject",
            r"zustellversuche|frist.{0,30}abgelaufen|zeitüberschreitung|zeitlimit|"
            r"délai .{0,40}(?:dépass|expir)|tiempo .{0,40}(?:agotad|expir)|タイムアウト|期限",
        ),
    ),
    Phrases(  # What the message holds
        _NOBODY,
        About.MESSAGE,
        FailureReason.POLICY,
        (
            r"banned:|banned (?:contents?|names?|files?|attachments?|extension)|header error|"
            r"(?:an|the) illegal attachment|(?:content|attachment|header|header fields?|file|"
            r"executable)s?\b.{0,60}\b(?:reject\w*|refus\w*|denied|not (?:accept\w*|allowed|"
            r"permitted)|"
            r"filter\w*|bann\w*|unacceptable|illegal|potential|prohibited|forbidden)|"
            r"executable attachment|line too long|line length|bare (?:lf|cr)|"
            r"(?:rfc ?5322|rfc ?2822|rfc ?822)\b.{0,40}\b(?:not|violat|complian|invalid|missing)|"
            r"(?:not|non)[- ](?:rfc|complian)\w*|(?:missing|duplicate|multiple|invalid|malformed) "
            r"(?:\w+ )?(?:headers?|message-id|date|from)\b|8-?bit (?:character|data)",
        ),
    ),
    Phrases(
        _NOBODY,
        About.NOBODY,
        FailureReason.POLICY,
        (
            r"\bpolic(?:y|ies)\b|security (?:polic|reason|alert)|violat\w+|prohibit\w*|"
            r"administrative (?:prohib|polic|reason)|administratively (?:prohib|den)|"
            r"restricted|restrictions?\b|not (?:allowed|permitted)|disallowed|forbidden|"
            r"not (?:be )?authori[sz]ed|notauthorized|unauthori[sz]ed|authori[sz]ation|"
            r"recipient preferences|privacy settings|refuse to receive|user reject|filtered|"
            r"bouncedeny|protected by|gr[ea]y-?list\w*|"
            r"third-party dsns|authentication",
            r"nicht (?:erlaubt|gestattet|berechtigt|autorisiert|zulässig)|richtlinie|interdit|"
            r"non autoris|no (?:est[áa] )?(?:permitid|autorizad)|non (?:autorizzat|consentit)|"
            r"запрещ|политик",
        ),
    ),
    Phrases(
        _NOBODY,
        About.SYSTEM,
        FailureReason.SYSTEM,
        (
            r"could not load|x-unix; *\d+|unknown error",
            r"(?:system|local|internal|server|configuration|mailer|i/o|database|ldap|software|"
            r"protocol|syntax|processing|network)\b.{0,30}\b(?:error|failure|problem|fault)|"
            r"unknown mailer error|service (?:currently |temporarily |is )?(?:un|not )available|"
            r"temporary (?:local |system |lookup |authentication )?(?:failure|problem|error)|"
            r"(?:temporarily|currently) (?:unavailable|not available|disabled)|"
            r"(?:try|come back|retry) (?:again|later)|resources? temporarily|"
            r"(?:server|system|too) (?:is )?busy|overload\w*|high load|shutting down|maintenance|"
            r"closing (?:transmission channel|connection)|not accepting (?:network )?messages",
            r"loop(?:s|ing|ed)?\b|too many (?:hops|received)|hop count|routing loop|"
            r"forwarding loop|maximum hop|mail loop|mxloopback",
            r"(?:can.?t|cannot|could not|unable to) (?:create|open|write|execute|exec|pipe|contact|"
            r"read|process|accept|lock)|(?:delivery to (?:file|pipe) forbidden)|"
            r"local delivery failed|command (?:failed|died|time)|bad interpreter|child process|"
            r"permission denied|misconfigured|out of memory|"
            r"insufficient (?:resources|memory)|queue file write|disk error|"
            r"maildrop|procmail|vdeliver|exit(?:ed)? (?:status|code|with)|\bconfig\b|conversion|"
            r"not supported|interrupted system call|bad sequence|command (?:not "
            r")?(?:unrecogni[sz]ed|"
            r"recogni[sz]ed|implemented)",
            r"systemfehler|interner fehler|vorübergehend|erreur (?:système|interne)|"
            r"error (?:interno|del sistema)|errore (?:interno|di sistema)|временн\w+ (?:ошибк|"
            r"недоступ)|システムエラー|一時的",
        ),
    ),
    Phrases(  # The text of RFC 5321 for any 550; it says that much of a mailbox, if nothing else.
        _NOBODY,
        About.RECIPIENT,
        FailureReason.UNKNOWN_USER,
        (
            r"(?<!temporarily )(?<!currently )(?:mail ?box|recipient|user|account|address)"
            r"(?: is| was)? (?:unavail?able|not available)|unavailable (?:mail ?box|user)|"
            r"can.t accept user|(?:bad|invalid) destination mailbox",
        ),
    ),
    Phrases(  # The server says that it does not know.
        _NOBODY,
        About.NOBODY,
        FailureReason.OTHER,
        (
            r"(?:undefined|unspecified) (?:error|failure|reason)|unknown (?:failure|reason)|"
            r"no (?:further )?(?:explanation|details|reason) (?:was |were )?(?:given|available|"
            r"provided)|gave no (?:explanation|reason)|does not like (?:recipient|message)",
        ),
    ),
)

# Sentences that stand in every notice or refusal of a server and name no reason.
BOILERPLATE = (
    r"remote server returned an error|no virus (?:was )?found|interscan viruswall|"
    r"google tried to deliver your message, but it was rejected by the[^.]{0,80}\.|"
    r"the e-?mail system was unable to deliver the message, but did not report a "
    r"specific reason\.?|"
    r"contact your system administrator|returning message to sender|the mail system|"
    r"returned to sender|giving up on [\d.]+\.?|for explanation visit \S+|"
    # RFC 5321 section 4.2.3 at 550 and 553
    r"\(?e\.g\.,? mailbox not found, no access, or command rejected for policy reasons\)?|"
    r"mailbox name not allowed"
)
# What servers put before whatever they refuse. It counts where nothing else is said.
PREFIXES = (
    r"(?:recipient address rejected|undeliverable address):|"  # Postfix at RCPT
    # RFC 5321 section 4.2.3, as GMX and others open a reply of several lines
    r"requested (?:mail )?action (?:not taken|aborted): (?:mailbox unavailable|exceeded storage "
    r"allocation|local error in processing)"
)
