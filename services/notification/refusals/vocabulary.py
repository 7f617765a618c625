"""What patterns about us are made of, in many languages: whose something is, and what befell it."""

# Before Ihr, su, suo and sua, which also mean his and hers, nobody else was spoken of.
_OF_NOBODY_ELSE = (
    r"(?:^|[.:;!?] |\d[ -])(?:(?!\b(?:e-?mail[- ])?(?:user|recipient|benutzer|nutzer|empf[aä]nger|"
    r"adressat|kund|inhaber|person|usuari|destinat|titular|client|persona|utente|utilizador|"
    r"contact))[^.:;!?]){0,60}?"
)
_YOUR = (
    r"(?:\b(?:your|dein\w{0,2}|votre|vos|tu|vuestr[oa]|tu[oa]|vostr[oa]|teu|tua|uw|jouw|je|"
    r"tw[oó]j\w{0,3}|państwa|pańsk\w{1,3}|ваш\w{0,3}|ditt|din|váš|vaše)|"
    rf"{_OF_NOBODY_ELSE}\b(?:ihr\w{{0,2}}|su|suo|sua|seu)) "
)
BOX = (
    r"accounts?|mail ?box|inbox|username|login|[\w-]{0,20}(?:konto|postfach|zugang|kennung)|"
    r"comptes?|bo[iî]te|cuenta|buz[oó]n|casella|utenza|conta|caixa|postvak|konta|skrzynk\w|"
    r"schránka|účet|аккаунт|уч[её]тная запись|ящик"
)
_ADDRESS = (
    r"(?:address|(?!ip-)[\w-]{0,20}adresse|direcci[oó]n|indirizzo|endere[cç]o|adres|adress|адрес)"
    r"(?! ?(?:books?|lists?|ip)\b)"
)
_ACCOUNT = rf"(?:{BOX}|{_ADDRESS})\b"
_YOUR_ACCOUNT_IN_ONE = (
    r"\b(?:hesabınız|posta kutunuz|adresiniz)\w{0,4}|(?:您的|你的|贵)(?:邮箱)?(?:帐户|账户|帐号|"
    r"账号|帳號|邮箱|信箱|地址)|お客様のアカウント"
)
# In an SMTP reply or a bounce it is the sender who is spoken to.
YOUR_ACCOUNT = (
    rf"(?:{_YOUR}(?:(?!recipient|message|contact|ip\b)[\w-]+ ){{0,2}}?{_ACCOUNT}|"
    rf"\bsmtp[- ](?:account|user|login|konto|zugang)\b|{_YOUR_ACCOUNT_IN_ONE})"
)
YOUR_DOMAIN = (
    rf"{_YOUR}(?:[\w-]+ ){{0,2}}?[\w-]{{0,20}}(?:domain|dom[aä]ne|domaine|dominio|domein|domena|"
    r"domän|домен|mail ?server|mail ?host|mta)\b|\balan adınız\b"
)
# A sentence goes on, and its subject is still the same.
SAME_SUBJECT = (
    r"(?:(?!rcpt|recipient|<<<|>>>|<-|->|\b250\b|[.;!?] |\buser\b|mailbox|empf[aä]nger|benutzer|"
    r"postfach|destinat|utilisateur|usuari|utente|buz[oó]n|casella|ontvanger|gebruiker|odbiorc|"
    r"użytkowni|alıcı|kullanıcı|mottag|modtag|получател|пользовател).)"
)
# What a provider does to an account that it doesn't let send.
CUT_OFF = (
    r"(?:\b(?:suspended|suspension|disabled|de-?activated|inactive|locked|frozen|blocked|banned|closed|"
    r"terminated|restricted|paused|on hold|compromised|hacked|not (?:been |yet )*activated|"
    r"gesperrt|deaktiviert|blockiert|stillgelegt|eingeschränkt|gekündigt|gelöscht|sperrung|"
    r"nicht (?:mehr )?(?:aktiv\w*|freigeschaltet|berechtigt)|désactivée?|suspendue?|bloquée?|"
    r"verrouillée?|fermée?|suspendid[oa]|desactivad[oa]|deshabilitad[oa]|inhabilitad[oa]|"
    r"bloquead[oa]|cerrad[oa]|sospes[oa]|disattivat[oa]|disabilitat[oa]|bloccat[oa]|chius[oa]|"
    r"suspens[oa]|desativad[oa]|encerrad[oa]|geblokkeerd|opgeschort|uitgeschakeld|"
    r"gedeactiveerd|vergrendeld|zablokowan\w|zawieszon\w|wyłączon\w|askıya alın\w+|kapatıl\w+|"
    r"devre dışı|engellen\w+|kilitlen\w+|заблокирован\w{0,2}|приостановлен\w{0,2}|"
    r"отключ[её]н\w{0,2}|spärrat|avstängt|spærret|sperret|zablokován\w?|felfüggeszt\w+)|"
    r"封禁|停用|禁用|冻结|凍結|暂停|停止)"
)
# And what for
_TO_SEND = (
    r"(?:(?:for|from|due to|because of|after|wegen|für|zum|vom|aufgrund|pour|para|por|per|"
    r"do|za|z powodu|voor|wegens|door|om|för|från|за|для|из-за|dall['’]) ?"
    r"(?:[\w'’-]+ ){0,3}?(?:[ldn]['’]|dall['’])?(?:sending(?! (?:host|server|ip|domain|mta|"
    r"system))|outgoing|outbound|submission|send|spamming|(?:spam|mail|massen|e-mail-)?versand\w{0,2}|"
    r"(?:ver)?senden|verschicken|ausgehend\w*|envois?|envoyer|sortants?|env[ií]os?|enviar|"
    r"salientes?|salida|invio|inviare|uscita|spedizione|saída|verzenden|versturen|uitgaande?|"
    r"wysył\w+|wychodząc\w+|skicka\w*|sende|рассылк\w+|отправк\w+)\b(?! (?:and|or|und|oder|et|ou|y|"
    r"e|o|i|en|of) (?:to )?(?:re[cç]|empf|odb|ontv))|\bgönder\w+ (?:nedeniyle|için|dolayı))"
)
_ANY_ACCOUNT = (
    r"(?:\busers?\b|\bbenutzer\b|\butilisateur|\busuario|\butente|\bhesa[bp]|"
    rf"\b{_ACCOUNT})"
)
CUT_OFF_FROM_SENDING = (
    rf"{_ANY_ACCOUNT}{SAME_SUBJECT}{{0,50}}?(?:{CUT_OFF}(?: [\w-]+){{0,2}} {_TO_SEND}|"
    rf"{_TO_SEND}(?: [\w-]+){{0,2}} {CUT_OFF})"
)
WE_CUT_YOU_OFF = (
    rf"{CUT_OFF} (?:of |de |von )?(?:\w+ )?{_YOUR}(?:[\w-]+ ){{0,2}}?(?:{BOX})\b|"
    rf"\b(?:hemos|abbiamo) (?:\w+ )?{CUT_OFF} (?:il |la )?su[oa]? (?:\w+ ){{0,2}}?(?:{BOX})\b"
)
# That something isn't there
MISSING = (
    r"\b(?:(?:has|with|have) (?:no|null)|without (?:an? )?(?:mx|dns)|no (?:valid )?(?:mx|dns|ptr)|"
    r"null[ -]?mx|(?:does|do|did) ?n[o'’]t (?:exist|resolve|have)|not (?:be )?(?:found|exist\w*|"
    r"known|resolv\w+|registered|valid)|unknown|invalid|non-?existent|unresolv\w+|expired|"
    r"existiert nicht|nicht (?:mehr )?(?:gefunden|bekannt|auflösbar|aufgelöst|registriert|"
    r"vorhanden|existier\w+)|gibt es nicht|unbekannt|ungültig|hat keine?n?|n['’]existe|inconnue?|"
    r"introuvable|n['’]a pas|invalide|no (?:existe|tiene|resuelve|v[aá]lid\w)|inexistente|"
    r"desconocid[oa]|inv[aá]lid[oa]|non (?:esiste|ha|risolve|trovat\w|valid\w)|sconosciut[oa]|"
    r"n[aã]o (?:existe|tem|resolve)|desconhecid[oa]|bestaat niet|onbekend\w?|ongeldig|heeft geen|"
    r"niet gevonden|nie (?:istnieje|ma|znaleziono)|nieznan\w|nieprawidłow\w|okänd|finns inte|"
    r"saknar|ukendt|ukjent|findes ikke|finnes ikke|ugyldig|ei ole|tuntematon|neexistuje|neznám\w|"
    r"nem létezik|ismeretlen|nu există|necunoscut|mevcut değil|bulunamadı|geçersiz|yok|bilinmi\w+|"
    r"не (?:существует|найден\w{0,2}|имеет)|неизвест\w+|не існує)\b"
)
SENDER_ABROAD = (
    r"(?<!an )(?<!an den )(?<!al )(?<!à l['’])(?<!aan )(?<!aan de )(?<!till )(?<!til )"
    r"\b(?:absender|[ée]metteur|exp[ée]diteur|remitente|mittente|remetente|afzender|"
    r"(?<!do )nadawc|avsändar|afsender|avsender|"
    r"lähettäj|gönderen|gönderici|odesílatel|feladó|expeditor|отправител|відправник)[\w-]{0,20}"
)
NO_SUCH_SENDER = (
    r"(?<!to )(?<!to the )\b(?:(?:sender|originator)(?:['’]?s)?|return[- ]path|reverse-path|"
    r"envelope[- ]from|mail from|from address)(?: a@b)?:? (?:e-?mail )?(?:mailbox|mail ?server|"
    rf"user|host|mx)\b{SAME_SUBJECT}{{0,40}}?{MISSING}|"
    rf"\b(?:return[- ]path|reverse-path|envelope[- ](?:from|sender))[: ]{{1,2}}(?:a@b )?{MISSING}|"
    # „no MX found for return path", „unknown host … in HELO"
    rf"(?:\bmx\b|\bdns\b|\brecords?\b|\blook-?ups?\b|\bresol\w+|{MISSING} (?:host|domain))"
    rf"{SAME_SUBJECT}{{0,60}}?\b(?:for|of|in|für|de|di|du|del|van|dla) "
    r"(?:the |your |our )?(?:sender|sending|envelope|return[- ]path|mail[- ]from|from address|"
    rf"originat\w+|helo|ehlo|client|connecting)\b"
)
_EXCEEDED = (
    r"(?:exceed\w*|over|reached|used up|exhausted|überschritten|erreicht|ausgeschöpft|erschöpft|"
    r"aufgebraucht|dépassée?|atteinte?|épuisée?|superad[oa]|excedid[oa]|alcanzad[oa]|agotad[oa]|"
    r"superat[oa]|raggiunt[oa]|esaurit[oa]|overschreden|bereikt|przekrocz\w+|aş\w{2,8}|doldu\w{0,6})"
)
_SHARE = (
    r"(?:quotas?|allowance|limits?|[\w-]{0,20}(?:kontingent|limit|grenze|quota)|limites?|cuota|"
    r"l[ií]mite|limiet|quotum|limitu?|kwot\w|kota\w{0,6})"
)
# How much we may send, and that we have sent it
SENT_TOO_MUCH = (
    r"(?<!to )(?<!to the )\b(?:sender|sending|sent|send|outgoing|outbound|submission|smtp|relay)"
    r"(?:['’]s)?(?: [\w-]+){0,2}? (?:quotas?|allowance)\b|"
    r"policy rejection\W{1,3}(?:\w+ ){0,3}quota|\b(?:quotas?|limits?) "
    r"(?:of|for|on) (?:[\w-]+ ){0,2}?(?:sent|outgoing|outbound|sending|submitted)\b|"
    r"number of (?:\w+ )?(?:messages|e-?mails) exceeds? (?:\w+ )?quota|"
    rf"{YOUR_ACCOUNT}{SAME_SUBJECT}{{0,40}}?\b(?:{_EXCEEDED}\b{SAME_SUBJECT}{{0,40}}?\b{_SHARE}|"
    rf"{_SHARE}\b{SAME_SUBJECT}{{0,40}}?\b{_EXCEEDED})\b|"
    rf"\byou(?:['’]ve|['’]re| have| are| had)?(?: [\w-]+){{0,2}}? {_EXCEEDED} "
    rf"{SAME_SUBJECT}{{0,30}}?\b{_SHARE}\b|"
    rf"\b(?:sie haben|vous avez|avete|hai|u (?:heeft|hebt)|przekrocz\w+) {SAME_SUBJECT}{{0,40}}?"
    rf"\b(?:{_SHARE} (?:\w+ ){{0,2}}?{_EXCEEDED}|{_EXCEEDED} {SAME_SUBJECT}{{0,20}}?\b{_SHARE})\b|"
    r"\b(?:(?:mail|e-mail-)?versand|sende|ausgangs|tages|stunden)(?:kontingent|limit|quota|quote|"
    r"grenze|volumen)\w{0,3}\b|\b(?:kontingent|limit|grenze)\w{0,3} (?:für|beim) (?:\w+ ){0,2}"
    r"(?:e-mail-|mail)?versand|"
    r"\b(?:quota|limite|plafond) (?:\w+ )?(?:d['’]|de (?:messages|courriels|mails) )(?:envoi|"
    r"exp[ée]dition|e-?mails sortants|sortant)|"
    r"\b(?:cuota|l[ií]mite|cota|quota) (?:[\w]+ )?(?:de|di|d['’]) ?(?:env[ií]os?|envio|invio|"
    r"spedizione|(?:correos?|mensajes?|mensagens|e-?mails?|messaggi)(?: \w+)? (?:salientes?|"
    r"enviad[oa]s?|inviati|in uscita))|"
    r"\bverzend(?:limiet|quotum|quota)|\b(?:limiet|quotum) voor (?:het )?(?:verzenden|uitgaande)|"
    r"\blimit\w{0,3} (?:\w+ )?(?:wysył\w+|wysłan\w+|wychodząc\w+)|"
    r"\bgönder(?:me|im)\w{0,3} (?:kota|limit|sınır)\w*|лимит\w{0,3} (?:на )?(?:отправ|исходящ)"
)
