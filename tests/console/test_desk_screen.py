"""The desk as an agent uses it: keys in, the screen and the database out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from console.sample import SampleDesk
from console.widgets.composer import Composer
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until


def row_of(sample: SampleDesk, key: str) -> dict[str, object]:
    with sqlite3.connect(sample.home / "deskhand.db") as connection:
        connection.row_factory = sqlite3.Row
        return dict(
            connection.execute(
                "SELECT * FROM ticket WHERE id = ?", (sample.tickets[key],)
            ).fetchone()
        )


def desk_of(sample: SampleDesk) -> Iterator[object]:
    from console.bootstrap import Desktop

    yield Desktop(sample.home, sample.clock, "ben").desk


async def show_all(pilot: Pilot[int]) -> None:
    desk = console_of(pilot).desk
    await pilot.press("7")
    await until(pilot, lambda: desk.view.name == "All" and len(desk.queue.ids) == 12)


async def open_ticket(pilot: Pilot[int], sample: SampleDesk, key: str) -> None:
    desk = console_of(pilot).desk
    await show_all(pilot)
    desk.queue.move_to(desk.queue.ids.index(sample.tickets[key]))
    await pilot.press("enter")
    await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == sample.tickets[key])
    await pilot.pause()


async def test_the_first_screen_is_the_queue(opened: Opened) -> None:
    async with opened() as pilot:
        shown = screen_text(pilot)
        assert "Maria Gonzalez" in shown
        assert "Charged twice for order 48213" in shown
        assert "1 Mine 2" in shown
        assert "3 At risk" in shown


async def test_keys_move_open_and_go_back(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await show_all(pilot)
        await pilot.press("j", "j", "k", "G", "g", "down", "pagedown", "ctrl+u", "end", "home")
        assert desk.queue.cursor == 0
        await pilot.press("j")
        second = desk.queue.cursor_id
        await pilot.press("enter")
        await until(pilot, lambda: desk.in_ticket)
        assert desk.ticket is not None
        assert desk.ticket.id == second
        await pilot.press("J")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == desk.queue.ids[2])
        await pilot.press("q")
        assert not desk.in_ticket
        assert desk.queue.has_focus
        await pilot.press("q")
    assert pilot.app.return_value == 0


async def test_a_ticket_shows_text_note_files_and_customer(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened(size=(140, 48)) as pilot:
        await open_ticket(pilot, sample, "refund")
        shown = screen_text(pilot)
        for words in (
            "statement-march.pdf",
            "The bank says that neither",
            "only the team sees this",
            "8 quoted lines",
            "maria.gonzalez@mail.example",
            "first response",
            "#billing",
        ):
            assert words in shown, words
        assert "One of them may still be a reservation" not in shown
        await pilot.press("enter")
        assert "One of them may still be a reservation" in screen_text(pilot)
        await pilot.press("v")
        assert "ana: priority medium → high" in screen_text(pilot)


async def test_hostile_text_is_drawn_as_it_was_typed(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        await show_all(pilot)
        assert "[/] [@click=app.quit]free[/]" in screen_text(pilot)
        await open_ticket(pilot, sample, "hostile")
        shown = screen_text(pilot)
        assert "[bold]markup[/bold]" in shown
        assert not any((ord(c) < 32 and c != "\n") or c in "\x9b\u202e" for c in shown)
        await pilot.press("t")
        await pilot.press(
            "escape", "s", "escape", "ctrl+k", "escape", "question_mark", "escape", "o", "escape"
        )
        assert pilot.app.is_running


@pytest.mark.parametrize(
    ("keys", "column", "value"),
    [
        (("e",), "status", "resolved"),
        (("A",), "assignee", "ana"),
        (("t", *"pend", "enter"), "status", "pending"),
        (("p", *"urg", "enter"), "priority", 4),
        (("a", *"ben", "enter"), "assignee", "ben"),
        (("a", *"finance", "enter"), "group_name", "finance"),
    ],
)
async def test_decisions_reach_the_desk_and_undo_takes_them_back(
    opened: Opened, sample: SampleDesk, keys: tuple[str, ...], column: str, value: object
) -> None:
    async with opened() as pilot:
        await open_ticket(pilot, sample, "reset")
        before = row_of(sample, "reset")[column]
        await pilot.press(*keys)
        await until(pilot, lambda: row_of(sample, "reset")[column] == value)
        await until(pilot, lambda: "z undoes it" in screen_text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: row_of(sample, "reset")[column] == before)


async def test_marks_make_any_action_a_bulk_action(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await pilot.press("2")
        await until(pilot, lambda: desk.view.name == "Unassigned" and len(desk.queue.ids) > 3)
        marked = list(desk.queue.ids[:3])
        await pilot.press("x", "space", "x", "A")
        await until(pilot, lambda: not set(marked) & set(desk.queue.ids))
        await pilot.press("z")
        await until(pilot, lambda: set(marked) <= set(desk.queue.ids))


async def test_snooze_says_until_when_before_it_is_done(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        await open_ticket(pilot, sample, "dpa")
        await pilot.press("s", *"2h")
        await until(pilot, lambda: "until 16:30" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: row_of(sample, "dpa")["snoozed_until"] is not None)
        await pilot.press("z")
        await until(pilot, lambda: row_of(sample, "dpa")["snoozed_until"] is None)


async def test_escalating_asks_for_the_reason(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        await open_ticket(pilot, sample, "down")
        await pilot.press("E")
        await pilot.pause()
        await pilot.press("ctrl+s")
        assert "Say the reason" in screen_text(pilot)
        await pilot.press(*"outage", "tab", *"called", "ctrl+s")
        await until(pilot, lambda: row_of(sample, "down")["escalated_to"] == "L2")


async def test_an_escalation_is_accepted_and_handed_back_with_a_note(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        await open_ticket(pilot, sample, "refund")
        await pilot.press("E")
        await pilot.press(*"bug", "tab", "tab", "tab", *"never", "ctrl+s")
        await until(pilot, lambda: "is not a time" in screen_text(pilot))
        await pilot.press(*["backspace"] * 5, *"2h", "ctrl+s")
        await until(pilot, lambda: row_of(sample, "refund")["escalated_to"] == "L2")
        await until(pilot, lambda: "esc L2 ack? 0:30" in screen_text(pilot))
        await pilot.press("y")
        await until(pilot, lambda: "esc L2 ana" in screen_text(pilot))
        await pilot.press("Y", *"not ours", "enter")
        await until(pilot, lambda: row_of(sample, "refund")["escalated_to"] is None)
        await until(pilot, lambda: "Handed back from L2" in screen_text(pilot))
        assert "esc L2" not in screen_text(pilot)


async def test_filter_narrows_live_and_an_error_keeps_the_list(opened: Opened) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await show_all(pilot)
        await pilot.press("slash", *"priority>=high")
        await until(pilot, lambda: len(desk.queue.ids) == 3)
        await pilot.press("x")
        await until(pilot, lambda: "highx" in screen_text(pilot).splitlines()[-3])
        await until(pilot, lambda: "urgent" in screen_text(pilot).splitlines()[-3])
        assert len(desk.queue.ids) == 3
        await pilot.press("escape")
        await until(pilot, lambda: len(desk.queue.ids) == 12)
        await pilot.press("slash", *"tag:refund", "enter")
        await until(pilot, lambda: len(desk.queue.ids) == 1)
        assert "filter: tag:refund" in screen_text(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: len(desk.queue.ids) == 12)


async def test_search_opens_the_ticket_of_a_hit(opened: Opened, sample: SampleDesk) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await pilot.press("backslash")
        await pilot.pause()
        await pilot.press(*"tracking page")
        await until(pilot, lambda: "1 message" in screen_text(pilot))
        await pilot.press("enter")
        await until(
            pilot, lambda: desk.ticket is not None and desk.ticket.id == sample.tickets["parcel"]
        )


async def test_a_draft_is_kept_and_comes_back(opened: Opened, sample: SampleDesk) -> None:
    def kept() -> list[tuple[str, str]]:
        with sqlite3.connect(sample.home / "deskhand.db") as connection:
            return connection.execute(
                "SELECT kind, text FROM draft WHERE ticket_id = ?", (sample.tickets["vat"],)
            ).fetchall()

    async with opened() as pilot:
        await open_ticket(pilot, sample, "vat")
        await pilot.press("r")
        await until(
            pilot, lambda: bool(pilot.app.query(Composer)) and pilot.app.query_one(Composer).open
        )
        await pilot.press(*"we look")
        await until(pilot, lambda: kept() == [("reply", "we look")])
        await pilot.press("escape")
        assert console_of(pilot).desk.place == "ticket"
    async with opened() as pilot:
        await open_ticket(pilot, sample, "vat")
        await pilot.press("r")
        await until(pilot, lambda: "we look" in screen_text(pilot))
        assert "oskar@nowak.example" in screen_text(pilot)
        await pilot.press("ctrl+g")
        await until(pilot, lambda: kept() == [])


async def test_a_reply_waits_for_undo_and_can_be_taken_back(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, sample, "parcel")
        await pilot.press("r")
        await until(
            pilot, lambda: bool(pilot.app.query(Composer)) and pilot.app.query_one(Composer).open
        )
        await pilot.press(*"It comes.", "ctrl+s")
        await until(pilot, lambda: "Reply goes out in 15 s" in screen_text(pilot))
        await until(pilot, lambda: "leaves in 0:15" in screen_text(pilot))
        sample.clock.advance(5)
        desk.tick()
        await until(pilot, lambda: "leaves in 0:10" in screen_text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: "taken back" in screen_text(pilot))


async def test_what_another_process_does_is_on_screen(opened: Opened, sample: SampleDesk) -> None:
    from console.bootstrap import Desktop
    from workflow.actions import Note, SetStatus
    from workflow.model import Actor

    async with opened() as pilot:
        await open_ticket(pilot, sample, "export")
        other = Desktop(sample.home, sample.clock, "ben")
        other.desk.perform(
            Note(sample.tickets["export"], "The job has a limit."), Actor.agent("ben"), "command"
        )
        await until(pilot, lambda: "The job has a limit." in screen_text(pilot), limit=3)
        await pilot.press("q")
        other.desk.perform(
            SetStatus(sample.tickets["down"], "pending"), Actor.agent("ben"), "command"
        )
        desk = console_of(pilot).desk
        at = desk.queue.cursor_id
        await until(pilot, lambda: desk.queue_pane.tabs.counts["Waiting"] == 3, limit=3)
        await until(
            pilot,
            lambda: getattr(desk.queue.row(sample.tickets["down"]), "status", "") == "pending",
            limit=3,
        )
        assert desk.queue.cursor_id == at
        other.store.close()


async def test_attachments_are_saved_under_a_safe_name(
    opened: Opened, sample: SampleDesk, tmp_path: Path
) -> None:
    async with opened() as pilot:
        await open_ticket(pilot, sample, "export")
        await pilot.press("o")
        await until(pilot, lambda: "export.log" in screen_text(pilot))
        await pilot.press("enter")
        prompt = console_of(pilot).desk.prompt
        await until(pilot, lambda: prompt.open)
        await pilot.press("ctrl+u", *str(tmp_path), "enter")
        await until(pilot, lambda: (tmp_path / "export.log").exists())
        assert (tmp_path / "export.log").read_bytes() == b"export.log"


async def test_time_moves_the_countdown_and_nothing_else(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await show_all(pilot)
        drawn = []
        refresh = desk.queue.refresh
        desk.queue.refresh = lambda *regions, **rest: (
            drawn.append(regions) or refresh(*regions, **rest)
        )  # type: ignore[method-assign, func-returns-value]
        desk.queue.tick()
        assert drawn == []
        sample.clock.advance(60)
        desk.queue.tick()
        assert drawn
        assert all(region.height == 1 for regions in drawn for region in regions)
        sample.clock.set(sample.clock.now() + timedelta(hours=1))
        desk.queue.tick()
        await pilot.pause()
        assert "F late" in screen_text(pilot)


async def test_the_side_pane_follows_the_width_and_the_key(
    opened: Opened, sample: SampleDesk
) -> None:
    async with opened(size=(80, 24)) as pilot:
        await open_ticket(pilot, sample, "refund")
        assert "Promises" not in screen_text(pilot)
        await pilot.press("i")
        await pilot.pause()
        assert "Promises" in screen_text(pilot)
        await pilot.press("i")
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: len(screen_text(pilot).splitlines()) == 30)
        assert pilot.app.focused is not None


async def test_without_an_agent_nothing_is_changed(opened: Opened, sample: SampleDesk) -> None:
    async with opened(agent=None) as pilot:
        await pilot.press("6", "e")
        await until(pilot, lambda: "--agent NAME" in screen_text(pilot))
