"""How numbers and moments read on the screen: ages, countdowns, sizes, dates. No colour, no widget."""

from __future__ import annotations

import math
from datetime import datetime, tzinfo

from console.countdown import Left, wall_clock
from workflow.model import Metric, Priority

__all__ = [
    "METRIC_WORDS",
    "age",
    "clock_words",
    "escalation_words",
    "moment",
    "priority_mark",
    "short_span",
    "size",
    "span_words",
    "time_of_day",
]

METRIC_WORDS = {
    Metric.FIRST_RESPONSE.value: "first response",
    Metric.NEXT_RESPONSE.value: "next response",
    Metric.UPDATE.value: "update",
    Metric.RESOLUTION.value: "resolution",
}
_LETTERS = {metric.value: metric.letter for metric in Metric}
_MARKS = {
    Priority.UNSET: "",
    Priority.LOW: "↓",
    Priority.MEDIUM: "",
    Priority.HIGH: "!!",
    Priority.URGENT: "!!!",
}


def short_span(seconds: float) -> str:
    """A length of time in at most five cells: ``0:42`` (minutes), ``3h12``, ``6d4h``, ``31d``; the sign is dropped."""
    minutes = int(abs(seconds)) // 60
    if minutes < 60:
        return f"0:{minutes:02d}"
    hours = minutes // 60
    if hours < 72:
        return f"{hours}h{minutes % 60:02d}"
    days = hours // 24
    return f"{days}d{hours % 24}h" if days < 10 else f"{days}d"


def span_words(seconds: float) -> str:
    """A length of time as a person says it: ``12 min``, ``3 h 12 min``, ``2 d 4 h``."""
    total = int(abs(seconds))
    if total < 60:
        return f"{total} s"
    minutes = total // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def age(now_ms: int, then_ms: int | None) -> str:
    """How long ago, in at most three cells: ``now``, ``5m``, ``2h``, ``3d``, ``9w``, ``2y``; empty for None."""
    if then_ms is None:
        return ""
    seconds = (now_ms - then_ms) // 1000
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{seconds // 60}m"
    if seconds < 86_400:
        return f"{seconds // 3600}h"
    days = seconds // 86_400
    if days < 100:
        return f"{days}d"
    return f"{days // 7}w" if days < 700 else f"{days // 365}y"


def clock_words(
    now_ms: int,
    metric: str | None,
    due_ms: int | None,
    warn_ms: int | None,
    paused: bool,
    wide: bool = False,
    calendar: str | None = None,
    left_by: Left = wall_clock,
) -> tuple[str, str]:
    """The nearest promise of a ticket as (words, ink): ``F 0:42``, ``F 0:42 !`` at risk, ``F -0:05`` past due.

    Every state reads without its colour: a minus or the word *late* for breached, ``!`` for at risk, a pause sign.
    """
    if metric is None or due_ms is None:
        if paused:
            return ("‖ paused", "dim")
        return ("no promise" if wide else "–", "faint")
    letter = _LETTERS.get(metric, "?")
    left = left_by(calendar, due_ms, now_ms)
    if left is None:
        return (f"{letter} …", "dim")
    if due_ms < now_ms:
        return (f"{letter} {'late ' if wide else '-'}{short_span(left)}", "late")
    if warn_ms is not None and now_ms >= warn_ms:
        return (f"{letter} {short_span(left)} !", "risk")
    return (f"{letter} {short_span(left)}", "text")


def escalation_words(
    level: str, now_ms: int, ack_due_ms: int | None, accepted_by: str | None
) -> str:
    """An escalation in few cells: ``esc L2 ack? 0:20`` (minutes left to accept it in; a minus past due), ``esc L2 ben``
    once ben has, ``esc L2`` where nothing is promised.
    """
    if accepted_by:
        return f"esc {level} {accepted_by}"
    if ack_due_ms is None:
        return f"esc {level}"
    left = (ack_due_ms - now_ms) / 1000
    # A minute that has begun counts until it is over, so that it never shows 0:00 while there is time.
    whole = math.ceil(left / 60) * 60 if 0 < left < 3600 else left
    return f"esc {level} ack? {'-' if left < 0 else ''}{short_span(whole)}"


def priority_mark(priority: int) -> str:
    """The priority in at most three cells."""
    return _MARKS.get(Priority(priority), "") if 0 <= priority <= 4 else "?"


def size(count: int) -> str:
    """A number of bytes for a person: ``812 B``, ``14 KB``, ``2.3 MB``."""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{max(1, round(count / 1000))} KB"
    return f"{count / 1_000_000:.1f} MB"


def time_of_day(when: datetime, zone: tzinfo | None) -> str:
    """Hours and minutes on the reader's clock."""
    return f"{when.astimezone(zone):%H:%M}"


def moment(when: datetime, now: datetime, zone: tzinfo | None) -> str:
    """A moment on the reader's clock, no longer than needed: ``09:14``, ``Tue 09:14``, ``12 Mar 2024``."""
    here, today = when.astimezone(zone), now.astimezone(zone)
    days = (today.date() - here.date()).days
    if days == 0:
        return f"{here:%H:%M}"
    if -7 < days < 7:
        return f"{here:%a %H:%M}"
    if here.year == today.year:
        return f"{here.day} {here:%b %H:%M}"
    return f"{here.day} {here:%b %Y}"
