"""An invitation to a meeting, or an answer to one, as a person reads it (RFC 5545, RFC 5546).

Nothing is accepted or entered anywhere: the desk shows what it says.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from workflow.plaintext import one_line, printable

__all__ = ["invitation_words", "read_invitation"]

LARGEST = 300_000
"""Bytes beyond which a calendar file is left as a file: no invitation has as many."""

_MOST_NAMES = 50
_LONGEST = 300
_LONGEST_NOTE = 4_000
_ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "accepted tentatively",
    "DELEGATED": "delegated",
}


def read_invitation(data: bytes) -> dict[str, Any] | None:
    """The first event of a calendar file that was sent for somebody to act on, or None.

    ``method`` is ``request``, ``cancel``, ``reply``, ``publish`` ...; ``starts`` and ``ends`` are
    written with their own offset (a date alone for whole days), ``zone`` names the zone they were
    written in. Never raises.
    """
    if len(data) > LARGEST or b"BEGIN:VEVENT" not in data.upper():
        return None
    try:
        return _read(data)
    except Exception:  # noqa: BLE001  the file is a stranger's, and stays there as a file
        return None


def _read(data: bytes) -> dict[str, Any] | None:
    # Loaded for the first invitation: few mails have one.
    from icalendar import Calendar

    calendar = Calendar.from_ical(data)
    event = next(iter(calendar.walk("VEVENT")), None)
    if event is None:
        return None
    starts, ends = _moment(event.get("DTSTART")), _moment(event.get("DTEND"))
    if ends is None and starts is not None and event.get("DURATION") is not None:
        ends = starts + event.get("DURATION").dt
    zone = (
        getattr(getattr(event.get("DTSTART"), "params", None), "get", lambda *_: "")("TZID") or ""
    )
    people = event.get("ATTENDEE") or []
    people = people if isinstance(people, list) else [people]
    return {
        "method": one_line(str(calendar.get("METHOD") or "publish"), 20).lower(),
        "title": _words(event.get("SUMMARY")),
        "starts": _written(starts),
        "ends": _written(ends),
        "zone": one_line(str(zone), 60),
        "where": _words(event.get("LOCATION")),
        "organizer": _person(event.get("ORGANIZER")),
        "people": [
            {"name": _person(one), "answer": str(one.params.get("PARTSTAT") or "").lower()[:20]}
            for one in people[:_MOST_NAMES]
        ],
        "repeats": _repetition(event.get("RRULE")),
        "note": printable(str(event.get("DESCRIPTION") or ""))[:_LONGEST_NOTE].strip(),
        "uid": _words(event.get("UID")),
    }


def invitation_words(found: dict[str, Any]) -> str:
    """The lines that a person reads."""
    people: list[dict[str, str]] = found["people"]
    head = {"cancel": "Cancelled", "reply": "Answer to an invitation"}.get(
        found["method"], "Invitation"
    )
    lines = [f"{head}: {found['title'] or '(no title)'}"]
    if found["method"] == "reply":
        lines += [
            f"{one['name']} has {_ANSWERS.get(one['answer'].upper(), one['answer'])}"
            for one in people
            if one["answer"]
        ]
    if found["starts"]:
        last = _last_day(found["ends"]) if found["ends"] else ""
        until = f" to {_shown(last)}" if last and last != found["starts"] else ""
        zone = f" ({found['zone']})" if found["zone"] else ""
        lines.append(f"When: {_shown(found['starts'])}{until}{zone}")
    if found["repeats"]:
        lines.append(f"Repeats: {found['repeats']}")
    if found["where"]:
        lines.append(f"Where: {found['where']}")
    if found["organizer"]:
        lines.append(f"From: {found['organizer']}")
    if people and found["method"] != "reply":
        lines.append(f"With: {', '.join(one['name'] for one in people)}")
    if found["note"]:
        lines += ["", found["note"]]
    return "\n".join(lines)


def _moment(value: Any) -> datetime | date | None:
    moment = getattr(value, "dt", None)
    return moment if isinstance(moment, date) else None


def _written(moment: datetime | date | None) -> str | None:
    """RFC 3339 with the offset it was written with; without one where it has none ("floating")."""
    if isinstance(moment, datetime) and moment.tzname() == "UTC":
        return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"
    if isinstance(moment, datetime):
        return moment.isoformat(timespec="seconds")
    return None if moment is None else moment.isoformat()


def _last_day(ends: str) -> str:
    """The end as people say it: of whole days DTEND is the day after (RFC 5545 section 3.6.1)."""
    if "T" in ends:
        return ends
    return (date.fromisoformat(ends) - timedelta(days=1)).isoformat()


def _shown(text: str) -> str:
    """``2026-12-01 10:00 +01:00`` for what is stored."""
    day, _t, rest = text.partition("T")
    return f"{day} {rest[:5]} {'UTC' if rest[8:] == 'Z' else rest[8:]}".strip() if rest else day


def _words(value: Any) -> str:
    return one_line(str(value or ""), _LONGEST)


def _person(value: Any) -> str:
    """The name of an organizer or attendee and their address."""
    if value is None:
        return ""
    address = str(value)
    if address.lower().startswith("mailto:"):
        address = address[7:]
    name = str(value.params.get("CN") or "")
    both = f"{name} <{address}>" if name and name.lower() != address.lower() else address
    return one_line(both, _LONGEST)


def _repetition(rule: Any) -> str:
    """``weekly``, ``monthly until 2027-01-31``, ``daily, 5 times``; not taken apart further."""
    if not rule:
        return ""
    words = str((rule.get("FREQ") or [""])[0]).lower()
    interval = (rule.get("INTERVAL") or [1])[0]
    if interval != 1:
        words += f", every {interval}"
    if rule.get("COUNT"):
        words += f", {rule['COUNT'][0]} times"
    if rule.get("UNTIL"):
        until = rule["UNTIL"][0]
        words += f", until {until.date() if isinstance(until, datetime) else until}"
    return one_line(words, 100)
