"""From a ticket to the lines of its conversation. Pure: values in, lines out; wrapping is by cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

from rich.cells import get_character_cell_size

from channels.email.invitations import invitation_words
from console import fmt, safe
from console.event_words import event_words
from console.widgets.amended_lines import Amendment, amended_word, amendments
from console.widgets.queue_row import CHANNELS
from workflow.model import to_millis
from workflow.store.rows import EventDetail, MessageDetail, TicketDetail

__all__ = ["Leaving", "TextLine", "conversation", "wrap"]

READABLE = 100
"""Text is not drawn wider than this many cells: longer lines are hard to read."""

LONGEST = 400
"""Lines of one message that are shown before it is folded."""

_INKS = {"body": "text", "quote": "dim", "fold": "dim", "none": "dim"}

QUOTED = 3
"""Lines of a quote that are shown above the answer to them, where somebody answers line by line."""


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
    error: str | None = None
    """Why it has not left yet, or will not."""


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
    changed = amendments(ticket.events)
    mixed = len({m.channel for m in ticket.messages if m.direction != "note"}) > 1
    told = iter(ticket.events if events else ())
    event = next(told, None)
    for block, message in enumerate(ticket.messages):
        while event is not None and event.at <= message.at:
            lines.extend(_event(event, now, zone))
            event = next(told, None)
        lines.extend(
            _message(
                block,
                message,
                width,
                now,
                zone,
                message.id in unfolded,
                leaves_at or {},
                changed.get(message.id, ()),
                mixed,
            )
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
    changes: Sequence[Amendment],
    mixed: bool,
) -> Iterator[TextLine]:
    note = message.direction == "note"
    ground = "note" if note else "base"
    bar = {"note": ("┃", "note"), "out": ("│", "accent")}.get(message.direction, ("│", "faint"))
    amended = amended_word(changes)
    who = _who(message, mixed=mixed)
    who += ((f"  {amended}", "risk"),) if amended else ()
    yield TextLine(block, "head", who, _when(message, now, zone, leaves_at), ground, bar)
    if message.delivery == "cancelled" and not whole:
        words = "  ▸ taken back before it left: nobody has got it"
        yield TextLine(block, "fold", ((words, "faint"),), (), ground, bar)
        return
    for line in wrap(_trouble(message, leaves_at), min(width - 4, READABLE)):
        if line:
            yield TextLine(block, "body", (("  " + line, "late"),), (), ground, bar)
    for outcome in message.deliveries:
        words, ink = _outcome(outcome)
        yield TextLine(block, "body", ((f"  {words}", ink),), (), ground, bar)
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
    body = _body(message, room, whole)
    if not whole and len(body) > LONGEST:
        body = [*body[:LONGEST], ("fold", f"▸ {len(body) - LONGEST} more lines")]
    hint = "  enter shows them"
    for kind, words in body:
        spans: tuple[tuple[str, str], ...] = (("  " + words, _INKS[kind]),)
        if kind == "fold":
            spans += ((hint, "faint"),)
            hint = ""
        shown = "body" if kind == "none" else kind
        yield TextLine(block, shown, spans if spans[-1][0] else spans[:1], (), ground, bar)
    edited = any(change.before is not None for change in changes)
    if whole and (message.full_text != message.text or edited or (message.automatic and block)):
        spans = (("  ▾ shown whole", "dim"), ("  enter folds it", "faint"))
        yield TextLine(block, "fold", spans, (), ground, bar)
    yield from _earlier(block, changes, whole, room, now, zone, ground, bar)
    for attachment in message.attachments:
        spans = (
            ("  ⊞ ", "accent"),
            (attachment.name or "(no name)", "text"),
            (f"  {attachment.content_type}  {fmt.size(attachment.size)}", "dim"),
        )
        yield TextLine(block, "file", spans, (), ground, bar)


def _earlier(
    block: int,
    changes: Sequence[Amendment],
    whole: bool,
    room: int,
    now: datetime,
    zone: tzinfo | None,
    ground: str,
    bar: tuple[str, str],
) -> Iterator[TextLine]:
    """The texts that a message had before it was edited: a line that says so, or all of them."""
    texts = [(change.at, change.before) for change in changes if change.before is not None]
    if texts and not whole:
        words = "the text before" if len(texts) == 1 else f"{len(texts)} earlier texts"
        spans = ((f"  ▸ {words}", "dim"), ("  enter shows it", "faint"))
        yield TextLine(block, "fold", spans, (), ground, bar)
        return
    for at, before in texts:
        head = f"  before {fmt.moment(at, now, zone)}:"
        yield TextLine(block, "body", ((head, "dim"),), (), ground, bar)
        for line in wrap(before.strip("\n") or "(no text)", room - 2):
            yield TextLine(block, "quote", (("    " + line, "dim"),), (), ground, bar)


def _trouble(message: MessageDetail, leaves_at: Mapping[str, Leaving]) -> str:
    """Why an answer has not left, and what to do; empty where nothing is wrong."""
    leaving = leaves_at.get(message.message_id or "")
    said = leaving.error if leaving is not None else None
    if message.delivery == "failed":
        why = f"Not sent: {said}." if said else "Not sent."
        return f"{why} The outbox (O) sends it again or drops it."
    if message.delivery == "queued" and said:
        return f"Not sent yet: {said}. It is tried again by itself; the outbox (O) says when."
    return ""


def _outcome(outcome: Mapping[str, Any]) -> tuple[str, str]:
    """What a report told of one recipient."""
    who = safe.one_line(str(outcome.get("recipient", "")))
    why = safe.one_line(f"{outcome.get('status', '')} {outcome.get('reason', '')}".strip())
    match outcome.get("state"):
        case "bounced":
            return f"✕ did not reach {who}: {why}", "late"
        case "delayed":
            return f"… still on its way to {who}: {why}", "risk"
        case "complained":
            return f"! {who} called it spam ({why})", "risk"
    return f"✓ delivered to {who}", "good"


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


def _body(message: MessageDetail, room: int, whole: bool) -> list[tuple[str, str]]:
    """The lines of a message as (kind, words): what its author wrote, and for what is folded a line
    that says so in its place, or what it holds where the message is shown whole.
    """
    text = message.full_text if whole else message.text
    if not text.strip():
        return [("none", "(no text)")]
    folds = _folds(message.full_text, message.text)
    if not folds:
        return [("body", line) for line in wrap(text.strip("\n"), room)] + (
            [] if whole else _left_out(message)
        )
    lines = message.full_text.split("\n")
    last = len(lines)  # one past the last line of the author's own
    for start, end, _ in reversed(folds):
        if any(map(str.strip, lines[end:last])):
            break
        last = start
    # Answers between quotes make no sense without them; one quote above an answer does not say which
    # part of it is meant.
    between = sum(kind == "quote" and start < last for start, _, kind in folds) > 1
    out: list[tuple[str, str]] = []
    below: list[str] = []
    at = 0
    for start, end, kind in folds:
        _add(out, "body", lines[at:start], room)
        at = end
        held = [line for line in lines[start:end] if line.strip()]
        if whole:
            _add(out, "quote", lines[start:end], room)
        elif start >= last:
            below.append(_count(len(held), kind))
        else:
            shown = held[-QUOTED:] if between and kind == "quote" else []
            if len(held) > len(shown):
                out.append(("fold", f"▸ {_count(len(held) - len(shown), kind)}"))
            _add(out, "quote", shown, room)
    _add(out, "body", lines[at:], room)
    while out and not out[-1][1]:
        out.pop()
    if below:
        out.append(("fold", f"▸ {' and '.join(dict.fromkeys(below))}"))
    return out


def _add(out: list[tuple[str, str]], kind: str, lines: list[str], room: int) -> None:
    """Add lines as they are wrapped, without a second blank line where something was folded."""
    text = "\n".join(lines)
    if not out or not out[-1][1]:
        text = text.lstrip("\n")
    if text.strip():
        out.extend((kind, line) for line in wrap(text, room))
    elif lines and out and out[-1][1]:
        out.append((kind, ""))


def _count(count: int, kind: str) -> str:
    if kind == "signature":
        return "a signature"
    return "1 quoted line" if count == 1 else f"{count} quoted lines"


@lru_cache(maxsize=512)
def _folds(full_text: str, text: str) -> tuple[tuple[int, int, str], ...]:
    """What was folded away, as lines from and to and kind; ``()`` if nothing was."""
    if full_text is text or full_text == text:
        return ()
    # Only where there is something to fold: a queue of chats is drawn without it.
    from channels.email.quotes import refold

    return tuple((fold.start, fold.end, fold.kind) for fold in refold(full_text, text))


def _left_out(message: MessageDetail) -> list[tuple[str, str]]:
    """What to say where a text leaves out lines that it was not folded from."""
    whole = sum(1 for line in message.full_text.split("\n") if line.strip())
    count = whole - sum(1 for line in message.text.split("\n") if line.strip())
    return [("fold", f"▸ {_count(count, 'quote')}")] if count > 0 else []


def _who(message: MessageDetail, *, mixed: bool) -> tuple[tuple[str, str], ...]:
    """Who wrote to whom; with the sign of its channel where a ticket has several."""
    sign = f" {CHANNELS.get(message.channel, '·')}" if mixed else ""
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
            (f"{sign} {'⇢' if message.aside else '→'} ", "accent"),
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
    # Who only says that they are one of us is marked as that, which is worse.
    claims = bool((message.authentication or {}).get("claims_us"))
    cc = f"  cc {_people(message.cc)}" if message.cc else ""
    return (
        (f"{sign} ← ", "dim"),
        (name, "strong"),
        ("  not a participant until now" if message.stranger and not claims else "", "late"),
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
    # The number of a chat says nothing to a person.
    shown = [address if "@" in address else name or address for name, address in parties[:3]]
    more = f" and {len(parties) - 3} more" if len(parties) > 3 else ""
    return ", ".join(shown) + more if shown else "nobody"


def _when(
    message: MessageDetail, now: datetime, zone: tzinfo | None, leaves_at: Mapping[str, Leaving]
) -> tuple[tuple[str, str], ...]:
    parts: list[tuple[str, str]] = []
    if message.direction == "out" and message.delivery:
        parts.append(_delivery(message, now, zone, leaves_at))
    if message.home is not None:
        parts.append((f"from #{message.home}", "accent"))
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
