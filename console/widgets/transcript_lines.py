"""From a ticket to the lines of its conversation. Pure: values in, lines out; wrapping is by cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from rich.cells import get_character_cell_size

from channels.email.invitations import invitation_words
from console import fmt, safe
from console.event_words import event_words
from workflow.model import to_millis
from workflow.store.rows import EventDetail, MessageDetail, TicketDetail

__all__ = ["Leaving", "TextLine", "conversation", "wrap"]

READABLE = 100
"""Text is not drawn wider than this many cells: longer lines are hard to read."""

LONGEST = 400
"""Lines of one message that are shown before it is folded."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line of the conversation. ``block`` counts messages (-1 for an event); ``right`` stands at the right edge."""

    block: int
    kind: str
    """head, body, quote, fold, file, event, blank"""
    spans: tuple[tuple[str, str], ...] = ()
    """(text, ink)"""
    right: tuple[tuple[str, str], ...] = ()
    ground: str = "base"
    bar: tuple[str, str] = (" ", "faint")


class Leaving(NamedTuple):
    """When a message leaves, and whether only for as long as the customer says nothing."""

    at: datetime
    unless_reply: bool = False


def wrap(text: str, width: int) -> list[str]:
    """Text as lines of at most ``width`` cells, broken at blanks where there are any; each line has passed the gate."""
    width = max(8, width)
    lines: list[str] = []
    for raw in text.split("\n"):
        line = safe.printable(raw.expandtabs(8) if "\t" in raw else raw).rstrip()
        if len(line) <= width and (line.isascii() or safe.cells(line) <= width):
            lines.append(line)
        elif line.isascii():
            _wrap_ascii(line, width, lines)
        else:
            _wrap_cells(line, width, lines)
    return lines


def _wrap_ascii(line: str, width: int, lines: list[str]) -> None:
    start, end = 0, len(line)
    while end - start > width:
        cut = line.rfind(" ", start, start + width + 1)
        if cut <= start:
            cut = start + width
        lines.append(line[start:cut].rstrip())
        start = cut + 1 if line[cut : cut + 1] == " " else cut
    lines.append(line[start:])


def _wrap_cells(line: str, width: int, lines: list[str]) -> None:
    start = used = 0
    blank = -1
    used_at_blank = 0
    for index, character in enumerate(line):
        taken = 1 if character < "\u0300" else get_character_cell_size(character)
        if character == " ":
            blank, used_at_blank = index, used
        if used + taken > width and index > start:
            cut = blank if blank > start else index
            lines.append(line[start:cut].rstrip())
            used = used - used_at_blank - 1 if cut == blank else 0
            start = cut + 1 if cut == blank else cut
            blank = -1
        used += taken
    lines.append(line[start:])


def conversation(
    ticket: TicketDetail,
    width: int,
    now: datetime,
    zone: tzinfo | None,
    *,
    unfolded: Collection[int] = (),
    events: bool = False,
    leaves_at: Mapping[str, Leaving] | None = None,
) -> list[TextLine]:
    """The lines of a ticket, oldest first. ``unfolded`` are the ids of messages that are shown whole.

    ``leaves_at`` tells for the Message-ID of a reply that is held or scheduled when it leaves.
    """
    lines: list[TextLine] = []
    told = iter(ticket.events if events else ())
    event = next(told, None)
    for block, message in enumerate(ticket.messages):
        while event is not None and event.at <= message.at:
            lines.extend(_event(event, now, zone))
            event = next(told, None)
        lines.extend(
            _message(block, message, width, now, zone, message.id in unfolded, leaves_at or {})
        )
        lines.append(TextLine(block, "blank"))
    while event is not None:
        lines.extend(_event(event, now, zone))
        event = next(told, None)
    return lines


