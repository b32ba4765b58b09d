"""Finds what stands below an answer and is none: signatures, the notes of phones and mail services,
notices of confidentiality, the footers of lists and PGP's armour.

Only what says itself what it is: behind ``-- `` (RFC 3676, section 4.3), or in words that programs
put there. A closing with a name ("Kind regards, Anna") is the author's.
"""

from __future__ import annotations

import re

__all__ = ["armour_end", "signature_start"]

_LONGEST_SIGNATURE = 15
_LONGEST_DELIMITED = 40
_LONGEST_CARD = 6
_LONGEST_TAIL = 60

_DEVICES = (
    r"iphone|ipad|ipod|android|galaxy|samsung|outlook|gmail|yahoo|aol|proton|blackberry|windows|huawei"
    r"|xiaomi|redmi|oppo|vivo|pixel|nokia|motorola|htc|lg\b|sony|xperia|oneplus|honor|htc|smartphone"
    r"|mobile|mobil|handy|phone|telefon|tablet|móvil|celular|телефон|手机|スマホ|携帯|mail|posta|correo"
    r"|courrier|poczt|почт|gmx|web\.de|k-9|spark|airmail|thunderbird|tutanota|tuta|fairemail|nine\b"
    r"|bluemail|zoho|hey\b|superhuman|邮箱|邮件|メール"
)
_DEVICE = re.compile(_DEVICES, re.IGNORECASE)
# How the note of a phone or a service begins, or what it is.
_NOTE = re.compile(
    r"[\s<(\[*_\"“-]*(?:"
    r"sent\s(?:from|via|with|by|on|using)\s|get\s(?:outlook|bluemail)\s|\w+\sfrom\smobile\b|from\smy\s"
    r"|download\s(?:outlook|the all new)"
    r"|von\s(?:mein(?:em|er)|unterwegs)\s.{0,60}(?:gesendet|gesandt)|von\s.{1,40}\sgesendet\b"
    r"|gesendet\s(?:von|mit|über|aus)\s|diese\s(?:nachricht|e-mail|mail)\swurde\s(?:von|mit)\s"
    r"|mit\s.{1,60}\sgesendet\b|versendet\smit\s|verschickt\s(?:mit|von)\s"
    r"|holen\ssie\ssich\soutlook|outlook\sfür\s|laden\ssie\soutlook"
    r"|envoyé\s(?:de|depuis|à\spartir|avec|par|via)\s|obtenir\soutlook|télécharge[rz]\soutlook"
    r"|obtenez\soutlook|provenance\s?:\s"
    r"|enviado\s(?:desde|con|do|da|a\spartir|pelo|pela|via|por)\s|obtener\soutlook|obtenga\soutlook"
    r"|descargar?\soutlook|obter\so?\s?outlook|obtenha\so?\s?outlook|baixe\so?\s?outlook"
    r"|inviato\s(?:da|dal|dall['’]|con|tramite|via)\s?|ottieni\soutlook|scarica\soutlook"
    r"|verstuurd\s(?:vanaf|met|vanuit|via)\s|verzonden\s(?:vanaf|met|vanuit|via)\s"
    r"|outlook\svoor\s|download\soutlook|haal\soutlook"
    r"|wysłan[eoay]\s(?:z|ze|za\spomocą|przez|przy)\s|pobierz\s(?:program\s)?outlook"
    r"|uzyskaj\s(?:program\s)?outlook"
    r"|отправлено\s(?:с|из|со|через|от)\s|скачать?\soutlook|скачайте\soutlook|получить\soutlook"
    r"|загрузить\soutlook|надіслано\s(?:з|із)\s"
    r"|发自我?的?|發自我?的?|发送自|從我的|从我的|來自我的|来自我的|[获獲]取\s?outlook|取得\s?outlook|下载\s?outlook"
    r"|[\w!（）() ]{1,30}から送信|outlook\s(?:for|para|per)\s|outlook\sを入手"
    r"|skickat\sfrån\s|sendt\sfra\s|hämta\soutlook|hent\soutlook|hanki\soutlook|lähetetty\s"
    r"|odesláno\s(?:z|ze)\s|odoslané\s|küldve\s|.{1,30}\süzerinden\sgönderildi|iphone['’]umdan\s"
    r"|나의\s|.{1,30}에서\s보냄"
    r"|yahoo\smail[:\s].{0,40}|yahoo!?メール"
    r")",
    re.IGNORECASE,
)
_LINK = re.compile(r"\s*<?(?:https?://|www\.)\S+>?\s*")
_DASH_NAME = re.compile(
    r"\s*[-–—~]\s?[^\W\d_][^\W_]{0,20}(?:[ .'’-]{1,2}[^\W\d_][^\W_]{0,20}){0,3}\s*"
)
# The first words of a notice that a company's server adds.
_NOTICE = re.compile(
    r"[\s*_\[(>-]*(?:"
    r"(?:confidentiality|confidential|privileged|legal|privacy)\s(?:and\sprivileged\s)?"
    r"(?:notice|note|disclaimer|information)\b"
    r"|disclaimer\s*[:*.]?|important\s(?:notice|information)\s?:"
    r"|th(?:is|e information (?:contained )?in this|e contents of this)"
    r"\s(?:e-?mail|message|communication|electronic)\b"
    r".{0,120}(?:confidential|privileged|intended|proprietary|is for the)"
    r"|if you (?:are not the intended|have received this (?:e-?mail|message|communication) in error)"
    r"|the information (?:contained |transmitted )?(?:in|by) this (?:e-?mail|message|transmission)"
    r"|please consider the environment|p?lease think (?:of|about) the environment"
    r"|diese\s(?:e-?mail|nachricht)\s.{0,120}(?:vertraulich|bestimmt|geschützt)|vertraulichkeitshinweis"
    r"|der inhalt dieser (?:e-?mail|nachricht)|bitte denken sie an die umwelt|bitte prüfen sie.{0,40}umwelt"
    r"|haftungsausschluss|rechtlicher hinweis|hinweis zum datenschutz"
    r"|ce\s(?:message|courriel|mail)\s.{0,120}(?:confidenti|destin|réserv)|avis de confidentialité"
    r"|pensez à l['’]environnement|l['’]intégrité de ce message"
    r"|este\s(?:mensaje|correo|e-?mail)\s.{0,140}(?:confidenci|dirig|destin)"
    r"|esta\smensagem\s.{0,140}(?:confidenci|destin)"
    r"|aviso\s(?:de\sconfidencialidad|legal|de\sconfidencialidade)|la información contenida en este"
    r"|as informações contidas n|antes de imprimir"
    r"|(?:questo\smessaggio|questa\se-?mail|il presente messaggio|le informazioni contenute)\b"
    r".{0,140}(?:riservat|confidenzial|destinat)"
    r"|avviso di riservatezza|informativa\s(?:sulla\s)?privacy"
    r"|(?:dit\s(?:e-?mailbericht|bericht)|deze\se-?mail)\b.{0,140}(?:vertrouwelijk|bestemd)"
    r"|de informatie (?:verzonden )?(?:in|met) (?:dit|deze) e-?mail"
    r"|(?:niniejsza|ta)\s(?:wiadomość|korespondencja)\b.{0,140}(?:poufn|przeznaczon)|treść tej wiadomości"
    r"|(?:данное|это|настоящее)\s(?:электронное\s)?(?:письмо|сообщение)\b.{0,160}(?:конфиденциальн|предназнач)"
    r"|本(?:邮件|郵件|电子邮件).{0,60}(?:保密|机密|機密)|此(?:邮件|電子郵件).{0,60}(?:保密|机密|機密)"
    r"|(?:この|本)(?:メール|電子メール).{0,60}(?:機密|秘密)"
    r"|to unsubscribe from this (?:group|list)|you (?:received|are receiving) this (?:message|e?-?mail) because"
    r"|-{10,} Yahoo! Groups Sponsor"
    r"|this e?-?mail (?:has been|was) (?:scanned|checked) |virus-free\."
    r"|(?:diese e-mail|cet e-mail|este correo|este email) .{0,60}(?:avast|virus)"
    r")",
    re.IGNORECASE,
)
_FOOTER = re.compile(
    r"\S+ mailing list\b|\bto unsubscribe\b|you (?:are receiving|received) this (?:message|email|e-mail)"
    r"|list-unsubscribe|\bmanage your subscription|\bmailing list\s*$|/mailman/listinfo/",
    re.IGNORECASE,
)
_FOOTER_RULE = re.compile(r"\s*(?:_{20,}|-{20,}|={20,})\s*")
_DELIMITERS = frozenset(("--", "- --", "—", "––", "‐‐"))
# "Please excuse my brevity", alone or below such a note.
_EXCUSE = re.compile(
    r"(?:please\s|pls\s)?(?:excuse|forgive|pardon|ignore)\s(?:the\s|my\s|any\s|all\s)?"
    r"(?:brevity|typo|spelling|errors|mistakes|short|terse)"
    r"|apologies\sfor\s(?:the\s|my\s|any\s)?(?:brevity|typo)"
    r"|(?:bitte\s)?(?:entschuldigen\ssie|entschuldige)\s.{0,20}(?:kürze|tippfehler)",
    re.IGNORECASE,
)
_DRAWN = re.compile(r"\s*[-_—=]{2,}\s*")
_MINE = re.compile(
    r"[\s<(\[*_\"“-]*(?:(?:sent\s)?from\smy\s|sent\sfrom\sa\s|von\smeine[mr]\s.{1,40}\sgesendet"
    r"|envoyé\s(?:de|depuis)\smon\s|enviado\sdesde\smi\s|enviado\sdo\smeu\s|inviato\sdal\smio\s"
    r"|(?:verstuurd|verzonden)\svanaf\smijn\s|wysłan[eoay]\sz\smojego\s|отправлено\sс\sмоего\s"
    r"|(?:发|發)自我的|[从從]我的)[^,.!?]{1,30}[.)\]*_>]?\s*\Z",
    re.IGNORECASE,
)
# "Sent from my iPhone app twice, but ...", "Sent by mail yesterday": somebody says so.
_SENTENCE = re.compile(
    r"\b(?:but|aber|mais|pero|today|yesterday|gestern|heute|hier|ayer|ieri|wczoraj)\b|\?"
    r"|\b(?:by|via|per|por)\s(?:e-?mail|mail|post|correos?)\b|\bon\s\w{3,6}day\b",
    re.IGNORECASE,
)


