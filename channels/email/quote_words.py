"""How mail programs write that older mail follows, in the languages they speak: the words behind
:mod:`channels.email.quotes`.

Read off the programs' own output: Gmail, Outlook, Apple Mail, Yahoo, Proton, Thunderbird, Samsung,
GMX, QQ, NetEase, mail.ru, Yandex, Zoho, Zimbra, Notes, Evolution and Claws. Every pattern takes
time in proportion to the line it looks at.
"""

from __future__ import annotations

import re

__all__ = [
    "BEGINS",
    "DATED",
    "FORWARD",
    "MYSELF",
    "RULE",
    "SEPARATOR",
    "TIMED",
    "WROTE",
    "WROTE_LAST",
    "header_label",
    "names_headers",
]

# The verb of a line that introduces a quote: anything may stand before it, names and dates after it.
WROTE = re.compile(
    r"\b(?:wrote|writes|said|schrieb|schrieben|geschrieben|schreibt|a écrit|a ecrit|écrit|écrivait"
    r"|escribió|escribio|escreveu|ha scritto|scritto|scrive|schreef|geschreven|skrev|kirjoitti"
    r"|napsal|napsala|napísal|pisze|pisał|pisała|napisał|napisała|nadesłał|napisana przez"
    r"|írta|yazdı|a scris|έγραψε"
    r"|написа(?:л|ла|в|ли)|писа(?:л|ла|в)|пишет|пише)\b"
    r"|写道|寫道|写到|写了|来信|写信|書きました|書いた|のメール|のメッセージ|からのメッセージ|さんは"
    r"|작성|님이 작성|님께서",
    re.IGNORECASE,
)

_WEEKDAYS = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|montag|dienstag|mittwoch|donnerstag|freitag"
    r"|samstag|sonntag|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|lunes|martes|miércoles"
    r"|jueves|viernes|sábado|domingo|(?:segunda|terça|quarta|quinta|sexta)(?:-feira)?"
    r"|luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]|sabato|domenica"
    r"|maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
    r"|poniedziałek|wtorek|środa|czwartek|piątek|sobota|niedziela"
    r"|понедельник|вторник|среда|четверг|пятница|суббота|воскресенье)"
)
_SHORT_WEEKDAYS = (
    r"(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so|lun|mar|mer|jeu|ven|sam|dim|mié|jue|vie"
    r"|sáb|dom|seg|ter|qua|qui|sex|gio|sab|ma|wo|vr|za|zo|pon|wt|śr|czw|pt|sob|niedz|ndz"
    r"|пн|вт|ср|чт|пт|сб|вс|man|tir|ons|tor|tors|fre|lør|lör|søn|sön|mån|tis|ke|pe|la|su|ti|to)"
)
# The same where the line ends with it.
WROTE_LAST = re.compile(rf"(?:{WROTE.pattern})[\W_]{{0,6}}\Z", re.IGNORECASE)
# How such a line begins.
BEGINS = re.compile(
    r"[\s>*_-]*(?:(?:On|At|In (?:a )?message|Am|Le|El|Em|Il|Op|W dniu|Dnia|Den|Dne|Dňa|Pe|Il giorno|In data"
    r"|Wiadomość napisana|В|в|Від|Від|Tarih|Στις)[\s,.:]"
    r"|[在于於]"
    r"|\d{4}年|\d{1,2}[:.h]\d\d\b|\d{4}[-/.]\s?\d|\d{1,2}[./-]\s?\d{1,2}[./-]"
    r"|\d{1,2}\.?\s(?:de\s)?[^\W\d]{3,12}\.?,?\s(?:de\s)?\d{4}"
    rf"|{_WEEKDAYS}[.,]?\s|{_SHORT_WEEKDAYS}(?:[.,]{{1,2}}\s|\s\d))",
    re.IGNORECASE,
)
_MONTHS = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|janv|févr|fév|avr|juin"
    r"|juil|août|déc|ene|abr|ago|dic|fev|set|out|gen|mag|giu|lug|ott|mrt|mei|sty|lut|kwi|maj|cze"
    r"|lip|sie|wrz|paź|lis|gru|янв|фев|мар|апр|мая|май|июн|июл|авг|сен|окт|ноя|дек)"
)
# A day that is fixed: not a weekday alone.
DATED = re.compile(
    r"\d{4}\s?[-/.年]\s?\d{1,2}|\d{1,2}[./-]\s?\d{1,2}[./-]\s?\d{2}"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?[.,]?\s(?:de\s)?{_MONTHS}|{_MONTHS}[^\W\d]{{0,7}}\.?\s\d{{1,2}}"
    r"|\b(?:19|20)\d\d\b",
    re.IGNORECASE,
)
TIMED = re.compile(r"\d{1,2}\s?[:.h時时]\s?\d\d(?!\d)")
# The writer speaks of himself: his own sentence, not a program's line.
MYSELF = re.compile(
    r"\b(?:I|we|ich|wir|je|nous|yo|eu|io|noi|ik|wij|я|мы)\b|\bj['’]|我写|我們|我们|私は"
)

