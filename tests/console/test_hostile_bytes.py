"""What a stranger wrote, in every field that reaches the screen, as bytes on a real pseudo terminal."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from channels.telegram.convert import entries, raw_bytes, to_inbound
from console.bootstrap import Desktop
from console.sample import SampleDesk
from macros.placeholders import CATALOGUE
from tests.console.terminal import Terminal, terminal
from tests.console.test_console_start import START
from workflow.actions import JoinCustomers
from workflow.inbound import Attachment, Source
from workflow.model import Actor
from workflow.plaintext import one_line

CONTROLS = "\x1b]52;c;aGVsbG8=\x07\x1b]0;owned\x07\x1b[2J\x9b31m\x9d52;c;eA==\x9c\x00\x7f\u202e\u2066\u200e"
MARKUP = "[/][@click=app.quit]x[/]"
LIQUID = "{{ 1234 | times: 10 }}{% raw %}{{ agent.email }}"
HOSTILE = f"{CONTROLS}{MARKUP}{LIQUID}"
NEVER = (
    b"\x1b]52", b"\x1b]0;", b"owned\x07", b"\x9b31m", b"\x9d52", b"\x00", b"\x7f",
    *(sign.encode() for sign in "\x9b\x9c\x9d\u202e\u2066\u200e"),
)  # fmt: skip
PASTED = "".join(sign for sign in HOSTILE if sign not in "\x1b\x07\x00\x7f")
"""What terminals let through when it is pasted."""
BOT = """
[[channel]]
name = "bot"
kind = "telegram"
token = { env = "NONE" }
base_url = "http://127.0.0.1:1/bot"
"""
WRITER = {"id": 4711, "is_bot": False, "first_name": HOSTILE, "last_name": "W", "username": HOSTILE}
SAID: tuple[dict[str, Any], ...] = (
    {"text": f"text {HOSTILE}"},
    {"photo": [{"file_id": "1", "width": 9, "height": 9}], "caption": f"caption {HOSTILE}"},
    {"document": {"file_id": "2", "file_name": f"name {HOSTILE}", "mime_type": HOSTILE}},
    {"sticker": {"emoji": HOSTILE, "set_name": HOSTILE}},
    {"location": {"latitude": HOSTILE, "longitude": HOSTILE}},
    {"venue": {"title": HOSTILE, "address": HOSTILE, "location": {"latitude": 1, "longitude": 2}}},
    {"contact": {"first_name": HOSTILE, "last_name": HOSTILE, "phone_number": HOSTILE}},
    {"poll": {"question": HOSTILE, "options": [{"text": HOSTILE}]}},
    {"dice": {"emoji": HOSTILE, "value": HOSTILE}},
    {"text": "forwarded", "forward_origin": {"sender_user_name": HOSTILE}},
    {"text": "quoting", "reply_to_message": {"message_id": 1}, "quote": {"text": HOSTILE}},
)
SHOWN = (
    ("caption", "│  caption"),
    ("name", "⊞ name ␛"),
    ("Sticker", "[Sticker"),
    ("Location", "[Location:"),
    ("Place", "[Place:"),
    ("Contact", "[Contact:"),
    ("Poll", "[Poll:"),
    ("Forwarded", "[Forwarded from"),
    ("quoting", "│  quoting"),
)
"""A word to find, and how it stands in the conversation."""


def from_telegram(desktop: Desktop) -> int:
    """A ticket whose messages came in as updates, with everything in them that a person can name."""
    chat = {**WRITER, "type": "private"}
    items = []
    for number, content in enumerate(SAID, 1):
        date = int(desktop.clock.now().timestamp())
        message = {"message_id": number, "from": WRITER, "chat": chat, "date": date, **content}
        (entry,) = entries([{"update_id": number, "message": message}])
        items.append(
            to_inbound(
                entry,
                account="bot",
                source=Source("bot", "updates", 1, number),
                raw=raw_bytes(entry.updates),
                sha256=f"{number:064d}",
                now=desktop.clock.now(),
                # As the account does once it has the bytes.
                fetch=lambda file: Attachment(
                    one_line(file.name, 200), one_line(file.content_type, 100), 1, "1" * 64
                ),
            )
        )
    found = {received.ticket for received in desktop.desk.receive(items)}
    (ticket,) = found
    assert ticket is not None
    return ticket


def spoil(sample: SampleDesk) -> None:
    """What intake could have let through: the store holds it as it was sent."""
    with sqlite3.connect(sample.home / "deskhand.db") as database:
        for table, columns in {
            "ticket": "subject topic language last_line level",
            "message": "subject author from_name from_address text full_text",
            "customer": "name company",
            "identity": "value display",
            "attachment": "name content_type",
            "ticket_tag": "tag",
        }.items():
            for column in columns.split():
                key = "rowid" if column in ("value", "tag") else "''"
                database.execute(f"UPDATE {table} SET {column} = ? || {key}", (HOSTILE,))
        database.execute("UPDATE customer SET tier = ?", (HOSTILE,))


@pytest.fixture
def spoiled(sample: SampleDesk) -> tuple[SampleDesk, int]:
    """The sample with hostile mail in the store, a hostile chat, and a macro with every placeholder."""
    spoil(sample)
    path = sample.home / "deskhand.toml"
    path.write_text(path.read_text(encoding="utf-8") + BOT, encoding="utf-8")
    desktop = Desktop(sample.home, sample.clock, "ben")
    chat = from_telegram(desktop)
    chatted, mailed = (desktop.reads.ticket(number) for number in (chat, sample.tickets["refund"]))
    assert chatted is not None
    assert mailed is not None
    join = JoinCustomers(mailed.customer.id, chatted.customer.id)
    desktop.desk.perform(join, Actor.agent("ben"), "test")
    desktop.close()
    names = [entry.name for entry in CATALOGUE]
    folder = sample.home / "macros"
    folder.mkdir()
    lines = [f"{name}={{{{ {name} | default: '-' }}}}" for name in names]
    (folder / "every.md").write_text(
        "+++\ntitle = 'Every'\n[ask]\nfirst = 'First?'\nother = 'Other?'\n"
        "[actions]\nadd_tags = ['done']\n"
        "note = 'note {{ customer.name }} {{ answers.other }}'\n+++\n"
        + "first={{ answers.first }}\nother={{ answers.other }}\n"
        + "\n".join(lines),
        encoding="utf-8",
    )
    return sample, chat


def paste(text: str) -> str:
    """As a terminal hands over what was pasted."""
    return f"\x1b[200~{text}\x1b[201~"


def press(console: Terminal, steps: Sequence[tuple[str, str]]) -> None:
    for keys, words in steps:
        console.send(keys)
        if keys in ("\x1b", "\r"):
            console.settle()
        console.until(words)


def check(console: Terminal) -> None:
    """End it and look at every byte that it sent."""
    console.send("\x11")
    assert console.status() == 0
    assert [sign for sign in NEVER if sign in console.raw] == []
    assert b"12340" not in console.raw, "a customer's text was read as a template"


def test_macros_and_forms_show_a_strangers_text_as_text(spoiled: tuple[SampleDesk, int]) -> None:
    sample, _chat = spoiled
    with terminal(["-c", START, str(sample.home)], size=(140, 48)) as console:
        console.until("␛]52;c;")
        press(
            console,
            (
                ("7", "1/13"),
                # The customer pane beside the ticket.
                ("\r", "Other tickets"),
                ("m", "Macro for #1"),
                ("every", "2 questions first"),
                ("\r", "question 1 of 2"),
                (paste(f"one{PASTED}"), "first=one"),
                ("\r", "question 2 of 2"),
                (paste(f"two{PASTED}"), "other=two"),
                ("\r", "With sending: status"),
                ("\x1b", "v events"),
                ("E", "Escalation of #1"),
                *(
                    (keys, f"field{number}")
                    for number in range(3)
                    for keys in (paste(f"field{number}{PASTED}"), "\r")
                ),
                ("\x1b", "v events"),
                ("#", "Tags of"),
                (paste(f"form1{PASTED}"), "form1"),
                ("\x1b", "v events"),
                ("s", "tomorrow"),
                (paste(f"form2{PASTED}"), "form2"),
                ("\x1b", "v events"),
                ("Y", "Hand-back of"),
                (paste(f"form3{PASTED}"), "form3"),
                ("\x1b", "v events"),
                ("C", "Who is the same person"),
                ("\x1b", "v events"),
                ("V", "Answer "),
                ("\x1b", "v events"),
                ("r", "ctrl-s"),
                (paste(f"form4{PASTED}"), "form4"),
                ("\x1b", "v events"),
                ("q", "1/13"),
                # The results, a line for each ticket, with its text beside it.
                ("j", "2/13"),
                ("xx", "2 marked"),
                ("m", "Macro for 2 tickets"),
                ("every", "2 questions first"),
                ("\r", "question 1 of 2"),
                (paste(f"three{PASTED}"), "first=three"),
                ("\r", "question 2 of 2"),
                (paste(f"two{PASTED}"), "other=two"),
                ("\r", "do this to 2 tickets?"),
                ("\r", "Every: "),
                ("\x1b", "/13"),
                ("/", "status:open"),
                (paste(f"form5{PASTED}"), "form5"),
                ("\x1b", "/13"),
                ("\\", "search every"),
                (paste(f"form6{PASTED}"), "form6"),
                ("\x1b", "/13"),
            ),
        )
        check(console)


def test_a_chat_shows_every_field_of_telegram_as_text(spoiled: tuple[SampleDesk, int]) -> None:
    sample, chat = spoiled
    with terminal(["-c", START, str(sample.home)], size=(120, 60)) as console:
        console.until("␛]52;c;")
        press(
            console,
            (
                ("7", "1/13"),
                ("/", "status:open"),
                ("channel:telegram", "1 ticket"),
                ("\r", "1/1"),
                ("\r", "Promises"),
                ("F", "Other tickets"),
                *(
                    step
                    for word, shown in SHOWN
                    for step in (("/", "words in this ticket"), (word, word), ("\r", shown))
                ),
                ("\x1b", f"#{chat} text"),
            ),
        )
        press(
            console,
            (
                ("o", "Save which"),
                ("name", "name "),
                ("\x1b", "esc back"),
                ("m", "Macro for"),
                ("every", "2 questions first"),
                ("\x1b", "esc back"),
                ("V", "Answer "),
                ("\x1b", "esc back"),
                ("r", "ctrl-s"),
                ("\x1b", "esc back"),
            ),
        )
        check(console)
