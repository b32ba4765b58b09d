"""Finds the history that a reply quotes and the signature below it, so that both can be folded.
Nothing is deleted.

One pass over the lines, linear in their number and length, whatever they hold. Found are ``>``
quotes (above, below and between the answers) with the line that introduces them, header blocks as
Outlook writes them, separators such as ``-----Original Message-----``, and signatures. Each find is
a :class:`Fold` with its kind, so that a caller can treat kinds differently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["Fold", "cut", "find_folds", "folds"]

_LONGEST_INTRODUCTION = 400
_LONGEST_SIGNATURE = 15
_MOBILE_SIGNATURE_TAIL = 4

# The verb of the line that introduces a quote. Anything may stand before it; after it at most a
# name.
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|schrieben|geschrieben|skrev|kirjoitti|napsal|napsala|написа(?:л|ла"
    r"|в|ли)|писа(?:л|ла|в)"
    r"|пишет|пише|pisze|napisał|napisała|pisał|escribió|escribio|escreveu|scritto|schreef"
    r"|geschreven|írta|yazdı|a scris"
    r"|a écrit|a ecrit)\b"
    r"|写道|寫道|写到|作成|書きました|のメール|のメッセージ|からのメッセージ|님이 작성|님께서 작성",
    re.IGNORECASE,
)
# How such a line begins where the text that follows carries no marks of its own.
_INTRODUCTION = re.compile(
    r"\s*(?:On|Am|Le|El|Em|Il|Op|W dniu|Dnia|Den|Am|At|В|в|Від|在|于|於|Il giorno|Dne|Pe|\d{4}年"
    r"|\d{4}[-/.]\d|\d{1,2}[./-]\d"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Mo|Di|Mi|Do|Fr|Sa|So|пн|вт|ср|чт|пт|сб|вс)[.,a-z]*)[\s,.:]"
)
_DATED = re.compile(
    r"\d{1,2}[:.h]\d\d|\d{4}[-/.年]|\d{1,2}[./-]\d{1,2}[./-]\d{2}|\b(?:19|20)\d\d\b|\S@\S"
)
_ADDRESSED = re.compile(r"[^\s<>]@[^\s<>]")
_SEPARATOR = re.compile(
    r"[\s>*]*[-_=—–]{2,}\s*(?:"
    r"(?:Original|Reply|Ursprüngliche|Urspruengliche|Originale)[\s-]*(?:Message|Nachricht|Mail"
    r"|E-Mail|Appointment)?"
    r"|Original-Nachricht|Originalnachricht|Message d['’]origine|Message original|Mensaje original"
    r"|Mensagem original|Messaggio originale|Oorspronkelijk bericht|Oorspronkelijke bericht"
    r"|Wiadomość oryginalna|Oryginalna wiadomość|Исходное сообщение|Пересылаемое сообщение"
    r"|原始邮件|原始郵件|邮件原件|元のメッセージ|Original Message|Ursprungligt meddelande"
    r"|Oprindelig meddelelse"
    r"|Původní zpráva|Alkuperäinen viesti|Orijinal Mesaj|원본 메시지"
    r")\s*[-_=—–]{2,}[\s*]*",
    re.IGNORECASE,
)
_FROM_LINE = re.compile(
    r"[\s*]*(?:From|Von|De|Da|Van|Od|От|От кого|Från|Fra|Lähettäjä|Kimden|发件人|寄件者|差出人"
    r"|送信者|보낸 사람)\s?\*?\s?[:：]\*?\s?\S"
)
_OTHER_LINE = re.compile(
    r"[\s*]*(?:Sent|Date|To|Cc|Subject|Gesendet|Datum|An|Betreff|Envoyé|Envoyé le|À|Objet|Enviado"
    r"|Enviado el|Fecha|Para"
    r"|Asunto|Assunto|Data|Enviada em|Inviato|A|Oggetto|Verzonden|Aan|Onderwerp|Wysłano|Do|DW"
    r"|Temat|Отправлено|Дата"
    r"|Кому|Копия|Тема|发送时间|发送日期|日期|收件人|抄送|主题|送信日時|日時|宛先|件名|Skickat"
    r"|Till|Ämne|Sendt|Til|Emne|CC)"
    r"\s?\*?\s?[:：]"
)
_RULE = re.compile(r"\s*(?:_{8,}|-{10,}|={10,})\s*")
_MOBILE = re.compile(
    r"\s*(?:Sent from (?:my|Yahoo|Mail for|Outlook|Samsung|ProtonMail|Proton Mail)|Sent via"
    r"|Get Outlook for|Von meinem \S+"
    r"(?: \S+){0,3} gesendet|Gesendet (?:von|mit)|Envoyé (?:de mon|depuis)|Enviado (?:desde mi"
    r"|do meu)|Inviato da"
    r"|Verstuurd vanaf|Verzonden (?:vanaf|met)|Wysłane z|Отправлено (?:с|из)|发自我的"
    r"|iPhoneから送信|Sent on the go)",
)
_FROM_FIRST = frozenset("FVDOLKОО发寄差送보* \t")
_QUOTE_MARKS = frozenset(">＞")


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines ``start`` up to but not including ``end``, counted from 0: quoted history or a
    signature.
    """

    start: int
    end: int
    kind: Literal["quote", "signature"]