def signature_start(lines: list[str], start: int, end: int, *, last: bool = True) -> int:
    """The line of a span of own words where its signature begins, or its end. Above more of the
    author's words (not ``last``) only what names itself is one.
    """
    signed = _delimited(lines, start, end)
    if last:
        signed = min(signed, _under_rule(lines, start, end))
    while True:
        shorter = _without_tail(lines, start, signed, last=last)
        if shorter >= _text_end(lines, start, signed):
            return signed
        signed = shorter


def armour_end(lines: list[str]) -> int:
    """The number of lines with which PGP begins a signed text (RFC 9580, section 7), mostly 0."""
    at = 0
    while at < min(len(lines), 5) and not lines[at].strip():
        at += 1
    if at >= len(lines) or lines[at].rstrip() != "-----BEGIN PGP SIGNED MESSAGE-----":
        return 0
    while at < len(lines) and lines[at].strip():
        at += 1
    return at


def _text_end(lines: list[str], start: int, end: int) -> int:
    """One past the last line of a span that holds text."""
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _delimited(lines: list[str], start: int, end: int) -> int:
    """The line of the delimiter above a signature, or the end."""
    texts = 0
    found = end
    for at in range(end - 1, start - 1, -1):
        line = lines[at]
        if not line.strip():
            continue
        if len(line) < 8 and line.rstrip() in _DELIMITERS:
            exact = line == "-- "
            if texts <= (_LONGEST_DELIMITED if exact else _LONGEST_SIGNATURE):
                found = at
        texts += 1
        if texts > _LONGEST_DELIMITED:
            break
    return found


