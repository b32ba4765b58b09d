"""Macros on the screen: found, seen before they are sent, run on many, taken back, edited while the desk runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from console.bootstrap import Desktop
from console.sample import SampleDesk
from console.screens.macro_picker import MacroPicker
from console.screens.macro_run import MacroRun
from console.widgets.composer import Composer
from console.widgets.field import Field
from tests.console.conftest import Opened, console_of
from tests.console.test_desk_screen import open_ticket, show_all
from tests.console.waiting import screen_text, until
from workflow.actions import AddTags, NewTicket
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.outbox import claim

BEN = Actor.agent("ben")


@pytest.fixture
def desktop(sample: SampleDesk) -> Iterator[Desktop]:
    """The same desk as another process sees it."""
    made = Desktop(sample.home, sample.clock, "ben")
    yield made
    made.close()


def write(sample: SampleDesk, name: str, text: str, front: str = "") -> Path:
    folder = sample.home / "macros"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.md"
    path.write_text(f"+++\n{front}\n+++\n{text}", encoding="utf-8")
    return path


def mails(desktop: Desktop, count: int) -> list[int]:
    """So many tickets, each by a customer of its own."""
    desk = desktop.desk
    items = [
        Inbound(
            channel="email",
            source=Source("support"),
            raw_sha256=f"{number:064d}",
            raw_size=1,
            reached_at=desktop.clock.now(),
            sender=Party(f"Customer {number}", f"c{number}@mail.example"),
            subject=f"bulk {number}",
            to=(Party("", "support@northwind.example"),),
            message_id=f"<bulk{number}@mail.example>",
            text="Where is it?",
            full_text="Where is it?",
            dedupe_key=f"bulk{number}",
        )
        for number in range(count)
    ]
    found = [received.ticket for received in desk.receive(items)]
    assert None not in found
    return [ticket for ticket in found if ticket is not None]


def everything(sample: SampleDesk) -> dict[str, list[Any]]:
    """All that a person sees of tickets, drafts and what is to leave; not what only counts changes."""
    kept = {}
    with sqlite3.connect(sample.home / "deskhand.db") as database:
        names = [row[1] for row in database.execute("PRAGMA table_info(ticket)")]
        columns = ", ".join(n for n in names if n not in ("version", "updated_at"))
        kept["ticket"] = database.execute(f"SELECT {columns} FROM ticket ORDER BY id").fetchall()
        for table in ("ticket_tag", "draft", "clock"):
            kept[table] = sorted(map(repr, database.execute(f"SELECT * FROM {table}")))
        kept["leaving"] = database.execute(
            "SELECT id FROM outbox WHERE state NOT IN ('cancelled')"
        ).fetchall()
        kept["said"] = database.execute(
            "SELECT id, text FROM message WHERE delivery IS NOT 'cancelled'"
        ).fetchall()
    return kept


async def picker(pilot: Pilot[int], key: str = "m") -> MacroPicker:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, MacroPicker))
    screen = pilot.app.screen
    assert isinstance(screen, MacroPicker)
    await until(pilot, lambda: "Acknowledge" in screen_text(pilot))
    return screen


async def shows(pilot: Pilot[int], *words: str) -> str:
    await until(pilot, lambda: all(word in screen_text(pilot) for word in words))
    return screen_text(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_twenty_marked_tickets_have_twenty_results_and_one_undo(
    opened: Opened, sample: SampleDesk, desktop: Desktop, size: tuple[int, int]
) -> None:
    tickets = mails(desktop, 20)
    before = everything(sample)
    async with opened(size=size) as pilot:
        desk = console_of(pilot).desk
        await pilot.press("7", "slash", *"subject:bulk", "enter")
        await until(pilot, lambda: sorted(desk.queue.ids) == tickets)
        await pilot.press("ctrl+a")
        await picker(pilot)
        await pilot.press(*"refund appr")
        await shows(pilot, "Macro for 20 tickets", "status new -> resolved", "+refund", "⟦answers")
        await pilot.press("enter", *"20 EUR")
        await shows(pilot, "We pay back 20 EUR")
        await pilot.press("enter")
        await shows(pilot, "do this to 20 tickets?", "20 replies go out", "Hello Customer")
        assert everything(sample) == before
        await pilot.press("enter")
        await shows(pilot, "Refund approved: 20 done")
        run = pilot.app.screen
        assert isinstance(run, MacroRun)
        listed = set()
        for _ in range(20):
            listed |= {t for t in tickets if f"✓ #{t} " in screen_text(pilot)}
            await pilot.press("j")
        assert listed == set(tickets)
        assert len(everything(sample)["leaving"]) == 20
        await pilot.press("z")
        await shows(pilot, "taken back, 20 tickets as before, nothing was sent")
        assert everything(sample) == before
        await pilot.press("escape")
        await until(pilot, lambda: len(desk.queue.marks) == 20)
    sample.clock.advance(3600)
    assert claim(desktop.desk, "engine", ["support"]) == []


async def test_a_later_change_is_undone_first_and_said(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    write(sample, "own", "Hello", "[actions]\nstatus = 'pending'")
    (ticket,) = mails(desktop, 1)
    before = everything(sample)
    async with opened(size=(80, 24)) as pilot:
        desk = console_of(pilot).desk
        await pilot.press("7", "slash", *"subject:bulk", "enter")
        await until(pilot, lambda: list(desk.queue.ids) == [ticket])
        await picker(pilot)
        await pilot.press(*"own", "enter")
        await shows(pilot, "own: do this to 1 ticket?")
        await pilot.press("enter")
        await shows(pilot, "own: 1 done")
        # The same agent, at another screen.
        desktop.desk.perform(AddTags(ticket, ("later",)), Actor.agent("ana"), "test")
        await pilot.press("z")
        await shows(pilot, "z again: a later change of yours came first")
        assert len(everything(sample)["leaving"]) == 1
        await pilot.press("z")
        await shows(pilot, "taken back, 1 ticket as before, nothing was sent")
        assert everything(sample) == before


async def test_what_cannot_be_done_says_why_and_stays_marked(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    write(sample, "own", "Hello", "only = '-tag:legal'\n[actions]\nstatus = 'pending'")
    good, legal = mails(desktop, 2)
    desktop.desk.perform(AddTags(legal, ("legal",)), BEN, "test")
    phone = NewTicket("+49 30 123456", "Jo", "bulk by phone", "Please call back.")
    nobody = desktop.desk.perform(phone, BEN, "test").ticket
    async with opened(size=(80, 24)) as pilot:
        desk = console_of(pilot).desk
        await pilot.press("7", "slash", *"subject:bulk", "enter")
        await until(pilot, lambda: len(desk.queue.ids) == 3)
        await pilot.press("ctrl+a")
        await picker(pilot)
        await pilot.press(*"own", "enter")
        await shows(pilot, "do this to 2 tickets? 1 cannot be done.", "is only for -tag:legal")
        await pilot.press("enter")
        # What only the attempt can tell: nobody can be written to by phone.
        shown = await shows(pilot, "own: 1 done, 2 not", f"✕ #{legal} ", f"✕ #{nobody} ")
        assert shown.index(f"✕ #{nobody} ") < shown.index(f"✓ #{good} ")
        await pilot.press("escape")
        await until(pilot, lambda: desk.queue.marks == {legal, nobody})
        await until(pilot, lambda: "2 marked" in screen_text(pilot))


async def test_in_a_ticket_the_text_goes_in_at_the_cursor_and_the_rest_comes_with_sending(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    write(
        sample,
        "parcel",
        "It comes on {{ answers.day }}.",
        "title = 'Parcel'\n[ask]\nday = 'On which day?'\n[actions]\nstatus = 'pending'\n"
        "add_tags = ['late']\nnote = 'Told: {{ answers.day }}'",
    )
    before = everything(sample)
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "refund")
        await pilot.press("r")
        await until(pilot, lambda: desk.writing.active)
        composer = pilot.app.query_one(Composer)
        await pilot.press(*"ab", "left")
        await picker(pilot, "ctrl+r")
        await pilot.press(*"parc")
        await shows(pilot, "one question first")
        await pilot.press("enter", "enter")
        await shows(pilot, "The text needs this answer")
        answer = pilot.app.screen.query_one(Field)
        answer.value = "\x1b]52;c;eA==\x07\x9b\u202e"
        assert answer.value == "␛]52;c;eA==␇\ufffd\ufffd"
        answer.value = ""
        await pilot.press(*"Friday", "enter")
        await until(pilot, lambda: composer.text == "Hello Maria,\n\naIt comes on Friday.b")
        await shows(pilot, "With sending: status new -> pending · +late · note: Told: Friday")
        tickets = [row for row in everything(sample)["ticket"] if row not in before["ticket"]]
        assert tickets == []
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not desk.writing.active)
        detail = desktop.reads.ticket(sample.tickets["refund"])
        assert detail is not None
        assert (detail.status, "late" in detail.tags) == ("pending", True)
        assert detail.messages[-2].text == "Hello Maria,\n\naIt comes on Friday.b"
        assert {e.cause for e in detail.events if e.change_id == detail.events[-1].change_id} == {
            "key:ctrl+s macro:parcel"
        }
        # One undo takes all of it back, and what was typed is a draft again, with what came along.
        await pilot.press("z")
        await shows(pilot, "Undid reply")
        after = everything(sample)
        assert (after["ticket"], after["leaving"]) == (before["ticket"], [])
        await pilot.press("r")
        await shows(pilot, "aIt comes on Friday.b", "With sending: status new -> pending")
        await picker(pilot, "ctrl+r")
        await pilot.press("up")
        await pilot.press(*(["down"] * 20))
        await shows(pilot, "The text stays")
        await pilot.press("enter")
        await until(pilot, lambda: "With sending" not in screen_text(pilot))
        assert composer.text == "Hello Maria,\n\naIt comes on Friday.b"


async def test_all_of_it_happens_with_sending_or_nothing(
    opened: Opened, sample: SampleDesk
) -> None:
    write(sample, "up", "A colleague takes over.", "[actions.escalate]\nreason = 'technical'")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "export")  # on the highest level already
        before = everything(sample)
        await picker(pilot)
        await pilot.press(*"up", "enter")
        await until(pilot, lambda: desk.writing.active)
        await shows(pilot, "A colleague takes over.", "escalated L2 -> the next level")
        await pilot.press("ctrl+s")
        await shows(pilot, "the highest level", "not sent, the draft is kept")
        after = everything(sample)
        assert {k: v for k, v in after.items() if k != "draft"} == {
            k: v for k, v in before.items() if k != "draft"
        }


async def test_a_gap_blocks_sending_until_it_is_filled(opened: Opened, sample: SampleDesk) -> None:
    write(sample, "gap", "For {{ customer.company }}: hello")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "dpa")
        await picker(pilot)
        await pilot.press(*"gap", "enter")
        await until(pilot, lambda: desk.writing.active)
        await shows(pilot, "For ⟦customer.company⟧: hello")
        await pilot.press("ctrl+s")
        await shows(pilot, "⟦customer.company⟧ still stands in the text")
        assert everything(sample)["leaving"] == []
        # The gap is selected: what is typed takes its place.
        await pilot.press(*"Globex")
        assert pilot.app.query_one(Composer).text == "For Globex: hello"
        await pilot.press("ctrl+s")
        await until(pilot, lambda: not desk.writing.active)
        assert len(everything(sample)["leaving"]) == 1


async def test_an_unknown_placeholder_is_named_with_its_place_and_nothing_is_put_in(
    opened: Opened, sample: SampleDesk
) -> None:
    write(sample, "typo", "Dear\n {{ customer.nmae }}")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "dpa")
        await picker(pilot)
        await pilot.press(*"typo")
        await shows(pilot, "typo.md:5:5: there is no placeholder", "you mean customer.name?")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, MacroPicker)
        await pilot.press("escape")
        assert not desk.writing.active


async def test_a_macro_without_a_text_happens_at_once(opened: Opened, sample: SampleDesk) -> None:
    write(sample, "wait", "", "[actions]\nstatus = 'on hold'\nadd_tags = ['supplier']")
    async with opened() as pilot:
        await open_ticket(pilot, sample, "dpa")
        before = everything(sample)
        await picker(pilot)
        await pilot.press(*"wait")
        await shows(pilot, "enter: do it now; z undoes it")
        await pilot.press("enter")
        await shows(pilot, "wait: status new -> on hold, +supplier. z undoes it.")
        await pilot.press("z")
        await until(pilot, lambda: everything(sample) == before)


async def test_the_preview_says_which_text_and_why(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    from workflow.actions import SetField

    ticket = sample.tickets["dpa"]
    async with opened(size=(150, 36)) as pilot:
        for language, words in (
            ("none", "en, since the ticket's language is not known; for every channel"),
            ("de", "de, as the customer writes; for every channel"),
            ("pt", "en, since there is no text in pt; for every channel"),
        ):
            chosen = None if language == "none" else language
            desktop.desk.perform(SetField(ticket, "language", chosen), BEN, "test")
            await open_ticket(pilot, sample, "dpa")
            await picker(pilot)
            await pilot.press(*"bug")
            await shows(pilot, f"Text: {words}")
            await pilot.press("escape", "escape")


async def test_a_key_of_its_own_works_in_queue_and_ticket_and_stands_in_the_help(
    opened: Opened, sample: SampleDesk
) -> None:
    write(
        sample, "thanks", "Thank you!", "title = 'Thanks'\nkey = 'f5'\n[actions]\nstatus = 'open'"
    )
    write(sample, "clash", "Clash", "key = 'e'")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await shows(pilot, "macros ✕ clash.md")
        await show_all(pilot)
        await pilot.press("question_mark", *"thanks")
        await shows(pilot, "Thanks", "f5")
        await pilot.press("escape", "j", "f5")
        await shows(pilot, "Thanks: do this to 1 ticket?", "Thank you!")
        await pilot.press("escape")
        await open_ticket(pilot, sample, "dpa")
        await pilot.press("f5")
        await until(pilot, lambda: desk.writing.active)
        await shows(pilot, "Thank you!")
        await pilot.press("f5")
        await until(pilot, lambda: pilot.app.query_one(Composer).text == "Thank you!Thank you!")
        await pilot.press("escape", "escape")
        await picker(pilot)
        shown = await shows(pilot, "clash.md", "the key e mea")
        (line,) = (line for line in shown.split("\n") if "Thanks" in line)
        assert line.split("│")[1].endswith("f5  ")


async def test_a_running_desk_picks_up_edits_and_a_fault_leaves_the_version_before(
    opened: Opened, sample: SampleDesk
) -> None:
    path = write(sample, "own", "One")
    async with opened() as pilot:
        await open_ticket(pilot, sample, "dpa")
        await picker(pilot)
        await pilot.press(*"own")
        await shows(pilot, "One")
        path.write_text("+++\n+++\nTwo, which is longer", encoding="utf-8")
        await shows(pilot, "Two, which is longer")
        path.write_text("+++\ntitel = 'x'\n+++\nThree", encoding="utf-8")
        await pilot.press("escape")
        await shows(pilot, "macros ✕ own.md")
        await picker(pilot)
        await pilot.press("up", *(["down"] * 20))
        await shows(pilot, "macros/own.md:2:1: there is no setting 'titel'", "read again by itself")
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, MacroPicker)
        await pilot.press(*"own")
        await shows(pilot, "Two, which is longer")
        await pilot.press("escape")
        path.write_text("+++\n+++\nFour, and good again", encoding="utf-8")
        await until(pilot, lambda: "macros ✕" not in screen_text(pilot))


async def test_nothing_fits_and_those_for_other_tickets_come_last(
    opened: Opened, sample: SampleDesk
) -> None:
    write(sample, "about", "For chats", "title = 'About chats'\nonly = 'channel:telegram'")
    async with opened(size=(80, 24)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "dpa")
        await picker(pilot)
        await pilot.press(*"zzz")
        await shows(pilot, "No macro fits 'zzz'", "macros/NAME.md")
        await pilot.press("enter", "ctrl+u", *"about chats")
        await shows(pilot, "Not for this ticket", "it is only for channel:telegram")
        await pilot.press("enter")
        await shows(pilot, "it cannot be used here")
        await pilot.press("escape")
        assert not desk.writing.active


async def test_what_is_used_most_comes_first(opened: Opened, sample: SampleDesk) -> None:
    async with opened(size=(80, 24)) as pilot:
        await show_all(pilot)
        await pilot.press("j")
        for _ in range(2):
            await picker(pilot)
            await pilot.press(*"feature", "enter")
            await shows(pilot, "do this to 1 ticket?")
            await pilot.press("enter")
            await shows(pilot, "Feature request: 1 done")
            await pilot.press("escape", "j")
        await until(pilot, lambda: "feature-request" in (console_of(pilot).desk.shelf.lately or []))
        await picker(pilot)
        await shows(pilot, "▌ Feature request")


async def test_a_reply_that_was_begun_is_not_lost_to_a_run(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await show_all(pilot)
        desk.queue.move_to(desk.queue.ids.index(sample.tickets["refund"]))
        await picker(pilot)
        await pilot.press("enter")
        await shows(pilot, "it cannot be done to this ticket", "you have an unsent draft")
        await pilot.press("enter", "escape")
        assert everything(sample)["leaving"] == []
