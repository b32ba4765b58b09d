"""Merging, splitting and linking with keys, and what the screen says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from console.bootstrap import Desktop
from console.sample import SampleDesk
from tests.console.conftest import Opened, console_of
from tests.console.waiting import screen_text, until
from workflow.inbound import Inbound, Party, Source
from workflow.model import Actor
from workflow.tokens import make_token


@pytest.fixture
def desktop(sample: SampleDesk) -> Iterator[Desktop]:
    """The desk under the screen, as another process has it."""
    made = Desktop(sample.home, sample.clock, "ben")
    yield made
    made.close()


def write(desktop: Desktop, sample: SampleDesk, key: str, **changes: Any) -> int:
    """A mail that has just come; the ticket it is on."""
    sender = changes.pop("sender", "nora@new.example")
    text = f"text of {key}"
    item = Inbound(
        channel="email",
        source=Source("support"),
        raw_sha256=key[:1] * 64,
        raw_size=1,
        reached_at=sample.clock.now(),
        sender=Party("", sender),
        message_id=f"<{key}@new.example>",
        text=text,
        full_text=text,
        dedupe_key=key,
        **changes,
    )
    found = desktop.desk.receive([item])[0].ticket
    assert found is not None
    return found


async def open_ticket(pilot: Pilot[int], number: int) -> None:
    desk = console_of(pilot).desk
    desk.open_ticket(number)
    await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == number)
    await pilot.pause()


async def test_merge_opens_the_kept_ticket_and_undo_parts_them(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    one = write(desktop, sample, "a", subject="The lift")
    two = write(desktop, sample, "b", subject="The stairs")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, one)
        await pilot.press("M", *"stairs")
        await until(pilot, lambda: f"#{two} The stairs" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == two)
        await until(pilot, lambda: "text of a" in screen_text(pilot))
        assert f"from #{one}" in screen_text(pilot)
        assert "merged in" in screen_text(pilot)
        # A merged ticket leads to the kept one.
        desk.open_ticket(one)
        await until(pilot, lambda: f"#{one} is merged into #{two}" in screen_text(pilot))
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == two)
        await pilot.press("z")
        await until(pilot, lambda: "text of a" not in screen_text(pilot))


async def test_all_that_are_marked_go_into_one(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    numbers = [write(desktop, sample, key, subject=f"matter {key}") for key in "abc"]
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await pilot.press("7")
        await until(pilot, lambda: len(desk.queue.ids) == 15)
        desk.queue.marks.update(numbers)
        await pilot.press("M")
        assert "Merge 3 tickets: which one is kept?" in screen_text(pilot)
        await pilot.press(*f"#{numbers[1]}", "enter")
        await until(pilot, lambda: len(desk.queue.ids) == 13)
        assert not desk.queue.marks
        await pilot.press("z")
        await until(pilot, lambda: len(desk.queue.ids) == 15)


async def test_a_suggestion_stands_over_the_conversation(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    one = write(desktop, sample, "a", subject="The lift")
    two = write(desktop, sample, "b", subject="Re: the lift")
    async with opened(size=(80, 24)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, two)
        assert f"looks like #{one}" in screen_text(pilot)
        await pilot.press("minus")
        await until(pilot, lambda: "looks like" not in screen_text(pilot))
        await pilot.press("z")
        await until(pilot, lambda: "looks like" in screen_text(pilot))
        await pilot.press("plus")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == one)
        await pilot.press("plus")
        assert "looks like no other" in screen_text(pilot)


async def test_a_stranger_is_marked_split_off_and_gone_to(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    ticket = write(desktop, sample, "a", subject="The lift")
    token = make_token(desktop.desk.secret, ticket)
    write(desktop, sample, "b", sender="otto@else.example", reply_tokens=(token,), subject="Fwd")
    async with opened(size=(120, 36)) as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, ticket)
        assert "otto@else.example  not a participant until now" in screen_text(pilot)
        await pilot.press("r")
        await until(pilot, lambda: desk.place == "composer")
        await until(pilot, lambda: screen_text(pilot).count("not a participant until now") == 2)
        await pilot.press("escape")
        await until(pilot, lambda: desk.place == "ticket")
        await pilot.press("X")
        assert f"Split off #{ticket}: what otto@else.example wrote" in screen_text(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id != ticket)
        assert "split from" in screen_text(pilot)
        assert "not a participant" not in screen_text(pilot)
        await pilot.press("B")
        await until(pilot, lambda: f"#{ticket} The lift" in screen_text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == ticket)
        assert "split into" in screen_text(pilot)


async def test_the_cursor_stays_on_its_message(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    from workflow.actions import Merge

    one = write(desktop, sample, "a", subject="The lift")
    two = write(desktop, sample, "b", subject="The stairs")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, two)
        assert desk.pane is not None
        message = desk.pane.transcript.message
        assert message is not None
        desktop.desk.perform(Merge(one, two), Actor.agent("ben"), "test")
        await until(pilot, lambda: "text of a" in screen_text(pilot), 10)
        assert desk.pane.transcript.message is not None
        assert desk.pane.transcript.message.id == message.id


async def test_links_unlinks_and_taking_out_by_the_palette(
    opened: Opened, sample: SampleDesk, desktop: Desktop
) -> None:
    one = write(desktop, sample, "a", subject="The lift")
    two = write(desktop, sample, "b", subject="The stairs")
    async with opened() as pilot:
        desk = console_of(pilot).desk
        await open_ticket(pilot, one)
        await pilot.press("L", *f"#{two}", "enter")
        await until(pilot, lambda: "see also" in screen_text(pilot))
        desk.run_action_id("unlink")
        await until(pilot, lambda: desk.picker.open)
        await pilot.press("enter")
        await until(pilot, lambda: "see also" not in screen_text(pilot))
        await pilot.press("M", *f"#{two}", "enter")
        await until(pilot, lambda: desk.ticket is not None and desk.ticket.id == two)
        await until(pilot, lambda: "merged in" in screen_text(pilot))
        desk.run_action_id("unmerge")
        await until(pilot, lambda: desk.picker.open)
        await pilot.press("enter")
        await until(pilot, lambda: "merged in" not in screen_text(pilot))
        for action, words in (
            ("unmerge", "No ticket was merged into this one"),
            ("unlink", "linked with no other"),
            ("split", "the only message"),
            ("dismiss_suggestion", "no suggestion"),
        ):
            desk.run_action_id(action)
            await until(pilot, lambda words=words: words in screen_text(pilot))