def _under_rule(lines: list[str], start: int, end: int) -> int:
    """The line that was drawn above what looks like a visiting card, the only one drawn; or the
    end.
    """
    texts = 0
    for at in range(end - 1, start, -1):
        line = lines[at]
        if not line.strip():
            continue
        if len(line) < 200 and _DRAWN.fullmatch(line) is not None:
            above = lines[max(start, at - 60) : at]
            parts = any(len(one) < 200 and _DRAWN.fullmatch(one) for one in above)
            return at if texts and not above[-1].strip() and not parts else end
        texts += 1
        if texts > _LONGEST_CARD or len(line) > 60 or line.rstrip()[-1] in ".?!:。？！：":
            break
    return end


def _without_tail(lines: list[str], start: int, end: int, *, last: bool) -> int:
    """The end of the own words without the last thing below them that is none."""
    end = _text_end(lines, start, end)
    if end == start:
        return end
    line = lines[end - 1]
    if _is_device_note(line):
        return end - 1
    if end - 1 > start and _LINK.fullmatch(line) is not None and _is_device_note(lines[end - 2]):
        return end - 2
    if not last:
        return end
    if (
        end - 1 > start
        and not lines[end - 2].strip()
        and _signs_with_dash(line)
        and not _signs_with_dash(lines[_text_end(lines, start, end - 2) - 1])
    ):
        return end - 1
    found = end
    texts = 0
    for at in range(end - 1, start - 1, -1):
        if lines[at].strip():
            texts += 1
            if texts > _LONGEST_TAIL:
                break
            if _is_tail_start(lines, at, start):
                found = at
    while found < end and found > start:
        above = _text_end(lines, start, found) - 1
        if above < start or _FOOTER_RULE.fullmatch(lines[above][:200]) is None:
            break
        found = above
    return found


