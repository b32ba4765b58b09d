"""Invitations to meetings and answers to them, shown as such."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.invitations import LARGEST, invitation_words, read_invitation
from channels.email.parse import parse_mail

EVENT = """BEGIN:VCALENDAR
PRODID:-//example//EN
VERSION:2.0
METHOD:{method}
BEGIN:VEVENT
UID:1@example.org
SUMMARY:Review über alles
DTSTART;TZID=Europe/Berlin:20261201T100000
DTEND;TZID=Europe/Berlin:20261201T113000
RRULE:FREQ=WEEKLY;COUNT=5
LOCATION:Room 3
ORGANIZER;CN="Müller, Anna":mailto:anna@example.org
ATTENDEE;CN=Support;PARTSTAT={answer}:mailto:support@example.com
DESCRIPTION:Line one\\nline \u202etwo
END:VEVENT
END:VCALENDAR
"""


def event(method: str = "REQUEST", answer: str = "NEEDS-ACTION") -> bytes:
    text = EVENT.format(method=method, answer=answer)
    return text.replace("\n", "\r\n").encode()


def mail(calendar: bytes, text: str = "") -> bytes:
    made = EmailMessage()
    made["From"] = "anna@example.org"
    made["Subject"] = "Invitation"
    if text:
        made.set_content(text)
        made.add_alternative(calendar, "text", "calendar", params={"method": "REQUEST"})
    else:
        made.set_content(calendar, "text", "calendar")
    return made.as_bytes()


def test_what_it_asks_for_is_read() -> None:
    found = read_invitation(event())
    assert found is not None
    assert {name: found[name] for name in ("method", "title", "starts", "ends", "zone")} == {
        "method": "request",
        "title": "Review über alles",
        "starts": "2026-12-01T10:00:00+01:00",
        "ends": "2026-12-01T11:30:00+01:00",
        "zone": "Europe/Berlin",
    }
    assert found["organizer"] == "Müller, Anna <anna@example.org>"
    assert found["people"] == [{"name": "Support <support@example.com>", "answer": "needs-action"}]
    assert "\u202e" not in found["note"]


def test_it_is_shown_as_such() -> None:
    read = parse_mail(mail(event()))
    assert read.full_text.split("\n")[:5] == [
        "Invitation: Review über alles",
        "When: 2026-12-01 10:00 +01:00 to 2026-12-01 11:30 +01:00 (Europe/Berlin)",
        "Repeats: weekly, 5 times",
        "Where: Room 3",
        "From: Müller, Anna <anna@example.org>",
    ]
    assert [file.content_type for file in read.attachments] == ["text/calendar"]
    with_words = parse_mail(mail(event(), "Please come.\n"))
    assert (with_words.full_text, with_words.invitation is not None) == ("Please come.", True)


@pytest.mark.parametrize(
    ("method", "answer", "words"),
    [
        ("CANCEL", "ACCEPTED", "Cancelled: Review über alles"),
        ("REPLY", "DECLINED", "Support <support@example.com> has declined"),
    ],
)
def test_a_cancellation_and_an_answer_say_so(method: str, answer: str, words: str) -> None:
    found = read_invitation(event(method, answer))
    assert found is not None
    assert words in invitation_words(found).split("\n")


@pytest.mark.parametrize(
    ("lines", "starts", "ends"),
    [
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", "2026-12-24", "2026-12-27"),
        (
            "DTSTART:20261201T090000Z\nDURATION:PT45M",
            "2026-12-01T09:00:00Z",
            "2026-12-01T09:45:00Z",
        ),
        ("DTSTART:20261201T090000", "2026-12-01T09:00:00", None),
        ("SUMMARY:When?", None, None),
    ],
)
def test_times_of_every_kind(lines: str, starts: str | None, ends: str | None) -> None:
    found = read_invitation(
        f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n".encode()
    )
    assert found is not None
    assert (found["starts"], found["ends"]) == (starts, ends)
    assert invitation_words(found)


def test_whole_days_end_on_their_last_day() -> None:
    days = "DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:202612{}"
    for end, words in (("27", "When: 2026-12-24 to 2026-12-26"), ("25", "When: 2026-12-24")):
        found = read_invitation(
            f"BEGIN:VCALENDAR\nBEGIN:VEVENT\n{days.format(end)}\nEND:VEVENT\nEND:VCALENDAR".encode()
        )
        assert found is not None
        assert invitation_words(found).split("\n")[1] == words


def test_what_is_none_or_too_large_stays_a_file() -> None:
    assert read_invitation(b"BEGIN:VCALENDAR\nEND:VCALENDAR\n") is None
    assert read_invitation(event() + b" " * LARGEST) is None
    assert read_invitation(b"\xff\xfe") is None


@given(st.integers(0, len(event())), st.binary(max_size=6), st.integers(0, 60))
def test_any_damage_is_survived(at: int, instead: bytes, cut: int) -> None:
    raw = event()
    damaged = raw[:at] + instead + raw[at + cut :]
    found = read_invitation(damaged)
    assert found is None or invitation_words(found)
