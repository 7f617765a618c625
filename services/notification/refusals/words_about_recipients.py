"""How servers put what is wrong with a recipient, or with the message: data for `phrases`."""

from contracts.events import FailureReason
from services.notification.refusals.refusal import About
from services.notification.refusals.vocabulary import BOX, CUT_OFF
from services.notification.refusals.wording import Kind, Phrases

# Who owns a mailbox, or what the recipient is called.
_OWNER = (
    r"\b(?:mail ?box(?:es)?|mail ?user|users?(?: ?name| ?id)?|recipients?|rcpt|addressees?|"
    r"e-?mail ?(?:address(?:es)?|account)|mailaddress|account|local[ -]?part|alias|subscriber|"
    r"person|customer|(?<!ip )(?<!client )(?<!host )(?<!ip-)address(?:es)?)\b"
)
# Up to the next reply, or what else a transcript tells.
_SAME_REPLY = r"(?:(?!\b[45]\d\d\b)[^;])"
_GONE = (
    r"(?:unknown(?! senders?\b)|not (?:be )?(?:found|known|exist\w*|recogni[sz]ed|valid|"
    r"listed|active|local|present|registered|defined|here|on (?:this|our) (?:server|system)|"
    r"a (?:known|valid|"
    r"registered|local))|(?:does|did|do) ?n[o'’]t (?:seem to )?exist|non-?existent|non existent|"
    r"no longer (?:valid|active|in use|available|exists?|accepts?|on server|here|used|with)|"
    r"disabled|inactive|de-?activated|suspended|discontinued|(?<!connection )closed|terminated|"
    r"deleted|removed|locked|frozen|invalid|undeliverable|unrouteable|unroutable|"
    r"could ?n[o'’]t be found|wasn['’]t found)"
)

# A domain or host that a sentence is about, and not where it looks for a user: „in this domain"
_THE = (
    r"the|this|that|our|its|your|local|remote|virtual|mail|de[mnrs]|die|das|diese[rmns]?|unsere[rmns]?|"
    r"angegebene[nrm]?|le|la|ce|cette|notre|el|est[ea]|nuestr[oa]|il|lo|questo|nostro|o|het|deze?|dit"
)
_WHERE = (
    r"in|on|at|of|within|under|auf|bei|an|von|im|innerhalb|unter|dans|sur|du|de|en|au|chez|del|nel|"
    r"sul|al|di|do|no|da|na|deste|neste|op|bij|van|w|på|hos|в|на"
)
_NAME_OF = r"(?:(?:name|nom|nombre|nome|nazwa) (?:of|de|du|del|di|do) )?"
_PART_OF = (
    r"(?: (?:of|in|part of|des|der|du|de|del|della|do|van) (?:[\w-]+ |l['’]){0,2}?"
    r"(?:recipient|user|address|e-?mail|empfänger|adress|destinat|usuari|utilisateur|ontvanger)\w*)?"
)


def _subject(noun: str) -> str:
    """The noun where the sentence is about it, up to what is said of it and of nobody else."""
    return (
        rf"(?:^|[^\w\s] ?|\b(?!(?:{_WHERE}|{_THE})\b)\w{{1,40}} )(?:(?:{_THE}) ){{0,2}}{_NAME_OF}"
        rf"\b(?:{noun})\b{_PART_OF}"
    )


_DOMAIN = _subject(r"\w{0,12}(?:host|domain)")
_DOMAIN_ABROAD = _subject(
    r"(?:domain|domäne|rechner|host|server)\w{0,20}|domaine|dom[ií]nio|domein|domena|domän|doména|"
    r"домен|alan adı|etki alanı"
)
_OF_IT = (
    r"(?:(?!\b[45]\d\d\b|\buser|mail ?box|recipient|\baccount|benutzer|empf[aä]nger|postfach|konto|"
    r"teilnehmer|utilisateur|destinat|usuari|buz[oó]n|utente|casella|gebruiker|ontvanger|"
    r"użytkowni|odbiorc|kullanıcı|alıcı|пользовател)[^;])"
)