def _message(
    block: int,
    message: MessageDetail,
    width: int,
    now: datetime,
    zone: tzinfo | None,
    whole: bool,
    leaves_at: Mapping[str, Leaving],
) -> Iterator[TextLine]:
    note = message.direction == "note"
    ground = "note" if note else "base"
    bar = {"note": ("┃", "note"), "out": ("│", "accent")}.get(message.direction, ("│", "faint"))
    yield TextLine(block, "head", _who(message), _when(message, now, zone, leaves_at), ground, bar)
    if message.delivery == "cancelled" and not whole:
        words = "  ▸ taken back before it left; its text is the writer's draft again"
        yield TextLine(block, "fold", ((words, "faint"),), (), ground, bar)
        return
    if message.delivery == "failed":
        words = "  This mail was not sent. The outbox (O) says why and sends it again."
        yield TextLine(block, "body", ((words, "late"),), (), ground, bar)
    if message.bounce:
        reason = str(
            message.bounce.get("reason") or message.bounce.get("status") or "no reason given"
        )
        recipient = str(message.bounce.get("recipient") or "the recipient")
        yield TextLine(
            block,
            "body",
            ((f"  Could not be delivered to {recipient}: {reason}", "late"),),
            (),
            ground,
            bar,
        )
    if message.automatic and message.direction == "in" and block and not whole:
        # The one that opened the ticket is what it is about; one that came later is noise.
        yield TextLine(block, "fold", _automatic(message), (), ground, bar)
        return
    room = min(width - 4, READABLE)
    if message.invitation is not None:
        for words in _invitation(message, message.invitation):
            for line in wrap(words, room):
                yield TextLine(block, "body", (("  " + line, "accent"),), (), ground, bar)
    text = message.full_text if whole else message.text
    body = wrap(text.strip("\n"), room) if text.strip() else ["(no text)"]
    hidden = 0
    if not whole and len(body) > LONGEST:
        hidden = len(body) - LONGEST
        body = body[:LONGEST]
    for line in body:
        quoted = whole and line.startswith(">")
        ink = "dim" if quoted or not text.strip() else "text"
        yield TextLine(block, "quote" if quoted else "body", (("  " + line, ink),), (), ground, bar)
    if hidden:
        yield TextLine(
            block,
            "fold",
            ((f"  ▸ {hidden} more lines", "dim"), ("  enter shows them", "faint")),
            (),
            ground,
            bar,
        )
    elif not whole and (quoted_lines := _quoted_lines(message)):
        words = "1 quoted line" if quoted_lines == 1 else f"{quoted_lines} quoted lines"
        yield TextLine(
            block,
            "fold",
            ((f"  ▸ {words}", "dim"), ("  enter shows them", "faint")),
            (),
            ground,
            bar,
        )
    elif whole and (_quoted_lines(message) or (message.automatic and block)):
        yield TextLine(
            block,
            "fold",
            (("  ▾ shown whole", "dim"), ("  enter folds it", "faint")),
            (),
            ground,
            bar,
        )
    for attachment in message.attachments:
        spans = (
            ("  ⊞ ", "accent"),
            (attachment.name or "(no name)", "text"),
            (f"  {attachment.content_type}  {fmt.size(attachment.size)}", "dim"),
        )
        yield TextLine(block, "file", spans, (), ground, bar)


def _automatic(message: MessageDetail) -> tuple[tuple[str, str], ...]:
    """What stands for an automatic message that is folded."""
    first = next((line.strip() for line in message.text.split("\n") if line.strip()), "no text")
    files = len(message.attachments)
    more = f"  ⊞ {files}" if files else ""
    return (
        (f"  ▸ {safe.crop(safe.one_line(first), 60)}{more}", "dim"),
        ("  enter shows it", "faint"),
    )


def _invitation(message: MessageDetail, found: dict[str, Any]) -> list[str]:
    """What a calendar file asks for, above the words of the mail; where it has none of its own they
    are the invitation's.
    """
    words = invitation_words({**found, "note": ""})
    return [] if message.full_text.startswith(words) else words.split("\n")


def _quoted_lines(message: MessageDetail) -> int:
    if message.full_text is message.text or message.full_text == message.text:
        return 0
    whole = sum(1 for line in message.full_text.split("\n") if line.strip())
    return max(0, whole - sum(1 for line in message.text.split("\n") if line.strip()))


