"""How „not delivered", „delayed", „given up" and „delivered" are put, by language, as data.

What a shop or a parcel service writes, too, is not enough by itself: see `belief`.
"""

import re

from services.notification.refusals.spelling import also_plain

UNDELIVERED: dict[str, str] = {
    "da, no": r"(?:kunne|kan|ble|blev) ikke (?:blive |bli )?(?:levere[st]?|levert|sendes|sendt|"
    r"afleveres)|ikke leveret|kan ikke leveres|mislykket (?:levering|sending)|"
    r"leverings?fejl|leveringsfeil",
    "sv": r"kunde inte levereras|kan inte levereras|gick inte att leverera|ej levererat|"
    r"olevererbar|leveransfel|obeställbar",
    "fi": r"ei voitu toimittaa|toimitus epäonnistui|ei voida toimittaa|toimittamatta",
    "nl": r"niet (?:worden )?(?:bezorgd|afgeleverd|verzonden)|onbestelbaar|bezorging mislukt",
    "pt": r"n[ãa]o (?:foi |p[ôo]de ser |foi poss[íi]vel )(?:ser )?(?:entreg|envi)\w*|"
    r"n[ãa]o (?:entregue|entregável)|falha (?:na|de|no) (?:entrega|envio)|"
    r"mensagem (?:devolvida|rejeitada|retornada)|imposs[íi]vel entregar",
    "es": r"no (?:se )?(?:ha |han )?(?:podido |pudo |pudieron )(?:ser )?(?:entreg|envi)\w*|"
    r"mensaje (?:devuelto|rechazado)|correo devuelto|no entregado|imposible entregar|"
    r"error (?:de|en la) entrega",
    "ca": r"no s'ha pogut (?:lliurar|entregar)",
    "it": r"mancata consegna|non (?:è|e') stat[oa] (?:recapitat|consegnat|possibile "
    r"(?:recapitare|consegnare))|impossibile (?:recapitare|consegnare)|messaggio rifiutato",
    "fr": r"n'a pas (?:pu |été )(?:être )?(?:remis|délivré|distribué|livré|envoyé)|"
    r"échec de (?:la )?(?:remise|livraison|distribution)|non[- ](?:remis|distribué|délivré)",
    "pl": r"nie (?:została|mogła|można|udało się|może)\b.{0,30}(?:dostarcz|doręcz|wysł)\w*|"
    r"niedostarcz\w*|nie dostarczon\w*|zwrot (?:poczty|wiadomości)",
    "cs, sk": r"nedoručiteln\w*|nedoruč\w*|nelze doručit|nebyla doručena|nebyl doručen|"
    r"nepodařilo (?:se )?doručit|nebolo možné doručiť|nemohl[ao]? být doručen\w*",
    "hu": r"nem (?:volt |sikerült )?(?:kézbesíthető|kézbesíteni|továbbítható)|kézbesíthetetlen|"
    r"sikertelen kézbesítés|a kézbesítés sikertelen",
    "ro": r"nu a (?:putut fi|fost) (?:livrat|trimis)\w*|nelivrat|livrare eșuată|eroare de livrare",
    "tr": r"(?:teslim|iletil|gönderil|ulaştırıl)\w*? ?(?:edilemedi|edilemiyor|emedi|amadı)|"
    r"iletilemedi|teslim edilemeyen|gönderilemedi|teslim hatası",
    "ru": r"не (?:может быть |могло быть |было |была |удалось |удаётся |удается )?"
    r"(?:доставлен|доставить|отправлен|вручен)\w*|недоставлен\w*|невозможно доставить|"
    r"отказ в доставке|ошибка (?:при )?доставк\w*|возвращ[её]н\w* (?:письмо|сообщение|почта)|"
    r"(?:письмо|сообщение|почта) (?:не (?:было )?принято|возвращ\w+|отклонен\w+)",
    "uk": r"не (?:може бути |було |вдалося )?(?:доставлен|доставити)\w*|недоставлен\w*",
    "bg": r"не (?:може да бъде|беше|бе) доставен\w*|недоставен\w*",
    "el": r"δεν (?:ήταν δυνατή|μπόρεσε|παραδόθηκε|στάλθηκε|κατέστη).{0,40}|αποτυχία παράδοσης|"
    r"παράδοση απέτυχε|"
    r"μη παραδοτέο|αδυναμία παράδοσης",
    "he": r"לא (?:נמסר|ניתן למסור|היה ניתן למסור|הועבר)|כשל במסירה",
    "ar": r"تعذر (?:تسليم|توصيل|إرسال)|لم يتم (?:تسليم|توصيل)|فشل (?:تسليم|التسليم|إرسال)",
    "ja": r"(?:配信|配送|送信|配達|送達)(?:でき|され(?:な|ま|ず)|に失敗|不能|エラー)|"
    r"届け(?:られ|ることが)|届きません|受信拒否|返送され|配信不能",
    "zh": r"(?:无法|無法|未能|不能|没有)(?:被)?(?:投递|投遞|送达|送達|发送|傳送|传送|遞送|寄送)|"
    r"(?:投递|投遞|发送|传送|傳送|寄送)失[败敗]|退[信回]|被退|拒收|未送[达達]",
    "ko": r"(?:전송|전달|배달|발송|발신)\S{0,6} ?(?:실패|불가|못|않|수 없)|반송|"
    r"배달 ?되지|전달되지|보낼 수 없",
    "vi": r"không (?:thể|được) (?:gửi|chuyển|phát)",
    "th": r"ไม่สามารถ(?:ส่ง|นำส่ง)|ส่งไม่สำเร็จ",
    "id": r"tidak (?:dapat|bisa) (?:dikirim|terkirim|disampaikan)|"
    r"gagal (?:mengirim|terkirim|dikirim)",
}