def _is_device_note(line: str) -> bool:
    """Whether a line is the short note that a phone, a program or a service puts below a mail."""
    if len(line) > 200:
        return False
    if _NOTE.match(line) is None:
        return len(line) < 80 and _EXCUSE.match(line) is not None
    words = line.partition("<")[0].partition("(http")[0] or line
    if len(words) > 90 or len(words.split()) > 14:
        return False
    if _DEVICE.search(line) is not None or _EXCUSE.search(words) is not None:
        return _SENTENCE.search(words) is None
    # A device that nobody knows: whose it is, or a link to it, must say so.
    return _MINE.match(line) is not None or (line != words and len(words.split()) < 6)


def _is_tail_start(lines: list[str], at: int, start: int) -> bool:
    """Whether a notice, the footer of a list or PGP's own signature starts here, so that nothing
    below it is an answer.
    """
    line = lines[at]
    if line.startswith("-----BEGIN PGP SIGNATURE-----"):
        return True
    if "/mailman/listinfo/" in line[:300] and _LINK.fullmatch(line) is not None:
        return True
    if len(line) < 200 and _FOOTER_RULE.fullmatch(line) is not None:
        return any(_FOOTER.search(below[:300]) for below in lines[at + 1 : at + 4])
    if at > start and lines[at - 1].strip() and _FOOTER_RULE.fullmatch(lines[at - 1][:200]) is None:
        return False  # in the middle of a paragraph
    return (
        _NOTICE.match(" ".join(part.strip()[:300] for part in lines[at : at + 4])[:300]) is not None
    )


def _signs_with_dash(line: str) -> bool:
    """Whether a line is a dash and a name."""
    return (
        len(line) < 60
        and _DASH_NAME.fullmatch(line) is not None
        and line.lstrip(" \t-–—~")[:1].isupper()
    )
