"""How servers put why they refused, by reason: data for `diagnosis`.

Patterns are matched without regard to case against text whose white space is collapsed. Gaps are
bounded, so that a search stays linear. Within a reason the order does not matter; the reasons are
tried from the most telling to the least.
"""

from contracts.events import FailureReason

PHRASES: tuple[tuple[FailureReason, tuple[str, ...]], ...] = (
    (  # What sounds like the recipient's fault and is the sender's.
        FailureReason.POLICY,
        (
            r"sender('s)? (e-?mail )?(address|domain)\b.{0,60}(not (exist|resolve|found|valid)|"
            r"rejected|unknown|invalid)|sender (is |was |has been )?(rejected|unknown|denied|"
            r"not (found|allowed|authori[sz]ed))|sender verif\w+ fail|(mail from|from:?) domain|"
            r"[ée]metteur (invalide|inconnu)|"
            r"absender\w{0,20}.{0,30}(abgelehnt|unbekannt|ungültig|nicht)",
            r"isn.t in my list of allowed rcpthosts|not subscribed to|relay(ing)? (access )?denied|"
            r"banned:|banned (contents?|names?|files?|attachments?|extension)",
        ),
    ),
    (
        FailureReason.MAILBOX_FULL,
        (
            r"quota usage exceeded|mailbox quota|mailbox size limit|mail ?file size exceeds|"
            r"mailbox (size )?exceed",
            r"(mail ?box|mail ?folder|mail ?dir|inbox|account|user|recipient|mail file|storage|"
            r"mail)('s)?\b.{0,60}\b(is|was|are|over|has|exceed\w*|"
            r"reached)?\b.{0,25}\b(over ?quota|quota (exceeded|violation)|(its|his|her|their|"
            r"the|disk|disc|mail) quota|almost full|\bfull\b)",
            r"(over|exceed\w*|beyond|out of|reached)\b.{0,30}\bquota|quota (is )?(exceeded|"
            r"exceed|violation|full|limit)|disk quota|over the (allowed |maximum )?quota|"
            r"overquota|over-quota",
            r"(mail ?box|mailbox|inbox)[- ]{0,2}(is )?full|full mailbox|mailbox ?full",
            r"(mail ?box|account|user|recipient|message store)\b.{0,60}\b(exceed\w*|over|"
            r"reached)\b.{0,40}\b(storage|size|space|limit|allocation)",
            r"exceed\w*( the)? (storage|mailbox|local|maximum storage) (allocation|limit|size)",
            r"(not|in) ?(sufficient|enough) (disk |storage |free )?(space|storage)|"
            r"insufficient (disk |system )?(storage|space)|does not have enough space|"
            r"no (disk )?space left|mailbox has no space",
            r"too many messages (on the server|in)|"
            r"number of messages in recipient's mailbox exceeded|space has been used up|"
            r"too much mail data|receiv\w+ limits?",
            r"postfach.{0,60}(voll|über|quota|kapazität|speicher)|(speicher\w*|quota|kontingent|"
            r"mailbox).{0,40}(überschritten|erschöpft|ausgeschöpft|voll\b)|überfüllt",
            r"bo[iî]te .{0,50}(pleine|satur|plein)|quota .{0,20}dépass|"
            r"espace .{0,40}(insuffisant|épuis)",
            r"(buz[oó]n|casilla|cuenta|casella|mailbox|caixa).{0,60}(lleno|llena|excedid|piena|"
            r"cheia|superad)|cuota excedida|quota .{0,20}superat",
            r"переполнен|превышен\w* (квот|лимит)|ящик .{0,30}полон",
            r"容量.{0,12}(超|オーバー|一杯|いっぱい)|満杯|メールボックス.{0,12}(一杯|いっぱい|超)|邮箱.{0,8}(满|超)|空间不足",
            r"(postvak|postbus|mailbox|inbox)\b.{0,40}\b(is )?vol\b|"
            r"skrzynk\w{1,20}.{0,30}(pełna|przepełnion|pełne)|over disk usage|"
            r"(postkass\w*|postboks\w*|indbakke\w*|innboks\w*|brevlåd\w*|inkorg\w*)\b.{0,40}"
            r"\b(fuld|full|fylt)|postilaatikko.{0,30}täynnä|"
            r"schránk\w{1,20}.{0,30}(pln[áé]|přeplněn)|postafiók.{0,30}(megtelt|tele)|"
            r"(cutia|căsuța)\b.{0,30}(plină|depășit)|(posta )?kutusu.{0,30}(dolu|dolmuş)|"
            r"kota\w* (aşıldı|aşılmış|doldu|terlampaui)|скринька.{0,30}(переповнен|заповнен)|"
            r"γραμματοκιβώτιο.{0,30}(γεμάτο|πλήρες)|信箱.{0,8}[满滿]|容量(已)?[满滿]|超出.{0,8}(容量|配额)|"
            r"(사서함|편지함|메일함|메일박스).{0,14}(가득|초과|부족)|용량.{0,6}초과|"
            r"cuota .{0,30}(super|sobrepas|exced)|espacio .{0,30}(agotad|insuficiente)|"
            r"(caixa|quota|cota)\b.{0,40}(cheia|excedid|ultrapassad|esgotad)|casella piena|"
            r"не хватает места|нет места|закончилось место|"
            r"mailbox unavailable or too large",
        ),
    ),
    (
        FailureReason.MESSAGE_TOO_BIG,
        (
            r"(message|mail|body|e-?mail|attachments?)\b.{0,40}\b(too (big|large)|larger than)|"
            r"too (big|large) (message|for this recipient)",
            r"(message|mail|e-?mail)('s)?( file)? size\b.{0,30}\b(exceed\w*|limit|too|larger)|"
            r"size limit exceeded|exceed\w{0,20}.{0,60}\b(maximum|max|fixed|allowed|inbound|"
            r"message|"
            r"databytes|size)\b.{0,25}\b(message )?(size|limit)",
            r"exceeds? .{0,30}(size limit|databytes|size restriction)|RecipSizeLimit|sizelimit|"
            r"message length exceeds|maximum (allowed )?(message )?size|"
            r"ex[ce]{1,2}e?ded the maximum size",
            r"(nachricht|mail|e-mail).{0,40}zu gro(ß|ss)|größe.{0,40}überschr|"
            r"message (est )?trop (gros|volumineux)|taille .{0,40}dépass|demasiado grande|"
            r"troppo grande|слишком (большо|велик)|サイズ.{0,20}(超|オーバー)|大きすぎ",
            r"nachricht ist größer als|größer als die (aktuelle|zulässige|maximale)|"
            r"(размер|объ[её]м)\w{0,20} .{0,40}(превыша|превыси|больше допустим)|"
            r"(tamanho|tamaño|dimensione|dimensioni)\b.{0,50}(exced|super|ultrapass|m[áa]xim)|"
            r"muito grande|te groot|for stor(e|t)?\b|för stor|liian suuri|za du(ży|ża)|"
            r"rozmiar.{0,40}przekracza|příliš velk|túl nagy|prea mare|çok büyük|"
            r"(boyut|büyüklü)\w{0,20}.{0,30}aş|(大小|尺寸)超|[邮郵]件(太|过|過)大|"
            r"크기.{0,10}초과|너무 [커큽]",
        ),
    ),
    (
        FailureReason.BLOCKED,
        (
            r"\bube\b|e-?mail reputation|reputation score|message content rejected|content filter",
            r"\b(dnsbl|rbl|spamhaus|spamcop|barracudacentral|sorbs|surbl|uribl|abuseat|"
            r"cloudmark|senderbase|senderscore|spamrats|backscatterer|proofpoint)\b|ironport|"
            r"zen\.|\bmaps\b",
            r"black ?-?list|block ?-?list|deny ?list|banned|blacklistée?|(ip|client|sender|host|"
            r"server|network|domain|address|mail)\b.{0,60}\b(is |been |was |are )(currently |"
            r"temporarily |temporary )?(blocked|blocklisted|denylisted|listed)|"
            r"(?<!not )listed (at|by|in|on)\b",
            r"\bspam\b|spammer|\bspammy|\buce\b|unsolicited|junk ?mail|\bbulk (e-?)?mail|"
            r"phishing|gtube|likely suspicious|virus|malware|infected",
            r"(poor|bad|low|ip|domain|sender|ip/domain) reputation|reputation (problems?|of)|"
            r"user complaints|complaints from",
            r"blocked (by|using|for|due|because|-)|has been blocked|(connection|message|mail|"
            r"e-?mail|content) (was |is )?blocked|blocked (message|content)",
            r"(reverse dns|ptr record|rdns|reverse lookup|reverse mapping|fcrdns|"
            r"cannot find your (reverse )?hostname|resolve your (address|hostname|ip))|"
            r"dynamic (ip|host|pool)|ip name lookup failed|client host rejected|"
            r"unresolvable relay host",
            r"access from ip address|no access from mail server|"
            r"not (currently )?accepting mail from your ip|go away|open (relay|proxy)|"
            r"we do not accept mail from|remotehost looks suspiciously|"
            r"is not allowed to send mail from|connection refused by policy|"
            r"mail server at .{0,60} is blocked",
            r"rate limit|too many (connections|messages|mails?|concurrent|recipients? from|"
            r"emails)|throttl|message rate|sending (rate|limit)|exceeded .{0,30}rate|"
            r"unusual rate",
            r"als (spam|unerwünscht)|werbung|sperrliste|pourriel|indésirable|courrier rejet|"
            r"mail rejet|no deseado|спам|スパム|迷惑メール|[垃拉]圾[邮郵]件|"
            r"频率(过|太)高|スパムと判定|스팸|"
            r"(dynamic|residential)( or residential)? ip|does not accept e-?mail transactions|"
            r"istenmeyen|lista negra|lista nera|liste noire|zwarte lijst|czarn\w+ li[sś]|"
            r"ч[её]рн\w+ спис|黑名单|黑名單",
        ),
    ),
    (
        FailureReason.HOST_UNKNOWN,
        (
            r"no mail servers|\bhost (name )?(\S{1,100} )?(was )?not found\b|"
            r"destination computer was not found|"
            r"(?<!not )\bno mx record found|"
            r"(unknown|unrouteable|unroutable|invalid|nonexistent|non-existent|illegal|"
            r"bad) (mail )?(host|domain)|(host|domain)( name)?( is| was)? (unknown|not found|"
            r"invalid|nonexistent)|no such (host|domain)",
            r"(host|domain)\b.{0,60}\b(does not|doesn'?t|did not|do not|must|may not) exist|"
            r"domain name not found|domain (is|was) not reachable|"
            r"domain mentioned in email address is unknown",
            r"host or domain name not found|name or service not known|nxdomain|"
            r"nonexistentdomain|name ?server.{0,40}(host not found|no data|non-existent)|"
            r"no data known|couldn'?t find any host|could not find any host",
            r"(all|no) (host address lookups failed permanently|relevant mx records)|"
            r"no (valid )?(mx|mail exchanger|dns records?)\b|(mx|dns) records?\b.{0,60}\b(not|"
            r"could)\b|no mx found|null mx|nullmx|couldn'?t find a mail exchanger|"
            r"unrouteable (address|mail domain)|had no relevant answers|no address associated|"
            r"unable to resolve route|indicated no smtp service|dns (hard )?error|dns (lookup|"
            r"server) (failure|failed)|domain lookup failed|"
            r"malformed or unexpected name server reply|"
            r"records for the destination computer could not be found|"
            r"remote domain does ?n.?t exist|host unreachable|host is unreachable|"
            r"unable to look ?up",
            r"\b(domain|domäne|rechner|host|server)\w{0,20}.{0,50}(nicht (gefunden|bekannt|"
            r"existier)|"
            r"existiert nicht|unbekannt)|domaine .{0,40}(inconnu|existe)|"
            r"dominio .{0,40}(no existe|sconosciuto|inesistente)|домен .{0,30}не|"
            r"ドメイン.{0,16}(存在|"
            r"見つか)",
        ),
    ),
    (
        FailureReason.UNKNOWN_USER,
        (
            r"does not like recipient|(account|mailbox|user)( has| is| was)? expired|"
            r"can.t accept user|"
            r"(rejected|denied) recipients?|recipients? "
            r"(has been )?(rejected|denied)|not an? (active|valid) (address|mailbox)|"
            r"mailbox unavaiable|not e-?mail addresses|"
            r"recipient refuses|(is|are) (currently )?(suspended|deactivated)|temporary locked|"
            r"deactivated (mailbox|account)|suspend the service|in name directory|"
            r"due to inactivity",
            r"(^|[>@\w]) (does not|doesn.t) exist\W*$|spectator does not exist",
            r"(unknown|invalid|no such|nonexistent|non-existent|non existent|illegal|bad|"
            r"undeliverable|incorrect|unrecognized|wrong|inactive|disabled|unavailable|"
            r"ambiguous) (local )?(final delivery )?(e-?mail |mail |virtual |"
            r"destination )?(user|users|recipient|recipients|rcpt|address|mail ?box|account|"
            r"person|local ?-?part|userid|alias|name|subscriber|addressee)\b",
            r"\b(user|users|recipient|recipients|rcpt|address|addressee|mail ?box|mail ?user|"
            r"account|mailaddress|subscriber|person|userid|alias)\b('s)?( name| email name|"
            r" address)?.{0,70}?\b(is |was |are |were |has been |been |currently )?(unknown|"
            r"not (be )?(found|known|exist|recognized|recognised|valid|listed|active|local|"
            r"present|ok|available|accepted|a (known|valid))|does ?n[o']t exist|doesn.t exist|"
            r"did not exist|non-?existent|no longer (valid|active|in use|available|exists?|"
            r"accepts?|on server)|disabled|inactive|deactivated|suspended|discontinued|"
            r"closed|terminated|deleted|locked|frozen|invalid|unavailable|undeliverable|"
            r"missing)",
            r"user unknown|userunknown|recipnotfound|recipientnotfound|recipient ?notfound|"
            r"\bu\.?nknown user|unknown ?e?-?mail ?address|\bno (mail ?box|account|user|such|"
            r"one|mail box|recipient|valid recipients)\b.{0,60}\b(here|by that name|at this|"
            r"exists?|found|available|directory|user|recipient)|there is no (one|user|such)|"
            r"no valid recipients|no such user|mailbox not found|rcp-p1|int-p[134]",
            r"address(es)? (were|was|is|are)? ?(not (found|exist|present)|"
            r"could ?n[o']t be found|unknown|wrong)|couldn'?t be found|could not be found|"
            r"wasn.t found (at|in)|not found in|name is not recognized|not listed in|"
            r"does not have an? .{0,40}account|doesn.t have an? .{0,60}account|not a (known|"
            r"valid|registered|local) (user|mailbox|address|recipient|account)|not our customer|"
            r"not in my (list of allowed|validrcptto)|badr(cpt|ecipient)|chkusr|"
            r"verify.{0,10} recipient|callout verification",
            r"(account|mailbox|user|recipient|e-?mail) .{0,30}(has been |is |was )?(disabled|"
            r"suspended|inactive|deactivated|closed|discontinued|temporarily limited|"
            r"administrative?le?y disabled)|recipient (has )?moved|has moved to|no longer (with|"
            r"employed|works?)|recipient address rejected|address rejected|not collected mail|"
            r"destination mailbox address",
            r"(empfänger\w*|benutzer\w*|adresse|adressat|mailbox|postfach|konto|account|"
            r"teilnehmer)\b.{0,60}(unbekannt|nicht (bekannt|gefunden|existier|vorhanden|"
            r"verfügbar|gültig)|existiert nicht|ungültig|gesperrt|deaktiviert|gibt es nicht)|"
            r"(unbekannte[rs]?|ungültige[rs]?) (empfänger|benutzer|adresse|adressat|teilnehmer)",
            r"(utilisateur|destinataire|adresse|boîte|boite|compte)\b.{0,60}(inconnu|"
            r"introuvable|invalide|n'existe|inexistant|désactiv|archiv|pas été trouvé)",
            r"(usuario|destinatario|direcci[oó]n|cuenta|buz[oó]n|persona)\b.{0,60}(desconocid|"
            r"no (existe|encontrad|v[áa]lid|se encontró)|inexistente|inv[aá]lid|desactivad)|"
            r"no existe (dicha|ese|el|la)|no se (ha )?(encontr|pudo encontrar)",
            r"(utente|destinatario|indirizzo|casella|account)\b.{0,60}(sconosciut|inesistente|"
            r"non (esiste|trovat|valid|attiv)|disabilitat)|nessun utente|(utilizador|usu[aá]rio|"
            r"destinat[aá]rio|endere[cç]o)\b.{0,60}(desconhecid|n[aã]o (existe|encontrad)|"
            r"inv[aá]lid)",
            r"onbekende (gebruiker|ontvanger)|"
            r"(gebruiker|ontvanger|adres)\b.{0,50}(onbekend|bestaat niet|niet gevonden)|"
            r"(użytkownik|odbiorc\w*|adres)\b.{0,50}(nie istnieje|nieznany)|(användare|"
            r"mottagare)\w{0,20}.{0,40}(okänd|finns inte)",
            r"пользовател\w{0,20}.{0,40}(не (найден|существует|зарегистрирован)|неизвест)|"
            r"адрес\w{0,20}.{0,30}не (найден|существует)|нет такого|"
            r"ящик\w{0,20}.{0,40}(не существует|"
            r"заблокирован|отключен)",
            r"(宛先|ユーザ|アドレス|受信者|メールアドレス).{0,30}(存在し|見つか|不明|ありません|無効|間違)|見つかりません|リストにありません|"
            r"[用戶]户.{0,8}不存在|(收件人|帐号|帳號|账号|地址|使用者).{0,40}(不存在|错误|錯誤|无效|無效|找不到)|"
            r"(无此|查无此|沒有這個|查無此)|받는사람.{0,12}없|수신자.{0,20}(없|확인)|"
            r"(존재하지|등록되지) 않는|(사용자|계정|메일 ?주소).{0,20}(없|존재하지)|"
            r"(usu[áa]rio|utilizador|destinat[áa]rio|endere[çc]o|conta|caixa( postal)?)\b.{0,60}"
            r"(inexistente|desconhecid|n[ãa]o (foi )?(existe|encontrad|localizad)|desativad)|"
            r"böyle bir (kullanıcı|adres|alıcı).{0,30}(yok|bulunamadı|bulunmuyor|mevcut)|"
            r"(kullanıcı|alıcı|adres|posta kutusu)\b.{0,40}(bulunamadı|bilinmiyor|mevcut değil|"
            r"geçersiz|yok)|"
            r"(modtager|mottaker|bruker|bruger|adress?e)\w{0,20}\b.{0,40}(ukendt|ukjent|"
            r"findes ikke|"
            r"finnes ikke|eksisterer ikke|ugyldig)|"
            r"(mottagare|användare|adress)\w{0,20}.{0,40}(okänd|finns inte|existerar inte|ogiltig)|"
            r"(vastaanottaja|käyttäjä|osoite)\w{0,20}.{0,40}(tuntematon|ei ole|ei löy)|"
            r"(uživatel|příjemce|adresa|adresát|schránka)\w{0,20}.{0,40}(neexistuje|neznám|"
            r"nenalezen)|"
            r"(neznámý|neexistující) (uživatel|příjemce|adresát)|"
            r"(címzett|felhasználó|postafiók|cím)\w{0,20}.{0,40}(ismeretlen|nem (létezik|"
            r"található))|"
            r"(utilizator|destinatar|adres)\w{0,20}.{0,40}(necunoscut|nu exist|inexistent)|"
            r"(odbiorc|użytkownik|adres|konto|skrzynk)\w{0,20}.{0,50}(nie istnieje|nieznan|"
            r"nieprawidłow)|"
            r"(ukendt|ukjent|okänd) (modtager|mottaker|mottagare|bruker|bruger)|"
            r"(tuntematon) (vastaanottaja|käyttäjä)|nieznany (odbiorca|użytkownik|adresat)|"
            r"(одержувач|користувач|адрес)\w{0,20}.{0,40}(не (існує|знайден)|невідом)|"
            r"(παραλήπτη|χρήστη|διεύθυνση)\w{0,20}.{0,40}(δεν (υπάρχει|βρέθηκε)|άγνωστ)|άγνωστος|"
            r"(user|recipient|addressee)\b.{0,20}\bnot known|name was not found",
        ),
    ),
    (
        FailureReason.EXPIRED,
        (
            r"after (several|many|multiple|repeated|numerous) (attempts|tries)|"
            r"nach mehreren (versuchen|zustellversuchen)|"
            r"could not find a gateway|delivery temporarily suspended",
            r"(message|delivery|mail|e-?mail|it|envelope)\b.{0,50}\b(expired|too old|timed out|"
            r"time expired|time-?out)|queue ?\.?expired|expired in queue|"
            r"retry time ?out exceeded|retry timeout|retry time not reached",
            r"in the queue too long|could not be delivered for (too long|\d+)|"
            r"(has )?not been (delivered|collected) (after|within|for)|(not|"
            r"n't) (be )?deliver(ed|y)? within|undelivered for|for more than \d+ (days|hours)|"
            r"after \d+ (days|hours|attempts)|delivery failed \d+ attempts|(within|"
            r"exceeded) the (allowed|maximum) (queue|retry|time)|"
            r"unable to deliver .{0,20}for \d+ days|unsuccessfully tried|giving up|gave up|"
            r"allowed queue period|exceeded max(imum)? (time|retry|retries|number of)|"
            r"all hosts have been failing",
            r"(connection|connect|conversation|session|smtp|server|"
            r"host)\b.{0,40}\b(timed? ?-?out|timeout)|timeout (while|waiting|after)|"
            r"server did not respond|(host|server|mta|domain) .{0,30}(is )?(not|"
            r"isn.t) (responding|reachable)|remote host is not responding|"
            r"recipient server did not accept our requests|host not reachable|"
            r"connection dropped due to timeout|lost connection",
            r"connection (refused|reset|failed|dropped|closed)|no route to host|"
            r"network (is )?unreachable|network error on destination|could not connect|"
            r"unable to connect|couldn.t connect|wasn.t able to (establish|connect)|deferred|"
            r"destination seem to reject",
            r"zustellversuche|frist.{0,30}abgelaufen|zeitüberschreitung|zeitlimit|"
            r"délai .{0,40}(dépass|expir)|tiempo .{0,40}(agotad|expir)|タイムアウト|期限",
        ),
    ),
    (
        FailureReason.POLICY,
        (
            r"authentication (failure|error)|header error|(an|the) illegal attachment",
            r"relay(ing)?\b.{0,60}\b(denied|not (allowed|permitted)|prohibited|rejected|access|"
            r"refused|disabled|error)|(unable|not allowed|not permitted|cannot|"
            r"refus\w+) to relay|we do not relay|not permitted to relay|no relay|"
            r"isn.t in my list of allowed rcpthosts|relaydenied|open relay",
            r"(access|permission|authori[sz]ation|auth\w*|delivery|message|sender|mail from|"
            r"user|address)\b.{0,40}\b(denied|not (authori[sz]ed|permitted|allowed|accepted|"
            r"verified)|refused|prohibited|rejected|required|declined)",
            r"authentication (required|failed|is required|needed)|not authori[sz]ed|"
            r"notauthorized|authrequired|smtp auth|must issue a starttls|starttls|"
            r"tls (is )?required|does not support tls|requires? (tls|encryption|authentication)",
            r"(spf|dkim|dmarc|batv|sender ?id|arc)\b|sender verif|third-party dsns|null sender|"
            r"(empty|invalid) (envelope )?sender|bogus mail from|sender (address|email|"
            r"domain)?.{0,20}(reject|not|invalid|denied|must)|domain of sender|from address|"
            r"mail from .{0,40}(not|invalid)|unroutable sender",
            r"polic(y|ies)|security (polic|reason|alert)|violat\w+|prohibit\w*|administrative|"
            r"restricted|restriction|not (allowed|permitted)|forbidden|(content|attachment|"
            r"message|header|header fields?)\b.{0,40}\b(reject\w*|refus\w*|not accept\w*|"
            r"filter\w*|bann\w*|unacceptable|illegal|potential)|members?-only|not (a )?member|"
            r"not subscribed|closed mailing list|moderat|post messages to the group|only accept|"
            r"recipient preferences|privacy settings|refuse to receive|user reject|filtered|"
            r"bouncedeny|protected by|greylist|grey-list|graylist",
            r"nicht (erlaubt|gestattet|berechtigt|autorisiert|zulässig)|abgelehnt|abgewiesen|"
            r"zugriff verweigert|verweigert die annahme|refus[ée]|interdit|non autoris|rechazad|"
            r"no (est[áa] )?(permitid|autorizad)|rifiutat|non (autorizzat|consentit)|отклонен|"
            r"отказ|запрещ|拒否|拒绝|受信できません",
        ),
    ),
    (
        FailureReason.SYSTEM,
        (
            r"could not load|x-unix; *\d+|unknown error",
            r"(system|local|internal|server|configuration|mailer|i/o|database|ldap|software|"
            r"protocol|syntax|processing|network)\b.{0,30}\b(error|failure|problem|fault)|"
            r"unknown mailer error|service (currently |temporarily )?unavailable|"
            r"temporary (local |system |lookup |authentication )?(failure|problem|error)|"
            r"(temporarily|currently) (unavailable|not available|disabled)|try again|"
            r"resources? temporarily",
            r"loop(s|ing|ed)?\b|too many (hops|received)|hop count|routing loop|forwarding loop|"
            r"maximum hop|mail loop|mxloopback",
            r"(can.?t|cannot|could not|unable to) (create|open|write|execute|exec|pipe|contact|"
            r"read|process|accept|lock)|(delivery to (file|pipe) forbidden)|"
            r"local delivery failed|command (failed|died|time)|bad interpreter|child process|"
            r"permission denied|misconfigured|out of memory|"
            r"insufficient (system )?(resources|memory)|queue file write|disk (full|error)|"
            r"maildrop|procmail|vdeliver|exit(ed)? (status|code|with)|\bconfig\b|conversion|"
            r"not supported|interrupted system call",
            r"systemfehler|interner fehler|vorübergehend|erreur (système|interne)|"
            r"error (interno|del sistema)|errore (interno|di sistema)|временн\w+ (ошибк|"
            r"недоступ)|システムエラー|一時的",
        ),
    ),
    (  # The server says that it does not know.
        FailureReason.OTHER,
        (
            r"(undefined|unspecified) (error|failure|reason)|unknown (failure|reason)|"
            r"no (further )?(explanation|details|reason) (was |were )?(given|available|provided)|"
            r"gave no (explanation|reason)",
        ),
    ),
)

# Sentences that stand in every notice of a server and name no reason.
BOILERPLATE = (
    r"remote server returned an error|no virus (was )?found|interscan viruswall|"
    r"google tried to deliver your message, but it was rejected by the[^.]{0,80}\.|"
    r"the e-?mail system was unable to deliver the message, but did not report a "
    r"specific reason\.?|"
    r"contact your system administrator|returning message to sender|the mail system"
)