# What a mailbox is, and not „the full text", „for full information"
_FULL = (
    r"(?<!\bfor )(?<!\bsee )(?<!\bthe )(?<!\ba )(?<!\byour )(?<!\bin )(?<!\bread )(?<!\bits )"
    r"(?<!\btheir )(?<!\bwith )full\b(?! ?-?(?:text|header|name|host|detail|list|report|message|"
    r"e-?mail|explanation|original|copy|info|log|error|transcript|address|diagnos|domain|path|story|"
    r"description|reason|response|qualified|stop))"
)
# That it is shut for now: it exists.
_FOR_NOW = (
    r"(?:temporarily|vorübergehend|temporär|zeitweise|temporairement|provisoirement|temporalmente|"
    r"temporaneamente|temporariamente|tijdelijk|tymczasowo|geçici olarak|временно|tillfälligt|"
    r"midlertidigt?|dočasně)"
)

# Who may write to a recipient, most often a group
CLOSED = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.POLICY,
    (
        r"group you (?:tried|are trying) to (?:contact|e-?mail|post)|permissions? to (?:post|send|"
        r"write|e-?mail|submit)\b(?: \w+){0,2} (?:to|this|the) |resolver\.rst\.(?!recipsizelimit|"
        r".{0,20}sizelimit)\w+|notauthenticatedforgroup|senderNotAuthenticatedFor\w+|"
        r"restricted\w*transport|moderat(?:ed|ion|or)\b",
        r"not (?:allowed|authori[sz]ed|permitted|accepted) to (?:post|send|write|submit|e-?mail|"
        r"contact)\b(?! as\b| from\b)(?: \w+){0,2}?(?: to| on| in)?(?: this| the|"
        r" that)?(?: \w+){0,2}? (?:groups?|lists?|recipients?|mailbox|user|address(?:ee)?|alias|"
        r"forum|conference|<?a@b>?)|unauthori[sz]ed to (?:post|send) to\b",
        r"(?:mailing[- ]?|distribution[- ]?|discussion[- ]?)?(?:list|group|"
        r"forum)\b.{0,60}\b(?:members?|subscribers?|subscribed|closed|private|restricted|internal|"
        r"only accepts?|authenticated|approved)|only (?:\w+ ){0,2}members?\b.{0,40}\b(?:may|can|"
        r"allowed)|members?[- ]only|not member\b|(?:not|n['’]t) (?:an? |currently )?(?:member|"
        r"subscriber|subscribed)\b|(?:only|exclusively) (?:\w+ ){0,2}(?:members?|"
        r"subscribers?) (?:can|may|are)|(?:non-?members?|non-?subscribers?)\b|post messages to",
        r"only accepts? (?:mail|e-?mail|messages?|post\w*)? ?(?:from|by)|accepts? (?:mail|e-?mail|"
        r"messages?) (?:from )?(?:only|internal)|delivery restriction|sender (?:restriction|"
        r"not (?:in|on) (?:the |an? )?allowed)|allowed[- ]?senders? list|(?:receiving|"
        r"receives) (?:e-?mail|mail|messages) (?:too quickly|at (?:a|too high a) rate)|"
        r"recipient['’]?s? .{0,40}(?:receiv\w+|hourly|per hour) .{0,20}limit|receiv\w+ limits?|"
        r"mailbox .{0,20}receiving|(?:recipient|user|mailbox) (?:has )?received too (?:much|"
        r"many)|(?:recipient|user|addressee) (?:has )?(?:blocked|blocks|rejects|refuses) (?:mail|"
        r"e-?mail|messages?|your|all|unknown|the)",
    ),
)
# The server's disk, which is no mailbox, and a mailbox that could not be asked after
DISK_FULL = Phrases(
    Kind.NAMES_A_SYSTEM,
    About.SYSTEM,
    FailureReason.SYSTEM,
    (
        # The server's disk, which is no mailbox
        r"(?:insufficient|out of|no|not enough|low on|lack of) (?:system|server|queue|"
        r"spool)(?: disk)? (?:storage|resources|space|memory)|system storage|"
        r"mail system (?:is )?full|no space left on device|disk (?:is )?full|out of disk space|"
        r"filesystem (?:is )?full|(?:server|system|spool|partition)\b.{0,20}\b(?:out of|"
        r"no) (?:disk )?space",
        # The mailbox could not be asked after.
        r"unverified address|address verification (?:in progress|failed)|(?:user|recipient|alias|"
        r"address|directory|ldap|table|mailbox|account)s? (?:\w+ )?(?:lookup|"
        r"verification) (?:failure|failed temporarily|error|problem)|temporary (?:lookup|ldap|"
        r"directory) (?:failure|error)|temporarily (?:unable|not able) to (?:verify|look ?up|"
        r"check)",
    ),
)
MAILBOX_FULL = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.MAILBOX_FULL,
    (
        r"(?:mailbox|storage) (?:storage |size )?(?:limit|size) (?:is |was |has been )?(?:exceeded|"
        r"reached)|quota usage exceeded|mailbox quota|mail ?file size exceeds",
        r"(?:mail ?box|mail ?folder|mail ?dir|inbox|account|user|recipient|mail file|storage|"
        r"mail)('s)?\b.{0,60}\b(?:is|was|are|over|has|exceed\w*|reached)?\b.{0,25}\b(?:over "
        r"?quota|quota (?:exceeded|violation)|(?:its|his|her|their|the|disk|disc|mail) quota|"
        rf"almost full|{_FULL})",
        r"(?:mail ?box|mail ?dir|inbox|account|user|recipient|mail file)\b.{0,60}\b(?:over|"
        r"exceed\w*|beyond|out of|reached)\b.{0,30}\bquota|disk quota",
        rf"(?:mail ?box|mailbox|inbox)[- ]{{0,2}}(?:is )?{_FULL}|full mailbox|mailboxfull|"
        r"(?:mail ?box|inbox) (?:has |size )?(?:exceed\w*|is over)",
        r"exceed\w*( the)? (?:storage|mailbox|local|maximum storage) (?:allocation|limit|size)|"
        r"exceed\w* (?:\w+ )?storage allocation|exhausted\b.{0,30}\b(?:storage|space|quota)",
        r"(?:not|in) ?(?:sufficient|enough) (?:disk |storage |free |mailbox )?(?:space|storage)|"
        r"insufficient (?:disk )?(?:storage|space)|does not have enough space|"
        r"no (?:disk )?space left|mailbox has no space|not have (?:enough )?(?:space|room)",
        r"too many messages (?:on the server|in|stored|for this user)|"
        r"number of messages in recipient's mailbox exceeded|space has been used up|"
        r"too much mail data|has too much mail|(?:mailbox|account|inbox) (?:is |has )?(?:over|"
        r"exceed\w*) (?:its |the )?(?:size|storage|limit)",
        r"postfach.{0,60}(?:\bvoll\b|\büber(?:füllt|laufen|schritten|schreitet|quota|last\w*)|"
        r"\büber (?:(?:dem|der|das|die|sein\w{0,2}|ihr\w{0,2}) )?(?:\w{0,12}limit|quota|kontingent|"
        r"\w{0,12}grenze)|\bquota|kapazität|\bspeicher(?:platz|grenze|limit|kapazität))|(?:speicher\w*|quota|kontingent|"
        r"mailbox).{0,40}(?:überschritten|erschöpft|ausgeschöpft|voll\b)|überfüllt",
        r"bo[iî]te .{0,50}(?:pleine|satur|plein)|quota .{0,20}dépass|espace .{0,40}(?:insuffisant|"
        r"épuis)",
        r"(?:buz[oó]n|casilla|cuenta|casella|mailbox|caixa).{0,60}(?:lleno|llena|excedid|piena|"
        r"cheia|superad)|cuota excedida|quota .{0,20}superat",
        r"переполнен|превышен\w* (?:квот|лимит)|ящик .{0,30}полон",
        r"容量.{0,12}(?:超|オーバー|一杯|いっぱい)|満杯|メールボックス.{0,12}(?:一杯|いっぱい|超)|"
        r"邮箱.{0,8}(?:满|超)|空间不足",
        r"(?:postvak|postbus|mailbox|inbox)\b.{0,40}\b(?:is )?vol\b|"
        r"skrzynk\w{1,20}.{0,30}(?:pełna|przepełnion|pełne)|over disk usage|(?:postkass\w*|"
        r"postboks\w*|indbakke\w*|innboks\w*|brevlåd\w*|inkorg\w*)\b.{0,40}\b(?:fuld|full|fylt)|"
        r"postilaatikko.{0,30}täynnä|schránk\w{1,20}.{0,30}(?:pln[áé]|přeplněn)|"
        r"postafiók.{0,30}(?:megtelt|tele)|(?:cutia|căsuța)\b.{0,30}(?:plină|depășit)|"
        r"(?:posta )?kutusu.{0,30}(?:dolu|dolmuş)|kota\w* (?:aşıldı|aşılmış|doldu|terlampaui)|"
        r"скринька.{0,30}(?:переповнен|заповнен)|γραμματοκιβώτιο.{0,30}(?:γεμάτο|πλήρες)|"
        r"信箱.{0,8}[满滿]|容量(?:已)?[满滿]|超出.{0,8}(?:容量|配额)|(?:사서함|편지함|메일함|"
        r"메일박스).{0,14}(?:가득|초과|부족)|용량.{0,6}초과|cuota .{0,30}(?:super|sobrepas|exced)|"
        r"espacio .{0,30}(?:agotad|insuficiente)|(?:caixa|quota|cota)\b.{0,40}(?:cheia|excedid|"
        r"ultrapassad|esgotad)|casella piena|не хватает места|нет места|закончилось место|"
        r"mailbox unavailable or too large",
    ),
)
# A quota alone is the mailbox's, unless a status says that it is about what we may.
QUOTA = Phrases(
    Kind.NAMES_NOBODY,
    About.RECIPIENT,
    FailureReason.MAILBOX_FULL,
    (
        r"(?:over|exceed\w*|beyond|out of|reached)\b.{0,30}\bquota|quota (?:is )?(?:exceeded|"
        r"exceed|violation|full|limit)|overquota|over-quota|quotaexceeded",
    ),
)
MESSAGE_TOO_BIG = Phrases(
    Kind.NAMES_THE_MESSAGE,
    About.MESSAGE,
    FailureReason.MESSAGE_TOO_BIG,
    (
        r"(?:message|mail|body|e-?mail|attachments?|data|content)\b.{0,40}\b(?:too (?:big|large)|"
        r"larger than|size (?:limit|restriction)|is (?:over|above) .{0,20}size)|(?:message|"
        r"mail) (?:is )?too long|too (?:big|large) (?:message|for this recipient|for)|(?:size|"
        r"length) (?:is )?too (?:big|large)",
        r"(?:message|mail|e-?mail|envelope|data|content|session|header)('s)?( file)? (?:size|"
        r"length)\b.{0,40}\b(?:exceed\w*|limit|too|larger|over|above|greater)|size limit exceeded|"
        r"exceed\w{0,20}.{0,60}\b(?:maximum|max|fixed|allowed|inbound|message|databytes|size|"
        r"server|administrative)\b.{0,25}\b(?:message )?(?:size|limit)",
        r"exceed(?:s|ed|ing)? .{0,30}(?:size limit|databytes|size restriction|size maximum)|"
        r"sizelimit|message length exceeds|maximum (?:allowed )?(?:message )?size|"
        r"(?<!mailbox )size exceed\w*|(?<!mailbox )size limit|max(?:imum)? message size|"
        r"ex[ce]{1,2}e?ded the maximum size|bigger than|message would exceed .{0,30}size",
        r"(?:nachricht|mail|e-mail).{0,40}zu groß|größe.{0,40}überschr|"
        r"message (?:est )?trop (?:gros|volumineux)|taille .{0,40}dépass|demasiado grande|"
        r"troppo grande|слишком (?:большо|велик)|サイズ.{0,20}(?:超|オーバー)|大きすぎ",
        r"nachricht ist größer als|größer als die (?:aktuelle|zulässige|maximale)|(?:размер|"
        r"объ[её]м)\w{0,20} .{0,40}(?:превыша|превыси|больше допустим)|(?:tamanho|tamaño|"
        r"dimensione|dimensioni)\b.{0,50}(?:exced|super|ultrapass|m[áa]xim)|muito grande|te groot|"
        r"\b(?:er|var|är|alt|alltför) f[oö]r stor[eta]?\b|(?:besked|melding|meddeland|mail|mejl|"
        r"e-post|fil|vedlegg|bilag|bilaga)(?:en|er|et)? f[oö]r stort?\b|"
        r"liian suuri|za du(?:ży|ża)|rozmiar.{0,40}przekracza|"
        r"příliš velk|túl nagy|prea mare|çok büyük|(?:boyut|büyüklü)\w{0,20}.{0,30}aş|(?:大小|"
        r"尺寸)超|[邮郵]件(?:太|过|過)大|크기.{0,10}초과|너무 [커큽]",
    ),
)
# Less sure of it: what exceeds a limit may be anything.
OVER_A_LIMIT = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.MAILBOX_FULL,
    (
        r"(?:mail ?box|account|user|recipient|message store)\b.{0,60}\b(?:exceed\w*|over|"
        r"reached)\b.{0,40}\b(?:storage|size|space|limit|allocation)|mailbox size limit|"
        r"mailbox (?:size )?exceed",
    ),
)
HOST_UNKNOWN = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.HOST_UNKNOWN,
    (
        r"no mail servers|no route found to|invalid dns|destination computer was not found|"
        r"(?<!not )\bno mx record found|"
        r"(?:unknown|unrouteable|unroutable|invalid|nonexistent|non-existent|illegal|"
        r"bad) (?:mail |destination )?(?:host|domain|system)|no such (?:host|domain)|"
        r"bad destination (?:host|system)",
        rf"{_DOMAIN}(?:(?: name)?(?: \S{{1,100}})?(?: is| was)? (?:unknown|not found|invalid|"
        rf"nonexistent|non-existent)\b|{_OF_IT}{{0,60}}?\b(?:(?:does not|doesn['’]?t|did not|"
        r"do not|must|may not) exist|(?:does not|doesn['’]t) accept (?:any )?(?:e-?)?mail|"
        r"not (?:appear to be )?registered|not delegated))|"
        r"domain name not found|domain (?:is|was) not reachable|domain mentioned in email address "
        r"is unknown|domain couldn['’]?t be found|domain could not be (?:found|resolved)",
        r"host or domain name not found|name or service not known|nxdomain|nonexistentdomain|"
        r"domainnonexistent|name ?server.{0,40}(?:host not found|no data|non-existent)|"
        r"no data known|couldn['’]?t find any host|could not find any host",
        r"(?:all|no) (?:host address lookups failed permanently|relevant mx records)|"
        r"no (?:valid )?(?:mx|mail exchanger|dns records?)\b|(?:mx|dns) records?\b.{0,60}\b(?:not|"
        r"could)\b|no mx found|null mx|nullmx|couldn['’]?t find a mail exchanger|"
        r"mx records? point to|unrouteable (?:address|mail domain)|had no relevant answers|"
        r"no address associated|unable to resolve route|indicated no smtp service|"
        r"dns hard error|malformed or unexpected name server reply|records for the destination "
        r"computer could not be found|remote domain does ?n.?t exist",
        rf"{_DOMAIN_ABROAD}{_OF_IT}{{0,50}}?\b(?:nicht (?:mehr )?(?:gefunden|bekannt|existier\w*|"
        r"vorhanden|registriert)|existiert nicht|gibt es nicht|unbekannt|gelöscht|inconnue?|"
        r"n['’]existe|introuvable|no existe|desconocid[oa]|ine[sx]istente|sconosciut[oa]|"
        r"non esiste|n[aã]o existe|desconhecid[oa]|bestaat niet|onbekend|nie istnieje|nieznan\w|"
        r"okänd|finns inte|neexistuje|mevcut değil|bulunamadı|yok)\b|домен .{0,30}не|"
        r"ドメイン.{0,16}(?:存在|見つか)",
    ),
)
# That nobody answered for a domain, which is gone only where no second try may find it
UNRESOLVED = Phrases(
    Kind.NAMES_NOBODY,
    About.RECIPIENT,
    FailureReason.HOST_UNKNOWN,
    (
        r"dns error|dns (?:lookup|server) (?:failure|failed)|domain lookup failed|"
        r"unable to look ?up",
    ),
)
LOCKED_FOR_NOW = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.OTHER,
    (
        rf"(?:{BOX}|users?|recipient|address|benutzer|empfänger|utilisateur|destinat\w+|usuario|"
        r"utente|gebruiker|hesap|posta kutusu|kullanıcı)\b[^.;!?]{0,50}?"
        rf"(?:{_FOR_NOW} (?:\w+ )?(?:{CUT_OFF}|nicht erreichbar)|{CUT_OFF} {_FOR_NOW})",
    ),
)
UNKNOWN_USER = Phrases(
    Kind.NAMES_THE_RECIPIENT,
    About.RECIPIENT,
    FailureReason.UNKNOWN_USER,
    (
        rf"{_OWNER}(?:'s)?(?: e-?mail)?(?: name| address)?{_SAME_REPLY}{{0,70}}?\b(?:is |was |"
        rf"are |were |has been |have been |been |currently )?{_GONE}\b",
        r"\b(?:unknown|invalid|no such|nonexistent|non-existent|non existent|illegal|bad|"
        r"undeliverable|incorrect|unrecogni[sz]ed|wrong|inactive|disabled|deactivated|ambiguous|"
        r"unrouteable) (?:or (?:\w+ )?)?(?:local |destination |final delivery )?(?:e-?mail |mail |"
        r"virtual |destination |local )?(?:users?(?! agents?\b)|recipients?|rcpt|address(?:es)?|"
        r"mail ?box(?:es)?|account|person|local ?-?part|userid|alias|name|subscriber|addressee)\b",
        r"user ?unknown|recip(?:ient)? ?not ?found|\bu\.?nknown user(?! agents?\b)|"
        r"unknown ?e?-?mail ?address|"
        r"\bno (?:mail ?box|account|user|such|one|recipients?|"
        r"valid recipients?)\b.{0,60}\b(?:here|by that name|at this|exists?|found|available|"
        r"directory|user|users|recipient|address|mailbox|person|alias)|there is no (?:one|user|"
        r"such|mailbox|account)|no valid recipients?|mailbox not found|rcp-p1|int-p[134]|"
        r"(?:nobody|no ?one) (?:here|by that name)|nosuchuser|no local mailbox|"
        r"\bno (?:such )?(?:mail ?box|user|account)\b|\b55[013][ -]unknown\b(?! \w)",
        r"(?:^|[>@\w]) (?:does not|doesn['’]t) exist\W*$|spectator does not exist|"
        r"couldn['’]?t be found|could not be found|wasn['’]t found (?:at|in)|not found in|"
        r"name is not recognized|not (?:listed|found) in (?:public|domino|our|the|name)|"
        r"does(?:n['’]t| not) have an? .{0,60}account|not an? (?:known|valid|active|registered|"
        r"local) (?:user|mailbox|address|recipient|account)|not e-?mail addresses|"
        r"not our customer|in name directory|not in (?:the|our) (?:recipient|user|"
        r"address) (?:list|table|directory)|validrcptto|badr(?:cpt|ecipient)|chkusr|"
        r"not found by smtp address lookup",
        r"(?:account|mailbox|user)(?: has| is| was)? expired|(?:is|"
        r"are) (?:currently )?(?:suspended|deactivated)|temporary locked|suspend the service|"
        r"due to inactivity|temporarily limited|administrative?le?y disabled|"
        r"(?:user|recipient) (?:has )?moved|(?:has|have) moved (?:to|away)|no longer (?:with|"
        r"employed|works?)|has left|not collected mail|not local; please try|hasn['’]t (?:logged|"
        r"been used)|destination mailbox address|name was not found|\b(?:user|recipient|"
        r"addressee)\b.{0,20}\bnot known",
        r"\bkeine?n? solche[nrs]? (?:\w+-)?(?:empfänger|benutzer|nutzer|adresse|mailbox|"
        r"postfach|konto)|"
        r"(?:empfänger\w*|benutzer\w*|nutzer|adresse|adressat|mailbox|postfach|konto|account|"
        r"teilnehmer)\b.{0,60}(?:unbekannt|nicht (?:mehr )?(?:bekannt|gefunden|existier|"
        r"vorhanden|gültig|erreichbar|aktiv|vergeben)|existiert nicht|ungültig|gesperrt|"
        r"deaktiviert|gibt es (?:hier |bei uns )?nicht|gelöscht|aufgelöst|geschlossen|"
        r"gekündigt|stillgelegt)|(?:unbekannte[rs]?|"
        r"ungültige[rs]?) (?:empfänger|benutzer|adresse|adressat|teilnehmer)",
        r"(?:utilisateur|destinataire|adresse|boîte|boite|compte)\b.{0,60}(?:inconnu|introuvable|"
        r"invalide|n'existe|inexistant|désactiv|archiv|pas été trouvé)",
        r"(?:usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n|persona)\b.{0,60}(?:desconocid|"
        r"no (?:existe|encontrad|v[áa]lid|se encontró)|inexistente|inv[aá]lid|desactivad)|"
        r"no existe (?:dicha|ese|el|la)|no se (?:ha )?(?:encontr|pudo encontrar)",
        r"(?:utente|destinatario|indirizzo|casella|account)\b.{0,60}(?:sconosciut|inesistente|"
        r"non (?:esiste|trovat|valid|attiv)|disabilitat)|nessun utente|(?:utilizador|usu[aá]rio|"
        r"destinat[aá]rio|endere[cç]o)\b.{0,60}(?:desconhecid|n[aã]o (?:existe|encontrad)|"
        r"inv[aá]lid)",
        r"onbekende (?:gebruiker|ontvanger)|(?:gebruiker|ontvanger|adres)\b.{0,50}(?:onbekend|"
        r"bestaat niet|niet gevonden)|(?:użytkownik|odbiorc\w*|adres)\b.{0,50}(?:nie istnieje|"
        r"nieznany)|(?:användare|mottagare)\w{0,20}.{0,40}(?:okänd|finns inte)",
        r"(?:пользовател|получател)\w{0,20}.{0,40}(?:не (?:найден|существует|"
        r"зарегистрирован)|неизвест)|"
        r"адрес\w{0,20}.{0,30}не (?:найден|существует)|нет такого|ящик\w{0,20}.{0,40}(?:не "
        r"существует|заблокирован|отключен)",
        r"(?:宛先|ユーザ|アドレス|受信者|メールアドレス).{0,30}(?:存在し|見つか|不明|ありません|"
        r"無効|間違)|見つかりません|リストにありません|[用戶]户.{0,8}不存在|(?:收件人|帐号|帳號|"
        r"账号|地址|使用者).{0,40}(?:不存在|错误|錯誤|无效|無效|找不到)|(?:无此|查无此|沒有這個|"
        r"查無此)|받는사람.{0,12}없|수신자.{0,20}(?:없|확인)|(?:존재하지|등록되지) 않는|(?:사용자|"
        r"계정|메일 ?주소).{0,20}(?:없|존재하지)|(?:usu[áa]rio|utilizador|destinat[áa]rio|"
        r"endere[çc]o|conta|caixa(?: postal)?)\b.{0,60}(?:inexistente|desconhecid|"
        r"n[ãa]o (?:foi )?(?:existe|encontrad|localizad)|desativad)|böyle bir (?:kullanıcı|adres|"
        r"alıcı).{0,30}(?:yok|bulunamadı|bulunmuyor|mevcut)|(?:kullanıcı|alıcı|adres|"
        r"posta kutusu)\b.{0,40}(?:bulunamadı|bilinmiyor|mevcut değil|geçersiz|yok)|(?:modtager|"
        r"mottaker|bruker|bruger|adress?e)\w{0,20}\b.{0,40}(?:ukendt|ukjent|findes ikke|"
        r"finnes ikke|eksisterer ikke|ugyldig)|(?:mottagare|användare|"
        r"adress)\w{0,20}.{0,40}(?:okänd|finns inte|existerar inte|ogiltig)|(?:vastaanottaja|"
        r"käyttäjä|osoite)\w{0,20}.{0,40}(?:tuntematon|ei ole|ei löy)|(?:uživatel|příjemce|adresa|"
        r"adresát|schránka)\w{0,20}.{0,40}(?:neexistuje|neznám|nenalezen)|(?:neznámý|"
        r"neexistující) (?:uživatel|příjemce|adresát)|(?:címzett|felhasználó|postafiók|"
        r"cím)\w{0,20}.{0,40}(?:ismeretlen|nem (?:létezik|található))|(?:utilizator|destinatar|"
        r"adres)\w{0,20}.{0,40}(?:necunoscut|nu exist|inexistent)|(?:odbiorc|użytkownik|adres|"
        r"konto|skrzynk)\w{0,20}.{0,50}(?:nie istnieje|nieznan|nieprawidłow)|(?:ukendt|ukjent|"
        r"okänd) (?:modtager|mottaker|mottagare|bruker|bruger)|(?:tuntematon) (?:vastaanottaja|"
        r"käyttäjä)|nieznany (?:odbiorca|użytkownik|adresat)|"
        r"nie ma (?:takiego|tego|takiej) (?:użytkownik|"
        r"odbiorc|adres|kont|skrzynk)\w*|(?:одержувач|користувач|"
        r"адрес)\w{0,20}.{0,40}(?:не (?:існує|знайден)|невідом)|(?:παραλήπτη|χρήστη|"
        r"διεύθυνση)\w{0,20}.{0,40}(?:δεν (?:υπάρχει|βρέθηκε)|άγνωστ)|άγνωστος",
    ),
)
# The text of RFC 5321 for any 550: it says that much of a mailbox, if nothing else.
UNAVAILABLE = Phrases(
    Kind.NAMES_NOBODY,
    About.RECIPIENT,
    FailureReason.UNKNOWN_USER,
    (
        r"(?<!temporarily )(?<!currently )(?:mail ?box|recipient|user|account|address)(?: is|"
        r" was)? (?:unavail?able|not available)(?! or (?:access|not local|too large))|"
        r"unavailable (?:mail ?box|user)|can.t accept user|"
        r"(?:bad|invalid) destination mailbox",
    ),
)