def cut(full_text: str, *, forwarded: bool = False) -> str:
    """The text without the history that it quotes; the whole text where nothing else would be left.

    A signature stays. ``forwarded`` says that the mail passes on somebody else's: then only ``>``
    quotes are history, since what follows a header block is the matter itself.
    """
    found = find_folds(full_text, forwarded=forwarded)
    if not any(fold.kind == "quote" for fold in found):
        return full_text
    lines = full_text.split("\n")
    pieces: list[str] = []
    at = 0
    for fold in (*found, None):
        if fold is not None and fold.kind != "quote":
            continue
        piece = "\n".join(lines[at : fold.start if fold is not None else len(lines)])
        if piece and not piece.isspace():
            pieces.append(piece.lstrip("\n").rstrip())
        if fold is not None:
            at = fold.end
    # One blank line stands where something was cut out.
    return "\n\n".join(pieces)


def folds(full_text: str, *, forwarded: bool = False) -> tuple[tuple[int, int], ...]:
    """The line spans to fold, quotes and signatures, as (first, one past the last) counted from 0,
    in their order.
    """
    return tuple((fold.start, fold.end) for fold in find_folds(full_text, forwarded=forwarded))


def find_folds(full_text: str, *, forwarded: bool = False) -> tuple[Fold, ...]:
    """The spans with their kinds; none where folding would leave nothing to read."""
    lines = full_text.split("\n")
    marks = _candidates(lines)
    if not marks:
        return ()
    found = _find(lines, marks, forwarded)
    if not found:
        return ()
    inside = bytearray(len(lines))
    for fold in found:
        inside[fold.start : fold.end] = b"\1" * (fold.end - fold.start)
    if any(
        not covered and line and not line.isspace()
        for covered, line in zip(inside, lines, strict=True)
    ):
        return tuple(found)
    # Only history and signature: the signature alone is not worth the rest.
    return ()


def _candidates(lines: list[str]) -> list[int]:
    """The lines that can begin a fold, by their first and last characters: a quick look that most
    lines fail.
    """
    found = []
    for number, line in enumerate(lines):
        if not line:
            continue
        first = line[0]
        if (
            first in ">＞-_–—=*"
            or line[-1] in ":：* \t"
            or (first in _FROM_FIRST and (":" in line[:24] or "：" in line[:24]))
            or (first in "SVGEIW发О \t" and _MOBILE.match(line) is not None)
            or (first == "i" and line.startswith("iPhone"))
        ):
            found.append(number)
    return found


def _find(lines: list[str], marks: list[int], forwarded: bool) -> list[Fold]:
    """The folds in the order of the text, not overlapping."""
    found: list[Fold] = []
    count = len(lines)
    done = 0  # lines before this one are decided
    for number in marks:
        if number < done:
            continue
        line = lines[number]
        if line[0] in _QUOTE_MARKS:
            if line.startswith(">From ") and not (
                number + 1 < count and lines[number + 1][:1] in _QUOTE_MARKS
            ):
                continue  # mbox's escape, no quote
            done = _quote_end(lines, number)
            found.append(Fold(number, done, "quote"))
            continue
        if (line[0] == "-" and line.rstrip() in ("--", "- --")) or line.rstrip() == "—":
            end = _signature_end(lines, number)
            if end:
                found.append(Fold(number, end, "signature"))
                # What the signature holds may still be a quote's introduction, so only its first
                # line is decided.
                done = number + 1
            continue
        if not forwarded and (_SEPARATOR.fullmatch(line) or _header_block(lines, number)):
            start = number
            while start > done and _is_rule_or_blank(lines[start - 1]):
                start -= 1
            _end_signature(found, start)
            found.append(Fold(start, count, "quote"))
            return found
        stripped = line.rstrip(" \t*_")
        if stripped.endswith((":", "：")):
            start, follows = _introduction(lines, number, done)
            if follows == "marked":
                done = _quote_end(lines, _next_text(lines, number + 1))
                _end_signature(found, start)
                found.append(Fold(start, done, "quote"))
                continue
            if follows == "bare" and not forwarded:
                _end_signature(found, start)
                found.append(Fold(start, count, "quote"))
                return found
        if _MOBILE.match(line) is not None and _short_note(line):
            rest = [
                text
                for text in lines[number + 1 : number + 2 + _MOBILE_SIGNATURE_TAIL]
                if text.strip()
            ]
            if not rest or _starts_history(lines, number + 1):
                found.append(Fold(number, number + 1, "signature"))
                done = number + 1
    return _merged(found)


