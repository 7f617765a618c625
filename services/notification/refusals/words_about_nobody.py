"""How servers put a failure without saying whose it is: data for `phrases`."""

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.wording import Kind, Phrases

_NAME_SERVICE = (
    r"(?:\bdns\b(?!;)|name ?servers?\b|name service|look-?up|\bresol[uv]\w+|namensauflösung|"
    r"\brésolution|\bresoluci[oó]n|\brisoluzione)"
)
_PASSING = (
    r"(?:tempor\w+|tempfail|transient\w*|intermittent\w*|vorübergehend\w*|tijdelijk\w*|tymczasow\w*|"
    r"geçici|временн\w+|try again|retry|timed? ?-?out|timeout|no response|not respond\w*|"
    r"not (?:currently )?reachable|unreachable|unavailable|serv_?fail\w*|server fail\w*|soft)"
)
# Names that could not be looked up: what is asked sounds as if it were not there.
LOOK_UP_LATER = Phrases(
    Kind.NAMES_A_SYSTEM,
    About.SYSTEM,
    FailureReason.EXPIRED,
    (
        rf"{_NAME_SERVICE}(?:(?![.;!?] ).){{0,80}}\b{_PASSING}\b|"
        rf"\b{_PASSING}\b(?:(?![.;!?] ).){{0,40}}{_NAME_SERVICE}|"
        r"host not found, try again|servfail|host name lookup failure|dns\.?errorretry|errorretry",
    ),
)
NETWORK = Phrases(
    Kind.NAMES_NOBODY,
    About.SYSTEM,
    FailureReason.EXPIRED,
    (
        r"after (?:several|many|multiple|repeated|numerous) (?:attempts|tries)|"
        r"nach mehreren (?:versuchen|zustellversuchen)|could not find a gateway|"
        r"delivery temporarily suspended",
        r"(?:message|delivery|mail|e-?mail|it|envelope)\b.{0,50}\b(?:expired|too old|timed out|"
        r"time expired|time-?out)|queue ?\.?expired|expired in queue|retry time ?out exceeded|"
        r"retry timeout|retry time not reached",
        r"in the queue too long|could not be delivered for (?:too long|\d+)|"
        r"(?:has )?not been (?:delivered|collected) (?:after|within|for)|(?:not|"
        r"n't) (?:be )?deliver(?:ed|y)? within|undelivered for|for more than \d+ (?:days|hours)|"
        r"after \d+ (?:days|hours|attempts)|delivery failed \d+ attempts|(?:within|"
        r"exceeded) the (?:allowed|maximum) (?:queue|retry|time)|unable to deliver .{0,20}for \d+ "
        r"days|unsuccessfully tried|giving up|gave up|allowed queue period|"
        r"exceeded max(?:imum)? (?:time|retry|retries|number of)|all hosts have been failing",
        r"(?:connection|connect|conversation|session|smtp|server|host)\b.{0,40}\b(?:timed? ?-?out|"
        r"timeout)|timeout (?:while|waiting|after)|server did not respond|(?:host|server|mta|"
        r"domain) .{0,30}(?:is )?(?:not|isn.t) (?:responding|reachable)|"
        r"remote host is not responding|recipient server did not accept our requests|"
        r"host not reachable|connection dropped due to timeout|lost connection",
        r"connection (?:refused|reset|failed|dropped|closed)|reset by peer|handshake failed|"
        r"lookup did not complete|"
        r"\bhost (?:is )?(?:down|unreachable)\b|(?:not|isn['’]t) answering|no route to host|"
        r"network (?:is )?unreachable|network error on destination|could not connect|"
        r"unable to connect|couldn.t connect|wasn.t able to (?:establish|connect)|deferred|"
        r"destination seem to reject",
        r"zustellversuche|frist.{0,30}abgelaufen|zeitüberschreitung|zeitlimit|"
        r"délai .{0,40}(?:dépass|expir)|tiempo .{0,40}(?:agotad|expir)|タイムアウト|期限",
    ),
)
# What the message holds
CONTENT = Phrases(
    Kind.NAMES_NOBODY,
    About.MESSAGE,
    FailureReason.POLICY,
    (
        r"banned:|banned (?:contents?|names?|files?|attachments?|extension)|header error|(?:an|"
        r"the) illegal attachment|(?:content|attachment|header|header fields?|file|"
        r"executable)s?\b.{0,60}\b(?:reject\w*|refus\w*|denied|not (?:accept\w*|allowed|"
        r"permitted)|filter\w*|bann\w*|unacceptable|illegal|potential|prohibited|forbidden)|"
        r"executable attachment|line too long|line length|bare (?:lf|cr)|(?:rfc ?5322|rfc ?2822|"
        r"rfc ?822)\b.{0,40}\b(?:not|violat|complian|invalid|missing)|(?:not|non)[- ](?:rfc|"
        r"complian)\w*|(?:missing|duplicate|multiple|invalid|malformed) (?:\w+ )?(?:headers?|"
        r"message-id|date|from)\b|8-?bit (?:character|data)",
    ),
)
RULES = Phrases(
    Kind.NAMES_NOBODY,
    About.NOBODY,
    FailureReason.POLICY,
    (
        r"\bpolic(?:y|ies)\b|security (?:polic|reason|alert)|(?<!protocol )violat\w+|prohibit\w*|"
        r"administrative (?:prohib|polic|reason)|administratively (?:prohib|den)|restricted|"
        r"restrictions?\b|not (?:allowed|permitted)|disallowed|forbidden|"
        r"not (?:be )?authori[sz]ed|notauthorized|unauthori[sz]ed|authori[sz]ation|"
        r"recipient preferences|privacy settings|refuse to receive|filtered|"
        r"bouncedeny|protected by|gr[ea]y-?list\w*|third-party dsns|authentication",
        r"nicht (?:erlaubt|gestattet|berechtigt|autorisiert|zulässig)|richtlinie|interdit|"
        r"non autoris|no (?:est[áa] )?(?:permitid|autorizad)|non (?:autorizzat|consentit)|запрещ|"
        r"политик",
    ),
)
OUT_OF_ORDER = Phrases(
    Kind.NAMES_NOBODY,
    About.SYSTEM,
    FailureReason.SYSTEM,
    (
        r"could not load|x-unix; *\d+|unknown error",
        r"(?:system|local|internal|server|configuration|mailer|i/o|database|ldap|software|"
        r"protocol|syntax|processing|network)\b.{0,30}\b(?:error|failure|problem|fault)|"
        r"unknown mailer error|service (?:currently |temporarily |is )?(?:un|not )available|"
        r"temporary (?:local |system |lookup |authentication )?(?:failure|problem|error)|"
        r"(?:temporarily|currently) (?:unavailable|not available|disabled)|(?:try|come back|"
        r"retry) (?:again|later)|resources? temporarily|(?:server|system|too) (?:is )?busy|"
        r"overload\w*|high load|shutting down|maintenance|closing (?:transmission channel|"
        r"connection)|not accepting (?:network )?messages",
        r"loop(?:s|ing|ed)?\b|too many (?:hops|received)|hop count|routing loop|forwarding loop|"
        r"maximum hop|mail loop|mxloopback|protocol violation",
        r"(?:can.?t|cannot|could not|unable to) (?:create|open|write|execute|exec|pipe|contact|"
        r"read|process|accept|lock)|(?:delivery to (?:file|pipe) forbidden)|local delivery failed|"
        r"command (?:failed|died|time)|bad interpreter|child process|permission denied|"
        r"misconfigured|out of memory|insufficient (?:resources|memory)|queue file write|"
        r"disk error|maildrop|procmail|vdeliver|exit(?:ed)? (?:status|code|with)|\bconfig\b|"
        r"conversion|not supported|interrupted system call|bad sequence|"
        r"command (?:not )?(?:unrecogni[sz]ed|recogni[sz]ed|implemented)",
        r"systemfehler|interner fehler|vorübergehend|erreur (?:système|interne)|error (?:interno|"
        r"del sistema)|errore (?:interno|di sistema)|временн\w+ (?:ошибк|недоступ)|システムエラー|"
        r"一時的",
    ),
)
# The server says that it does not know.
UNSAID = Phrases(
    Kind.NAMES_NOBODY,
    About.NOBODY,
    FailureReason.OTHER,
    (
        r"(?:undefined|unspecified) (?:error|failure|reason)|unknown (?:failure|reason)|"
        r"no (?:further )?(?:explanation|details|reason) (?:was |were )?(?:given|available|"
        r"provided)|gave no (?:explanation|reason)|does not like (?:recipient|message)",
    ),
)