DELAYED: dict[str, str] = {
    "de": r"verzögert|verzögerung|wird weiter versucht|weitere zustellversuche|"
    r"(?:noch|bisher|bislang) (?:noch |leider )?nicht (?:zugestellt|zustellbar|ausgeliefert)|"
    r"zustellung .{0,30}noch nicht möglich|wartet (?:noch )?auf (?:die )?zustellung|"
    r"(?:nur|lediglich) eine warnung|weiter(?:hin)? versucht, .{0,30}zuzustellen|"
    r"versuch\w* (?:wir )?(?:es|die zustellung) (?:weiter|noch weiter|bis|erneut|in .{0,40}erneut)|"
    r"nicht erneut (?:zu )?(?:senden|verschicken)|zustellung wird fortgesetzt|"
    r"w(?:ird|erden?)\b.{0,60}(?<!nicht )(?<!nicht mehr )erneut versucht(?! zu)",
    "fr": r"retard[ée]|n'a pas encore (?:pu |été )(?:être )?(?:remis|livré|distribué|délivré)|"
    r"(?:va|allons|vont) réessayer|réessaiera|ceci est (?:seulement |uniquement )?un avertissement|"
    r"sera (?:de nouveau |à nouveau )?(?:retenté|réessayé)|pas nécessaire de renvoyer",
    "es": r"retrasad|esto es (?:solo|sólo) (?:un )?avis|se seguirá intentando|"
    r"seguir[áa] intent|no es necesario (?:que )?(?:vuelva|reenv)",
    "pt": r"atrasad[ao]|atraso na entrega|apenas um aviso|continuar[áa] a tentar|"
    r"n[ãa]o (?:é necessário|precisa) reenviar",
    "it": r"ritard|preavviso|non è necessario (?:rispedire|inviare di nuovo)",
    "nl": r"vertraagd|vertraging|slechts een waarschuwing|opnieuw geprobeerd",
    "da, no, sv": r"forsinket|försenad|fördröj|endast en varning|kun en advarsel",
    "pl": r"opóźnion|to (?:jest )?tylko ostrzeżenie|kolejne próby",
    "cs": r"zpožděn|opožděn",
    "hu": r"késlelt|késik|tovább próbálkoz",
    "tr": r"gecik(?:ti|me|iyor)|yalnızca bir uyarı|tekrar denenecek",
    "ru": r"задерж|задержан|попытки (?:доставки )?будут продолж|повторн\w+ попытк\w+ будут",
    "ja": r"遅延|再送を試み|再送します|配信を継続",
    "zh": r"延[迟遲]|(?:继续|繼續|重新)(?:尝试|嘗試|投递)|稍后重试",
    "ko": r"지연|다시 시도",
}

GIVEN_UP_IN: dict[str, str] = {
    "de": r"endgültig|aufgegeben|dauerhaft (?:fehlgeschlagen|gescheitert)|"
    r"nicht (?:mehr |länger )?(?:erneut|weiter|nochmals?|noch einmal) versucht|"
    r"nicht (?:mehr |länger )?versucht, |"
    r"keine (?:weiteren|erneuten) (?:zustell)?versuche|zustellversuche (?:wurden )?eingestellt",
    "fr": r"définiti(?:f|ve)|abandonné|\babandon\b|aucune (?:autre|nouvelle) tentative",
    "es": r"definitiv[ao]|no se (?:harán|realizarán|intentará) (?:más|de nuevo)|desistido",
    "pt": r"definitiv[ao]|não (?:serão feitas|haverá) (?:mais|novas) tentativas",
    "it": r"definitiv[ao]|rinunciato|non (?:verranno|saranno) (?:effettuati|fatti) altri tentativi",
    "nl": r"definitief|opgegeven|geen (?:verdere|nieuwe) pogingen",
    "da, no, sv": r"opgivet|gitt opp|gett upp|inga fler försök|ingen flere forsøg",
    "pl": r"ostateczn|zaniechan|kolejne próby nie będą",
    "cs": r"další pokusy nebudou|definitivně",
    "ru": r"окончательно|попытки (?:доставки )?прекращены|больше не будет предпринимат",
}


def any_of(by_language: dict[str, str]) -> str:
    """One pattern of all languages."""
    return "|".join(by_language.values())


_NOT_SO = r"(?:(?!\bnicht\b|\bkein)(?:[^.!?\n]|\.(?=\S))){0,120}?"
DELIVERED: dict[str, str] = {
    "en": r"successfully (?:delivered|relayed|sent)|delivered successfully|"
    r"successful (?:mail |message )?delivery|^(?:delivered|relayed) ?:|status ?[-:] ?delivered|"
    r"(?:was|were|has been|have been) delivered\b|"
    r"delivery .{0,80}\b(?:is complete|was successful|has been completed)\b",
    "de": rf"^(?:zugestellt|weitergeleitet) ?:|zustellung .{{0,80}}(?:abgeschlossen|erfolgreich)|"
    rf"wurden?\b{_NOT_SO}\b(?:zugestellt|ausgeliefert)\b|"
    r"erfolgreich (?:zugestellt|ausgeliefert|übermittelt)",
    "fr": r"\ba (?:bien )?été (?:remis|livré|distribué|délivré)|remise .{0,80}est terminée",
    "es": r"entregado correctamente|se completó la entrega",
    "it": r"avvenuta consegna|recapito .{0,80}è stato completato",
    "nl": r"is (?:succesvol |met succes )?(?:afgeleverd|bezorgd)\b",
    "pt": r"(?:foi )?entregue com (?:êxito|sucesso)",
}


def words(pattern: str) -> re.Pattern[str]:
    """The pattern, for words of any case, with the marks of their letters or without."""
    return re.compile(also_plain(pattern), re.I)
