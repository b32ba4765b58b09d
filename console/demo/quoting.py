"""How mail programs lay out an answer: where the text stands, and how the past is quoted.

The lines are those that Gmail, Outlook, Apple Mail and Thunderbird write in the languages of the
cast; they are what a desk has to recognise to cut the quoted history.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime

from console.demo.script import Person

__all__ = ["Quoted", "answer_subject", "as_html", "as_plain", "page"]


@dataclass(frozen=True, slots=True)
class Quoted:
    """The mail that is answered; ``at`` in the zone of whoever answers."""

    name: str
    address: str
    at: datetime
    text: str
    subject: str = ""
    to: str = ""


_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    "es": ("lun", "mar", "mié", "jue", "vie", "sáb", "dom"),
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
}
_LONG_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "fr": (
        *("janv.", "févr.", "mars", "avr.", "mai", "juin"),
        *("juil.", "août", "sept.", "oct.", "nov.", "déc."),
    ),
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sept", "oct", "nov", "dic"),
}
_LONG_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "de": (
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
}
_OUTLOOK_LABELS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
}


def answer_subject(person: Person, subject: str) -> str:
    """The subject of an answer, with the prefix of the person's mail program, and only one."""
    bare = subject.strip()
    while bare[:3].casefold() in ("re:", "aw:"):
        bare = bare[3:].lstrip()
    if person.client == "outlook":
        return f"{'AW' if person.language == 'de' else 'RE'}: {bare}"
    return f"Re: {bare}"


def as_plain(person: Person, text: str, quoted: Quoted | None) -> str:
    """The plain body: the person's text with what it answers, in the layout of their program."""
    signed = _signed(person, text)
    if quoted is None:
        return signed + "\n"
    if person.client == "outlook":
        return f"{signed}\n\n{_outlook_head(person, quoted)}\n{quoted.text}\n"
    lines = "\n".join(f"> {line}".rstrip() for line in quoted.text.splitlines())
    if person.client == "thunderbird":
        return f"{_attribution(person, quoted)}\n{lines}\n\n{signed}\n"
    return f"{signed}\n\n{_attribution(person, quoted)}\n\n{lines}\n"


def as_html(person: Person, text: str, quoted: Quoted | None) -> str:
    """The HTML body of the same answer, with the markup by which each program is known."""
    own = _paragraphs(_signed(person, text))
    if quoted is None:
        return page(own)
    past = _paragraphs(quoted.text)
    head = html.escape(_attribution(person, quoted))
    if person.client == "outlook":
        labels = _outlook_fields(person, quoted)
        block = "<br>".join(f"<b>{html.escape(a)}:</b> {html.escape(b)}" for a, b in labels)
        return page(
            f'{own}<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0 0 0">'
            f'<p class="MsoNormal">{block}</p></div>{past}'
        )
    if person.client == "gmail":
        return page(
            f'<div dir="ltr">{own}</div><br><div class="gmail_quote">'
            f'<div dir="ltr" class="gmail_attr">{head}<br></div>'
            f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid #ccc;'
            f'padding-left:1ex">{past}</blockquote></div>'
        )
    return page(
        f'{own}<div><br><blockquote type="cite"><div>{head}</div><br>{past}</blockquote></div>'
    )


def page(body: str) -> str:
    """A whole HTML document around a body."""
    return f"<html><head></head><body>{body}</body></html>\n"


def _signed(person: Person, text: str) -> str:
    parts = [text]
    if person.sign:
        parts.append(person.sign)
    if person.client == "iphone":
        parts.append("Sent from my iPhone")
    return "\n\n".join(parts)


def _paragraphs(text: str) -> str:
    """Text as paragraphs; every character that HTML means something by is escaped."""
    return "".join(
        "<p>" + html.escape(part, quote=False).replace("\n", "<br>") + "</p>"
        for part in text.split("\n\n")
    )


def _attribution(person: Person, quoted: Quoted) -> str:
    """The line above a quote."""
    at, language = quoted.at, person.language
    clock = f"{at:%H:%M}"
    who, address = quoted.name or quoted.address, quoted.address
    if person.client == "thunderbird":
        if language == "de":
            return f"Am {at:%d.%m.%y} um {clock} schrieb {who}:"
        return f"On {at.day}/{at.month}/{at:%y} {clock}, {who} wrote:"
    if language == "ja":
        day = f"{at.year}年{at.month}月{at.day}日({_DAYS['ja'][at.weekday()]})"
        return f"{day} {clock} {who} <{address}>:"
    if language == "fr":
        day = f"{at.day} {_MONTHS['fr'][at.month - 1]} {at.year} à {clock}"
        if person.client == "gmail":
            day = f"{_DAYS['fr'][at.weekday()]} {day}"
        return f"Le {day}, {who} <{address}> a écrit :"
    if language == "es":
        day = f"{_DAYS['es'][at.weekday()]}, {at.day} {_MONTHS['es'][at.month - 1]} {at.year}"
        return f"El {day} a las {at.hour}:{at:%M}, {who} (<{address}>) escribió:"
    if person.client in ("apple", "iphone"):
        day = f"{at.day} {_MONTHS['en'][at.month - 1]} {at.year}, at {clock}"
        return f"On {day}, {who} <{address}> wrote:"
    day = f"{_DAYS['en'][at.weekday()]}, {_MONTHS['en'][at.month - 1]} {at.day}, {at.year}"
    hour = f"{at.hour % 12 or 12}:{at:%M} {'PM' if at.hour > 11 else 'AM'}"
    return f"On {day} at {hour} {who} <{address}> wrote:"


def _outlook_fields(person: Person, quoted: Quoted) -> tuple[tuple[str, str], ...]:
    language = "de" if person.language == "de" else "en"
    labels = _OUTLOOK_LABELS[language]
    at = quoted.at
    day = _LONG_DAYS[language][at.weekday()]
    month = _LONG_MONTHS[language][at.month - 1]
    sent = f"{day}, {at.day}{'.' if language == 'de' else ''} {month} {at.year} {at:%H:%M}"
    sender = f"{quoted.name} <{quoted.address}>" if quoted.name else quoted.address
    values = (sender, sent, quoted.to or person.address, quoted.subject)
    return tuple(zip(labels, values, strict=True))


def _outlook_head(person: Person, quoted: Quoted) -> str:
    lines = "\n".join(f"{label}: {value}" for label, value in _outlook_fields(person, quoted))
    return f"{'_' * 32}\n{lines}\n"