def _is_rule_or_blank(line: str) -> bool:
    """Whether a line above history belongs to it: blank, or drawn."""
    return not line or line.isspace() or _RULE.fullmatch(line) is not None


def _short_note(line: str) -> bool:
    """Whether a line is as short and plain as the note that a phone puts below a mail."""
    return len(line) < 80 and "," not in line and len(line.split()) < 10


def _quote_end(lines: list[str], start: int) -> int:
    """One past the last line of a ``>`` quote; blank lines between its parts belong to it."""
    end = at = start
    count = len(lines)
    while at < count:
        line = lines[at]
        if line[:1] in _QUOTE_MARKS and line:
            at += 1
            end = at
        elif not line.strip():
            at += 1
        else:
            break
    return end


def _next_text(lines: list[str], at: int) -> int:
    """The next line that is not blank, looking at a few only."""
    for number in range(at, min(at + 4, len(lines))):
        if lines[number].strip():
            return number
    return at


def _introduction(lines: list[str], number: int, floor: int) -> tuple[int, str]:
    """Whether a line that ends in a colon introduces a quote: where the introduction starts, and
    what follows it.

    ``marked``: lines with ``>``. ``bare``: text without marks, which takes more evidence. ``""``:
    it is none.
    """
    follower = _next_text(lines, number + 1)
    marked = follower < len(lines) and lines[follower][:1] in _QUOTE_MARKS and lines[follower] != ""
    joined = ""
    for start in range(number, max(number - 3, floor - 1), -1):
        line = lines[start]
        if not line.strip() or line[0] in _QUOTE_MARKS:
            break
        joined = f"{line.strip()} {joined}" if joined else line.strip()
        if len(joined) > _LONGEST_INTRODUCTION:
            break
        begins = _INTRODUCTION.match(joined) is not None
        # By far the most common words first: the search for all the others takes ten times longer.
        wrote = joined.endswith((" wrote:", " schrieb:")) or _WROTE.search(joined) is not None
        if begins and wrote and _DATED.search(joined) is not None:
            if marked:
                return start, "marked"
            if follower < len(lines) and (
                _ADDRESSED.search(joined) or re.search(r"\d[:.h]\d\d", joined)
            ):
                return start, "bare"
        if marked and begins and _ADDRESSED.search(joined) is not None:
            return start, "marked"
    last = lines[number].strip()
    if marked and len(last) <= _LONGEST_INTRODUCTION:
        if _WROTE.search(last) is not None:
            return number, "marked"
        if _ADDRESSED.search(last) is not None and _DATED.search(last) is not None:
            return number, "marked"
    return number, ""


def _header_block(lines: list[str], number: int) -> bool:
    """Whether ``From:`` with at least two other header lines near below it starts here, in any of
    its languages.
    """
    line = lines[number]
    if len(line) > 300 or _FROM_LINE.match(line) is None:
        return False
    others = 0
    for at in range(number + 1, min(number + 9, len(lines))):
        below = lines[at]
        if _OTHER_LINE.match(below[:40]) is not None:
            others += 1
            if others == 2:
                return True
        elif not below.strip() and others == 0 and at > number + 1:
            return False
    return False


def _signature_end(lines: list[str], number: int) -> int:
    """One past the last line of the signature that a ``--`` line starts, or 0 where too much
    follows for one.
    """
    count = len(lines)
    end = at = number + 1
    texts = 0
    while at < count:
        line = lines[at]
        if line[:1] in _QUOTE_MARKS and line:
            break
        if line.strip():
            texts += 1
            end = at + 1
            if texts > _LONGEST_SIGNATURE:
                return 0
            if _starts_history(lines, at):
                return at
        at += 1
    return end if texts else 0


def _starts_history(lines: list[str], at: int) -> bool:
    """Whether the next text at a line is history: a separator, a header block, an introduction or a
    quote.
    """
    at = _next_text(lines, at)
    if at >= len(lines):
        return False
    line = lines[at]
    if not line:
        return False
    if (
        line[0] in _QUOTE_MARKS
        or _SEPARATOR.fullmatch(line) is not None
        or _RULE.fullmatch(line) is not None
    ):
        return True
    if _header_block(lines, at):
        return True
    return any(
        lines[n].rstrip().endswith((":", "：")) and _introduction(lines, n, at)[1] != ""
        for n in range(at, min(at + 3, len(lines)))
    )


def _end_signature(found: list[Fold], start: int) -> None:
    """Let a signature end where the history below it starts."""
    if found and found[-1].kind == "signature" and found[-1].end > start:
        last = found.pop()
        if last.start < start:
            found.append(Fold(last.start, start, "signature"))


def _merged(found: list[Fold]) -> list[Fold]:
    """The folds with overlaps resolved in favour of the later one."""
    out: list[Fold] = []
    for fold in found:
        if out and out[-1].end > fold.start:
            last = out.pop()
            if last.start < fold.start:
                out.append(Fold(last.start, fold.start, last.kind))
        out.append(fold)
    return out