# What stands between the dashes of a line that separates an answer from what it answers.
_ORIGINAL = (
    r"(?:begin\s)?original(?:[\s-]message|[\s-]appointment|[\s-]e?-?mail)?|reply[\s-]message|reply|antwort(?:[\s-]nachricht)?"
    r"|urspr(?:ü|ue)ngliche[\s-](?:nachricht|mail|e-mail|termin)|original[\s-]?nachricht"
    r"|originaltermin|original[\s-]e?-?mail"
    r"|message\sd['’]origine|message\soriginal|courriel\soriginal|mail\soriginal|courrier\soriginal"
    r"|message\sinitial"
    r"|mensaje\soriginal|correo\soriginal|mensagem\soriginal|messaggio\soriginale"
    r"|oorspronkelijke?[\s-]bericht|origineel\sbericht|oorspronkelijke\smail"
    r"|wiadomość\soryginalna|oryginalna\swiadomość|oryginalny\se-mail"
    r"|исходное\sсообщение|оригинальное\sсообщение|исходное\sписьмо|вихідне\sповідомлення"
    r"|原始邮件|原始郵件|原始訊息|邮件原件|回复的原邮件|回复的邮件|原邮件|原邮件信息"
    r"|元のメッセージ|元のメール|原文|原本メッセージ|원본\s메시지"
    r"|ursprungligt\smeddelande|originalmeddelande|oprindelig\s(?:meddelelse|besked)"
    r"|opprinnelig\smelding|původní\szpráva|alkuperäinen\sviesti|eredeti\süzenet"
    r"|orijinal\smesaj|αρχικό\sμήνυμα|mesaj\soriginal|mesajul\soriginal"
)
_DASH = r"[-_=—–‐‑#~]"
SEPARATOR = re.compile(
    rf"(?:- )?[\s>*|]*{_DASH}{{2,}}[\s*]*(?:{_ORIGINAL})\s*:?[\s*]*{_DASH}{{2,}}[\s*|]*"
    rf"|\s*{_DASH}{{4,}}\s*(?:urspr(?:ü|ue)ngliche nachricht)\s*"
    rf"|[\s*#{{}}=-]*(?:please\s)?(?:(?:type|write)\s(?:your\s)?repl(?:y|ies)|reply|respond)"
    rf"\sabove\sthis\sline.{{0,60}}"
    rf"|[\s*#-]*bitte\s(?:antworten\ssie\s)?(?:ober|über).{{0,20}}\s(?:dieser|diese)\s(?:linie|zeile)"
    rf".{{0,40}}",
    re.IGNORECASE,
)
# The same for a mail that is passed on: what follows is the matter, no history.
_PASSED_ON = (
    r"forwarded\s(?:message|mail|e-mail|by\s.{1,80})"
    r"|weitergeleitete\s(?:nachricht|e-mail|mail|mitteilung)|message\stransféré|message\sréexpédié"
    r"|courriel\stransféré|mensaje\sreenviado|correo\sreenviado"
    r"|mensagem\s(?:encaminhada|reencaminhada)|messaggio\sinoltrato|(?:doorgestuurd|doorgezonden)\sbericht"
    r"|przekazana\swiadomość|wiadomość\sprzekazana|treść\sprzekazanej\swiadomości"
    r"|пересылаемое\sсообщение|пересланное\sсообщение|перенаправленное\sсообщение"
    r"|переслане\sповідомлення|转发的?邮件|转发邮件信息|已转发(?:的)?邮件|已转发(?:的)?消息|轉寄(?:的)?郵件|轉寄的?信件"
    r"|転送(?:された)?メッセージ|転送(?:された)?メール|전달된\s메시지|전달된\s메일"
    r"|vidarebefordrat\smeddelande|videresendt\s(?:meddelelse|melding)|přeposlaná\szpráva"
    r"|välitetty\sviesti|továbbított\süzenet|iletilen\s(?:mesaj|ileti)"
)
FORWARD = re.compile(
    rf"[\s>*|]*{_DASH}{{2,}}[\s*]*(?:{_PASSED_ON})\s*:?[\s*]*{_DASH}*[\s*|]*"
    r"|[\s>*]*(?:begin\sforwarded\smessage|anfang\sder\sweitergeleiteten\s(?:nachricht|e-mail)"
    r"|début\sdu\s(?:message|courriel)\s(?:transféré|réexpédié)|inicio\sdel\smensaje\sreenviado"
    r"|início\sda\smensagem\s(?:encaminhada|reenviada|reencaminhada)"
    r"|inizio\s(?:del\s)?messaggio\sinoltrato|begin\sdoorgestuurd\sbericht"
    r"|początek\sprzekazywanej\swiadomości|początek\sprzekazanej\swiadomości"
    r"|начало\s(?:переадресованного|пересылаемого)\sсообщения"
    r"|开始转发的?邮件|下面是被转发的邮件|開始轉寄郵件|以下は転送されたメッセージです|転送されたメッセージ"
    r"|vidarebefordrat\smeddelande|start\spå\svideresendt\smeddelelse)\s*[:：]?\s*",
    re.IGNORECASE,
)
RULE = re.compile(r"\s*(?:_{3,}|-{2,}|={3,}|\*{3,}|—{1,}|~{3,}|‐{3,}|—{3,})[\s_*=-]*")

