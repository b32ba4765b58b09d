"""What should be looked at again before an answer leaves: a person may send it all the same.

:func:`doubts` is the one place where such warnings are made; the console and the command line only
show them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from workflow.inbound import Party
from workflow.plaintext import one_line

__all__ = ["Doubt", "Letter", "doubts"]


@dataclass(frozen=True, slots=True)
class Letter:
    """An answer as it is about to be sent. ``people`` are the names by which the customer is known,
    ``agents`` those of the team.
    """

    text: str
    subject: str = ""
    has_subject: bool = True
    """Whether the channel has subjects at all."""
    to: Sequence[Party] = ()
    cc: Sequence[Party] = ()
    bcc: Sequence[Party] = ()
    files: int = 0
    unreachable: Sequence[tuple[str, str]] = ()
    """Addresses of the customer to which mail comes back, or whose owner complained: why, in words."""
    people: Sequence[str] = ()
    agents: Sequence[str] = ()
    strangers: Sequence[str] = ()
    """The addresses of whoever is answered, where they took no part in it until they wrote."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One warning: a word for programs (``stranger``, ``unreachable``, ``attachment``, ``greeting``,
    ``subject``) and a sentence.
    """

    code: str
    sentence: str


def doubts(letter: Letter) -> tuple[Doubt, ...]:
    """Everything that looks wrong with an answer, in the order in which a person should look."""
    return tuple(found for check in _CHECKS if (found := check(letter)) is not None)


# -- somebody who took no part


def _stranger(letter: Letter) -> Doubt | None:
    outside = {address.lower() for address in letter.strangers}
    going = (party.address for party in (*letter.to, *letter.cc, *letter.bcc))
    found = next((address for address in going if address.lower() in outside), None)
    if found is None:
        return None
    return Doubt("stranger", f"it goes to {found}, who took no part in this until now")


# -- an attachment that is spoken of and is not there

_ATTACHED = re.compile(
    r"\battach(?:ed|ing|ments?)?\b|\benclos(?:ed|ing|ures?)\b"  # English
    r"|\banh(?:ang|änge|ängen)\b|\bangehängt\w*|\banbei\b|\bbeigefügt\w*|\bbeiliegend\w*"
    r"|\b(?:in|als)\s+(?:der\s+)?anlagen?\b"  # German
    r"|\bci-joint\w*|\bpi[èe]ces?[\s-]+jointes?\b|\ben\s+annexe\b"  # French
    r"|\badjunt(?:o|a|os|as|amos|ar|é)\b|\barchivos?\s+anex\w+"  # Spanish
    r"|\banex(?:o|os|a|ado|ada|ados|adas|amos|ei)\b"  # Portuguese
    r"|\ballegat[oiae]\b|\ballego\b"  # Italian
    r"|\bbijlagen?\b|\bbijgevoegd\w*|\bbijgesloten\b"  # Dutch
    r"|\bzałącznik\w*|\bzałączeniu\b|\bzałącz(?:am|ony|ona|one|yłem|yłam)\b"  # Polish
    r"|\bвложени\w+|\bприложени[еиюя]\b|\bприложен[аоы]?\b|\bприлага\w+|\bприкрепл\w+|\bприкрепи\w+"
    r"|附件|附上|随信附|隨信附|附檔"  # Chinese
    r"|添付|同封",  # Japanese
    re.IGNORECASE,
)


def _attachment(letter: Letter) -> Doubt | None:
    found = _ATTACHED.search(_own_words(letter.text)) if not letter.files else None
    if found is None:
        return None
    return Doubt(
        "attachment",
        f"the text speaks of an attachment ({one_line(found[0])!r}) and no file is attached",
    )


def _own_words(text: str) -> str:
    """What the agent wrote, without lines that quote somebody."""
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith(">"))


# -- a greeting of somebody else

_HAIL = re.compile(
    r"(?:"
    r"good\s+(?:morning|afternoon|evening|day)|hello|hi|hey|dear|greetings"
    r"|guten\s+(?:tag|morgen|abend)|sehr\s+geehrte[rs]?|hallo|liebe[rs]?|moin|servus|grüezi|grüß\s+gott"
    r"|bonjour|bonsoir|salut|ch(?:er|ère)s?"
    r"|buen[oa]s\s+(?:d[ií]as|tardes|noches)|hola|estimad[oa]s?|querid[oa]s?|apreciad[oa]s?"
    r"|bom\s+dia|boa\s+(?:tarde|noite)|ol[áa]|oi|prezad[oa]s?|car[oa]s?"
    r"|buongiorno|buonasera|ciao|salve|gentile|egregi[oa]|gentilissim[oa]"
    r"|goede(?:morgen|middag|navond)|beste|geachte|hoi|dag"
    r"|dzień\s+dobry|cześć|witaj|szanown[yai]|drog[iai]a?"
    r"|здравствуйте|здравствуй|привет|добрый\s+(?:день|вечер)|доброе\s+утро|уважаем\w+|дорог\w+"
    r"|您好|你好|尊敬的|亲爱的"
    r")(?=[\s,]|[\u3040-\u9fff]|\Z)\s*",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(r"(?:さん|様|さま|殿|先生|女士|小姐|您好|你好)")


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TITLES = _each(
    """mr mrs ms miss mx dr prof professor sir madam maam herr herrn frau fräulein dipl ing monsieur
    madame mademoiselle m mme mlle señor señora señorita sr sra srta don doña senhor senhora signor
    signora signore sig dott dottor dottoressa meneer mevrouw heer dhr mevr de van von der la le el
    pan pani panie państwo господин госпожа г-н г-жа"""
)
_ANYBODY = _each(
    """all everybody everyone team there folks customer customers friend friends colleague colleagues
    again and support damen herren kunde kundin kunden zusammen miteinander alle leute kollegen tous
    toutes client cliente clientes clients équipe equipe equipo todos todas tutti allen klant klanten
    wszystkim und et y e en i и коллеги клиент всем is this it's its thanks thank you for to the your
    from ihr ihre wir ich i i'm we nochmals wieder vielen danke merci gracias obrigado obrigada grazie
    dank dzięki спасибо"""
)


def _greeting(letter: Letter) -> Doubt | None:
    hailed = _hailed(letter.text)
    if not hailed:
        return None
    known = _known_names(letter)
    if any(_alike(name, other) for name in hailed for other in known):
        return None
    if not any(_folded(hailed[0]).isascii() == name.isascii() for name in known):
        # Nothing is known, or it is written in other letters.
        return None
    who = next((one_line(name, 60) for name in letter.people if name.strip()), "")
    who = who or next((party.name or party.address for party in letter.to), "the customer")
    return Doubt("greeting", f"the greeting says {' '.join(hailed)!r}, and it goes to {who}")


def _hailed(text: str) -> list[str]:
    """The names in the first line, where it is a greeting."""
    line = next((each.strip() for each in _own_words(text).split("\n") if each.strip()), "")
    found = _HAIL.match(line)
    if found is None:
        # 田中様, Maria,
        words = re.split(r"[,，、!！:：]", line, maxsplit=1)[0]
        bare = _AFTER_NAME.split(words, maxsplit=1)
        return [bare[0].strip()] if len(bare) > 1 and 0 < len(bare[0].strip()) < 12 else []
    rest = re.split(r"[,，、.!！?:;：\-–—(]", line[found.end() :], maxsplit=1)[0]
    rest = _AFTER_NAME.split(rest, maxsplit=1)[0]
    words = [word.strip("'\"*_“”„‘’") for word in rest.split()]
    names = []
    for word in words[:6]:
        folded = word.casefold().rstrip(".")
        if folded in _TITLES:
            continue
        # A small letter begins a sentence's next word, not a name.
        if folded in _ANYBODY or not word or word[0].islower() or not word[0].isalpha():
            break
        names.append(word)
    return names


def _known_names(letter: Letter) -> set[str]:
    """Words of the names that fit: those of the customer and of whom it goes to, but for the team,
    to whom a note should have been written.
    """
    team = {_folded(word) for name in letter.agents for word in _words(name)}
    theirs = {_folded(word) for name in letter.people for word in _words(name)}
    parties = {_folded(w) for p in (*letter.to, *letter.cc) for w in _words(p.name)}
    if theirs or parties:
        # An address alone says too little: info@ greets nobody.
        local = (party.address.partition("@")[0] for party in letter.to)
        parties |= {_folded(word) for part in local for word in _words(part)}
    return theirs | (parties - team)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\W\d_]+", name) if word]


def _folded(word: str) -> str:
    """A word as names are compared: no case, no accents."""
    plain = unicodedata.normalize("NFKD", word.casefold().replace("ß", "ss"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


def _alike(hailed: str, known: str) -> bool:
    """Whether a name may be short for the other (Max, Maximilian), or a part of one that is written
    without blanks.
    """
    parts = [_folded(part) for part in _words(hailed)]
    for part in parts:
        if part == known or (min(len(part), len(known)) >= 3 and (part in known or known in part)):
            return True
        if not part.isascii() and (part in known or known in part):
            return True
    return False


# -- the rest


def _subject(letter: Letter) -> Doubt | None:
    bare = re.sub(r"(?i)\b(?:re|aw|sv|fwd?|wg)\s*:", "", letter.subject).strip()
    if not letter.has_subject or bare:
        return None
    return Doubt("subject", "the subject is empty")


def _unreachable(letter: Letter) -> Doubt | None:
    going = {party.address.lower() for party in (*letter.to, *letter.cc, *letter.bcc)}
    told = [words for address, words in letter.unreachable if address in going]
    return Doubt("unreachable", "; ".join(told)) if told else None


_CHECKS: tuple[Callable[[Letter], Doubt | None], ...] = (
    _stranger,
    _unreachable,
    _attachment,
    _greeting,
    _subject,
)