def _who(message: MessageDetail) -> tuple[tuple[str, str], ...]:
    if message.direction == "note":
        return (
            (" NOTE ", "note"),
            (message.author or message.agent or "?", "strong"),
            ("  only the team sees this", "note"),
        )
    if message.direction == "out":
        to = _people(message.to)
        cc = f", cc {_people(message.cc)}" if message.cc else ""
        bcc = f", bcc {_people(message.bcc)}" if message.bcc else ""
        word = "forwarded to" if message.forwards else "aside to" if message.aside else "to"
        return (
            (" ⇢ " if message.aside else " → ", "accent"),
            (message.author or message.agent or "us", "strong"),
            (f"  {word} {to}{cc}{bcc}", "note" if message.aside else "dim"),
        )
    address = (
        f"  {message.from_address}"
        if message.from_address and message.from_address != message.author
        else ""
    )
    automatic = "  automatic" if message.automatic else ""
    if message.aside:
        # Somebody who was asked aside: the customer knows nothing of it.
        automatic += "  aside, not the customer"
    name = message.author or message.from_name or message.from_address or "?"
    cc = f"  cc {_people(message.cc)}" if message.cc else ""
    return (
        (" ← ", "dim"),
        (name, "strong"),
        (address, "dim"),
        _verdict(message),
        (automatic, "risk"),
        (cc, "dim"),
    )


def _verdict(message: MessageDetail) -> tuple[str, str]:
    """What our mail server found out about the sender, in a word."""
    found = message.authentication or {}
    if found.get("claims_us"):
        return "  says it is from us: not confirmed", "risk"
    return {
        "verified": ("  verified", "good"),
        "failed": ("  DMARC failed", "late"),
        "unverified": ("  not verified", "dim"),
    }.get(str(found.get("verdict", "")), ("", "dim"))


def _people(parties: tuple[tuple[str, str], ...]) -> str:
    shown = [address or name for name, address in parties[:3]]
    more = f" and {len(parties) - 3} more" if len(parties) > 3 else ""
    return ", ".join(shown) + more if shown else "nobody"


def _when(
    message: MessageDetail, now: datetime, zone: tzinfo | None, leaves_at: Mapping[str, Leaving]
) -> tuple[tuple[str, str], ...]:
    parts: list[tuple[str, str]] = []
    if message.direction == "out" and message.delivery:
        parts.append(_delivery(message, now, zone, leaves_at))
    ago = fmt.age(to_millis(now), to_millis(message.at))
    ago = "now" if ago == "now" else f"{ago} ago"
    parts.append((f"{fmt.moment(message.at, now, zone)} · {ago}", "dim"))
    return tuple(parts)


def _delivery(
    message: MessageDetail, now: datetime, zone: tzinfo | None, leaves_at: Mapping[str, Leaving]
) -> tuple[str, str]:
    state = message.delivery or ""
    leaving = leaves_at.get(message.message_id or "")
    if state == "scheduled" and leaving is not None:
        unless = ", unless they write" if leaving.unless_reply else ""
        return (f"⧗ {fmt.moment(leaving.at, now, zone)}{unless} · T takes it back", "risk")
    if state == "held":
        left = max(0, round((leaving.at - now).total_seconds())) if leaving else None
        return (
            "held · z takes it back"
            if left is None
            else f"leaves in {left // 60}:{left % 60:02d} · z takes it back",
            "risk",
        )
    signs = {
        "scheduled": ("scheduled", "dim"),
        "queued": ("queued", "dim"),
        "sending": ("sending …", "dim"),
        "sent": ("sent ✓", "good"),
        "failed": ("not sent ✕", "late"),
        "bounced": ("bounced ✕", "late"),
        "cancelled": ("taken back", "dim"),
    }
    return signs.get(state, (state, "dim"))


def _event(event: EventDetail, now: datetime, zone: tzinfo | None) -> Iterator[TextLine]:
    words = event_words(event)
    if words:
        yield TextLine(
            -1,
            "event",
            (("  · ", "faint"), (words, "dim")),
            ((fmt.moment(event.at, now, zone), "faint"),),
        )