# The labels of header blocks by what they name. A label may be one in several languages.
_LABELS = {
    "from": "from von de da van od від от отправитель от_кого från fra lähettäjä kimden gönderen"
    " 发件人 寄件者 寄件人 差出人 送信者 送信元 보낸사람 보낸_사람 expéditeur mittente nadawca remitente"
    " afzender absender feladó odesílatel de_la από",
    "date": "sent date gesendet datum envoyé envoyé_le date_d'envoi enviado enviado_el enviado_em"
    " enviada_em enviada fecha data"
    " inviato inviato_il verzonden wysłano wysłane data_wysłania отправлено дата дата_отправки"
    " 发送时间 发送日期 日期 时间 傳送日期 寄件日期 寄送時間 送信日時 日時 日付 送信日 보낸날짜 보낸_날짜 날짜"
    " skickat sendt dato lähetetty päivämäärä elküldve dátum odesláno gönderildi tarih le"
    " ημερομηνία on",
    "to": "to an à a para destinataire destinatario aan do кому 收件人 收信人 宛先 받는사람 받는_사람 till"
    " til vastaanottaja címzett komu kime către προς pour empfänger odbiorca per",
    "cc": "cc bcc copie cópia copia kopie kopia dw udw копия 抄送 副本 ccへ 참조 kopi kopio másolat bilgi"
    " cci cco kopie_an reply-to antwort_an répondre_à responder_a",
    "subject": "subject betreff objet asunto assunto oggetto onderwerp temat тема 主题 主旨 主題 标题 件名"
    " 제목 ämne emne aihe tárgy předmět konu subiect θέμα sujet re",
    "other": "organization importance wichtigkeit priorität anlagen attachments pièces_jointes"
    " organisation newsgroups priority",
}
_KIND = {
    label.replace("_", " "): kind for kind, labels in _LABELS.items() for label in labels.split()
}
_LABEL = re.compile(
    r"[\s*>|_-]{0,8}([^\W\d_][^:：|*<>\d]{0,24}?)\s{0,3}\*{0,2}\s?(?:[:：]|\|)\*{0,2}"
)
# All of a block on one line, as when HTML was flattened.
_RUN_ON = re.compile(
    r"\s(?:Sent|Date|To|Subject|Gesendet|Datum|An|Betreff|Envoyé|À|Objet|Enviado|Enviada em|Para"
    r"|Asunto|Assunto|Inviato|A|Oggetto|Verzonden|Aan|Onderwerp|Wysłano|Do|Temat|Отправлено|Кому"
    r"|Тема|发送时间|收件人|主题|送信日時|宛先|件名)\s?\*?[:：]"
)


def header_label(line: str) -> str:
    """What a line of a header block names: ``from``, ``date``, ``to``, ``cc``, ``subject`` or
    ``other``; ``""`` where it is none.
    """
    found = _LABEL.match(line)
    if found is None:
        return ""
    return _KIND.get(" ".join(found[1].lower().split()), "")


def names_headers(line: str) -> bool:
    """Whether a line that starts with a sender names at least two more headers further on."""
    return len(_RUN_ON.findall(line[:400])) >= 2
